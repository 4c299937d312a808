/* SPDX-License-Identifier: Apache-2.0 */
#include "net/verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"

const char *sw_verdict_name(enum sw_verdict verdict)
{
	static const char *const names[] = {
		[SW_VERDICT_OK] = "ok", [SW_VERDICT_WARNING] = "warning",
		[SW_VERDICT_FAILED] = "failed", [SW_VERDICT_NOT_CHECKED] = "not checked",
	};

	return names[verdict];
}

void sw_verdict_say(struct sw_verdict_row *row, enum sw_verdict verdict, const char *what, ...)
{
	va_list ap;

	row->verdict = verdict;
	va_start(ap, what);
	(void)vsnprintf(row->what, sizeof(row->what), what, ap);
	va_end(ap);
}

void sw_verdict_fix(struct sw_verdict_row *row, const char *how, ...)
{
	va_list ap;

	va_start(ap, how);
	(void)vsnprintf(row->fix, sizeof(row->fix), how, ap);
	va_end(ap);
}

void sw_verdict_error(struct sw_verdict_row *row, const struct sw_error *e)
{
	sw_verdict_say(row, SW_VERDICT_FAILED, "%.300s%s%.300s", e->what, e->why[0] ? ": " : "",
		       e->why);
	sw_verdict_fix(row, "%.500s", e->hint);
}

int sw_verdict_text(const char *name, int width, const struct sw_verdict_row *row,
		    struct sw_buf *out)
{
	int r = sw_buf_addf(out, "%-*s %-11s %s\n", width, name, sw_verdict_name(row->verdict),
			    row->what);

	if (r == 0 && row->fix[0])
		r = sw_buf_addf(out, "%-*s %-11s -> %s\n", width, "", "", row->fix);
	return r;
}

json_object *sw_verdict_to_json(const char *name, const struct sw_verdict_row *row)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "name", name);
	sw_json_add_str(o, "verdict", sw_verdict_name(row->verdict));
	sw_json_add_str(o, "what", row->what);
	sw_json_add_str(o, "fix", row->fix[0] ? row->fix : NULL);
	return o;
}
