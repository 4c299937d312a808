/* SPDX-License-Identifier: Apache-2.0 */
/* Finding sources of answers: kernel command line, medium, stick. Nothing is fetched. */
#include <string.h>
#include <strings.h>

#include "answers/source-private.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/strv.h"
#include "payload/trust.h"

#define KEY_SHA256 "slipway.answers.sha256"
#define KEY_TRUST "slipway.trust"
#define KEY_SPREAD "slipway.spread"
#define CMDLINE "kernel command line"

/* ---- the kernel command line ---- */

static int cmdline_error(struct sw_error *err, const char *what, const char *hint)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s", what);
	sw_error_where(err, CMDLINE);
	sw_error_hint(err, "%s", hint);
	return -EINVAL;
}

/* Keys stand between commas; none of them holds one but in its comment. */
static int keys_from_cmdline(const char *cmdline, char ***ret_keys, struct sw_error *err)
{
	_cleanup_free_ char *value = NULL;
	int r = sw_cmdline_get(cmdline, KEY_TRUST, &value);

	if (r < 0)
		return r == -ENOENT ? 0 : sw_fail_oom(err);
	for (char *p = value; *p; p++)
		if (*p == ',')
			*p = '\n';
	return sw_trust_parse_keys(value, strlen(value), CMDLINE ", " KEY_TRUST "=", ret_keys, err);
}

struct words {
	struct sw_sources *s;
	char *sha256;		/* came before any source: goes with the first */
	struct sw_buf set;	/* lines of KEY=VALUE */
	struct sw_error *err;
};

static int take_hash(struct words *w, const char *value)
{
	char **into = w->s->n ? &w->s->v[w->s->n - 1].sha256 : &w->sha256;

	if (!sw_sha256_is_hex(value))
		return cmdline_error(w->err, KEY_SHA256 "= is not a SHA-256",
				     "give 64 hex digits, as sha256sum prints them");
	free(*into);
	*into = strdup(value);
	return *into ? 0 : sw_fail_oom(w->err);
}

static int take_source(struct words *w, const char *value)
{
	struct sw_answers_source *s = &w->s->v[w->s->n];
	int r;

	if (w->s->n == SW_SOURCES_MAX)
		return cmdline_error(w->err, "too many " SW_KEY_ANSWERS "= words",
				     "at most 16 sources are read");
	r = sw_answers_source_parse(value, SW_SOURCE_CMDLINE, CMDLINE, s, w->err);
	if (r < 0) {
		sw_error_where(w->err, CMDLINE ", " SW_KEY_ANSWERS "=");
		return r;
	}
	w->s->n++;
	if (!s->sha256 && w->s->n == 1)
		s->sha256 = TAKE_PTR(w->sha256);
	return 0;
}

static int take_word(const char *key, const char *value, void *arg)
{
	struct words *w = arg;

	if (strcmp(key, SW_KEY_ANSWERS) == 0)
		return take_source(w, value);
	if (strcmp(key, KEY_SHA256) == 0)
		return take_hash(w, value);
	if (strcmp(key, SW_KEY_SET) == 0)
		return sw_buf_addf(&w->set, "%s\n", value);
	return 0;
}

static int add_set(struct words *w)
{
	struct sw_answers_source s = { .kind = SW_SOURCE_CMDLINE, .form = SW_FORM_SET };

	if (w->set.len == 0)
		return 0;
	s.location = sw_buf_steal(&w->set);
	s.text = strdup(CMDLINE ", " SW_KEY_SET "=");
	w->s->v[w->s->n++] = s;
	return s.location && s.text ? 0 : sw_fail_oom(w->err);
}

static int copy_keys(char *const *keys, char ***into, struct sw_error *err)
{
	for (size_t i = 0; keys && keys[i]; i++)
		if (sw_strv_add(into, keys[i]) < 0)
			return sw_fail_oom(err);
	return 0;
}

static int spread_from_cmdline(const char *cmdline, unsigned int *ret_s, struct sw_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = sw_cmdline_get(cmdline, KEY_SPREAD, &text);
	unsigned long n;

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return sw_fail_oom(err);
	n = strlen(text) > 4 ? SW_SPREAD_MAX + 1 : strtoul(text, NULL, 10);
	if (!*text || strspn(text, "0123456789") != strlen(text) || n > SW_SPREAD_MAX)
		return cmdline_error(err, KEY_SPREAD "= is no number of seconds",
				     "write a number from 0 to 3600");
	*ret_s = (unsigned int)n;
	return 0;
}

static int from_cmdline(const char *cmdline, struct sw_sources *s, struct sw_error *err)
{
	struct words w = { .s = s, .set = { .max = 65536 }, .err = err };
	int r = sw_cmdline_each(cmdline, take_word, &w);

	if (r == -ENOMEM)
		(void)sw_fail_oom(err);
	if (r == 0)
		r = add_set(&w);
	if (r == 0)
		r = keys_from_cmdline(cmdline, &s->keys, err);
	if (r == 0)
		r = spread_from_cmdline(cmdline, &s->spread_s, err);
	sw_buf_clear(&w.set);
	free(w.sha256);
	return r;
}

/* Who signs, whether each may be believed, and one text about them all. */
static int finish(struct sw_sources *s, struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; i < s->n && r == 0; i++) {
		char *text;

		if (s->v[i].form != SW_FORM_SET && s->v[i].form != SW_FORM_BASE64)
			r = copy_keys(s->keys, &s->v[i].keys, err);
		if (r == 0)
			r = sw_source_may(&s->v[i], err);
		text = sw_fmt("%s%s%s", s->text ? s->text : "", s->text ? ", " : "", s->v[i].text);
		free(s->text);
		s->text = text;
		if (!text)
			r = sw_fail_oom(err);
		if (s->v[i].countdown)
			s->countdown = s->v[i].countdown;
	}
	return r;
}

