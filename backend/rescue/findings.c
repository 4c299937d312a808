/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "rescue/private.h"

void sw_repair_free(struct sw_repair *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_bytes; i++) {
		free(r->bytes[i].old);
		free(r->bytes[i].now);
	}
	free(r->bytes);
	sw_entry_plan_clear(&r->vars);
	free(r->confirm);
	for (size_t i = 0; i < r->n_gone; i++)
		free(r->gone[i].data);
	free(r->gone);
	for (size_t i = 0; i < r->n_said; i++)
		free(r->said[i]);
	free(r->said);
	if (r->copy.dir)
		(void)sw_remove_tree(r->copy.dir);
	free(r->copy.dir);
	free(r->copy.file);
	free(r);
}

void sw_findings_clear(struct sw_findings *l)
{
	for (size_t i = 0; i < l->n; i++)
		sw_repair_free(l->v[i].repair);
	free(l->v);
	json_object_put(l->node);
	*l = (struct sw_findings){};
}

const struct sw_finding *sw_findings_get(const struct sw_findings *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].id, id) == 0)
			return &l->v[i];
	return NULL;
}

enum sw_severity sw_findings_worst(const struct sw_findings *l)
{
	enum sw_severity worst = SW_FINDING_INFO;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].severity > worst)
			worst = l->v[i].severity;
	return worst;
}

struct sw_finding *sw_finding_add(struct sw_examine *x, const char *disk, const char *id,
				  enum sw_severity severity, enum sw_sure sure)
{
	struct sw_finding *v = reallocarray(x->out->v, x->out->n + 1, sizeof(*v)), *fi;

	if (!v) {
		(void)sw_fail_oom(x->err);
		return NULL;
	}
	x->out->v = v;
	fi = &v[x->out->n++];
	*fi = (struct sw_finding){ .severity = severity, .sure = sure };
	(void)snprintf(fi->id, sizeof(fi->id), "%.30s%s%s", disk ? disk : "", disk ? "/" : "", id);
	return fi;
}

struct sw_repair *sw_finding_repair(struct sw_finding *fi, const struct sw_disk *d)
{
	fi->repair = calloc(1, sizeof(*fi->repair));
	if (fi->repair)
		fi->repair->disk = d;
	return fi->repair;
}

void sw_repair_copy_part(struct sw_repair *r, const struct sw_disk *from_disk,
			 const struct sw_part *from, const struct sw_part *to)
{
	bool other = from_disk != r->disk;

	r->copy = (struct sw_rescue_copy){ .from_disk = from_disk, .from = from->start,
					   .to = to->start, .len = to->size };
	(void)snprintf(r->copy.to_name, sizeof(r->copy.to_name), "%.30s", to->label);
	(void)snprintf(r->copy.from_name, sizeof(r->copy.from_name), "%.30s%s%.20s", from->label,
		       other ? " of " : "", other ? from_disk->name : "");
}

int sw_repair_add_bytes(struct sw_repair *r, struct sw_io *io, uint64_t off, const void *now,
			size_t len, const char *text)
{
	_cleanup_free_ uint8_t *old = malloc(len);
	int k = old ? sw_io_read(io, off, old, len) : -ENOMEM;

	return k < 0 || memcmp(old, now, len) == 0
		       ? k : sw_repair_add_change(r, NULL, off, old, now, len, text);
}

