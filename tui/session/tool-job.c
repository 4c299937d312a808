/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/tool-job.h"

#include <ctype.h>
#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "base/size.h"
#include "base/strv.h"
#include "base/text.h"
#include "boot/entries.h"
#include "boot/memtest.h"
#include "browse/browse.h"
#include "bundle/bundle.h"
#include "config/config.h"
#include "net/offers.h"
#include "net/ping.h"
#include "rescue/aim.h"
#include "rescue/inside.h"
#include "show/show.h"
#include "stack/stack.h"

#define VIEW_MAX ((size_t)4 << 20)	/* bytes of a file to be read on the screen */
#define DUMP_MAX 4096u			/* of one that is no text */

struct tool {
	struct sw_machine *m;
	struct sw_facts *f;
	json_object *request, *out;
	struct sw_secret *passphrase;
	const struct sw_sink *sink;
	struct sw_error *err;
};

static const char *word(const struct tool *t, const char *key)
{
	return sw_json_str(t->request, key, "");
}

static int give_text(const struct tool *t, struct sw_buf *text)
{
	sw_json_add_str(t->out, "text", sw_buf_text(text));
	return 0;
}

/* ---- disks and files ---- */

static int volume(const struct tool *t, struct sw_volume *ret)
{
	return sw_volume_find(t->m, t->f, word(t, "disk"),
			      (unsigned int)sw_json_u64(t->request, "number", 0), ret, t->err);
}

static int partition(struct tool *t)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	unsigned int number = (unsigned int)sw_json_u64(t->request, "number", 0);
	int r = sw_show_partition(t->m, t->f, word(t, "disk"), number, &b, t->err);
	struct sw_stack stack;

	if (r < 0)
		return r;
	if (sw_stack_find(t->f, word(t, "disk"), number, &stack, NULL) == 0)
		sw_json_add_str(t->out, "opens", sw_stack_kind_name(stack.kind));
	return give_text(t, &b);
}

/* ---- what has to be put together first ---- */

static bool stands_on(json_object *opened, const char *disk, uint64_t number)
{
	json_object *from = sw_json_array(opened, "from");

	for (size_t i = 0; from && i < json_object_array_length(from); i++) {
		json_object *o = json_object_array_get_idx(from, i);

		if (strcmp(sw_json_str(o, "disk", ""), disk) == 0 &&
		    sw_json_u64(o, "number", 0) == number)
			return true;
	}
	return false;
}

/* What was opened from there. */
static int list_opened(struct tool *t)
{
	_cleanup_json_ json_object *all = NULL;
	json_object *list = json_object_new_array();
	int r = sw_stack_contents(t->m, &all, t->err);

	sw_json_add(t->out, "opened", list);
	for (size_t i = 0; r == 0 && i < json_object_array_length(all); i++) {
		json_object *o = json_object_array_get_idx(all, i);

		if (stands_on(o, word(t, "disk"), sw_json_u64(t->request, "number", 0)))
			json_object_array_add(list, json_object_get(o));
	}
	return r;
}

static int open_stack(struct tool *t)
{
	const struct sw_stack_how how = {
		.key = t->passphrase, .degraded = sw_json_bool(t->request, "degraded", false),
	};
	struct sw_stack s;
	int r = sw_stack_find(t->f, word(t, "disk"),
			      (unsigned int)sw_json_u64(t->request, "number", 0), &s, t->err);

	if (r == 0)
		r = sw_stack_open(t->m, &s, &how, t->err);
	return r == 0 ? list_opened(t) : r;
}

static int close_stacks(struct tool *t)
{
	int r = sw_stack_close(t->m, NULL, t->err);

	sw_json_add_str(t->out, "done", _("What was opened to look inside is closed."));
	return r;
}

