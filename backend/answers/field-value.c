/* SPDX-License-Identifier: Apache-2.0 */
/* One field's value as text: reading it out, checking it, storing it. */
#include <ctype.h>
#include <string.h>

#include "answers/answers.h"
#include "answers/hide.h"
#include "answers/sources.h"
#include "answers/values.h"
#include "base/text.h"
#include "base/guid.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/strv.h"
#include "disk/recovery.h"
#include "payload/payload.h"

/* Choices and numbers are ints (or enums of that size) in the structure. */
_Static_assert(sizeof(enum sw_wipe) == sizeof(int), "enums are stored through an int");

_Static_assert(sizeof(enum sw_rotational) == sizeof(int), "enums are stored through an int");

static bool is_number(const struct sw_field *f)
{
	return f->type == SW_FIELD_CHOICE || f->type == SW_FIELD_INT;
}

static int *number_of(const struct sw_field *f, void *base)
{
	return (int *)(void *)((char *)base + f->offset);
}

static char **text_of(const struct sw_field *f, void *base)
{
	return (char **)(void *)((char *)base + f->offset);
}

static char ***list_of(const struct sw_field *f, void *base)
{
	return (char ***)(void *)((char *)base + f->offset);
}

static int choice_index(const struct sw_field *f, const char *text)
{
	for (int i = 0; f->choices[i]; i++)
		if (strcmp(f->choices[i], text) == 0)
			return i;
	return -EINVAL;
}

/* Without a default, 0 is left for "not set". */
static int choice_base(const struct sw_field *f)
{
	return f->dflt ? 0 : 1;
}

static char *get_list(char *const *list)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, "");

	for (; list && *list && r == 0; list++) {
		r = b.len ? sw_buf_adds(&b, ", ") : 0;
		if (r == 0)
			r = sw_buf_adds(&b, *list);
	}
	return r < 0 ? NULL : sw_buf_steal(&b);
}

static char *get_choice(const struct sw_field *f, int v)
{
	for (int i = 0; f->choices[i]; i++)
		if (i + choice_base(f) == v)
			return strdup(f->choices[i]);
	return strdup("");
}

char *sw_value_get(const struct sw_field *f, const void *base)
{
	const void *at = (const char *)base + f->offset;
	const char *s;
	char text[16];

	switch (f->type) {
	case SW_FIELD_DISKS:
		return strdup("");
	case SW_FIELD_LIST:
		return get_list(*(char **const *)at);
	case SW_FIELD_CHOICE:
		return get_choice(f, *(const int *)at);
	case SW_FIELD_INT:
		(void)snprintf(text, sizeof(text), "%d", *(const int *)at);
		return strdup(text);
	default:
		s = *(char *const *)at;
		return strdup(s ? s : "");
	}
}

void sw_hint_nearest(const char *typed, const char *const *words, struct sw_error *err)
{
	const char *nearest = sw_text_nearest(typed, words);

	if (nearest)
		sw_error_hint(err, "did you mean \"%s\"?", nearest);
}

static int check_choice(const struct sw_field *f, const char *text, struct sw_error *err)
{
	size_t len = 0;

	if (choice_index(f, text) >= 0)
		return 0;
	if (!err)
		return -EINVAL;
	len = (size_t)snprintf(err->why, sizeof(err->why), "it is one of");
	for (size_t i = 0; f->choices[i] && len < sizeof(err->why); i++)
		len += (size_t)snprintf(err->why + len, sizeof(err->why) - len, "%s %s",
					i ? "," : "", f->choices[i]);
	sw_hint_nearest(text, f->choices, err);
	sw_error_hint(err, "slipway explain %s says what each means", f->key);
	return -EINVAL;
}

