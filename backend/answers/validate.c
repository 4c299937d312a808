/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that look at more than one field. They need no machine: what the
 * disk or the firmware has to say comes with the plan.
 */
#include <ctype.h>
#include <string.h>

#include "answers/answers.h"
#include "answers/errors.h"
#include "base/file.h"

struct check {
	const struct sw_answers *a;
	const char *file;
	struct sw_errors *errors;
};

static bool given(const char *s)
{
	return s && *s;
}

/* Reports about one key, at its place in the file when it has one. */
static void report(struct check *c, const char *key, int r, const char *what, const char *why,
		   const char *hint)
{
	const struct sw_field *f = sw_field_find(key);
	struct sw_place at = c->a->places ? c->a->places[f - sw_fields] : (struct sw_place){};
	struct sw_error *err = sw_errors_next(c->errors);

	(void)sw_fail(err, SW_EXIT_INVALID, r, "%s %s", key, what);
	if (at.line)
		sw_error_where(err, "%s:%u:%u", c->file ? c->file : "answers", at.line, at.column);
	else if (c->file)
		sw_error_where(err, "%s", c->file);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	(void)sw_errors_keep(c->errors, r);
}

/* Answers also come from forms and from code: each value is held against its own rule again. */
static bool value_holds(struct check *c, const struct sw_field *f, const char *text)
{
	struct sw_error *err;

	if (sw_field_check(f, text, NULL) == 0)
		return true;
	err = sw_errors_next(c->errors);
	(void)sw_field_check(f, text, err);
	if (c->file)
		sw_error_where(err, "%s", c->file);
	(void)sw_errors_keep(c->errors, -EINVAL);
	return false;
}

static void report_missing(struct check *c, const struct sw_field *f)
{
	bool hash = strncmp(f->key, "payload.sha256.", 15) == 0;

	report(c, f->key, -EINVAL, "is missing",
	       hash ? "what comes over a network is checked against its SHA-256 before it is used"
		    : f->help,
	       f->missing ? f->missing : "slipway explain says more about each key");
}

static void report_stray(struct check *c, const struct sw_field *f)
{
	if (strcmp(f->key, "admission.url") == 0)
		report(c, f->key, -EINVAL, "is given, but nothing would use it",
		       "admission.kind is none", "set admission.kind: attest, or take the URL out");
	else if (strncmp(f->key, "payload.sha256.", 15) == 0)
		report(c, f->key, -EINVAL, "is given, but nothing belongs to it",
		       "there is no such payload in these answers", "take it out");
	else if (strcmp(f->key, "payload.cmdline") == 0)
		report(c, f->key, -EINVAL, "does not go with payload.uki",
		       "a unified image is stored byte for byte and has its own command line",
		       "build the command line into the image, or give kernel and initrd");
	else if (strcmp(f->key, "payload.uki") == 0)
		report(c, f->key, -EINVAL, "does not go with a kernel or initrd",
		       "a unified image holds both", "give one or the other");
}

static void check_field(struct check *c, const struct sw_field *f)
{
	_cleanup_free_ char *text = sw_field_get(f, c->a);
	bool applies = !f->applies || f->applies(c->a);

	if (!text) {
		(void)sw_errors_keep(c->errors, sw_fail_oom(sw_errors_next(c->errors)));
		return;
	}
	/* Without any payload two fields are missing; one message says it. */
	if (!*text && strcmp(f->key, "payload.initrd") == 0 && !given(c->a->kernel))
		return;
	if (*text && !value_holds(c, f, text))
		return;
	if (*text && !applies)
		report_stray(c, f);
	else if (!*text && applies && f->required && f->required(c->a))
		report_missing(c, f);
}

/* A pattern of nothing but wildcards names no disk. */
static bool names_something(const char *glob)
{
	if (!glob)
		return false;
	for (; *glob; glob++)
		if (isalnum((unsigned char)*glob))
			return true;
	return false;
}

static void check_disk(struct check *c)
{
	const struct sw_disk_match *m = &c->a->match;
	bool named = names_something(m->serial) || names_something(m->wwn) ||
		     names_something(m->path);

	if (!named && !given(m->model) && !given(m->vendor) && !given(m->transport) &&
	    !given(m->size))
		report(c, "disk.match.serial", -EINVAL,
		       "is missing, or another rule that tells disks apart",
		       "slipway never guesses which disk to write to",
		       "slipway facts lists the disks with serial, WWN, model, path and size");
	else if (c->a->wipe == SW_WIPE_ANY && !named)
		report(c, "disk.wipe", -EINVAL, "cannot be \"any\" here",
		       "overwriting anything needs a disk named by serial, WWN or path",
		       "add disk.match.serial, or use wipe: blank or wipe: ours");
}

static void check_cmdline(struct check *c)
{
	_cleanup_free_ char *line = sw_answers_node_cmdline(c->a);

	if (c->a->admission_kind == SW_ADMISSION_ATTEST && given(c->a->cmdline) &&
	    strstr(c->a->cmdline, "ember.attest_url="))
		report(c, "payload.cmdline", -EINVAL, "holds ember.attest_url= already",
		       "admission.kind is attest, so slipway adds it from admission.url",
		       "take it out of the command line");
	else if (line && strlen(line) > SW_CMDLINE_MAX)
		report(c, "payload.cmdline", -EINVAL, "is too long with ember.attest_url= added",
		       "a kernel command line has at most 2048 characters", "shorten it");
}

static void check_mode(struct check *c)
{
	if (c->a->boot_mode == SW_MODE_NETWORK)
		report(c, "boot.mode", -EOPNOTSUPP, "network is not available in this version",
		       "this slipway installs nodes that boot from their own disk",
		       "use local or hands-off");
}

int sw_answers_validate_all(const struct sw_answers *a, const char *file, struct sw_error *errs,
			    size_t max, size_t *ret_n)
{
	struct sw_errors errors = { .v = errs, .max = max };
	struct check c = { .a = a, .file = file, .errors = &errors };

	for (size_t i = 0; i < sw_n_fields; i++)
		check_field(&c, &sw_fields[i]);
	check_disk(&c);
	check_cmdline(&c);
	check_mode(&c);
	if (ret_n)
		*ret_n = errors.n;
	return errors.r;
}

int sw_answers_validate(const struct sw_answers *a, const char *file, struct sw_error *err)
{
	struct sw_error first;
	int r = sw_answers_validate_all(a, file, &first, 1, NULL);

	if (r < 0 && err && err->r == 0)
		*err = first;
	return r;
}
