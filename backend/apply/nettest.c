/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's side of the network: links, routers, name servers, the clock; and the table. */
#include "apply/nettest.h"

#include <string.h>
#include <strings.h>

#include "apply/clock.h"
#include "apply/nettest-private.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "net/routes.h"

#define PING_S 5U

struct sw_verdict_row *sw_nettest_add(struct sw_nettest *t, const char *name, const char *of)
{
	struct sw_nettest_row *row = t->n < SW_NETTEST_MAX ? &t->rows[t->n++] : NULL;

	if (row) {
		*row = (struct sw_nettest_row){};
		(void)snprintf(row->name, sizeof(row->name), "%s%s%s", name, of ? " " : "",
			       of ? of : "");
	}
	return row ? &row->row : NULL;
}

/* ---- links ---- */

/* What every link with IPv6 gives itself reaches no further than its wire. */
static bool reaches_out(const struct sw_link *l)
{
	for (char **a = l->addresses; a && *a; a++)
		if (strncasecmp(*a, "fe80:", 5) != 0)
			return true;
	return false;
}

static bool any_is_up(const struct sw_facts *f)
{
	for (size_t i = 0; i < f->n_links; i++)
		if (f->links[i].carrier && reaches_out(&f->links[i]))
			return true;
	return false;
}

/* One that is not used is no failure, as long as another is. */
static void judge_link(const struct sw_link *l, bool up, struct sw_verdict_row *row)
{
	const enum sw_verdict bad = up ? SW_VERDICT_WARNING : SW_VERDICT_FAILED;

	if (!l->carrier) {
		sw_verdict_say(row, bad, "no carrier");
		sw_verdict_fix(row, "plug the cable in, and see whether the switch's port is on");
	} else if (!reaches_out(l)) {
		sw_verdict_say(row, bad, "a carrier, and no address");
		sw_verdict_fix(row, "is there a DHCP server or a router that advertises on this "
			       "wire and VLAN? network.links gives a fixed address");
	} else {
		sw_verdict_say(row, SW_VERDICT_OK, "a carrier, %s%s", l->addresses[0],
			       l->addresses[1] ? " and more" : "");
	}
}

static void test_links(const struct sw_facts *f, struct sw_nettest *t)
{
	const bool up = any_is_up(f);
	struct sw_verdict_row *row;

	for (size_t i = 0; i < f->n_links; i++) {
		row = sw_nettest_add(t, "link", f->links[i].name);
		if (row)
			judge_link(&f->links[i], up, row);
	}
	row = f->n_links ? NULL : sw_nettest_add(t, "link", NULL);
	if (row) {
		sw_verdict_say(row, SW_VERDICT_FAILED, "there is no network card with a driver");
		sw_verdict_fix(row, "is one built in, and switched on in the firmware's setup?");
	}
}

/* ---- routers ---- */

static void ping(const struct sw_machine *m, const char *via, const char *link,
		 struct sw_verdict_row *row)
{
	_cleanup_free_ char *scoped = sw_fmt("%s%%%s", via, link);
	const bool wire = strncasecmp(via, "fe80:", 5) == 0;
	const char *const argv[] = { "ping", "-c", "1", "-W", "3",
				     wire && scoped ? scoped : via, NULL };
	int r = m->kind == SW_MACHINE_REAL ? sw_proc_run(argv, NULL, PING_S, NULL) : -ENOENT;

	if (r == -ENOENT) {
		sw_verdict_say(row, SW_VERDICT_NOT_CHECKED, "%s on %s: there is no ping here", via,
			       link);
	} else if (r == 0) {
		sw_verdict_say(row, SW_VERDICT_OK, "%s on %s answers a ping", via, link);
	} else {
		sw_verdict_say(row, SW_VERDICT_WARNING, "%s on %s does not answer a ping", via,
			       link);
		sw_verdict_fix(row, "some routers never do; when the servers below are not "
			       "reached either, is this the right address of it?");
	}
}

static void test_routers(const struct sw_machine *m, json_object *routes, struct sw_nettest *t)
{
	struct sw_verdict_row *row;
	bool any = false;

	for (size_t i = 0; routes && i < json_object_array_length(routes); i++) {
		json_object *o = json_object_array_get_idx(routes, i);
		const char *via = sw_json_str(o, "via", NULL);

		if (strcmp(sw_json_str(o, "to", ""), "default") != 0)
			continue;
		any = true;
		row = via ? sw_nettest_add(t, "router", NULL) : NULL;
		if (row)
			ping(m, via, sw_json_str(o, "link", ""), row);
	}
	row = any ? NULL : sw_nettest_add(t, "router", NULL);
	if (row) {
		sw_verdict_say(row, SW_VERDICT_WARNING, "no way leads further than the links' own "
						      "subnets");
		sw_verdict_fix(row, "with fixed addresses network.links.gateway names the router");
	}
}