/* RFC 1123 labels, and 64 characters in all because the kernel keeps no more. */
static int check_hostname(const char *text, struct sw_error *err)
{
	size_t label = 0;

	for (const char *p = text;; p++) {
		bool end = *p == '.' || *p == '\0';

		if (end && (label == 0 || label > 63 || p[-1] == '-'))
			break;
		if (*p == '\0')
			return 0;
		if (!end && !isalnum((unsigned char)*p) && (*p != '-' || label == 0))
			break;
		label = end ? 0 : label + 1;
	}
	sw_error_why(err, "a host name has letters, digits and '-' in parts of 1 to 63 characters "
		     "with '.' between them");
	sw_error_hint(err, "use a name such as node-07 or node-07.rack2.example");
	return -EINVAL;
}

/* With a letter in place of each ${word}: what stands around them must fit. */
static int check_host_template(const char *text, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_error e = {};
	int r = sw_source_check_template(text, &e);

	if (r < 0) {
		sw_error_why(err, "%s", e.what);
		sw_error_hint(err, "%s", e.why);
		return r;
	}
	for (const char *p; (p = strstr(text, "${")); text = p + strcspn(p, "}") + 1)
		if (sw_buf_add(&b, text, (size_t)(p - text)) < 0 || sw_buf_adds(&b, "x") < 0)
			return -ENOMEM;
	if (sw_buf_adds(&b, text) < 0)
		return -ENOMEM;
	return check_hostname(sw_buf_text(&b), err);
}

static int check_number(const char *text, struct sw_error *err)
{
	size_t n = strspn(text, "0123456789");

	if (n > 0 && n <= 9 && text[n] == '\0')
		return 0;
	sw_error_why(err, "it is not a whole number");
	return -EINVAL;
}

static int check_sha256(const char *text, struct sw_error *err)
{
	size_t n = strlen(text);

	if (sw_sha256_is_hex(text))
		return 0;
	if (n != 64)
		sw_error_why(err, "a SHA-256 has 64 hex digits, this has %zu characters", n);
	else
		sw_error_why(err, "it holds a character that is no hex digit");
	sw_error_hint(err, "sha256sum FILE prints it");
	return -EINVAL;
}

static int check_uuid(const char *text, struct sw_error *err)
{
	struct sw_guid g;

	if (sw_guid_parse(text, &g) == 0)
		return 0;
	sw_error_why(err, "it is not a UUID (8-4-4-4-12 hex digits)");
	sw_error_hint(err, "uuidgen makes one");
	return -EINVAL;
}

static int check_source(const struct sw_field *f, const char *text, struct sw_error *err)
{
	struct sw_error e = {};

	if ((f->local ? sw_source_check_local : sw_source_check)(text, &e) == 0)
		return 0;
	sw_error_why(err, "%s", e.why);
	sw_error_hint(err, "%s", e.hint);
	return -EINVAL;
}

static int check_common(const struct sw_field *f, const char *text, struct sw_error *err)
{
	size_t max = f->max ? f->max : SW_FIELD_MAX;

	if (strlen(text) > max) {
		/* Of a number: that it is none says more than that it is long ("soon"). */
		if (f->check && max <= 5 && strlen(text) < SW_TEXT_SHOW && f->check(text, err) < 0)
			return -EINVAL;
		sw_error_why(err, "it has %zu characters, at most %zu are allowed", strlen(text),
			     max);
		return -EINVAL;
	}
	if (f->lines ? sw_text_lines_are_clean(text) : sw_text_is_clean(text))
		return 0;
	if (f->lines) {
		sw_error_why(err, "it holds a tab or another control character, or broken UTF-8");
		sw_error_hint(err, "put it into a file and give that as the source");
		return -EINVAL;
	}
	sw_error_why(err, "it holds a line break, a control character or broken UTF-8");
	sw_error_hint(err, "write it on one line");
	return -EINVAL;
}

