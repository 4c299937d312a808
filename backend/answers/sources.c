/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and reading answers: kernel command line, medium, stick. */
#include "answers/sources.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/proc.h"
#include "base/strv.h"
#include "payload/payload.h"
#include "payload/trust.h"

#define KEY_URL "slipway.answers"
#define KEY_SHA256 "slipway.answers.sha256"
#define KEY_TRUST "slipway.trust"
#define ANSWERS_MAX (1u << 20)	/* bytes: an answer file is a page or two */
#define MCOPY_TIMEOUT 30
#define FETCH_STEP 0		/* events of no step */

/* ---- the kernel command line ---- */

/* The kernel's own splitting: blanks separate words unless inside double quotes. */
static const char *word_end(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || !strchr(" \t\n", *p)); p++)
		if (*p == '"')
			quoted = !quoted;
	return p;
}

/* The value without the quotes that surround it or the whole word. */
static char *unquote(const char *value, const char *end, bool word_quoted)
{
	if (word_quoted && end > value && end[-1] == '"')
		end--;
	else if (end - value >= 2 && value[0] == '"' && end[-1] == '"') {
		value++;
		end--;
	}
	return strndup(value, (size_t)(end - value));
}

int sw_cmdline_get(const char *cmdline, const char *key, char **ret_value)
{
	size_t n = strlen(key);
	_cleanup_free_ char *found = NULL;

	for (const char *p = cmdline, *end; *p; p = end) {
		bool quoted;
		const char *word;

		p += strspn(p, " \t\n");
		end = word_end(p);
		quoted = *p == '"';
		word = p + quoted;
		/* What follows "--" is for the first process, not for us. */
		if (end - p == 2 && strncmp(p, "--", 2) == 0)
			break;
		if (word + n > end || strncmp(word, key, n) != 0)
			continue;
		if (word + n < end && word[n] != '=' && !(quoted && word[n] == '"'))
			continue;
		free(found);
		found = word + n < end && word[n] == '=' ? unquote(word + n + 1, end, quoted)
							 : strdup("");
		if (!found)
			return -ENOMEM;
	}
	if (!found)
		return -ENOENT;
	*ret_value = TAKE_PTR(found);
	return 0;
}

static int cmdline_error(struct sw_error *err, const char *what, const char *hint)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s", what);
	sw_error_where(err, "kernel command line");
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
	return sw_trust_parse_keys(value, strlen(value), "kernel command line, " KEY_TRUST "=",
				   ret_keys, err);
}

int sw_source_from_cmdline(const char *cmdline, struct sw_answers_source *ret_source,
			   struct sw_error *err)
{
	_cleanup_answers_source_ struct sw_answers_source s = { .kind = SW_SOURCE_CMDLINE };
	int r;

	r = sw_cmdline_get(cmdline, KEY_URL, &s.location);
	if (r == -ENOENT) {
		*ret_source = (struct sw_answers_source){};
		return 0;
	}
	if (r == 0 && sw_cmdline_get(cmdline, KEY_SHA256, &s.sha256) == -ENOMEM)
		r = -ENOMEM;
	if (r < 0)
		return sw_fail_oom(err);
	r = sw_source_check(s.location, err);
	if (r < 0) {
		sw_error_where(err, "kernel command line, " KEY_URL "=");
		return r;
	}
	if (s.sha256 && !sw_sha256_is_hex(s.sha256))
		return cmdline_error(err, KEY_SHA256 "= is not a SHA-256",
				     "give 64 hex digits, as sha256sum prints them");
	r = keys_from_cmdline(cmdline, &s.keys, err);
	if (r < 0)
		return r;
	if (!s.sha256 && !s.keys && strncasecmp(s.location, "http://", 7) == 0)
		return cmdline_error(err, KEY_URL "= names an http URL without a hash",
				     "add " KEY_SHA256 "=HEX: over http anyone could answer");
	s.text = sw_fmt("%s (kernel command line)", s.location);
	if (!s.text)
		return sw_fail_oom(err);
	*ret_source = s;
	s = (struct sw_answers_source){};
	return 0;
}

/* ---- the stick ---- */

static bool is_stick(const struct sw_disk *d, const struct sw_part *p)
{
	bool removable = d->removable || (d->transport && strcmp(d->transport, "usb") == 0);

	/* A stick from which slipway was started counts as medium and is read as such. */
	return removable && p->fs_type && strcmp(p->fs_type, "vfat") == 0 && p->fs_label &&
	       strcasecmp(p->fs_label, SW_STICK_LABEL) == 0;
}

