/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/admit-job.h"

#include <inttypes.h>
#include <string.h>

#include "admission/overlay.h"
#include "base/file.h"
#include "base/json.h"
#include "rescue/admit.h"

#define PREFLIGHT_S 10U		/* for one question to the server */
#define WAIT_S 30U

/* ---- whether it would work ---- */

static int look_ahead(struct sw_machine *m, const struct sw_admit_config *c, json_object *list,
		      bool *ret_passed, struct sw_error *err)
{
	_cleanup_free_ struct sw_preflight_seen *seen = calloc(1, sizeof(*seen));
	_cleanup_free_ struct sw_preflight *p = calloc(1, sizeof(*p));
	json_object *o;
	int r = seen && p ? sw_admit_preflight(m, c, PREFLIGHT_S, seen, p, err)
			  : sw_fail_oom(err);

	if (r < 0)
		return r;
	o = sw_preflight_to_json(p, seen);
	sw_json_add_str(o, "kind", c->profile->kind);
	sw_json_add_str(o, "url", c->url);
	sw_json_add_str(o, "from", c->from);
	sw_json_add_bool(o, "asks", c->profile->needs_token && !c->token_file);
	*ret_passed = *ret_passed && sw_json_bool(o, "passed", false);
	json_object_array_add(list, o);
	return 0;
}

int sw_preflight_job(struct sw_machine *m, const struct sw_answers *a, json_object *out,
		     struct sw_error *err)
{
	_cleanup_(sw_admit_list_clear) struct sw_admit_list l = {};
	json_object *list = json_object_new_array();
	bool passed = true;
	int r = sw_admit_find(m, a, &l, err);

	sw_json_add(out, "admissions", list);
	for (size_t i = 0; i < l.n && r == 0; i++)
		r = look_ahead(m, &l.v[i], list, &passed, err);
	sw_json_add_bool(out, "passed", passed);
	return r;
}

/* ---- and doing it ---- */

struct admitting {
	struct sw_machine *m;
	struct sw_secret *const *tokens;
	json_object *done;
};

static int token(struct sw_admit_config *c, struct sw_secret **ret_token, void *userdata,
		 struct sw_error *err)
{
	const struct admitting *j = userdata;
	const struct sw_secret *s = j->tokens[sw_admission_kind_of(c->profile->kind)];
	int r;

	if (!s && c->token_file)
		return sw_admit_read_token(j->m, c, ret_token, err);
	if (!s)
		return sw_fail(err, SW_EXIT_MISSING, -ENOKEY, "the token for %s is missing",
			       c->profile->kind);
	r = sw_secret_copy(s, ret_token, err);
	if (r == 0)
		(void)sw_admit_trim_token(c, *ret_token);
	return r;
}

static void done(const struct sw_admit_config *c, const struct sw_admitted_by *by, void *userdata)
{
	const struct admitting *j = userdata;
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "kind", c->profile->kind);
	sw_json_add_str(o, "url", c->url);
	sw_json_add_str(o, "believes", sw_admit_trust_text(c));
	if (by->used != SW_ATTEST_AUTO)
		sw_json_add_str(o, "protocol", sw_attest_protocol_name(by->used));
	sw_json_add(o, "warnings", sw_admit_warnings(c, by));
	json_object_array_add(j->done, o);
}

static void add_entries(const struct sw_overlay *o, json_object *out)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < o->n; i++) {
		const struct sw_overlay_item *it = &o->items[i];
		_cleanup_free_ char *line = sw_fmt("%06o %8" PRIu64 " %s%s%s", it->mode & 07777,
						   it->size, it->path, it->link ? " -> " : "",
						   it->link ? it->link : "");

		if (line)
			json_object_array_add(list, json_object_new_string(line));
	}
	sw_json_add(out, "entries", list);
}

/* For whoever promotes or unpacks it; it goes with this start. */
static int keep(const struct sw_admitting *a, json_object *out, struct sw_error *err)
{
	_cleanup_overlay_ struct sw_overlay *o = NULL;
	_cleanup_free_ char *path = NULL;
	int r = sw_admit_keep(a, &path, &o, err);

	if (r < 0)
		return r;
	sw_json_add_str(out, "file", path);
	sw_json_add_str(out, "sha256", a->sha256);
	add_entries(o, out);
	return 0;
}

int sw_admit_job(struct sw_machine *m, const struct sw_answers *answers,
		 struct sw_secret *const *tokens, json_object *out, struct sw_error *err)
{
	_cleanup_(sw_admit_list_clear) struct sw_admit_list l = {};
	_cleanup_buf_ struct sw_buf log = {};
	struct admitting j = { .m = m, .tokens = tokens, .done = json_object_new_array() };
	struct sw_admitting a = { .m = m, .list = &l, .wait_s = WAIT_S, .token = token,
				  .done = done, .userdata = &j };
	int r = 0, k = 0;

	sw_json_add(out, "admissions", j.done);
	for (size_t i = 0; i < SW_N_ADMISSION_KINDS && r == 0; i++)
		r = tokens[i] ? sw_secret_relock(tokens[i], err) : 0;
	if (r == 0)
		r = sw_admit_find(m, answers, &l, err);
	sw_admit_own_log(m, &log);
	a.log = log.data;
	a.log_len = log.len;
	if (r == 0)
		r = sw_admit_all(&a, err);
	if (a.tar.len)
		k = keep(&a, out, r == 0 ? err : NULL);
	sw_admit_note(&a, r < 0 || k < 0 ? err : NULL);
	if (r < 0 && a.tar.len && k == 0) {
		_cleanup_free_ char *text = sw_error_text(err);

		sw_json_add_str(out, "failed", text);
		r = 0;
	}
	sw_admitting_clear(&a);
	return r < 0 ? r : k;
}