static int check_type(const struct sw_field *f, const char *text, struct sw_error *err)
{
	switch (f->type) {
	case SW_FIELD_CHOICE:
		return check_choice(f, text, err);
	case SW_FIELD_HOSTNAME:
		return check_host_template(text, err);
	case SW_FIELD_INT:
		return check_number(text, err);
	case SW_FIELD_SHA256:
		return check_sha256(text, err);
	case SW_FIELD_UUID:
		return check_uuid(text, err);
	case SW_FIELD_URL:
		return check_source(f, text, err);
	case SW_FIELD_CERTIFICATE:
		return f->check ? 0 : sw_escrow_check(text, NULL, err);	/* or PEM of another kind */
	case SW_FIELD_DISKS:
		sw_error_why(err, "it is a list of groups of keys");
		return -EINVAL;
	case SW_FIELD_TEXT:
	case SW_FIELD_LIST:
		break;
	}
	return 0;
}

/*
 * A source may carry a password or token by mistake, and a secret is one by
 * declaration: neither is repeated in a message that lands in a log.
 */
static void name_value(const struct sw_field *f, const char *key, const char *text,
		       struct sw_error *err)
{
	char shown[SW_TEXT_SHOW];

	if (f->secret || f->type == SW_FIELD_URL || strlen(text) > 200 ||
	    sw_hide_value(f, text))
		(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s is not valid", key);
	else
		(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s cannot be \"%s\"", key,
			      sw_text_show(text, shown));
}

/* One value, or one item of a list. */
static int check_one(const struct sw_field *f, const char *key, const char *text,
		     struct sw_error *err)
{
	struct sw_error e = {};
	int r = check_common(f, text, &e);

	if (r == 0)
		r = check_type(f, text, &e);
	if (r == 0 && f->check)
		r = f->check(text, &e);
	/* What cannot be checked for want of a library is not wrong. */
	if (r < 0 && err && err->r == 0 && e.exit == SW_EXIT_MISSING) {
		*err = e;
	} else if (r < 0 && err && err->r == 0) {
		name_value(f, key, text, err);
		sw_error_why(err, "%s", e.why);
		sw_error_hint(err, "%s", e.hint);
	}
	return r;
}

static int fail_item(const struct sw_field *f, const char *key, const char *text, const char *why,
		     const char *hint, struct sw_error *err)
{
	if (err && err->r == 0) {
		name_value(f, key, text, err);
		sw_error_why(err, "%s", why);
		sw_error_hint(err, "%s", hint);
	}
	return -EINVAL;
}

int sw_value_add_item(const struct sw_field *f, void *base, const char *key, const char *text,
		      struct sw_error *err)
{
	char ***list = list_of(f, base);
	int r;

	if (*text == '\0')
		return fail_item(f, key, text, "an item of the list is empty", "take it out", err);
	if (strchr(text, ','))
		return fail_item(f, key, text, "a comma stands between the items of a list",
				 "make it several items", err);
	/* As text, between commas, it would come back without them (split_list()). */
	if (text[0] == ' ' || text[strlen(text) - 1] == ' ')
		return fail_item(f, key, text, "it begins or ends with a blank",
				 "take the blank out", err);
	r = check_one(f, key, text, err);
	if (r < 0)
		return r;
	for (char *const *p = *list; p && *p; p++)
		if (strcmp(*p, text) == 0)
			return fail_item(f, key, text, "it stands there twice",
					 "take one of them out", err);
	if (sw_strv_len(*list) >= SW_LIST_MAX)
		return fail_item(f, key, text, "a list has at most 64 items", "shorten it", err);
	return sw_strv_add(list, text) < 0 ? sw_fail_oom(err) : 0;
}

/* Items as people type them: commas between, blanks around. */
static int split_list(const struct sw_field *f, const char *key, const char *text, char ***ret,
		      struct sw_error *err)
{
	struct sw_field at_start = *f;
	int r = 0;

