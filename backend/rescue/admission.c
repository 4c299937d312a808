/* SPDX-License-Identifier: Apache-2.0 */
/* How the node was admitted in this start; and the admission again, as a repair. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "rescue/admit.h"
#include "rescue/private.h"

#define WAIT_S 30U

/* ---- again ---- */

static int give_token(struct sw_admit_config *c, struct sw_secret **ret_token, void *userdata,
		      struct sw_error *err)
{
	const struct sw_rescue_ask *q = userdata;
	int r = q->given ? sw_secret_copy(q->given, ret_token, err)
			 : sw_fail(err, SW_EXIT_USAGE, -ENOKEY, "the token for %s is missing",
				   c->profile->kind);

	if (r == 0 && !sw_admit_trim_token(c, *ret_token)) {
		r = sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this is no token: there is nothing in "
							   "it");
		sw_error_hint(err, "nothing was sent; ask the cluster's operators for a new one");
	}
	return r;
}

static int admit_again(const struct sw_rescue_ask *q, struct sw_repair *rep, struct sw_error *err)
{
	_cleanup_(sw_admit_list_clear) struct sw_admit_list l = {};
	_cleanup_buf_ struct sw_buf log = {};
	struct sw_admitting a = { .m = q->m, .list = &l, .wait_s = WAIT_S, .token = give_token,
				  .userdata = (void *)(uintptr_t)q, .sink = q->sink };
	int r = sw_admit_from_node(q->m, q->disk, rep->subject, &l, err), k = 0;

	if (r < 0)
		return r;
	sw_admit_own_log(q->m, &log);
	a.log = log.data;
	a.log_len = log.len;
	r = sw_admit_all(&a, err);
	if (a.tar.len)
		k = sw_admit_keep(&a, NULL, NULL, r == 0 ? err : NULL);
	sw_admit_note(&a, r < 0 || k < 0 ? err : NULL);
	sw_admitting_clear(&a);
	return r < 0 ? r : k;
}

/* ---- how it went ---- */

static json_object *note_of(json_object *notes, const char *kind)
{
	for (size_t i = 0; notes && i < json_object_array_length(notes); i++) {
		json_object *o = json_object_array_get_idx(notes, i);

		if (strcmp(sw_json_str(o, "kind", ""), kind) == 0)
			return o;
	}
	return NULL;
}

static int add_repair(struct sw_finding *fi, const struct sw_admit_config *c)
{
	struct sw_repair *r = sw_finding_repair(fi, NULL);
	const char *kind = c->profile->kind;

	if (!r)
		return -ENOMEM;
	r->needs = c->profile->needs_token ? SW_NEEDS_TOKEN : SW_NEEDS_NOTHING;
	r->carry_out = admit_again;
	r->no_undo = true;
	(void)snprintf(r->subject, sizeof(r->subject), "%s", kind);
	(void)snprintf(r->asks, sizeof(r->asks), "new token for %s at %.60s", kind, c->url);
	(void)snprintf(r->text, sizeof(r->text),
		       "ask %.80s to admit this node by %s again and keep the files that it gives; "
		       "that cannot be taken back", c->url, kind);
	(void)snprintf(r->before, sizeof(r->before), "not admitted in this start");
	(void)snprintf(r->after, sizeof(r->after),
		       "admitted; the overlay in /run/slipway/overlay.tar, until the next start");
	return 0;
}

static int finding(struct sw_examine *x, const struct sw_admit_config *c, json_object *note)
{
	struct sw_finding *fi;
	char id[40];

	(void)snprintf(id, sizeof(id), "admission-%.20s", c->profile->kind);
	fi = sw_finding_add(x, NULL, id, note ? SW_FINDING_ERROR : SW_FINDING_INFO,
			    SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), note ? "the node was not admitted by %s"
		       : "the node has not asked %s to be admitted", c->profile->kind);
	if (note)
		(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.80s: %.200s", c->url,
			       sw_json_str(note, "error", "it failed"));
	else
		(void)snprintf(fi->evidence, sizeof(fi->evidence),
			       "the node data name %.80s, and nothing was noted of it since the "
			       "start", c->url);
	(void)sw_text_clean(fi->evidence);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s",
		       c->profile->needs_token
			       ? "it is no member of its cluster; a token that has expired or was "
				 "used up is not taken a second time"
			       : "it is without its credentials and its overlay");
	return add_repair(fi, c);
}

/* A token is taken to its server once, and not at each start. */
static bool is_missing(const struct sw_admit_config *c, json_object *note)
{
	return note ? !sw_json_bool(note, "admitted", false) : !c->profile->needs_token;
}

int sw_examine_admission(struct sw_examine *x, const struct sw_switch *s)
{
	_cleanup_(sw_admit_list_clear) struct sw_admit_list l = {};
	_cleanup_json_ json_object *notes = NULL;
	struct sw_error e = {};
	int r = 0;

	/* Under a medium it is not the node that was started. */
	if (x->m->kind == SW_MACHINE_CAPTURED || x->disk || !s->node.data ||
	    (s->road != SW_ROAD_SLOT && s->road != SW_ROAD_NETWORK) ||
	    sw_admit_from_data(s->node.data, &l, &e) < 0)
		return 0;
	notes = sw_admitted_look(x->m);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		json_object *note = note_of(notes, l.v[i].profile->kind);

		if (is_missing(&l.v[i], note))
			r = finding(x, &l.v[i], note);
	}
	return r;
}
