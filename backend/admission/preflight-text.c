/* SPDX-License-Identifier: Apache-2.0 */
/* A preflight's verdicts for people, for programs, and as one error. */
#include <string.h>

#include "admission/preflight.h"
#include "base/json.h"

const char *sw_preflight_name(enum sw_preflight_check check)
{
	static const char *const names[SW_N_PREFLIGHT] = {
		[SW_PREFLIGHT_TPM] = "TPM",	  [SW_PREFLIGHT_CLOCK] = "clock",
		[SW_PREFLIGHT_ROUTE] = "route",	  [SW_PREFLIGHT_DNS] = "DNS",
		[SW_PREFLIGHT_PROXY] = "proxy",	  [SW_PREFLIGHT_TLS] = "TLS",
		[SW_PREFLIGHT_SERVER] = "server",
	};

	return names[check];
}

int sw_preflight_text(const struct sw_preflight *p, struct sw_buf *out)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < SW_N_PREFLIGHT; i++)
		r = sw_verdict_text(sw_preflight_name(i), 7, &p->row[i], out);
	return r;
}

static bool passed(const struct sw_preflight *p)
{
	for (unsigned int i = 0; i < SW_N_PREFLIGHT; i++)
		if (p->row[i].verdict == SW_VERDICT_FAILED)
			return false;
	return true;
}

json_object *sw_preflight_to_json(const struct sw_preflight *p,
				  const struct sw_preflight_seen *seen)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	sw_json_add_bool(o, "passed", passed(p));
	for (unsigned int i = 0; i < SW_N_PREFLIGHT; i++)
		json_object_array_add(list, sw_verdict_to_json(sw_preflight_name(i), &p->row[i]));
	sw_json_add(o, "checks", list);
	sw_json_add_str(o, "source", seen->source_r == 0 ? seen->source : NULL);
	sw_json_add_str(o, "proxy", seen->proxied ? seen->proxy : NULL);
	if (p->clock_known) {
		sw_json_add(o, "server_time", json_object_new_int64(seen->server_now));
		sw_json_add(o, "clock_off_s", json_object_new_int64(p->off_s));
	}
	return o;
}

/* The exit code that the admission itself would end with. */
static enum sw_exit exit_of(enum sw_preflight_check check, const struct sw_preflight_seen *seen)
{
	if (check == SW_PREFLIGHT_TPM)
		return SW_EXIT_MISSING;
	return check == SW_PREFLIGHT_SERVER &&
			       (seen->answer.status == 200 ||
				(seen->answer.status >= 400 && seen->answer.status < 500))
		       ? SW_EXIT_ADMISSION : SW_EXIT_NETWORK;
}

int sw_preflight_result(const struct sw_preflight *p, const struct sw_preflight_seen *seen,
			struct sw_error *err)
{
	for (unsigned int i = 0; i < SW_N_PREFLIGHT; i++) {
		const struct sw_verdict_row *row = &p->row[i];

		if (row->verdict != SW_VERDICT_FAILED)
			continue;
		sw_fail(err, exit_of(i, seen), -ENOTCONN, "this node would not be admitted");
		sw_error_where(err, "%s", sw_preflight_name(i));
		sw_error_why(err, "%.500s", row->what);
		sw_error_hint(err, "%.500s", row->fix);
		return -ENOTCONN;
	}
	return 0;
}