static int files(struct tool *t)
{
	static const char *const kinds[] = { "file", "dir", "link", "other" };
	_cleanup_volume_ struct sw_volume v = { 0 };
	_cleanup_listing_ struct sw_listing l = { 0 };
	json_object *list = json_object_new_array();
	int r = volume(t, &v);

	sw_json_add(t->out, "entries", list);
	if (r == 0)
		r = sw_volume_list(&v, word(t, "path"), &l, t->err);
	for (size_t i = 0; i < l.n && r == 0; i++) {
		json_object *o = json_object_new_object();

		sw_json_add_str(o, "name", l.v[i].name);
		sw_json_add_str(o, "kind", kinds[l.v[i].kind]);
		sw_json_add_u64(o, "size", l.v[i].size);
		json_object_array_add(list, o);
	}
	sw_json_add_bool(t->out, "cut", l.cut);
	return r;
}

static bool is_text(const struct sw_buf *b)
{
	return !b->len || (!memchr(b->data, 0, b->len) && strlen(sw_buf_text(b)) == b->len);
}

/* Sixteen bytes a line, as numbers and as characters. */
static void dump(const struct sw_buf *b, struct sw_buf *out)
{
	size_t n = b->len < DUMP_MAX ? b->len : DUMP_MAX;

	for (size_t at = 0; at < n; at += 16) {
		(void)sw_buf_addf(out, "%06zx ", at);
		for (size_t i = at; i < at + 16; i++)
			(void)(i < n ? sw_buf_addf(out, " %02x", b->data[i])
				     : sw_buf_adds(out, "   "));
		(void)sw_buf_adds(out, "  ");
		for (size_t i = at; i < at + 16 && i < n; i++)
			(void)sw_buf_addf(out, "%c", isprint(b->data[i]) ? b->data[i] : '.');
		(void)sw_buf_adds(out, "\n");
	}
	if (n < b->len)
		(void)sw_buf_adds(out, _("... the rest is not shown; s copies the whole file\n"));
}

static int file(struct tool *t)
{
	_cleanup_volume_ struct sw_volume v = { 0 };
	_cleanup_buf_ struct sw_buf b = { 0 }, text = { 0 };
	int r = volume(t, &v);

	if (r == 0)
		r = sw_volume_read(&v, word(t, "path"), VIEW_MAX, &b, t->err);
	if (r < 0)
		return r;
	if (is_text(&b)) {
		if (b.data)
			sw_text_mask((char *)b.data);
		return give_text(t, &b);
	}
	dump(&b, &text);
	return give_text(t, &text);
}

static int copy(struct tool *t)
{
	_cleanup_volume_ struct sw_volume v = { 0 };
	_cleanup_free_ char *done = NULL;
	int r = volume(t, &v);

	if (r == 0)
		r = sw_volume_copy(t->m, &v, word(t, "path"), word(t, "where"), t->err);
	done = sw_fmt(_("Copied to %s."), word(t, "where"));
	sw_json_add_str(t->out, "done", done);
	return r;
}

/* ---- texts ---- */

static int inside(struct tool *t)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_inside i = { 0 };
	int r = sw_inside_find(t->m, t->f, NULL, false, false, &i, t->err);

	if (r < 0)
		return r;
	sw_json_add_bool(t->out, "mirror", i.mirror);
	sw_json_add_bool(t->out, "damaged", i.condition == SW_INSIDE_DAMAGED);
	return sw_inside_text(&i, &b) < 0 ? sw_fail_oom(t->err) : give_text(t, &b);
}

static int tpm(struct tool *t)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	int r = sw_show_tpm(t->m, &b, t->err);

	return r < 0 ? r : give_text(t, &b);
}

static int hardware(struct tool *t)
{
	_cleanup_buf_ struct sw_buf b = { 0 };

	return sw_show_hardware(t->m, t->f, &b) < 0 ? sw_fail_oom(t->err) : give_text(t, &b);
}

