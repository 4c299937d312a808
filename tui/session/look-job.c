/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/look-job.h"

#include "apply/nettest.h"
#include "base/json.h"
#include "boot/entries.h"
#include "boot/restart.h"
#include "net/reach.h"
#include "net/routes.h"
#include "rescue/status.h"

static int look_at_status(struct sw_machine *m, json_object *out, struct sw_error *err)
{
	_cleanup_json_ json_object *vars = NULL, *status = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_buf_ struct sw_buf text = { 0 };
	int r;

	if (m->kind == SW_MACHINE_CAPTURED)
		return sw_fail(err, SW_EXIT_MISSING, -EROFS,
			       "captured facts have no disks to look at");
	r = sw_machine_facts(m, &f, err);
	if (r == 0)
		r = sw_entries_of_machine(m, f, &vars, err);
	if (r == 0)
		r = sw_status_look(m, f, vars, &status, err);
	if (r < 0)
		return r;
	if (sw_status_text(status, &text) < 0)
		return sw_fail_oom(err);
	sw_json_add_str(out, "text", sw_buf_text(&text));
	return 0;
}

static int look_for_server(const char *url, json_object *out, struct sw_error *err)
{
	struct sw_reach reach;
	_cleanup_free_ char *show = sw_http_show(url ? url : "");
	int r = sw_reach_try(url ? url : "", &reach, err);

	if (r < 0)
		return r;
	sw_json_add_str(out, "url", show);
	json_object_object_add(out, "status", json_object_new_int64(reach.status));
	sw_json_add_u64(out, "size", reach.size);
	json_object_object_add(out, "ms", json_object_new_int64(reach.ms));
	return 0;
}

static int look_at_restart(struct sw_machine *m, json_object *out, struct sw_error *err)
{
	_cleanup_json_ json_object *found = NULL;
	int r = sw_restart_look(m, &found, err);

	if (r == 0)
		sw_json_add_all(out, found);
	return r;
}

int sw_look_job(struct sw_machine *m, enum sw_look_kind kind, const char *url,
		json_object *out, struct sw_error *err)
{
	switch (kind) {
	case SW_LOOK_STATUS:
		return look_at_status(m, out, err);
	case SW_LOOK_REACH:
		return look_for_server(url, out, err);
	case SW_LOOK_RESTART:
		return look_at_restart(m, out, err);
	default:
		sw_routes_look(m, out);
		return 0;
	}
}

int sw_nettest_job(struct sw_machine *m, const struct sw_answers *a, json_object *out,
		   struct sw_error *err)
{
	_cleanup_free_ struct sw_nettest *t = calloc(1, sizeof(*t));
	_cleanup_json_ json_object *found = NULL;
	int r = t ? sw_nettest_run(m, a, NULL, t, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	found = sw_nettest_to_json(t);
	sw_json_add_all(out, found);
	return 0;
}