int sw_repair_add_change(struct sw_repair *r, const struct sw_disk *d, uint64_t off,
			 const void *was, const void *now, size_t len, const char *text)
{
	_cleanup_free_ uint8_t *old = malloc(len), *copy = malloc(len);
	struct sw_rescue_bytes *v;

	if (!old || !copy)
		return -ENOMEM;
	memcpy(old, was, len);
	v = reallocarray(r->bytes, r->n_bytes + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	r->bytes = v;
	memcpy(copy, now, len);
	v += r->n_bytes++;
	*v = (struct sw_rescue_bytes){ .disk = d == r->disk ? NULL : d, .off = off, .len = len,
				       .old = TAKE_PTR(old), .now = TAKE_PTR(copy) };
	(void)snprintf(v->text, sizeof(v->text), "%s", text);
	return 0;
}

/* The worst first, else in the order in which they were found: tables before what is in them. */
void sw_findings_sort(struct sw_findings *l)
{
	for (size_t i = 1; i < l->n; i++) {
		struct sw_finding one = l->v[i];
		size_t k = i;

		for (; k > 0 && l->v[k - 1].severity < one.severity; k--)
			l->v[k] = l->v[k - 1];
		l->v[k] = one;
	}
}

const char *sw_severity_name(enum sw_severity s)
{
	static const char *const names[] = { "info", "warning", "error" };

	return names[s];
}

const char *sw_sure_name(enum sw_sure s)
{
	return s == SW_SURE_CERTAIN ? "certain" : "likely";
}

/* Before and after of up to 64 bytes around the first difference: what a person can look at. */
static json_object *bytes_json(const struct sw_rescue_bytes *b)
{
	json_object *o = json_object_new_object();
	size_t at = 0, n;
	_cleanup_free_ char *before = NULL, *after = NULL;

	while (at < b->len && b->old[at] == b->now[at])
		at++;
	n = b->len - at < 64 ? b->len - at : 64;
	before = sw_hex_encode(b->old + at, n);
	after = sw_hex_encode(b->now + at, n);
	sw_json_add_str(o, "text", b->text);
	sw_json_add_u64(o, "offset", b->off);
	sw_json_add_u64(o, "length", b->len);
	sw_json_add_u64(o, "first_difference", b->off + at);
	sw_json_add_str(o, "before", before);
	sw_json_add_str(o, "after", after);
	return o;
}

static json_object *copy_json(const struct sw_repair *r)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "to", r->copy.to_name);
	sw_json_add_u64(o, "offset", r->copy.to);
	sw_json_add_u64(o, "length", r->copy.len);
	sw_json_add_str(o, "from", r->copy.from_name);
	sw_json_add_bool(o, "whole", r->copy.header > 0);
	return o;
}

static json_object *gone_json(const struct sw_rescue_var *v)
{
	json_object *o = json_object_new_object();
	char text[80];

	(void)snprintf(text, sizeof(text), "taken away; its %zu bytes are kept in a file", v->len);
	sw_json_add_str(o, "name", v->name);
	sw_json_add_str(o, "text", text);
	return o;
}

/* Nobody but the program itself knows what it writes; what it says before is the plan. */
static json_object *said_json(const char *line)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "name", "it says");
	sw_json_add_str(o, "text", line);
	return o;
}

const char *sw_repair_needs_name(enum sw_repair_needs n)
{
	static const char *const names[] = { "", "key", "secret", "token" };

	return names[n];
}

/* Of a repair whose bytes are not known yet. */
static json_object *change_json(const struct sw_repair *r)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "name", r->subject);
	sw_json_add_str(o, "was", r->before);
	sw_json_add_str(o, "becomes", r->after);
	return o;
}

static json_object *repair_json(const struct sw_repair *r)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	sw_json_add_str(o, "text", r->text);
	sw_json_add_str(o, "disk", r->disk ? r->disk->name : NULL);
	if (r->loses)
		sw_json_add_str(o, "loses", r->loses);
	if (r->confirm) {
		sw_json_add_str(o, "confirm", r->confirm);
		sw_json_add_str(o, "serial", r->disk->serial);
	}
	sw_json_add_bool(o, "undo", !r->no_undo);
	if (r->needs) {
		sw_json_add_str(o, "needs", sw_repair_needs_name(r->needs));
		sw_json_add_str(o, "asks", r->asks);
	}
	if (r->before[0])
		json_object_array_add(list, change_json(r));
	for (size_t i = 0; i < r->n_bytes; i++)
		json_object_array_add(list, bytes_json(&r->bytes[i]));
	if (r->copy.len)
		json_object_array_add(list, copy_json(r));
	for (size_t i = 0; i < r->vars.n_writes; i++)
		json_object_array_add(list, sw_entry_write_to_json(&r->vars.writes[i]));
	for (size_t i = 0; i < r->n_gone; i++)
		json_object_array_add(list, gone_json(&r->gone[i]));
	for (size_t i = 0; i < r->n_said; i++)
		json_object_array_add(list, said_json(r->said[i]));
	sw_json_add(o, "writes", list);
	return o;
}

json_object *sw_finding_to_json(const struct sw_finding *fi)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "id", fi->id);
	sw_json_add_str(o, "severity", sw_severity_name(fi->severity));
	sw_json_add_str(o, "sure", sw_sure_name(fi->sure));
	sw_json_add_str(o, "what", fi->what);
	sw_json_add_str(o, "evidence", fi->evidence);
	sw_json_add_str(o, "effect", fi->effect);
	if (fi->advice[0])
		sw_json_add_str(o, "advice", fi->advice);
	if (fi->asked)
		sw_json_add_bool(o, "asked", true);
	if (sw_rescue_takes_image(fi))
		sw_json_add_bool(o, "takes_image", true);
	if (sw_rescue_takes_key(fi))
		sw_json_add_bool(o, "takes_key", true);
	if (fi->repair)
		sw_json_add(o, "repair", repair_json(fi->repair));
	return o;
}
