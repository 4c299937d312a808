/* SPDX-License-Identifier: Apache-2.0 */
/* Findings for people: the same words on the command line, on the console and in a saved report. */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "rescue/report.h"

static const char *mark(json_object *finding)
{
	const char *s = sw_json_str(finding, "severity", "");

	return strcmp(s, "error") == 0 ? "ERROR" : strcmp(s, "warning") == 0 ? "WARNING" : "info";
}

/* Between two texts of ours, one of theirs: names and labels come from firmware and disks. */
static int add(struct sw_buf *b, const char *before, const char *text, const char *after)
{
	_cleanup_free_ char *copy = strdup(text ? text : "");

	return copy ? sw_buf_addf(b, "%s%s%s\n", before, sw_text_clean(copy), after) : -ENOMEM;
}

static int item(struct sw_buf *b, const char *label, const char *text)
{
	char before[16];

	(void)snprintf(before, sizeof(before), "   %-8s", label);
	return text && *text ? add(b, before, text, "") : 0;
}

int sw_report_finding(json_object *finding, struct sw_buf *b)
{
	json_object *repair = sw_json_get(finding, "repair");
	bool sure = strcmp(sw_json_str(finding, "sure", ""), "certain") == 0;
	const char *seen = sw_json_str(finding, "evidence", NULL);
	int r = sw_buf_addf(b, "%s  ", mark(finding));

	if (r == 0)
		r = sw_buf_addf(b, "%s: ", sw_json_str(finding, "id", "?"));
	if (r == 0)
		r = add(b, "", sw_json_str(finding, "what", ""), "");
	if (r == 0 && seen && *seen)
		r = add(b, "   seen    ", seen, sure ? "" : " (likely, not certain)");
	if (r == 0)
		r = item(b, "means", sw_json_str(finding, "effect", NULL));
	if (r == 0 && repair)
		r = item(b, "repair", sw_json_str(repair, "text", NULL));
	if (r == 0 && repair)
		r = item(b, "loses", sw_json_str(repair, "loses", NULL));
	if (r == 0 && !repair)
		r = item(b, "advice", sw_json_str(finding, "advice", NULL));
	return r;
}

/* Bytes on a disk, a copy of something, or a boot variable. */
static int add_write(json_object *w, const char *disk, struct sw_buf *b)
{
	if (sw_json_get(w, "to") && sw_json_bool(w, "whole", false))
		return sw_buf_addf(b,
				   "   writes  %s of %s: %" PRIu64 " bytes at byte %" PRIu64
				   ", from %s\n", sw_json_str(w, "to", "?"), disk,
				   sw_json_u64(w, "length", 0), sw_json_u64(w, "offset", 0),
				   sw_json_str(w, "from", "?"));
	if (sw_json_get(w, "to"))
		return sw_buf_addf(b,
				   "   writes  %s of %s: the places that the image of %s covers\n",
				   sw_json_str(w, "to", "?"), disk, sw_json_str(w, "from", "?"));
	if (sw_json_get(w, "offset"))
		return sw_buf_addf(b,
				   "   writes  %s: %" PRIu64 " bytes at byte %" PRIu64 " of %s, "
				   "the first that differs is at %" PRIu64 " (%.2s -> %.2s)\n",
				   sw_json_str(w, "text", "?"), sw_json_u64(w, "length", 0),
				   sw_json_u64(w, "offset", 0), disk,
				   sw_json_u64(w, "first_difference", 0),
				   sw_json_str(w, "before", ""), sw_json_str(w, "after", ""));
	if (sw_json_get(w, "becomes"))
		return sw_buf_addf(b, "   was     %s: %s\n   writes  %s: %s\n",
				   sw_json_str(w, "name", "?"), sw_json_str(w, "was", ""),
				   sw_json_str(w, "name", "?"), sw_json_str(w, "becomes", ""));
	if (sw_buf_addf(b, "   writes  %s: ", sw_json_str(w, "name", "?")) < 0)
		return -ENOMEM;
	return add(b, "", sw_json_str(w, "text", ""), "");
}

int sw_report_plan(json_object *finding, struct sw_buf *b)
{
	json_object *repair = sw_json_get(finding, "repair");
	json_object *list = sw_json_array(repair, "writes");
	int r = 0;

	for (size_t i = 0; r == 0 && list && i < json_object_array_length(list); i++)
		r = add_write(json_object_array_get_idx(list, i),
			      sw_json_str(repair, "disk", "?"), b);
	return r;
}

int sw_report_all(json_object *findings, struct sw_buf *b)
{
	size_t n = findings ? json_object_array_length(findings) : 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		json_object *fi = json_object_array_get_idx(findings, i);

		r = sw_report_finding(fi, b);
		if (r == 0)
			r = sw_report_plan(fi, b);
	}
	return r == 0 && n == 0 ? sw_buf_adds(b, "Nothing is wrong.\n") : r;
}

int sw_report_node(json_object *node, struct sw_buf *b)
{
	json_object *lines = sw_json_array(node, "text");
	char on[64];
	int r;

	(void)snprintf(on, sizeof(on), " on %s.", sw_json_str(node, "disk", "?"));
	r = add(b, "Node ", sw_json_str(node, "hostname", "without a name"), on);

	for (size_t i = 0; r == 0 && lines && i < json_object_array_length(lines); i++)
		r = add(b, "",
			json_object_get_string(json_object_array_get_idx(lines, i)), "");
	return r;
}
