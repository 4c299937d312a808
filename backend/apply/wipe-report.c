/* SPDX-License-Identifier: Apache-2.0 */
/* The report: what was commanded, what was verified by reading, and never more. */
#include <string.h>
#include <time.h>

#include "apply/wipe-private.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/size.h"

static const char *const states[] = {
	[SW_WIPE_NOT_DONE] = "not done",
	[SW_WIPE_COMMANDED] = "commanded",
	[SW_WIPE_VERIFIED] = "verified by reading",
	[SW_WIPE_DIFFERS] = "does not read back as erased",
};

static void add_region(json_object *list, const char *what, uint64_t off, uint64_t len,
		       const char *how, enum sw_wipe_state state)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "what", what);
	sw_json_add_u64(o, "offset", off);
	sw_json_add_u64(o, "length", len);
	sw_json_add_str(o, "how", how);
	sw_json_add_str(o, "state", states[state]);
	json_object_array_add(list, o);
}

static const char *how_content(const struct sw_wipe_run *run)
{
	switch (run->mark.method) {
	case SW_WIPE_METHOD_ZERO:
		return "written with zeros";
	case SW_WIPE_METHOD_DISCARD:
		return "discard";
	default:
		return sw_secure_name(run->p->secure);
	}
}

static json_object *regions(const struct sw_wipe_run *run)
{
	const struct sw_wipe_plan *p = run->p;
	json_object *list = json_object_new_array();
	bool whole = run->mark.method != SW_WIPE_METHOD_SIGNATURES;
	bool discard = run->mark.method == SW_WIPE_METHOD_DISCARD;
	uint64_t from = discard ? 1ULL << 20 : p->sector;

	add_region(list, "first sector", 0, p->sector, "written with zeros", run->first);
	for (size_t i = 0; i < p->regions.n; i++)
		add_region(list, p->regions.v[i].what, p->regions.v[i].off, p->regions.v[i].len,
			   "written with zeros", run->regions[i]);
	if (whole)
		add_region(list, "content", from, p->size - from - (discard ? 1ULL << 20 : 0),
			   how_content(run), run->content);
	else
		add_region(list, "everything else", 0, p->size, "left as it is", SW_WIPE_NOT_DONE);
	return list;
}

static const char *result(const struct sw_wipe_run *run, int r)
{
	if (r == 0)
		return "done";
	if (!run->changed)
		return "failed, nothing was changed";
	return r == -ECANCELED ? "stopped" : "failed";
}

json_object *sw_wipe_report(const struct sw_wipe_run *run, int r, const struct sw_error *err)
{
	const struct sw_wipe_plan *p = run->p;
	json_object *o = json_object_new_object();

	sw_json_add_u64(o, "slipway_wipe", 1);
	sw_json_add_str(o, "disk", p->name);
	sw_json_add_str(o, "serial", p->serial);
	sw_json_add_str(o, "wwn", p->wwn);
	sw_json_add_str(o, "model", p->model);
	sw_json_add_u64(o, "size", p->size);
	sw_json_add_u64(o, "sector", p->sector);
	sw_json_add_str(o, "was_on_it", p->content);
	sw_json_add_str(o, "method", sw_wipe_method_name(run->mark.method));
	sw_json_add_bool(o, "resumed", p->resumed);
	json_object_object_add(o, "started", json_object_new_int64(run->started));
	json_object_object_add(o, "ended", json_object_new_int64(sw_wall_s()));
	sw_json_add_str(o, "result", result(run, r));
	if (run->differs)
		sw_json_add_u64(o, "differs_at", run->differs);
	if (r < 0)
		sw_json_add(o, "error", sw_error_to_json(err));
	sw_json_add(o, "regions", regions(run));
	return o;
}

static int add_time(struct sw_buf *b, const char *what, int64_t t)
{
	char text[32] = "unknown";
	time_t v = (time_t)t;
	struct tm tm;

	if (gmtime_r(&v, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	return sw_buf_addf(b, "%s %s\n", what, text);
}

static int add_line(struct sw_buf *b, json_object *g)
{
	char size[16];

	return sw_buf_addf(b, "  %-34s %14llu %6s  %s: %s\n", sw_json_str(g, "what", ""),
			   (unsigned long long)sw_json_u64(g, "offset", 0),
			   sw_size_format(sw_json_u64(g, "length", 0), size, sizeof(size)),
			   sw_json_str(g, "how", ""), sw_json_str(g, "state", ""));
}

static int add_head(struct sw_buf *b, json_object *o)
{
	char size[16];
	int r = sw_buf_addf(b, "Wipe of %s: %s\ndisk     %s, serial %s, %s, %llu bytes (%s)\n"
			    "was      %s\nmethod   %s\n",
			    sw_json_str(o, "disk", ""), sw_json_str(o, "result", ""),
			    sw_json_str(o, "model", "model unknown"),
			    sw_json_str(o, "serial", "none"), sw_json_str(o, "wwn", "no WWN"),
			    (unsigned long long)sw_json_u64(o, "size", 0),
			    sw_size_format(sw_json_u64(o, "size", 0), size, sizeof(size)),
			    sw_json_str(o, "was_on_it", "nothing that was known"),
			    sw_json_str(o, "method", ""));

	if (r == 0)
		r = add_time(b, "started ", sw_json_int(o, "started", 0));
	return r == 0 ? add_time(b, "ended   ", sw_json_int(o, "ended", 0)) : r;
}

static const char legend[] =
	"commanded: the disk took the order and reported success. verified by\n"
	"reading: zeros came back afterwards. What a disk keeps where nobody can\n"
	"read it is not known.\n";

char *sw_wipe_report_text(json_object *report)
{
	json_object *list = sw_json_array(report, "regions");
	_cleanup_buf_ struct sw_buf b = {};
	int r = add_head(&b, report);

	if (r == 0 && sw_json_get(report, "error"))
		r = sw_buf_addf(&b, "error    %s\n",
				sw_json_str(sw_json_get(report, "error"), "what", ""));
	if (r == 0)
		r = sw_buf_addf(&b, "  %-34s %14s %6s  %s\n", "WHAT", "BYTE", "LENGTH", "STATE");
	for (size_t i = 0; list && r == 0 && i < json_object_array_length(list); i++)
		r = add_line(&b, json_object_array_get_idx(list, i));
	if (r == 0)
		r = sw_buf_adds(&b, legend);
	return r < 0 ? NULL : sw_buf_steal(&b);
}

int sw_wipe_report_save(const char *path, json_object *report)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	size_t n = strlen(path);
	bool json = n > 5 && strcmp(path + n - 5, ".json") == 0;
	_cleanup_free_ char *text = NULL;

	if (json)
		text = sw_fmt("%s\n", json_object_to_json_string_ext(report, flags));
	else
		text = sw_wipe_report_text(report);
	return text ? sw_file_write(path, text, strlen(text), 0644) : -ENOMEM;
}

char *sw_wipe_report_path(const struct sw_machine *m, const char *name)
{
	return sw_fmt("%s/wipe-%s.json", m->run_dir, name);
}
