/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers of a node: how the last admission went, as it was noted, and, when somebody wants
 * it, whether the boot server and those of the admission answer now. Nothing that is asked says
 * who this machine is.
 */
#include <string.h>

#include "admission/admitted.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/node.h"
#include "boot/promote.h"
#include "net/reach.h"
#include "rescue/admit.h"
#include "rescue/private.h"

#define TIMEOUT_S 10U

/* ---- noted ---- */

int sw_examine_admitted(struct sw_examine *x)
{
	_cleanup_json_ json_object *list = sw_admitted_look(x->m);
	char when[SW_TIME_TEXT];

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *a = json_object_array_get_idx(list, i);
		const char *kind = sw_json_str(a, "kind", "?");
		struct sw_finding *fi;

		if (sw_json_bool(a, "admitted", true))
			continue;
		fi = sw_finding_add(x, NULL, "admission-refused", SW_FINDING_WARNING,
				    SW_SURE_CERTAIN);
		if (!fi)
			return -ENOMEM;
		(void)snprintf(fi->what, sizeof(fi->what), "the last admission (%.20s) failed",
			       kind);
		(void)snprintf(fi->evidence, sizeof(fi->evidence), "noted %s: %.90s: %.90s %.70s",
			       sw_time_text(sw_json_int(a, "time", 0), when),
			       sw_json_str(a, "url", "?"), sw_json_str(a, "error", "no reason"),
			       sw_json_str(a, "why", ""));
		(void)snprintf(fi->effect, sizeof(fi->effect),
			       "the node starts, and lacks what the server gives it");
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "%.140s%s`slipway admit --kind %.20s` tries it again",
			       sw_json_str(a, "hint", ""), *sw_json_str(a, "hint", "") ? "; " : "",
			       kind);
		return 0;
	}
	return 0;
}

/* ---- asked ---- */

static int boot_server(struct sw_examine *x, const struct sw_node *n,
		       const struct sw_sink *sink)
{
	const char *uri = sw_json_str(sw_json_get(n->data, "network"), "uri", NULL);
	struct sw_error e = {};
	struct sw_finding *fi;
	struct sw_reach reach;

	/* What DHCP gives, or what is filled in for each machine, is not known here. */
	if (!uri || strstr(uri, "${") || strcmp(sw_json_str(n->data, "mode", ""), "network") != 0)
		return 0;
	sw_event_log(sink, "asking the boot server: %.200s", uri);
	if (sw_reach_try(uri, &reach, &e) == 0)
		return 0;
	fi = sw_finding_add(x, NULL, "boot-server", sw_node_best_slot(n) < 0 ? SW_FINDING_ERROR
			    : SW_FINDING_WARNING, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	fi->asked = true;
	(void)snprintf(fi->what, sizeof(fi->what), "the boot server does not give what the node "
		       "starts from");
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.120s: %.90s: %.90s", uri, e.what,
		       e.why);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", sw_node_best_slot(n) < 0
		       ? "nothing else starts this node: no slot holds a good image"
		       : "the node falls back to the image on its disk");
	(void)snprintf(fi->advice, sizeof(fi->advice), "%.190s%s", e.hint,
		       e.hint[0] ? "" : "see whether the server runs and has the file");
	return 0;
}

static int refused(struct sw_examine *x, const struct sw_admit_config *c,
		   enum sw_preflight_check check, const struct sw_verdict_row *row)
{
	char id[48];
	struct sw_finding *fi;

	(void)snprintf(id, sizeof(id), "server-%.20s", c->profile->kind);
	fi = sw_finding_add(x, NULL, id, SW_FINDING_WARNING, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	fi->asked = true;
	(void)snprintf(fi->what, sizeof(fi->what), "an admission (%.20s) would fail now: %.20s",
		       c->profile->kind, sw_preflight_name(check));
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.80s: %.220s", c->url, row->what);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "the node starts and is not let in: it lacks what the server gives it");
	(void)snprintf(fi->advice, sizeof(fi->advice), "%.230s", row->fix);
	return 0;
}

/* The first that fails is the cause of the others. */
static int admission_server(struct sw_examine *x, const struct sw_admit_config *c)
{
	struct sw_preflight_seen seen = {};
	struct sw_preflight verdicts = {};
	struct sw_error e = {};

	if (sw_admit_check_url(c, &e) < 0 ||
	    sw_admit_preflight(x->m, c, TIMEOUT_S, &seen, &verdicts, &e) < 0)
		return 0;
	for (enum sw_preflight_check i = 0; i < SW_N_PREFLIGHT; i++)
		if (verdicts.row[i].verdict == SW_VERDICT_FAILED)
			return refused(x, c, i, &verdicts.row[i]);
	return 0;
}

int sw_rescue_ask_servers(struct sw_machine *m, const struct sw_facts *f, const char *disk,
			  const struct sw_sink *sink, struct sw_findings *l, struct sw_error *err)
{
	struct sw_examine x = { .m = m, .f = f, .disk = disk, .out = l, .err = err };
	_cleanup_node_ struct sw_node n = {};
	struct sw_admit_list list = {};
	struct sw_error e = {};
	int r;

	if (sw_node_find(m, f, disk, &n, &e) < 0)
		return 0;	/* said already */
	r = sw_examine_clock_by_servers(&x, &n, sink);
	if (r == 0)
		r = boot_server(&x, &n, sink);
	if (r == 0 && sw_admit_from_node(m, disk, NULL, &list, &e) == 0)
		for (size_t i = 0; r == 0 && i < list.n; i++) {
			r = sw_event_poll(sink);
			sw_event_log(sink, "asking the server of the admission (%.20s): %.160s",
				     list.v[i].profile->kind, list.v[i].url ? list.v[i].url : "?");
			if (r == 0)
				r = admission_server(&x, &list.v[i]);
		}
	sw_admit_list_clear(&list);
	sw_findings_sort(l);
	if (r == -ECANCELED)
		return sw_fail(err, SW_EXIT_CANCELLED, r, "cancelled");
	return r < 0 ? sw_fail_oom(err) : 0;
}
