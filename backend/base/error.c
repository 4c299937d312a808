/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/catalogue.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

static void __attribute__((format(printf, 3, 0)))
fill(char *part, size_t size, const char *fmt, va_list ap)
{
	if (part[0] != '\0')
		return;
	/* A sentence that comes whole is one of the catalogue's as much as a format is. */
	if (strcmp(fmt, "%s") == 0)
		(void)snprintf(part, size, "%s", _(va_arg(ap, const char *)));
	else
		(void)vsnprintf(part, size, _(fmt), ap);
	/* Names and values in it come from files and disks, and it ends on a terminal. */
	sw_text_mask(part);
}

/* True when the error was unset and is this one now. */
static bool __attribute__((format(printf, 4, 0)))
claim(struct sw_error *err, enum sw_exit exit, int r, const char *what, va_list ap)
{
	if (!err || err->r != 0)
		return false;
	err->exit = exit;
	err->r = r ? r : -EIO;
	err->what[0] = '\0';
	fill(err->what, sizeof(err->what), what, ap);
	return true;
}

int sw_fail(struct sw_error *err, enum sw_exit exit, int r, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	(void)claim(err, exit, r, what, ap);
	va_end(ap);
	return r;
}

int sw_fail_errno(struct sw_error *err, enum sw_exit exit, int r, const char *what, ...)
{
	bool claimed;
	va_list ap;

	va_start(ap, what);
	claimed = claim(err, exit, r, what, ap);
	va_end(ap);
	if (claimed)
		sw_error_why(err, "%s", strerror(-r));
	return r;
}

int sw_fail_oom(struct sw_error *err)
{
	return sw_fail(err, SW_EXIT_FAILED, -ENOMEM, "out of memory");
}

#define DEFINE_PART(name)                                               \
	void sw_error_##name(struct sw_error *err, const char *fmt, ...) \
	{                                                               \
		va_list ap;                                             \
                                                                        \
		if (!err)                                               \
			return;                                         \
		va_start(ap, fmt);                                      \
		fill(err->name, sizeof(err->name), fmt, ap);            \
		va_end(ap);                                             \
	}

DEFINE_PART(where)
DEFINE_PART(why)
DEFINE_PART(hint)

char *sw_error_text(const struct sw_error *err)
{
	char *s = NULL;
	int n = asprintf(&s, "%s%s%s%s%s%s%s", err->where, err->where[0] ? ": " : "", err->what,
			 err->why[0] ? ": " : "", err->why, err->hint[0] ? "\n  -> " : "",
			 err->hint);

	return n < 0 ? NULL : s;
}

const char *sw_error_reason(const struct sw_error *err)
{
	return err->why[0] ? err->why : err->what;
}

void sw_error_line(const struct sw_error *err, char *to, size_t size)
{
	int n = snprintf(to, size, "%s%s%s", err->what, err->why[0] ? ": " : "", err->why);
	size_t end = n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;

	/* Not in the middle of a character. */
	while (n > 0 && (size_t)n >= size && end > 0 && ((unsigned char)to[end - 1] & 0xc0) == 0x80)
		end--;
	if ((size_t)n >= size && end > 0 && (unsigned char)to[end - 1] >= 0xc0)
		end--;
	to[end] = '\0';
	for (char *p = to; (p = strchr(p, '\n'));)
		*p = ';';
}

json_object *sw_error_to_json(const struct sw_error *err)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "exit", json_object_new_int(err->exit));
	json_object_object_add(o, "what", json_object_new_string(err->what));
	if (err->where[0])
		json_object_object_add(o, "where", json_object_new_string(err->where));
	if (err->why[0])
		json_object_object_add(o, "why", json_object_new_string(err->why));
	if (err->hint[0])
		json_object_object_add(o, "hint", json_object_new_string(err->hint));
	return o;
}

static void part_from_json(json_object *o, const char *key, char *part, size_t size)
{
	json_object *v;

	part[0] = '\0';
	if (json_object_object_get_ex(o, key, &v))
		(void)snprintf(part, size, "%s", json_object_get_string(v));
	sw_text_mask(part);
}

void sw_error_from_json(json_object *o, struct sw_error *ret_err)
{
	json_object *v;

	memset(ret_err, 0, sizeof(*ret_err));
	if (!json_object_is_type(o, json_type_object))
		return;
	ret_err->r = -EIO;
	ret_err->exit = SW_EXIT_INTERNAL;
	if (json_object_object_get_ex(o, "exit", &v))
		ret_err->exit = (enum sw_exit)json_object_get_int(v);
	part_from_json(o, "what", ret_err->what, sizeof(ret_err->what));
	part_from_json(o, "where", ret_err->where, sizeof(ret_err->where));
	part_from_json(o, "why", ret_err->why, sizeof(ret_err->why));
	part_from_json(o, "hint", ret_err->hint, sizeof(ret_err->hint));
}
