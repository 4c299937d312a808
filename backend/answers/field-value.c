/* SPDX-License-Identifier: Apache-2.0 */
/* One field's value as text: reading it out, checking it, storing it. */
#include <ctype.h>
#include <string.h>

#include "answers/answers.h"
#include "base/text.h"
#include "base/guid.h"
#include "base/hash.h"
#include "payload/payload.h"

#define DEFAULT_MAX 255

/* Choices and numbers are ints (or enums of that size) in the structure. */
_Static_assert(sizeof(enum sw_wipe) == sizeof(int), "enums are stored through an int");

static bool is_number(const struct sw_field *f)
{
	return f->type == SW_FIELD_CHOICE || f->type == SW_FIELD_INT;
}

static int *number_of(const struct sw_field *f, struct sw_answers *a)
{
	return (int *)(void *)((char *)a + f->offset);
}

static char **text_of(const struct sw_field *f, struct sw_answers *a)
{
	return (char **)(void *)((char *)a + f->offset);
}

static int choice_index(const struct sw_field *f, const char *text)
{
	for (int i = 0; f->choices[i]; i++)
		if (strcmp(f->choices[i], text) == 0)
			return i;
	return -EINVAL;
}

char *sw_field_get(const struct sw_field *f, const struct sw_answers *a)
{
	const char *base = (const char *)a + f->offset;
	char text[16];

	if (!is_number(f)) {
		const char *s = *(char *const *)(const void *)base;

		return strdup(s ? s : "");
	}
	int v = *(const int *)(const void *)base;

	if (f->type == SW_FIELD_INT) {
		(void)snprintf(text, sizeof(text), "%d", v);
		return strdup(text);
	}
	for (int i = 0; f->choices[i]; i++)
		if (i == v)
			return strdup(f->choices[i]);
	return strdup("");
}

static int check_choice(const struct sw_field *f, const char *text, struct sw_error *err)
{
	const char *nearest = NULL;
	unsigned int best = 0, d;
	size_t len = 0;

	if (choice_index(f, text) >= 0)
		return 0;
	if (!err)
		return -EINVAL;
	len = (size_t)snprintf(err->why, sizeof(err->why), "it is one of");
	for (size_t i = 0; f->choices[i] && len < sizeof(err->why); i++) {
		len += (size_t)snprintf(err->why + len, sizeof(err->why) - len, "%s %s",
					i ? "," : "", f->choices[i]);
		if (sw_text_is_near(text, f->choices[i], &d) && (!nearest || d < best)) {
			nearest = f->choices[i];
			best = d;
		}
	}
	if (nearest)
		sw_error_hint(err, "did you mean \"%s\"?", nearest);
	else
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

static int check_source(const char *text, struct sw_error *err)
{
	struct sw_error e = {};

	if (sw_source_check(text, &e) == 0)
		return 0;
	sw_error_why(err, "%s", e.why);
	sw_error_hint(err, "%s", e.hint);
	return -EINVAL;
}

static int check_common(const struct sw_field *f, const char *text, struct sw_error *err)
{
	size_t max = f->max ? f->max : DEFAULT_MAX;

	if (strlen(text) > max) {
		sw_error_why(err, "it has %zu characters, at most %zu are allowed", strlen(text),
			     max);
		return -EINVAL;
	}
	if (sw_text_is_clean(text))
		return 0;
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
		return check_hostname(text, err);
	case SW_FIELD_INT:
		return check_number(text, err);
	case SW_FIELD_SHA256:
		return check_sha256(text, err);
	case SW_FIELD_UUID:
		return check_uuid(text, err);
	case SW_FIELD_URL:
		return check_source(text, err);
	case SW_FIELD_TEXT:
		break;
	}
	return 0;
}

/*
 * A source may carry a password or token by mistake, and a secret is one by
 * declaration: neither is repeated in a message that lands in a log.
 */
static void name_value(const struct sw_field *f, const char *text, struct sw_error *err)
{
	char shown[SW_TEXT_SHOW];

	if (f->secret || f->type == SW_FIELD_URL || strlen(text) > 200)
		(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s is not valid", f->key);
	else
		(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s cannot be \"%s\"", f->key,
			      sw_text_show(text, shown));
}

int sw_field_check(const struct sw_field *f, const char *text, struct sw_error *err)
{
	struct sw_error e = {};
	int r;

	if (*text == '\0')
		return 0;
	r = check_common(f, text, &e);
	if (r == 0)
		r = check_type(f, text, &e);
	if (r == 0 && f->check)
		r = f->check(text, &e);
	if (r < 0 && err && err->r == 0) {
		name_value(f, text, err);
		sw_error_why(err, "%s", e.why);
		sw_error_hint(err, "%s", e.hint);
	}
	return r;
}

static bool folds_case(const struct sw_field *f)
{
	return f->type == SW_FIELD_SHA256 || f->type == SW_FIELD_UUID ||
	       f->type == SW_FIELD_HOSTNAME;
}

static int store_text(const struct sw_field *f, struct sw_answers *a, const char *text,
		      struct sw_error *err)
{
	char **slot = text_of(f, a);
	char *copy = NULL;

	if (*text) {
		copy = strdup(text);
		if (!copy)
			return sw_fail_oom(err);
		for (char *p = copy; folds_case(f) && *p; p++)
			*p = (char)tolower((unsigned char)*p);
	}
	free(*slot);
	*slot = copy;
	return 0;
}

int sw_field_set(const struct sw_field *f, struct sw_answers *a, const char *text,
		 struct sw_error *err)
{
	int r = sw_field_check(f, text, err);

	if (r < 0)
		return r;
	if (is_number(f)) {
		const char *value = *text ? text : f->dflt ? f->dflt : "0";

		*number_of(f, a) = f->type == SW_FIELD_INT ? (int)strtol(value, NULL, 10)
							   : choice_index(f, value);
	} else {
		r = store_text(f, a, text, err);
		if (r < 0)
			return r;
	}
	/* What was typed over is no longer what the file says there. */
	if (a->places)
		a->places[f - sw_fields] = (struct sw_place){};
	return 0;
}
