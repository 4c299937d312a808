/* SPDX-License-Identifier: Apache-2.0 */
/* Sources that the machine itself holds: SMBIOS, systemd credentials, QEMU's fw_cfg, base64. */
#include "answers/source-private.h"

#include <dirent.h>
#include <nettle/base64.h>
#include <string.h>

#include "answers/values.h"
#include "base/file.h"

#define CREDENTIAL "io.systemd.credential:"
#define CREDENTIAL_BINARY "io.systemd.credential.binary:"
#define OEM_STRINGS 11		/* SMBIOS structure type */

static int fail_missing(const struct sw_answers_source *s, const char *why, struct sw_error *err)
{
	(void)sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the named source of answers is not there");
	sw_error_where(err, "%s", s->text);
	sw_error_why(err, "%s", why);
	return -ENOENT;
}

static int add_base64(const char *text, struct sw_buf *b)
{
	struct base64_decode_ctx ctx;
	size_t n = strlen(text), got = BASE64_DECODE_LENGTH(n);
	int r = sw_buf_reserve(b, got);

	if (r < 0)
		return r;
	nettle_base64_decode_init(&ctx);
	if (!nettle_base64_decode_update(&ctx, &got, b->data + b->len, n, text) ||
	    !nettle_base64_decode_final(&ctx))
		return -EINVAL;
	b->len += got;
	b->data[b->len] = '\0';
	return 0;
}

static int take_base64(const struct sw_answers_source *s, const char *text, struct sw_buf *b,
		       struct sw_error *err)
{
	int r = add_base64(text, b);

	if (r == -EINVAL) {
		(void)sw_fail(err, SW_EXIT_INVALID, r, "not base64");
		sw_error_where(err, "%s", s->text);
		sw_error_hint(err, "base64 -w0 FILE prints what belongs here");
	} else if (r < 0) {
		(void)sw_fail_errno(err, SW_EXIT_INVALID, r, "the answers are too large");
	}
	return r;
}

/* ---- SMBIOS ---- */

int sw_smbios_strings(const uint8_t *data, size_t len, int (*fn)(const char *text, void *arg),
		      void *arg)
{
	size_t at = len > 1 ? data[1] : 0;	/* the formatted part; strings follow it */
	int r = 0;

	if (len < 5 || data[0] != OEM_STRINGS || at < 5)
		return 0;
	while (r == 0 && at < len && data[at]) {
		size_t n = strnlen((const char *)data + at, len - at);
		_cleanup_free_ char *text = strndup((const char *)data + at, n);

		r = text ? fn(text, arg) : -ENOMEM;
		at += n + 1;
	}
	return r;
}

/* Calls fn with every OEM string of the machine, in the order of the structures. */
static int each_oem_string(const struct sw_machine *m, int (*fn)(const char *text, void *arg),
			   void *arg)
{
	int r = 0;

	for (unsigned int i = 0; i < 16 && r == 0; i++) {
		_cleanup_free_ char *path = sw_fmt("%s/firmware/dmi/entries/11-%u/raw",
						   m->sys_root, i);
		_cleanup_buf_ struct sw_buf b = { .max = SW_ANSWERS_MAX };

		if (!path)
			return -ENOMEM;
		r = sw_file_read(path, &b);
		if (r == -ENOENT)
			return 0;
		if (r == 0)
			r = sw_smbios_strings(b.data, b.len, fn, arg);
	}
	return r;
}

struct oem {
	const char *name;	/* of a credential */
	struct sw_buf *set;	/* lines of KEY=VALUE */
	char *base64;		/* a whole file, or a credential */
	char *text;		/* a credential as it is */
	struct sw_error *err;
};

static bool starts(const char *text, const char *with, const char **ret_rest)
{
	size_t n = strlen(with);

	*ret_rest = text + n;
	return strncmp(text, with, n) == 0;
}

static int take_answers(const char *text, void *arg)
{
	struct oem *o = arg;
	const char *rest;

	if (starts(text, SW_KEY_SET "=", &rest))
		return sw_buf_addf(o->set, "%s\n", rest);
	if (!starts(text, SW_KEY_ANSWERS "=base64:", &rest))
		return 0;
	free(o->base64);
	o->base64 = strdup(rest);
	return o->base64 ? 0 : -ENOMEM;
}

static int read_smbios(struct sw_machine *m, const struct sw_answers_source *s, struct sw_buf *b,
		       bool *ret_set, struct sw_error *err)
{
	struct oem o = { .set = b };
	int r = each_oem_string(m, take_answers, &o);

	if (r < 0)
		(void)sw_fail_errno(err, SW_EXIT_FAILED, r, "the SMBIOS strings cannot be read");
	else if (o.base64 && b->len)
		r = sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s: both " SW_KEY_SET "= and "
			    SW_KEY_ANSWERS "= are among the OEM strings", s->text);
	else if (o.base64)
		r = take_base64(s, o.base64, b, err);
	else if (b->len == 0)
		r = fail_missing(s, "no OEM string of this machine's SMBIOS starts with "
				 SW_KEY_SET "= or " SW_KEY_ANSWERS "=base64:", err);
	else
		*ret_set = true;
	free(o.base64);
	return r;
}