int sw_source_from_stick(const struct sw_facts *f, struct sw_answers_source *ret_source,
			 struct sw_error *err)
{
	_cleanup_answers_source_ struct sw_answers_source s = {};

	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		for (size_t k = 0; k < d->table.n_parts; k++) {
			if (!is_stick(d, &d->table.parts[k]))
				continue;
			if (s.kind != SW_SOURCE_NONE) {
				sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ,
					"several partitions are labelled " SW_STICK_LABEL);
				sw_error_why(err, "%s, and %s partition %u", s.text, d->name,
					     d->table.parts[k].number);
				sw_error_hint(err, "unplug all but one");
				return -ENOTUNIQ;
			}
			s.kind = SW_SOURCE_STICK;
			s.offset = d->table.parts[k].start;
			s.countdown = SW_STICK_COUNTDOWN;
			s.location = strdup(d->node);
			s.text = sw_fmt("%s on the stick %s partition %u", SW_ANSWERS_FILE, d->name,
					d->table.parts[k].number);
			if (!s.location || !s.text)
				return sw_fail_oom(err);
		}
	}
	*ret_source = s;
	s = (struct sw_answers_source){};
	return 0;
}

/* ---- all of them ---- */

static int from_medium(struct sw_machine *m, struct sw_answers_source *ret_source,
		       struct sw_error *err)
{
	_cleanup_answers_source_ struct sw_answers_source s = { .kind = SW_SOURCE_MEDIUM };
	struct sw_error local = {};
	int r = sw_machine_medium_file(m, SW_ANSWERS_FILE, &s.location, &local);

	if (r == -ENOENT) {
		*ret_source = (struct sw_answers_source){};
		return 0;
	}
	if (r < 0) {
		if (err && err->r == 0)
			*err = local;
		return r;
	}
	s.text = strdup(SW_ANSWERS_FILE " on the medium");
	if (!s.text)
		return sw_fail_oom(err);
	*ret_source = s;
	s = (struct sw_answers_source){};
	return 0;
}

/* What the medium and the command line trust together counts for every source. */
static int add_keys(struct sw_machine *m, const char *cmdline, struct sw_answers_source *s,
		    struct sw_error *err)
{
	_cleanup_strv_ char **more = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_buf_ struct sw_buf b = { .max = 65536 };
	struct sw_error local = {};
	int r = s->keys ? 0 : keys_from_cmdline(cmdline, &s->keys, err);

	if (r < 0)
		return r;
	r = sw_machine_medium_file(m, SW_KEYS_FILE, &path, &local);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = sw_file_read(path, &b);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, SW_KEYS_FILE " cannot be read");
	r = sw_trust_parse_keys(sw_buf_text(&b), b.len, SW_KEYS_FILE, &more, err);
	for (size_t i = 0; r == 0 && more[i]; i++)
		r = sw_strv_add(&s->keys, more[i]) < 0 ? sw_fail_oom(err) : 0;
	return r;
}

int sw_source_find(struct sw_machine *m, const struct sw_facts *f,
		   struct sw_answers_source *ret_source, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/cmdline", m->proc_root ? m->proc_root : "/proc");
	_cleanup_buf_ struct sw_buf cmdline = { .max = 65536 };
	struct sw_answers_source s = {};
	int r;

	if (!path)
		return sw_fail_oom(err);
	/* A stand-in need not have one. */
	r = sw_file_read(path, &cmdline);
	if (r < 0 && r != -ENOENT)
		return sw_fail_errno(err, SW_EXIT_MISSING, r, "%s cannot be read", path);
	r = sw_source_from_cmdline(sw_buf_text(&cmdline), &s, err);
	if (r == 0 && s.kind == SW_SOURCE_NONE)
		r = from_medium(m, &s, err);
	if (r == 0 && s.kind == SW_SOURCE_NONE && f)
		r = sw_source_from_stick(f, &s, err);
	if (r == 0 && s.kind != SW_SOURCE_NONE)
		r = add_keys(m, sw_buf_text(&cmdline), &s, err);
	if (r < 0) {
		sw_answers_source_clear(&s);
		return r;
	}
	*ret_source = s;
	return 0;
}

void sw_answers_source_clear(struct sw_answers_source *s)
{
	free(s->location);
	free(s->sha256);
	sw_strv_free(s->keys);
	free(s->text);
	*s = (struct sw_answers_source){};
}

/* ---- reading ---- */

/* mtools reads the partition in place: no mount, no kernel driver, no trace on the stick. */
static int copy_from_stick(const struct sw_answers_source *s, const char *name, const char *out,
			   struct sw_error *err)
{
	_cleanup_free_ char *image = sw_fmt("%s@@%llu", s->location, (unsigned long long)s->offset);
	const char *argv[] = { "mcopy", "-n", "-i", image, name, out, NULL };
	const char *env[] = { "MTOOLS_SKIP_CHECK=1", NULL };
	int r;