static int memory(struct tool *t)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_error off = { 0 };

	(void)sw_memtest_check(t->m, t->f, &off);
	sw_json_add_str(t->out, "off", off.what[0] ? off.what : NULL);
	return sw_show_memory_test(t->f, &off, &b) < 0 ? sw_fail_oom(t->err) : give_text(t, &b);
}

static int logs(struct tool *t)
{
	sw_json_add(t->out, "logs", sw_show_logs(t->m, t->f));
	return 0;
}

static int log_text(struct tool *t)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	int r = sw_show_log(t->m, t->f, word(t, "id"), &b, t->err);

	return r < 0 ? r : give_text(t, &b);
}

/* ---- the network ---- */

static int ping(struct tool *t)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	bool answered;
	int r = sw_ping(word(t, "host"), t->sink, &b, &answered, t->err);

	if (r < 0)
		return r;
	sw_json_add_bool(t->out, "answered", answered);
	return give_text(t, &b);
}

static int offers(struct tool *t)
{
	_cleanup_json_ json_object *list = NULL;
	_cleanup_buf_ struct sw_buf b = { 0 };
	int r = sw_offers_of(t->m, NULL, t->sink, &list, t->err);

	if (r < 0)
		return r;
	return sw_offers_text(list, &b) < 0 ? sw_fail_oom(t->err) : give_text(t, &b);
}

/* ---- images for a slot ---- */

static int images(struct tool *t)
{
	json_object *list = NULL;
	int r = sw_browse_images(t->m, &list, t->err);

	if (r == 0)
		sw_json_add(t->out, "images", list);
	return r;
}

/* ---- the configuration ---- */

struct config {
	struct sw_node node;
	struct sw_config_keys keys;
	struct sw_config_source source;
	struct sw_config_preview preview;
	struct sw_aim aim;
};

static void config_clear(struct config *c)
{
	sw_config_preview_clear(&c->preview);
	sw_config_source_clear(&c->source);
	sw_node_clear(&c->node);
}

static int config_node(struct tool *t, struct config *c)
{
	struct sw_error no_tpm = { 0 };
	int r = sw_config_find_node(t->m, t->f, NULL, &c->node, t->err);

	if (r == 0 && sw_machine_tcti(t->m, &c->keys.tcti, &no_tpm) < 0)
		c->keys.tcti = NULL;
	c->keys.passphrase = t->passphrase;
	return r;
}

static int config_read(struct tool *t, struct config *c)
{
	const char *where = *word(t, "where") ? word(t, "where") : NULL;
	int r = sw_config_read(t->m, where, &c->source, t->err);

	return r < 0 ? r : sw_config_preview(&c->node, &c->keys, &c->source, &c->preview, t->err);
}

static int config(struct tool *t)
{
	_cleanup_(config_clear) struct config c = { 0 };
	_cleanup_json_ json_object *o = NULL;
	_cleanup_free_ char *last = sw_config_last(t->m), *why = NULL;
	struct sw_error none = { 0 };
	int r = config_node(t, &c);

	if (r < 0)
		return r;
	sw_json_add_str(t->out, "node", sw_json_str(c.node.data, "hostname", ""));
	sw_json_add_bool(t->out, "last", last != NULL);
	t->err = &none;
	if (config_read(t, &c) < 0) {	/* saving and undo are there without one */
		why = sw_error_text(&none);
		sw_json_add_str(t->out, "missing", why);
		return 0;
	}
	o = sw_config_preview_to_json(&c.preview);
	sw_json_add_str(t->out, "from", c.source.from);
	sw_json_add_u64(t->out, "changes", c.preview.changes);
	sw_json_add(t->out, "items", json_object_get(sw_json_get(o, "items")));
	return 0;
}

