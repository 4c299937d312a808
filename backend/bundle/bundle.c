/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/size.h"
#include "base/strv.h"
#include "base/text.h"
#include "bundle/private.h"
#include "rescue/report.h"
#include "rescue/status.h"

#define FORMAT 1
#define STEPS 13U		/* sw_bundle_begin() here, in parts.c and in logs.c */
#define FILE_MAX ((size_t)4 << 20)	/* bytes of one file that a person adds */

void sw_bundle_clear(struct sw_bundle *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->v[i].name);
		sw_buf_clear(&b->v[i].data);
	}
	free(b->v);
	free(b->host);
	json_object_put(b->absent);
	json_object_put(b->report);
	*b = (struct sw_bundle){};
}

/* ---- putting in ---- */

int sw_bundle_begin(struct sw_gathering *g, const char *what)
{
	struct sw_event ev = { .type = SW_EVENT_START, .step = ++g->step, .steps = g->steps };

	(void)snprintf(ev.text, sizeof(ev.text), "%s", what);
	sw_event_emit(g->sink, &ev);
	return sw_event_poll(g->sink);
}

/* Takes data, which is empty afterwards. */
static int add(struct sw_gathering *g, const char *name, struct sw_buf *data,
	       const struct sw_redacted *removed)
{
	struct sw_bundle *b = g->out;
	struct sw_bundle_item *bigger = reallocarray(b->v, b->n + 1, sizeof(*bigger));
	char size[16];

	if (!bigger)
		return -ENOMEM;
	b->v = bigger;
	bigger += b->n;
	*bigger = (struct sw_bundle_item){ .name = strdup(name), .data = *data };
	if (!bigger->name)
		return -ENOMEM;
	if (removed)
		bigger->removed = *removed;
	sw_event_log(g->sink, "%.200s, %s", name, sw_size_format(data->len, size, sizeof(size)));
	*data = (struct sw_buf){};
	b->n++;
	return 0;
}

int sw_bundle_add_text(struct sw_gathering *g, const char *name, const char *text)
{
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_redacted removed = {};
	int r = sw_redact_text(&g->redact, text, &b, &removed);

	return r < 0 ? r : add(g, name, &b, &removed);
}

#define PRETTY (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)

int sw_bundle_add_json(struct sw_gathering *g, const char *name, json_object *o)
{
	_cleanup_json_ json_object *owned = o;
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_redacted removed = {};
	int r = o ? sw_redact_json(&g->redact, o, &removed) : -ENOMEM;

	if (r == 0)
		r = sw_buf_addf(&b, "%s\n", json_object_to_json_string_ext(owned, PRETTY));
	return r < 0 ? r : add(g, name, &b, &removed);
}

int sw_bundle_add_bytes(struct sw_gathering *g, const char *name, const void *data, size_t len)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r;

	if (sw_redact_finds(&g->redact, data, len))
		return sw_bundle_add_absent(g, name, "there is something in it that must not "
						     "leave the machine");
	r = sw_buf_add(&b, data, len);
	return r < 0 ? r : add(g, name, &b, NULL);
}

int sw_bundle_add_absent(struct sw_gathering *g, const char *name, const char *why)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "name", name);
	sw_json_add_str(o, "why", why);
	return json_object_array_add(g->out->absent, o) < 0 ? -ENOMEM : 0;
}

/* ---- what the doctor and the status say ---- */

static int gather_findings(struct sw_gathering *g)
{
	_cleanup_json_ json_object *o = sw_visit_to_json(&g->visit);
	_cleanup_buf_ struct sw_buf text = {};
	int r = o ? sw_bundle_begin(g, "Findings") : -ENOMEM;

	if (r == 0)
		r = sw_report_all(sw_json_array(o, "findings"), &text);

	if (r == 0)
		r = sw_bundle_add_text(g, "doctor.txt", sw_buf_text(&text));
	return r < 0 ? r : sw_bundle_add_json(g, "doctor.json", json_object_get(o));
}

static int gather_status(struct sw_gathering *g)
{
	_cleanup_json_ json_object *o = NULL;
	_cleanup_buf_ struct sw_buf text = {};
	struct sw_error err = {};
	int r = sw_bundle_begin(g, "Status");

	if (r < 0)
		return r;
	r = sw_status_look(g->m, g->visit.f, g->visit.raw, &o, &err);
	if (r < 0)
		return r == -ENOMEM ? r : sw_bundle_add_absent(g, "status.json", err.what);
	r = sw_status_text(o, &text);
	if (r == 0)
		r = sw_bundle_add_text(g, "status.txt", sw_buf_text(&text));
	return r < 0 ? r : sw_bundle_add_json(g, "status.json", json_object_get(o));
}

