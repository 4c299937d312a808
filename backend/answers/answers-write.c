/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers as an answer file again, and as a digest. What is written is exactly
 * what the reader needs: keys with a value, grouped as in the table.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "answers/answers.h"
#include "base/buf.h"
#include "base/hash.h"

/* Words that a YAML 1.1 reader other than ours would take for something else than text. */
static const char *const reserved[] = { "y", "n", "yes", "no", "on", "off", "true", "false",
					"null", "nan", "inf" };

/* Conservative on purpose: a quote too many harms nobody. */
static bool may_be_plain(const char *s)
{
	if (!isalpha((unsigned char)s[0]))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcasecmp(s, reserved[i]) == 0)
			return false;
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._/:-", *p))
			return false;
	return s[strlen(s) - 1] != ':';
}

static int add_value(struct sw_buf *b, const struct sw_field *f, const char *text)
{
	int r;

	if (f->type == SW_FIELD_INT || may_be_plain(text))
		return sw_buf_adds(b, text);
	r = sw_buf_adds(b, "\"");
	for (const char *p = text; *p && r == 0; p++) {
		if (*p == '"' || *p == '\\')
			r = sw_buf_adds(b, "\\");
		if (r == 0)
			r = sw_buf_add(b, p, 1);
	}
	return r < 0 ? r : sw_buf_adds(b, "\"");
}

/* The length of what both keys share, up to and with a dot. */
static size_t common_groups(const char *a, const char *b)
{
	size_t shared = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '.')
			shared = i + 1;
	return shared;
}

static int indent(struct sw_buf *b, unsigned int depth)
{
	return depth ? sw_buf_addf(b, "%*s", (int)depth * 2, "") : 0;
}

/* Opens the groups of key that prev was not in, and writes "name: " of the field itself. */
static int add_key(struct sw_buf *b, const char *prev, const char *key)
{
	size_t shared = common_groups(prev, key);
	unsigned int depth = 0;
	const char *p = key + shared;
	int r = 0;

	for (size_t i = 0; i < shared; i++)
		depth += key[i] == '.';
	for (const char *dot = strchr(p, '.'); dot && r == 0; dot = strchr(p, '.')) {
		r = indent(b, depth++);
		if (r == 0)
			r = sw_buf_addf(b, "%.*s:\n", (int)(dot - p), p);
		p = dot + 1;
	}
	if (r == 0)
		r = indent(b, depth);
	return r < 0 ? r : sw_buf_addf(b, "%s: ", p);
}

static int add_comment(struct sw_buf *b, const struct sw_field *f)
{
	int r = 0;

	if (f->type != SW_FIELD_CHOICE)
		return 0;
	for (size_t i = 0; f->choices[i] && r == 0; i++)
		r = sw_buf_addf(b, "%s%s", i ? " | " : "\t# ", f->choices[i]);
	return r;
}

static int add_field(struct sw_buf *b, const struct sw_field *f, const struct sw_answers *a,
		     const char **prev)
{
	_cleanup_free_ char *text = sw_field_get(f, a);
	int r;

	if (!text)
		return -ENOMEM;
	if (!*text)
		return 0;
	r = add_key(b, *prev, f->key);
	if (r == 0)
		r = add_value(b, f, text);
	if (r == 0)
		r = add_comment(b, f);
	*prev = f->key;
	return r < 0 ? r : sw_buf_adds(b, "\n");
}

char *sw_answers_to_yaml(const struct sw_answers *a)
{
	_cleanup_buf_ struct sw_buf b = {};
	const char *prev = "";
	int r = sw_buf_adds(&b, "# See slipway-answers(5), or \"slipway explain KEY\".\n");

	for (size_t i = 0; i < sw_n_fields && r == 0; i++)
		r = add_field(&b, &sw_fields[i], a, &prev);
	return r < 0 ? NULL : sw_buf_steal(&b);
}

int sw_answers_digest(const struct sw_answers *a, char ret_hex[static 65])
{
	_cleanup_buf_ struct sw_buf b = {};

	/* "key=value" lines in the order of the table; no value can hold a line break. */
	for (size_t i = 0; i < sw_n_fields; i++) {
		_cleanup_free_ char *text = sw_field_get(&sw_fields[i], a);
		int r = text ? 0 : -ENOMEM;

		if (r == 0 && *text)
			r = sw_buf_addf(&b, "%s=%s\n", sw_fields[i].key, text);
		if (r < 0)
			return r;
	}
	return sw_sha256(b.data, b.len, ret_hex);
}