static int config_import(struct tool *t)
{
	_cleanup_(config_clear) struct config c = { 0 };
	_cleanup_json_ json_object *raw = NULL;
	_cleanup_free_ char *undo = NULL;
	int r = config_node(t, &c);

	if (r == 0)
		r = config_read(t, &c);
	if (r == 0 && c.preview.n_secrets) {
		r = sw_entries_of_machine(t->m, t->f, &raw, t->err);
		if (r == 0)
			r = sw_rescue_aim(t->m, t->f, raw, NULL, NULL, false, &c.aim, t->err);
		c.keys.pcr7 = c.aim.later ? &c.aim.pcr7 : NULL;
	}
	if (r == 0)
		r = sw_config_import(t->m, &c.node, &c.keys, &c.preview, &undo, t->err);
	sw_json_add_str(t->out, "done", _("Imported, and read back."));
	return r;
}

static int config_undo(struct tool *t)
{
	_cleanup_(config_clear) struct config c = { 0 };
	_cleanup_free_ char *last = sw_config_last(t->m);
	int r = config_node(t, &c);

	if (r == 0 && !last)
		r = sw_fail(t->err, SW_EXIT_MISSING, -ENOENT, "there is no import to take back");
	if (r == 0)
		r = sw_config_undo(t->m, &c.node, last, t->err);
	sw_json_add_str(t->out, "done", _("The node data are as before the import."));
	return r;
}

static int config_save(struct tool *t)
{
	const struct sw_config_save o = { .where = word(t, "where"),
					  .secrets = sw_json_bool(t->request, "secrets", false),
					  .passphrase = t->passphrase };
	_cleanup_(config_clear) struct config c = { 0 };
	_cleanup_json_ json_object *done = NULL;
	_cleanup_free_ char *text = NULL;
	json_object *closed;
	size_t n = 0;
	int r = config_node(t, &c);

	if (r == 0)
		r = sw_config_store(t->m, &c.node, &c.keys, &o, &done, t->err);
	if (r < 0)
		return r;
	closed = sw_json_array(done, "closed");
	n = closed ? json_object_array_length(closed) : 0;
	text = n ? sw_fmt(_("Saved to %s, without %zu secrets that the TPM does not open here."),
			  o.where, n)
		 : sw_fmt(_("Saved to %s."), o.where);
	sw_json_add_str(t->out, "done", text);
	return 0;
}

/* ---- the bundle ---- */

static int gather(struct tool *t, struct sw_bundle *ret)
{
	const struct sw_bundle_options o = {
		.anonymous = sw_json_bool(t->request, "anonymous", false),
		.sink = t->sink,
	};

	return sw_bundle_gather(t->m, &o, ret, t->err);
}

static int bundle(struct tool *t)
{
	struct sw_bundle b = { 0 };
	_cleanup_json_ json_object *o = NULL;
	int r = gather(t, &b);

	if (r < 0)
		return r;
	o = sw_bundle_manifest(&b);
	sw_json_add(t->out, "files", json_object_get(sw_json_get(o, "files")));
	sw_json_add(t->out, "absent", json_object_get(sw_json_get(o, "absent")));
	sw_bundle_clear(&b);
	return 0;
}

/* The report alone, as it is and as a block. */
static int bundle_report(struct tool *t)
{
	_cleanup_buf_ struct sw_buf text = { 0 };
	struct sw_bundle b = { 0 };
	int r = gather(t, &b);

	if (r < 0)
		return r;
	r = sw_bundle_block(b.report, &text, t->err);
	sw_json_add(t->out, "report", json_object_get(b.report));
	sw_bundle_clear(&b);
	return r < 0 ? r : give_text(t, &text);
}