/* ---- the rest ---- */

static int gather_file(struct sw_gathering *g, const char *path, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = FILE_MAX };
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	_cleanup_free_ char *name = sw_fmt("files/%s", base);
	int r = name ? sw_bundle_begin(g, name) : -ENOMEM;

	if (r < 0)
		return r;
	r = sw_file_read(path, &b);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_USAGE, r, "a file for the bundle cannot be read");
		sw_error_where(err, "%s", path);
		return r;
	}
	if (memchr(b.data ? (const char *)b.data : "", '\0', b.len))
		return sw_bundle_add_bytes(g, name, b.data, b.len);
	return sw_bundle_add_text(g, name, sw_buf_text(&b));
}

/* For a file's name. Anonymous bundles have no host in theirs. */
static char *host_word(const struct sw_facts *f, bool anonymous)
{
	char *word = strdup(f->machine_name && !anonymous ? f->machine_name : "machine");

	for (char *p = word; p && *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '-';
	return word;
}

static int gather_all(struct sw_gathering *g, const struct sw_bundle_options *options,
		      struct sw_error *err)
{
	int r = gather_findings(g);

	if (r == 0)
		r = gather_status(g);
	if (r == 0)
		r = sw_bundle_gather_parts(g);
	if (r == 0)
		r = sw_bundle_gather_logs(g);
	for (char *const *p = options->files; r == 0 && p && *p; p++)
		r = gather_file(g, *p, err);
	if (r == 0)
		r = sw_bundle_begin(g, "Report");
	g->out->report = r == 0 ? sw_bundle_report(g) : NULL;
	if (r == 0 && !g->out->report)
		r = -ENOMEM;
	return r;
}

static int look(struct sw_gathering *g, const struct sw_bundle_options *options,
		struct sw_error *err)
{
	int r = sw_bundle_begin(g, "The machine and its disks");

	if (r == 0)
		r = sw_visit_look(&g->visit, err);
	if (r == 0)
		r = sw_redact_new(options->anonymous ? g->visit.f : NULL, &g->redact);
	if (r < 0)
		return r;
	g->out->host = host_word(g->visit.f, options->anonymous);
	return g->out->host ? gather_all(g, options, err) : -ENOMEM;
}

int sw_bundle_gather(struct sw_machine *m, const struct sw_bundle_options *options,
		     struct sw_bundle *ret, struct sw_error *err)
{
	struct sw_gathering g = { .m = m, .out = ret, .sink = options->sink,
				  .steps = STEPS + (unsigned int)sw_strv_len(options->files),
				  .visit = { .m = m, .disk = options->disk } };
	int r;

	*ret = (struct sw_bundle){ .anonymous = options->anonymous, .time = sw_wall_s(),
				   .absent = json_object_new_array() };
	r = look(&g, options, err);
	if (r == -ENOMEM)
		(void)sw_fail_oom(err);
	else if (r == -ECANCELED)
		(void)sw_fail(err, SW_EXIT_CANCELLED, r, "stopped; nothing was written");
	sw_redact_clear(&g.redact);
	sw_visit_clear(&g.visit);
	if (r < 0)
		sw_bundle_clear(ret);
	return r;
}

/* ---- its list ---- */

static json_object *item_json(const struct sw_bundle_item *item)
{
	json_object *o = json_object_new_object();
	char hex[SW_SHA256_TEXT];

	(void)sw_sha256(item->data.data, item->data.len, hex);
	sw_json_add_str(o, "name", item->name);
	sw_json_add_u64(o, "bytes", item->data.len);
	sw_json_add_str(o, "sha256", hex);
	sw_json_add(o, "removed", sw_redacted_to_json(&item->removed));
	return o;
}

json_object *sw_bundle_manifest(const struct sw_bundle *b)
{
	json_object *o = json_object_new_object(), *files = json_object_new_array();

	sw_json_add_u64(o, "format", FORMAT);
	sw_json_add_str(o, "slipway", SW_VERSION);
	sw_json_add_u64(o, "time", (uint64_t)b->time);
	sw_json_add_bool(o, "anonymous", b->anonymous);
	for (size_t i = 0; i < b->n; i++)
		json_object_array_add(files, item_json(&b->v[i]));
	sw_json_add(o, "files", files);
	sw_json_add(o, "absent", json_object_get(b->absent));
	return o;
}
