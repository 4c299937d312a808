/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time it is for the servers of a node: that a clock is wrong by hours or years, while it is
 * neither before this program was made nor decades after, is known to nobody else. And the clock
 * set to that, as a repair.
 */
#include <string.h>

#include "base/json.h"
#include "base/strv.h"
#include "base/text.h"
#include "net/time.h"
#include "rescue/admit.h"
#include "rescue/private.h"

#define HARMLESS_MS (5LL * 60 * 1000)	/* what tickets and tokens bear; fresh certificates less */

struct looking {
	struct sw_admit_list list;
	struct sw_time_server servers[SW_ADMISSIONS_MAX + 1];
	char **ntp;
	struct sw_time_ask ask;
	struct sw_time_seen seen;
	struct sw_time_verdict verdict;
};

static struct looking *looking_free(struct looking *l)
{
	if (!l)
		return NULL;
	sw_admit_list_clear(&l->list);
	sw_strv_free(l->ntp);
	free(l);
	return NULL;
}
SW_DEFINE_CLEANUP(struct looking, looking_free)

static void add_server(struct looking *l, const char *url, struct sw_http_trust trust)
{
	if (url && strncmp(url, "https://", 8) == 0 && l->ask.n_servers < ARRAY_SIZE(l->servers))
		l->servers[l->ask.n_servers++] = (struct sw_time_server){ .url = url,
									  .trust = trust };
}

/* Those of its admission are believed for what the node knows of them; the boot server as any. */
static int find_servers(struct looking *l, const struct sw_node *n)
{
	json_object *boot = sw_json_get(n->data, "network");
	json_object *ntp = sw_json_array(sw_json_get(n->data, "network_config"), "ntp");
	const char *uri = boot ? sw_json_str(boot, "uri", NULL) : NULL;
	struct sw_error e = {};
	int r = 0;

	if (n->data && sw_admit_from_data(n->data, &l->list, &e) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; i < l->list.n; i++)
		if (sw_admit_check_url(&l->list.v[i], &(struct sw_error){}) == 0)
			add_server(l, l->list.v[i].url, sw_admit_trust(&l->list.v[i]));
	if (uri && !strstr(uri, "${"))
		add_server(l, uri, (struct sw_http_trust){});
	for (size_t i = 0; r == 0 && ntp && i < json_object_array_length(ntp); i++)
		r = sw_strv_add(&l->ntp, json_object_get_string(json_object_array_get_idx(ntp, i)));
	return r;
}

static int look(struct sw_machine *m, const struct sw_node *n, const struct sw_sink *sink,
		struct looking *l, struct sw_error *err)
{
	int r = find_servers(l, n);

	if (r < 0)
		return sw_fail_oom(err);
	l->ask.servers = l->servers;
	l->ask.ntp = l->ntp;
	l->ask.sink = sink;
	r = sw_time_look(m, &l->ask, &l->seen, err);
	if (r == 0)
		sw_time_judge(&l->seen, &l->verdict);
	return r;
}

/* ---- the repair ---- */

static int set_clock(const struct sw_rescue_ask *q, struct sw_repair *rep SW_UNUSED,
		     struct sw_error *err)
{
	_cleanup_(looking_freep) struct looking *l = calloc(1, sizeof(*l));
	_cleanup_node_ struct sw_node n = {};
	struct sw_error e = {};
	int r;

	if (!l)
		return sw_fail_oom(err);
	/* Without one the NTP servers of the leases say it. */
	(void)sw_node_find(q->m, q->f, q->disk, &n, &e);
	r = look(q->m, &n, q->sink, l, err);
	if (r < 0)
		return r;
	if (l->verdict.by < 0) {
		sw_fail(err, SW_EXIT_NETWORK, -ENODATA, "nobody says any more what time it is");
		sw_error_hint(err, "nothing was changed; try it again, or set the clock in the "
				   "firmware's setup");
		return -ENODATA;
	}
	return sw_time_set(q->m, &l->seen, &l->verdict, q->sink, err);
}

static int add_repair(struct sw_finding *fi, const struct looking *l)
{
	const struct sw_time_verdict *v = &l->verdict;
	struct sw_repair *r = sw_finding_repair(fi, NULL);

	if (!r)
		return -ENOMEM;
	r->carry_out = set_clock;
	r->no_undo = true;
	(void)snprintf(r->text, sizeof(r->text), "ask again, and set this machine's clock, also "
		       "the one on its board, to what %.80s says", l->seen.heard[v->by].name);
	(void)sw_time_text(l->seen.now_ms / 1000, r->before);
	(void)sw_time_text((l->seen.now_ms + v->ahead_ms) / 1000, r->after);
	return 0;
}

/* ---- the finding ---- */

/* Nobody vouches for what NTP says; a server is known by its certificate or its key. */
static bool vouched(const struct looking *l)
{
	for (size_t i = 0; i < l->seen.n; i++) {
		const struct sw_time_heard *h = &l->seen.heard[i];

		if (h->who == SW_TIME_SERVER && !h->error.what[0] &&
		    llabs(h->ahead_ms - l->verdict.ahead_ms) <= SW_TIME_AGREE_MS)
			return true;
	}
	return false;
}

/* What was seen without asking says less of the same clock. */
static struct sw_finding *the_finding(struct sw_examine *x)
{
	for (size_t i = 0; i < x->out->n; i++)
		if (strcmp(x->out->v[i].id, "clock") == 0)
			return &x->out->v[i];
	return sw_finding_add(x, NULL, "clock", SW_FINDING_INFO, SW_SURE_LIKELY);
}

static int tell(struct sw_examine *x, const struct looking *l)
{
	const bool behind = l->verdict.ahead_ms > 0;
	struct sw_finding *fi = the_finding(x);
	_cleanup_buf_ struct sw_buf words = {};

	if (!fi || sw_time_words(&l->seen, &l->verdict, &words) < 0)
		return -ENOMEM;
	if (llabs(l->verdict.ahead_ms) > HARMLESS_MS)
		fi->severity = SW_FINDING_WARNING;
	fi->asked = true;
	if (vouched(l))
		fi->sure = SW_SURE_CERTAIN;
	(void)snprintf(fi->what, sizeof(fi->what), "the clock is %s", behind ? "behind" : "ahead");
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "it is %.310s", sw_buf_text(&words));
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s, tokens and tickets are refused",
		       behind ? "what is new does not look valid yet: certificates"
			      : "what expires looks expired: certificates");
	(void)snprintf(fi->advice, sizeof(fi->advice), "when it is wrong again after the power was "
		       "off, the battery on the board is empty");
	return add_repair(fi, l);
}

int sw_examine_clock_by_servers(struct sw_examine *x, const struct sw_node *n,
				const struct sw_sink *sink)
{
	_cleanup_(looking_freep) struct looking *l = calloc(1, sizeof(*l));
	struct sw_error e = {};
	int r;

	if (!l)
		return -ENOMEM;
	sw_event_log(sink, "asking what time it is");
	r = look(x->m, n, sink, l, &e);
	if (r < 0 || l->verdict.by < 0 || llabs(l->verdict.ahead_ms) <= SW_TIME_AGREE_MS)
		return r;
	return tell(x, l);
}
