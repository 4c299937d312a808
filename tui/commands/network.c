/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway network`: what it is, and whether it is enough; `network apply`: that of an answer
 * file.
 */
#include <string.h>

#include "answers/proxy.h"
#include "apply/network.h"
#include "apply/nettest.h"
#include "base/json.h"
#include "net/offers.h"
#include "net/routes.h"
#include "plan/network.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static void print_line(const struct sw_event *ev, void *json)
{
	if (ev->type == SW_EVENT_LOG && !*(const bool *)json)
		printf("%s\n", ev->text);
}

static int refuse_elsewhere(const struct sw_machine *m, struct sw_error *err)
{
	if (sw_machine_sets_network(m))
		return 0;
	(void)sw_fail(err, SW_EXIT_REFUSED, -EOPNOTSUPP,
		      "the network of this system is not slipway's to set");
	sw_error_why(err, "only that of slipway's own medium is");
	sw_error_hint(err, "slipway plan --answers FILE shows what the node would get");
	return -EOPNOTSUPP;
}

static int run_apply(struct sw_cli *cli, struct sw_error *err)
{
	const struct sw_sink sink = { .fn = print_line, .userdata = &cli->json };
	_cleanup_(sw_target_clear) struct sw_target t = {};
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_json_ json_object *network = NULL;
	const char *file = cli->args.rest[0];
	int r = sw_answers_read(file, &a, err);

	if (r == 0)
		r = sw_answers_validate_network(a, file, err);
	if (r == 0)
		r = sw_target_open(cli, &t, err);
	if (r == 0)
		r = refuse_elsewhere(t.m, err);
	if (r == 0)
		r = sw_plan_network(a, t.f, &network, err);
	if (r == 0)
		r = sw_network_apply(t.m, network, &sink, err);
	if (r < 0)
		return r;
	if (cli->json)
		sw_print_json(network);
	else
		printf("%s: the network is as it says\n", file);
	return 0;
}

const struct sw_command sw_command_network_apply = {
	.name = "network apply",
	.summary = "Give the medium that runs the network of an answer file",
	.operands = "FILE",
	.min_rest = 1,
	.max_rest = 1,
	.details = "Of FILE only network counts. It is taken back when a link does not come up.",
	.run = run_apply,
};

/* ---- what there is, and the test of it ---- */

enum { OPT_TEST = 300, OPT_OFFERS, OPT_LINK };

static json_object *links_json(const struct sw_facts *f)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < f->n_links; i++) {
		const struct sw_link *l = &f->links[i];
		json_object *o = json_object_new_object();

		sw_json_add_str(o, "name", l->name);
		sw_json_add_bool(o, "carrier", l->carrier);
		sw_json_add(o, "addresses", sw_json_strv(l->addresses));
		json_object_array_add(list, o);
	}
	return list;
}

static void print_words(const char *label, json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		printf("%-8s %s\n", label,
		       json_object_get_string(json_object_array_get_idx(list, i)));
}

static void print_routes(json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		const char *via = sw_json_str(o, "via", NULL);

		printf("%-8s %s%s%s on %s\n", "route", sw_json_str(o, "to", ""),
		       via ? " via " : "", via ? via : "", sw_json_str(o, "link", ""));
	}
}

static int show(const struct sw_cli *cli, struct sw_machine *m, struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	_cleanup_facts_ struct sw_facts *f = NULL;
	int r = sw_machine_identity(m, &f, err);

	if (r < 0)
		return r;
	sw_json_add(o, "links", links_json(f));
	sw_routes_look(m, o);
	if (cli->json) {
		sw_print_json(o);
		return 0;
	}
	for (size_t i = 0; i < f->n_links; i++) {
		const struct sw_link *l = &f->links[i];

		printf("%-8s %s, %s", "link", l->name, l->carrier ? "carrier" : "no carrier");
		for (char **a = l->addresses; a && *a; a++)
			printf(", %s", *a);
		printf("\n");
	}
	print_routes(sw_json_array(o, "routes"));
	print_words("dns", sw_json_array(o, "dns"));
	print_words("search", sw_json_array(o, "search"));
	return 0;
}

/* A table in any case; and an error besides when somebody has to do something. */
static int test(const struct sw_cli *cli, struct sw_machine *m, const struct sw_answers *a,
		struct sw_error *err)
{
	_cleanup_free_ struct sw_nettest *t = calloc(1, sizeof(*t));
	_cleanup_buf_ struct sw_buf text = {};
	int r = t ? sw_nettest_run(m, a, NULL, t, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	if (cli->json) {
		_cleanup_json_ json_object *o = sw_nettest_to_json(t);

		sw_print_json(o);
	} else if (sw_nettest_text(t, &text) == 0) {
		printf("%s", sw_buf_text(&text));
	}
	return sw_nettest_result(t, err);
}

static void tell_offer(const struct sw_event *ev, void *json)
{
	if (ev->type == SW_EVENT_LOG && !*(const bool *)json)
		fprintf(stderr, "%s\n", ev->text);
}

static int offers(struct sw_cli *cli, struct sw_machine *m, struct sw_error *err)
{
	const struct sw_sink sink = { .fn = tell_offer, .userdata = &cli->json };
	_cleanup_json_ json_object *list = NULL;
	_cleanup_buf_ struct sw_buf text = {};
	int r = sw_offers_of(m, sw_arg(&cli->args, OPT_LINK), &sink, &list, err);

	if (r < 0)
		return r;
	if (cli->json)
		sw_print_json(list);
	else if (sw_offers_text(list, &text) == 0)
		printf("%s", sw_buf_text(&text));
	return 0;
}

static int run_network(struct sw_cli *cli, struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, 'a');
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_answers_ struct sw_answers *a = NULL;
	const bool tests = sw_arg(&cli->args, OPT_TEST);
	int r = 0;

	if (file && !tests)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--answers goes with --test");
	if (sw_arg(&cli->args, OPT_LINK) && !sw_arg(&cli->args, OPT_OFFERS))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--link goes with --offers");
	if (tests && sw_arg(&cli->args, OPT_OFFERS))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--test and --offers at once");
	if (file)
		r = sw_answers_read(file, &a, err);
	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	if (r == 0 && m->kind == SW_MACHINE_CAPTURED)
		r = sw_fail(err, SW_EXIT_USAGE, -EROFS,
			    "captured facts have no network to look at");
	if (r == 0 && a)
		r = sw_answers_use_proxy(a, m, err);
	if (r < 0)
		return r;
	if (sw_arg(&cli->args, OPT_OFFERS))
		return offers(cli, m, err);
	return tests ? test(cli, m, a, err) : show(cli, m, err);
}

static const struct sw_opt network_opts[] = {
	{ OPT_TEST, "test", NULL, "see whether it is enough for an install" },
	{ OPT_OFFERS, "offers", NULL, "ask what the DHCP servers would give, and take nothing" },
	{ OPT_LINK, "link", "NAME", "with --offers: on this link alone" },
	{ 'a', "answers", "FILE", "with --test: and for the servers that these answers name" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_network = {
	.name = "network",
	.summary = "Show links, routes and name servers, and test them",
	.operands = "",
	.opts = network_opts,
	.details = "The test has a line for each link, router, name server and time server, and\n"
		   "for each server that the answers name, with what to do where one fails.\n"
		   "Exit 10 when one does.\n"
		   "--offers wants root and dhcpcd, which is asked and not started: no address or\n"
		   "lease changes. IPv4.",
	.run = run_network,
};
