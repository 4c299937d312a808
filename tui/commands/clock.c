/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway clock`: what clocks say, which of them is believed, and this machine's set to that. */
#include <string.h>

#include "admission/token.h"
#include "answers/proxy.h"
#include "apply/clock.h"
#include "base/file.h"
#include "base/strv.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

enum { OPT_NTP = 300, OPT_URL, OPT_CA, OPT_PIN, OPT_SET };

#define CA_MAX 65536U

struct asking {
	struct sw_answers *a;	/* NULL: none were given */
	struct sw_clock_ask k;
	char **ntp;
	struct sw_buf ca;
	char pin[65];
};

static void asking_clear(struct asking *q)
{
	sw_clock_ask_clear(&q->k);
	q->a = sw_answers_free(q->a);
	q->ntp = sw_strv_free(q->ntp);
	sw_buf_clear(&q->ca);
}

static int read_ca(const char *file, struct sw_buf *ca, struct sw_error *err)
{
	int r;

	ca->max = CA_MAX;
	r = sw_file_read(file, ca);
	if (r < 0) {
		(void)sw_fail_errno(err, SW_EXIT_USAGE, r, "the CA cannot be read");
		sw_error_where(err, "%s", file);
	}
	return r;
}

/* One server named on the command line goes before those of the answers. */
static int from_url(const struct sw_cli *cli, struct asking *q, struct sw_error *err)
{
	const char *url = sw_arg(&cli->args, OPT_URL), *ca = sw_arg(&cli->args, OPT_CA);
	const char *pin = sw_arg(&cli->args, OPT_PIN);
	int r = ca ? read_ca(ca, &q->ca, err) : 0;

	if (r == 0 && pin)
		r = sw_ca_pin_parse(pin, q->pin, err);
	if (r == 0 && !url && (ca || pin))
		r = sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--ca and --pin go with --url");
	if (r < 0 || !url)
		return r;
	q->k.servers[0] = (struct sw_time_server){
		.url = url,
		.trust = { .ca = ca ? sw_buf_text(&q->ca) : NULL, .pin = pin ? q->pin : NULL },
	};
	q->k.ask.n_servers = 1;
	return 0;
}

static int read_asking(const struct sw_cli *cli, struct asking *q, struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, 'a'), *host;
	size_t pos = 0;
	int r = file ? sw_answers_read(file, &q->a, err) : 0;

	if (r < 0)
		return r;
	if (q->a && sw_clock_ask_from(q->a, &q->k) < 0)
		return sw_fail_oom(err);
	q->k.ask.servers = q->k.servers;
	q->k.ask.wait_s = 0;
	while ((host = sw_arg_next(&cli->args, OPT_NTP, &pos)))
		if (sw_strv_add(&q->ntp, host) < 0)
			return sw_fail_oom(err);
	if (q->ntp)
		q->k.ask.ntp = q->ntp;
	return from_url(cli, q, err);
}

static void say(const struct sw_event *ev, void *userdata SW_UNUSED)
{
	if (ev->type == SW_EVENT_LOG)
		(void)fprintf(stderr, "slipway: %s\n", ev->text);
}

static int print(const struct sw_cli *cli, const struct sw_time_seen *seen,
		 const struct sw_time_verdict *v, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf text = {}, words = {};
	_cleanup_json_ json_object *o = NULL;

	if (cli->json) {
		o = sw_time_to_json(seen, v);
		sw_print_json(o);
		return 0;
	}
	if (sw_time_text_all(seen, &text) < 0 || sw_time_words(seen, v, &words) < 0)
		return sw_fail_oom(err);
	printf("%sThe clock: %s\n", sw_buf_text(&text), sw_buf_text(&words));
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const struct sw_sink sink = { .fn = say };
	_cleanup_free_ struct sw_time_seen *seen = calloc(1, sizeof(*seen));
	_cleanup_(asking_clear) struct asking q = {};
	_cleanup_machine_ struct sw_machine *m = NULL;
	struct sw_time_verdict v;
	int r = seen ? read_asking(cli, &q, err) : sw_fail_oom(err);

	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	if (r == 0 && q.a)
		r = sw_answers_use_proxy(q.a, m, err);
	if (r == 0)
		r = sw_time_look(m, &q.k.ask, seen, err);
	if (r < 0)
		return r;
	sw_time_judge(seen, &v);
	r = print(cli, seen, &v, err);
	if (r == 0 && sw_arg(&cli->args, OPT_SET))
		r = sw_time_set(m, seen, &v, &sink, err);
	return r;
}

static const struct sw_opt opts[] = {
	{ 'a', "answers", "FILE", "ask whom an install with these answers would ask" },
	{ OPT_NTP, "ntp", "HOST", "ask this NTP server; may be given again" },
	{ OPT_URL, "url", "URL", "ask this https server" },
	{ OPT_CA, "ca", "FILE", "believe it when this CA signed its certificate" },
	{ OPT_PIN, "pin", "sha256:HEX", "believe it for this key" },
	{ OPT_SET, "set", NULL, "set the clock, also that on the board, when it is wrong" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_clock = {
	.name = "clock",
	.summary = "Compare this machine's clock with others, and set it",
	.operands = "",
	.opts = opts,
	.details = "Without --ntp, and without network.ntp in the answers, the NTP servers of the\n"
		   "leases are asked. An https server that is believed counts more than NTP, for\n"
		   "which nobody vouches; what is before slipway was made is no time. On its\n"
		   "medium slipway does this by itself before an install.",
	.run = run,
};