static void test_dns(json_object *dns, struct sw_nettest *t)
{
	const size_t n = dns ? json_object_array_length(dns) : 0;
	struct sw_verdict_row *row = sw_nettest_add(t, "DNS", NULL);

	if (!row)
		return;
	if (n) {
		sw_verdict_say(row, SW_VERDICT_OK, "%zu name server%s, %s first", n,
			       n > 1 ? "s" : "",
			       json_object_get_string(json_object_array_get_idx(dns, 0)));
		return;
	}
	sw_verdict_say(row, SW_VERDICT_WARNING, "there is no name server: only addresses can be "
						"used");
	sw_verdict_fix(row, "network.links.dns names some, if DHCP does not");
}

/* ---- the clock ---- */

static void judge_heard(const struct sw_time_heard *h, struct sw_nettest *t)
{
	struct sw_verdict_row *row = sw_nettest_add(t, "NTP", NULL);

	if (!row)
		return;
	if (h->error.what[0]) {
		sw_verdict_error(row, &h->error);
		row->verdict = SW_VERDICT_WARNING;
	} else {
		sw_verdict_say(row, SW_VERDICT_OK, "%s answers", h->name);
	}
}

static int test_clock(struct sw_machine *m, const struct sw_answers *a,
		      const struct sw_sink *sink, struct sw_nettest *t, struct sw_error *err)
{
	_cleanup_free_ struct sw_time_seen *seen = calloc(1, sizeof(*seen));
	_cleanup_free_ struct sw_clock_ask *k = calloc(1, sizeof(*k));
	_cleanup_buf_ struct sw_buf words = {};
	struct sw_verdict_row *row = sw_nettest_add(t, "clock", NULL);
	struct sw_time_verdict v;
	int r = !seen || !k || (a && sw_clock_ask_from(a, k) < 0) ? sw_fail_oom(err) : 0;

	if (r == 0) {
		k->ask.wait_s = 0;
		k->ask.sink = sink;
		r = sw_time_look(m, &k->ask, seen, err);
	}
	if (k)
		sw_clock_ask_clear(k);
	if (r < 0)
		return r;
	sw_time_judge(seen, &v);
	if (sw_time_words(seen, &v, &words) < 0)
		return sw_fail_oom(err);
	for (size_t i = 0; i < seen->n; i++)
		if (seen->heard[i].who == SW_TIME_NTP)
			judge_heard(&seen->heard[i], t);
	if (row)
		sw_verdict_say(row, v.by == -1 ? SW_VERDICT_NOT_CHECKED
				  : v.wrong || v.disputed ? SW_VERDICT_WARNING : SW_VERDICT_OK,
			       "%s", sw_buf_text(&words));
	if (row && v.wrong)
		sw_verdict_fix(row, "an install on the medium sets it by itself; slipway clock "
			       "--set");
	return 0;
}

/* ---- all ---- */

int sw_nettest_run(struct sw_machine *m, const struct sw_answers *a, const struct sw_sink *sink,
		   struct sw_nettest *ret_test, struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	_cleanup_facts_ struct sw_facts *f = NULL;
	int r = sw_machine_identity(m, &f, err);

	*ret_test = (struct sw_nettest){};
	if (r < 0)
		return r;
	test_links(f, ret_test);
	sw_routes_look(m, o);
	test_routers(m, sw_json_array(o, "routes"), ret_test);
	test_dns(sw_json_array(o, "dns"), ret_test);
	r = test_clock(m, a, sink, ret_test, err);
	return r < 0 || !a ? r : sw_nettest_servers(a, sink, ret_test, err);
}

bool sw_nettest_passed(const struct sw_nettest *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].row.verdict == SW_VERDICT_FAILED)
			return false;
	return true;
}

int sw_nettest_text(const struct sw_nettest *t, struct sw_buf *out)
{
	int r = 0;

	for (size_t i = 0; i < t->n && r == 0; i++)
		r = sw_verdict_text(t->rows[i].name, 12, &t->rows[i].row, out);
	return r;
}

json_object *sw_nettest_to_json(const struct sw_nettest *t)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	sw_json_add_bool(o, "passed", sw_nettest_passed(t));
	for (size_t i = 0; i < t->n; i++)
		json_object_array_add(list, sw_verdict_to_json(t->rows[i].name, &t->rows[i].row));
	sw_json_add(o, "checks", list);
	return o;
}

int sw_nettest_result(const struct sw_nettest *t, struct sw_error *err)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct sw_nettest_row *row = &t->rows[i];

		if (row->row.verdict != SW_VERDICT_FAILED)
			continue;
		(void)sw_fail(err, SW_EXIT_NETWORK, -ENETUNREACH,
			      "the network is not enough for an install");
		sw_error_where(err, "%s", row->name);
		sw_error_why(err, "%.500s", row->row.what);
		sw_error_hint(err, "%.500s", row->row.fix);
		return -ENETUNREACH;
	}
	return 0;
}