	at_start.offset = 0;
	for (bool more = *text != '\0'; more && r == 0;) {
		size_t n = strcspn(text, ","), from = strspn(text, " "), to = n;
		_cleanup_free_ char *item = NULL;

		while (to > from && text[to - 1] == ' ')
			to--;
		item = from < to ? strndup(text + from, to - from) : strdup("");
		r = item ? sw_value_add_item(&at_start, ret, key, item, err) : sw_fail_oom(err);
		more = text[n] == ',';
		text += n + 1;
	}
	return r;
}

/* The lines of a certificate as one: white space does not count in it. malloc'd. */
static char *on_one_line(const char *text)
{
	char *out = strdup(text + strspn(text, " \t\r\n")), *to = out;

	for (char *p = out; p && *p; p++)
		if (!strchr(" \t\r\n", *p))
			*to++ = *p;
		else if (to > out && to[-1] != ' ')
			*to++ = ' ';
	while (out && to > out && to[-1] == ' ')
		to--;
	if (out)
		*to = '\0';
	return out;
}

int sw_value_check(const struct sw_field *f, const char *key, const char *text,
		   struct sw_error *err)
{
	_cleanup_strv_ char **list = NULL;
	_cleanup_free_ char *line = NULL;

	if (*text == '\0')
		return 0;
	if (f->type == SW_FIELD_CERTIFICATE) {
		line = on_one_line(text);
		return line ? check_one(f, key, line, err) : sw_fail_oom(err);
	}
	if (f->type == SW_FIELD_LIST)
		return split_list(f, key, text, &list, err);
	return check_one(f, key, text, err);
}

int sw_field_check(const struct sw_field *f, const char *text, struct sw_error *err)
{
	return sw_value_check(f, f->key, text, err);
}

static bool folds_case(const struct sw_field *f)
{
	return f->type == SW_FIELD_SHA256 || f->type == SW_FIELD_UUID ||
	       f->type == SW_FIELD_HOSTNAME;
}

static int store_text(const struct sw_field *f, void *base, const char *text,
		      struct sw_error *err)
{
	char **slot = text_of(f, base);
	char *copy = NULL;

	if (*text) {
		copy = f->type == SW_FIELD_CERTIFICATE ? on_one_line(text) : strdup(text);
		if (!copy)
			return sw_fail_oom(err);
		for (char *p = copy; folds_case(f) && *p; p++)
			*p = (char)tolower((unsigned char)*p);
	}
	free(*slot);
	*slot = copy;
	return 0;
}

static int store_list(const struct sw_field *f, void *base, const char *key, const char *text,
		      struct sw_error *err)
{
	_cleanup_strv_ char **list = NULL;
	int r = split_list(f, key, text, &list, err);

	if (r < 0)
		return r;
	sw_strv_free(*list_of(f, base));
	*list_of(f, base) = TAKE_PTR(list);
	return 0;
}

static int number_from(const struct sw_field *f, const char *text)
{
	const char *value = *text ? text : f->dflt ? f->dflt : "";

	if (f->type == SW_FIELD_INT)
		return (int)strtol(value, NULL, 10);
	return *value ? choice_index(f, value) + choice_base(f) : 0;
}

int sw_value_set(const struct sw_field *f, void *base, const char *key, const char *text,
		 struct sw_error *err)
{
	int r;

	if (f->type == SW_FIELD_LIST)
		return store_list(f, base, key, text, err);
	r = sw_value_check(f, key, text, err);
	if (r < 0)
		return r;
	if (f->type == SW_FIELD_DISKS)
		return 0;
	if (!is_number(f))
		return store_text(f, base, text, err);
	*number_of(f, base) = number_from(f, text);
	return 0;
}

void sw_value_clear(const struct sw_field *f, void *base)
{
	if (f->type == SW_FIELD_LIST)
		*list_of(f, base) = sw_strv_free(*list_of(f, base));
	else if (!is_number(f) && f->type != SW_FIELD_DISKS)
		free(TAKE_PTR(*text_of(f, base)));
}