int sw_sources_from_cmdline(const char *cmdline, struct sw_sources *ret_sources,
			    struct sw_error *err)
{
	struct sw_sources s = {};
	int r = from_cmdline(cmdline, &s, err);

	if (r == 0)
		r = finish(&s, err);
	if (r < 0)
		sw_sources_clear(&s);
	*ret_sources = s;
	return r;
}

/* ---- partitions with a label ---- */

static bool is_labelled(const struct sw_disk *d, const struct sw_part *p, const char *label)
{
	bool removable = d->removable || (d->transport && strcmp(d->transport, "usb") == 0);

	/* A stick from which slipway was started counts as medium and is read as such. */
	return removable && p->fs_type && strcmp(p->fs_type, "vfat") == 0 && p->fs_label &&
	       strcasecmp(p->fs_label, label) == 0;
}

static int fail_several(const struct sw_answers_source *s, const struct sw_disk *d,
			const struct sw_part *p, const char *label, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ, "several partitions are labelled %s", label);
	sw_error_why(err, "%s, and %s partition %u", s->text, d->name, p->number);
	sw_error_hint(err, "unplug all but one");
	return -ENOTUNIQ;
}

static int take_part(struct sw_answers_source *s, const struct sw_disk *d, const struct sw_part *p,
		     struct sw_error *err)
{
	s->kind = SW_SOURCE_STICK;
	s->form = SW_FORM_LABEL;
	s->offset = p->start;
	s->countdown = SW_STICK_COUNTDOWN;
	s->location = strdup(d->node);
	s->text = sw_fmt("%s on the stick %s partition %u", SW_ANSWERS_FILE, d->name, p->number);
	return s->location && s->text ? 0 : sw_fail_oom(err);
}

int sw_source_from_label(const struct sw_facts *f, const char *label,
			 struct sw_answers_source *ret_source, struct sw_error *err)
{
	_cleanup_answers_source_ struct sw_answers_source s = {};
	int r = 0;

	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		for (size_t k = 0; k < d->table.n_parts && r == 0; k++) {
			if (!is_labelled(d, &d->table.parts[k], label))
				continue;
			r = s.kind != SW_SOURCE_NONE
				    ? fail_several(&s, d, &d->table.parts[k], label, err)
				    : take_part(&s, d, &d->table.parts[k], err);
		}
	}
	if (r < 0)
		return r;
	*ret_source = s;
	s = (struct sw_answers_source){};
	return 0;
}

int sw_source_from_stick(const struct sw_facts *f, struct sw_answers_source *ret_source,
			 struct sw_error *err)
{
	return sw_source_from_label(f, SW_STICK_LABEL, ret_source, err);
}

/* ---- all of them ---- */

static int from_medium(struct sw_machine *m, struct sw_sources *s, struct sw_error *err)
{
	struct sw_answers_source *x = &s->v[s->n];
	struct sw_error local = {};
	int r = sw_machine_medium_file(m, SW_ANSWERS_FILE, &x->location, &local);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		if (err && err->r == 0)
			*err = local;
		return r;
	}
	x->kind = SW_SOURCE_MEDIUM;
	x->form = SW_FORM_FILE;
	x->main = true;
	x->text = strdup(SW_ANSWERS_FILE " on the medium");
	s->n++;
	return x->text ? 0 : sw_fail_oom(err);
}

/* What the medium and the command line trust together counts for every source. */
static int add_medium_keys(struct sw_machine *m, struct sw_sources *s, struct sw_error *err)
{
	_cleanup_strv_ char **more = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_buf_ struct sw_buf b = { .max = 65536 };
	struct sw_error local = {};
	int r = sw_machine_medium_file(m, SW_KEYS_FILE, &path, &local);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = sw_file_read(path, &b);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, SW_KEYS_FILE " cannot be read");
	r = sw_trust_parse_keys(sw_buf_text(&b), b.len, SW_KEYS_FILE, &more, err);
	return r < 0 ? r : copy_keys(more, &s->keys, err);
}

/* The medium is the weakest: it is put before what the command line has said. */
static int find(struct sw_machine *m, const struct sw_facts *f, const char *cmdline,
		struct sw_sources *s, struct sw_error *err)
{
	struct sw_sources said = {};
	int r = from_medium(m, s, err);

	if (r == 0)
		r = from_cmdline(cmdline, &said, err);
	for (size_t i = 0; i < said.n; i++)
		s->v[s->n++] = said.v[i];
	s->keys = said.keys;
	if (r == 0 && s->n == 0 && f) {
		r = sw_source_from_stick(f, &s->v[0], err);
		s->n = r == 0 && s->v[0].kind != SW_SOURCE_NONE;
	}
	if (r == 0 && s->n)
		r = add_medium_keys(m, s, err);
	return r < 0 ? r : finish(s, err);
}

int sw_sources_find(struct sw_machine *m, const struct sw_facts *f, struct sw_sources *ret_sources,
		    struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/cmdline", m->proc_root ? m->proc_root : "/proc");
	_cleanup_buf_ struct sw_buf cmdline = { .max = 65536 };
	struct sw_sources s = {};
	int r;

	*ret_sources = s;
	if (!path)
		return sw_fail_oom(err);
	/* A stand-in need not have one. */
	r = sw_file_read(path, &cmdline);
	if (r < 0 && r != -ENOENT)
		return sw_fail_errno(err, SW_EXIT_MISSING, r, "%s cannot be read", path);
	r = find(m, f, sw_buf_text(&cmdline), &s, err);
	if (r < 0)
		sw_sources_clear(&s);
	*ret_sources = s;
	return r;
}