/* ---- systemd credentials: systemd.system-credentials(7) ---- */

static int take_credential(const char *text, void *arg)
{
	struct oem *o = arg;
	const char *rest;
	bool binary = starts(text, CREDENTIAL_BINARY, &rest);
	char **into = binary ? &o->base64 : &o->text;
	size_t n = strlen(o->name);

	if (!binary && !starts(text, CREDENTIAL, &rest))
		return 0;
	if (strncmp(rest, o->name, n) != 0 || rest[n] != '=')
		return 0;
	free(*into);
	*into = strdup(rest + n + 1);
	return *into ? 0 : -ENOMEM;
}

static int credential_from_oem(struct sw_machine *m, const struct sw_answers_source *s,
			       struct sw_buf *b, struct sw_error *err)
{
	struct oem o = { .name = s->location };
	int r = each_oem_string(m, take_credential, &o);

	if (r < 0)
		(void)sw_fail_errno(err, SW_EXIT_FAILED, r, "the SMBIOS strings cannot be read");
	else if (o.base64)
		r = take_base64(s, o.base64, b, err);
	else if (o.text)
		r = sw_buf_adds(b, o.text) < 0 ? sw_fail_oom(err) : 0;
	else
		r = fail_missing(s, "neither systemd nor fw_cfg nor SMBIOS has this credential",
				 err);
	free(o.base64);
	free(o.text);
	return r;
}

/* 1 when the file is there. */
static int read_if_there(const struct sw_answers_source *s, const char *path, struct sw_buf *b,
			 struct sw_error *err)
{
	int r = path ? sw_file_read(path, b) : -ENOMEM;

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		(void)sw_fail_errno(err, SW_EXIT_FAILED, r, "the answers cannot be read");
		sw_error_where(err, "%s", s->text);
		return r;
	}
	return 1;
}

static int read_credential(struct sw_machine *m, const struct sw_answers_source *s,
			   struct sw_buf *b, struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = sw_machine_credential(m, s->location, &path);

	if (r == -ENOMEM)
		return sw_fail_oom(err);
	r = r == 0 ? read_if_there(s, path, b, err) : 0;
	if (r != 0)
		return r < 0 ? r : 0;
	return credential_from_oem(m, s, b, err);
}

/* ---- QEMU's fw_cfg: Documentation/ABI/testing/sysfs-firmware-qemu_fw_cfg ---- */

static int read_fw_cfg(struct sw_machine *m, const struct sw_answers_source *s, struct sw_buf *b,
		       struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/firmware/qemu_fw_cfg/by_name/%s/raw", m->sys_root,
					   s->location);
	int r = read_if_there(s, path, b, err);

	if (r < 0)
		return r;
	return r ? 0 : fail_missing(s, "QEMU was not given -fw_cfg of this name, or the kernel "
				       "has no qemu_fw_cfg", err);
}

int sw_source_local(struct sw_machine *m, const struct sw_answers_source *s, struct sw_buf *b,
		    bool *ret_set, struct sw_error *err)
{
	*ret_set = false;
	switch (s->form) {
	case SW_FORM_BASE64:
		return take_base64(s, s->location, b, err);
	case SW_FORM_SMBIOS:
		return read_smbios(m, s, b, ret_set, err);
	case SW_FORM_CREDENTIAL:
		return read_credential(m, s, b, err);
	default:
		return read_fw_cfg(m, s, b, err);
	}
}

/* ---- KEY=VALUE ---- */

static int set_line(struct sw_answers *a, char *line, const char *from, struct sw_error *err)
{
	struct sw_place at = { .file = from };
	char *value = strchr(line, '=');
	int r;

	if (!value) {
		(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "\"%.60s\" is not KEY=VALUE", line);
		sw_error_hint(err, "write it like node.hostname=node-07");
		r = -EINVAL;
	} else {
		*value++ = '\0';
		r = strcmp(value, SW_ANSWER_ASK) == 0 ? sw_answers_leave_open(a, line, err)
						      : sw_answers_set(a, line, value, err);
	}
	if (r < 0)
		sw_error_where(err, "%s", from);
	else if (sw_places_put(a, line, at) < 0)
		r = sw_fail_oom(err);
	return r;
}

int sw_answers_from_set(const char *lines, const char *from, struct sw_answers **ret_answers,
			struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new_placed();
	_cleanup_free_ char *copy = strdup(lines);
	char *p = copy, *line;
	int r = a && copy ? 0 : sw_fail_oom(err);

	while (r == 0 && (line = strsep(&p, "\n")))
		if (*line)
			r = set_line(a, line, from, err);
	if (r < 0)
		return r;
	*ret_answers = TAKE_PTR(a);
	return 0;
}