/* What was written, its code, and the block for where nothing but this screen can be read. */
static int bundle_result(struct tool *t, const struct sw_bundle *b, json_object *done)
{
	_cleanup_buf_ struct sw_buf text = { 0 };
	char size[16];
	int r = sw_buf_addf(&text, _("Written to %s: %s, %s.\n\n"
				     "Its code, for the telephone: %s\n\n"),
			    sw_json_str(done, "output", ""), sw_json_str(done, "file", ""),
			    sw_size_format(sw_json_u64(done, "bytes", 0), size, sizeof(size)),
			    sw_json_str(done, "code", ""));

	if (r == 0 && !sw_json_bool(done, "encrypted", false))
		r = sw_buf_adds(&text, _("It is not encrypted: whoever gets it can read it.\n\n"));
	if (r == 0)
		r = sw_buf_adds(&text, _("The findings in short, for a log of this console; "
					 "`slipway bundle read` shows them:\n\n"));
	if (r == 0)
		r = sw_bundle_block(b->report, &text, t->err);
	if (r < 0)
		return sw_fail_oom(t->err);
	sw_json_add_str(t->out, "done", _("The bundle was written."));
	return give_text(t, &text);
}

static int bundle_write(struct tool *t)
{
	_cleanup_strv_ char **recipients = NULL;
	_cleanup_json_ json_object *done = NULL;
	struct sw_bundle b = { 0 };
	int r = gather(t, &b);

	if (r == 0 && *word(t, "recipient") && sw_strv_add(&recipients, word(t, "recipient")) < 0)
		r = sw_fail_oom(t->err);
	if (r == 0)
		r = sw_bundle_write(t->m, &b, recipients, word(t, "where"), t->sink, &done,
				    t->err);
	if (r == 0)
		r = bundle_result(t, &b, done);
	sw_bundle_clear(&b);
	return r;
}

/* ---- which ---- */

static const struct kind {
	const char *name;
	int (*run)(struct tool *t);
	bool writes, facts;	/* facts: of the machine, which is a look at all of its disks */
} kinds[] = {
	{ "open", open_stack, false, true }, { "close", close_stacks, true, false },
	{ "part", partition, false, true }, { "files", files, false, true },
	{ "file", file, false, true }, { "tpm", tpm, false, false },
	{ "hardware", hardware, false, true }, { "memory", memory, false, true },
	{ "inside", inside, false, true },
	{ "logs", logs, false, true }, { "log", log_text, false, true },
	{ "ping", ping, false, false }, { "offers", offers, false, false },
	{ "images", images, false, false },
	{ "config", config, false, true }, { "bundle", bundle, false, false },
	{ "bundle-report", bundle_report, false, false },
	{ "copy", copy, true, true }, { "config-import", config_import, true, true },
	{ "config-undo", config_undo, true, true }, { "config-save", config_save, true, true },
	{ "bundle-write", bundle_write, true, false },
};

static const struct kind *kind_of(const char *name, bool writes)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0 && kinds[i].writes == writes)
			return &kinds[i];
	return NULL;
}

static int run(struct sw_machine *m, json_object *request, struct sw_secret *passphrase,
	       bool writes, const struct sw_sink *sink, json_object *out, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct tool t = { .m = m, .request = request, .out = out, .passphrase = passphrase,
			  .sink = sink, .err = err };
	const struct kind *k = kind_of(word(&t, "tool"), writes);
	int r = 0;

	if (!k)
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "there is no such tool");
	if (m->kind == SW_MACHINE_CAPTURED)
		return sw_fail(err, SW_EXIT_MISSING, -EROFS,
			       "captured facts have no disks to look at");
	if (passphrase)
		r = sw_secret_relock(passphrase, err);
	if (r == 0 && k->facts)
		r = sw_machine_facts(m, &f, err);
	if (r == 0 && f && sw_stack_inspect(m, f) < 0)
		r = sw_fail_oom(err);
	t.f = f;
	return r < 0 ? r : k->run(&t);
}

int sw_tool_look(struct sw_machine *m, json_object *request, struct sw_secret *passphrase,
		 const struct sw_sink *sink, json_object *out, struct sw_error *err)
{
	return run(m, request, passphrase, false, sink, out, err);
}

int sw_tool_do(struct sw_machine *m, json_object *request, struct sw_secret *passphrase,
	       const struct sw_sink *sink, json_object *out, struct sw_error *err)
{
	return run(m, request, passphrase, true, sink, out, err);
}