	if (!image)
		return sw_fail_oom(err);
	r = sw_proc_check(argv, env, MCOPY_TIMEOUT, err);
	if (r < 0)
		sw_error_where(err, "%s", s->text);
	return r;
}

static int fetch(struct sw_machine *m, const struct sw_answers_source *s, const char *out,
		 const struct sw_sink *sink, struct sw_error *err)
{
	struct sw_fetch f = {
		.source = s->location,
		.sha256 = s->sha256,
		.vouched = s->keys != NULL,
		.out = out,
		.max = ANSWERS_MAX,
		.step = FETCH_STEP,
	};
	char digest[65];

	if (s->kind == SW_SOURCE_STICK)
		return copy_from_stick(s, "::/" SW_ANSWERS_FILE, out, err);
	return sw_fetch_run(m, &f, sink, digest, err);
}

/* The wall clock may be set while we wait. */
static time_t uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/*
 * Pauses of 1, 2, 4, 5, 5 … seconds: a lease takes seconds, a switch port with
 * spanning tree up to half a minute.
 */
static int fetch_patiently(struct sw_machine *m, const struct sw_answers_source *s, const char *out,
			   unsigned int wait_s, const struct sw_sink *sink, struct sw_error *err)
{
	time_t end = uptime() + (time_t)wait_s;
	unsigned int pause = 1;

	for (;;) {
		struct sw_error e = {};
		int r = fetch(m, s, out, sink, &e);

		if (r == 0)
			return 0;
		if (e.exit != SW_EXIT_NETWORK || uptime() + (time_t)pause > end ||
		    sw_event_poll(sink) < 0) {
			if (err && err->r == 0)
				*err = e;
			return r;
		}
		sw_event_log(sink, "%s; trying again in %u s", e.what, pause);
		sleep(pause);
		pause = pause * 2 > 5 ? 5 : pause * 2;
	}
}

/* Nobody looks into answers that no trusted key has signed. */
static int vouch(struct sw_machine *m, const struct sw_answers_source *s, const char *dir,
		 const char *path, const struct sw_sink *sink, struct sw_error *err)
{
	struct sw_trust t = { .keys = s->keys, .threshold = 1 };
	_cleanup_free_ char *who = NULL, *sig = sw_fmt("%s/answers.sig", dir);
	char *list[] = { sig, NULL };
	int r = sig ? 0 : sw_fail_oom(err);

	if (r < 0 || !s->keys)
		return r;
	if (s->kind == SW_SOURCE_STICK) {
		r = copy_from_stick(s, "::/" SW_ANSWERS_FILE ".sig", sig, err);
		if (r == 0)
			r = sw_trust_verify(&t, SW_TRUST_ANSWERS, path, list, &who, err);
	} else {
		r = sw_trust_vouch(m, &t, SW_TRUST_ANSWERS, s->location, path, NULL, dir, &who,
				   err);
	}
	if (r == 0)
		sw_event_log(sink, "the answers are signed by %s", who);
	return r;
}

int sw_source_read(struct sw_machine *m, const struct sw_answers_source *s, unsigned int wait_s,
		   const struct sw_sink *sink, struct sw_answers **ret_answers,
		   struct sw_error *err)
{
	_cleanup_free_ char *dir = NULL, *path = NULL;
	_cleanup_buf_ struct sw_buf text = { .max = ANSWERS_MAX };
	int r;

	/* A file is parsed where it is, so that errors name it. */
	if (s->kind != SW_SOURCE_STICK && !sw_source_is_remote(s->location) && !s->sha256 &&
	    !s->keys && s->location[0] == '/')
		return sw_answers_read(s->location, ret_answers, err);
	r = sw_scratch_new("slipway-answers", &dir);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "no scratch directory");
	path = sw_fmt("%s/%s", dir, SW_ANSWERS_FILE);
	r = path ? fetch_patiently(m, s, path, wait_s, sink, err) : sw_fail_oom(err);
	if (r == 0)
		r = vouch(m, s, dir, path, sink, err);
	if (r == 0) {
		r = sw_file_read(path, &text);
		if (r < 0)
			sw_fail_errno(err, SW_EXIT_FAILED, r, "the answers cannot be read");
	}
	(void)sw_remove_tree(dir);
	if (r < 0)
		return r;
	return sw_answers_parse(sw_buf_text(&text), text.len,
				s->kind == SW_SOURCE_STICK ? s->text : s->location, ret_answers,
				err);
}
