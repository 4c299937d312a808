/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/redact.h"

#include <ctype.h>
#include <string.h>

#include "admission/shapes.h"
#include "base/json.h"

/* Behind these come the shapes. */
enum { KIND_PEM, KIND_NAME, KIND_KEY, KIND_SHAPES };
_Static_assert(KIND_SHAPES + SW_SHAPES <= SW_REDACT_KINDS, "too many kinds");

const char *sw_redact_kind(unsigned int i)
{
	static const char *const others[] = { "private key", "name of this machine",
					      "value of a secret" };

	if (i < KIND_SHAPES)
		return others[i];
	return i - KIND_SHAPES < SW_SHAPES ? sw_shape_name(i - KIND_SHAPES) : NULL;
}

json_object *sw_redacted_to_json(const struct sw_redacted *count)
{
	json_object *o = json_object_new_object();

	for (unsigned int i = 0; sw_redact_kind(i); i++) {
		uint64_t before = sw_json_u64(o, sw_redact_kind(i), 0);

		if (count->times[i])
			sw_json_add_u64(o, sw_redact_kind(i), before + count->times[i]);
	}
	return o;
}

/* ---- one line ---- */

/* text[from, to) gives way to the word; the rest moves up. */
static int put_instead(char **text, size_t from, size_t to, const char *word)
{
	size_t rest = strlen(*text + to) + 1, n = strlen(word);
	char *bigger = malloc(from + n + rest);

	if (!bigger)
		return -ENOMEM;
	memcpy(bigger, *text, from);
	memcpy(bigger + from, word, n);
	memcpy(bigger + from + n, *text + to, rest);
	free(*text);
	*text = bigger;
	return 0;
}

#define REMOVED "[removed]"

static int apply_shape(size_t i, char **line, struct sw_redacted *count)
{
	size_t at = 0, from, to;
	int r;

	while ((r = sw_shape_next(i, *line, at, &from, &to)) > 0) {
		at = from + strlen(REMOVED);
		if (strncmp(*line + from, REMOVED, strlen(REMOVED) - 1) == 0) {
			at = to;	/* another shape was here */
			continue;
		}
		r = put_instead(line, from, to, REMOVED);
		if (r < 0)
			break;
		count->times[KIND_SHAPES + i]++;
	}
	return r;
}

static int apply_names(const struct sw_redact *redact, char **line, struct sw_redacted *count)
{
	int r = 0;

	for (size_t i = 0; i < redact->n_names; i++) {
		const struct sw_redact_name *name = &redact->names[i];
		size_t at = 0;

		for (char *p; r == 0 && (p = strcasestr(*line + at, name->text));) {
			size_t from = (size_t)(p - *line);

			r = put_instead(line, from, from + strlen(name->text), name->instead);
			at = from + strlen(name->instead);
			count->times[KIND_NAME]++;
		}
	}
	return r;
}

static int redact_line(const struct sw_redact *redact, char **line, struct sw_redacted *count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < SW_SHAPES; i++)
		r = apply_shape(i, line, count);
	return r < 0 ? r : apply_names(redact, line, count);
}

/* ---- text ---- */

#define PEM_BEGIN "-----BEGIN "
#define PEM_END "-----END "

/* The end of a private key that begins here, or NULL when none does. */
static const char *private_key_end(const char *text)
{
	const char *kind = text + strlen(PEM_BEGIN), *end = strstr(kind, PEM_END);
	size_t line = strcspn(kind, "\n");

	if (!memmem(kind, line, "PRIVATE KEY", 11))
		return NULL;
	return end ? end + strcspn(end, "\n") : text + strlen(text);
}

static int add_line(const struct sw_redact *redact, const char *text, size_t len,
		    struct sw_buf *out, struct sw_redacted *count)
{
	_cleanup_free_ char *line = strndup(text, len);
	int r = line ? redact_line(redact, &line, count) : -ENOMEM;

	return r < 0 ? r : sw_buf_adds(out, line);
}

int sw_redact_text(const struct sw_redact *redact, const char *text, struct sw_buf *out,
		   struct sw_redacted *count)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t len = strcspn(text, "\n");
		const char *pem = memmem(text, len, PEM_BEGIN, strlen(PEM_BEGIN));
		const char *end = pem ? private_key_end(pem) : NULL;

		if (end)
			len = (size_t)(pem - text);
		r = add_line(redact, text, len, out, count);
		if (r == 0 && end) {
			r = sw_buf_adds(out, REMOVED);
			count->times[KIND_PEM]++;
		}
		text = end ? end : text + len;
		if (r == 0 && *text == '\n')
			r = sw_buf_adds(out, "\n");
		text += *text == '\n';
	}
	return r;
}

/* ---- JSON ---- */

static bool key_is_secret(const char *key)
{
	static const char *const keys[] = { "password", "passwd", "passphrase", "token", "secret",
					    "psk", "private_key", NULL };

	for (size_t i = 0; keys[i]; i++)
		if (strcasecmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* What takes a string's place, or NULL when it stays. */
static int redact_string(const struct sw_redact *redact, const char *key, json_object *o,
			 json_object **ret_new, struct sw_redacted *count)
{
	const char *text = json_object_get_string(o);
	_cleanup_buf_ struct sw_buf b = {};
	int r;

	if (key && key_is_secret(key) && text[0]) {
		count->times[KIND_KEY]++;
		*ret_new = json_object_new_string(REMOVED);
		return 0;
	}
	r = sw_redact_text(redact, text, &b, count);
	if (r == 0 && strcmp(sw_buf_text(&b), text) != 0)
		*ret_new = json_object_new_string(sw_buf_text(&b));
	return r;
}

static int redact_members(const struct sw_redact *redact, json_object *o,
			  struct sw_redacted *count)
{
	int r = 0;

	json_object_object_foreach(o, key, value) {
		json_object *now = NULL;

		if (json_object_is_type(value, json_type_string))
			r = redact_string(redact, key, value, &now, count);
		else
			r = sw_redact_json(redact, value, count);
		if (now)	/* the key is there already: its entry stays where it is */
			r = json_object_object_add(o, key, now) < 0 ? -ENOMEM : r;
		if (r < 0)
			break;
	}
	return r;
}

static int redact_items(const struct sw_redact *redact, json_object *o, struct sw_redacted *count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_object_array_length(o); i++) {
		json_object *value = json_object_array_get_idx(o, i), *now = NULL;

		if (json_object_is_type(value, json_type_string))
			r = redact_string(redact, NULL, value, &now, count);
		else
			r = sw_redact_json(redact, value, count);
		if (now && json_object_array_put_idx(o, i, now) < 0)
			r = -ENOMEM;
	}
	return r;
}

int sw_redact_json(const struct sw_redact *redact, json_object *o, struct sw_redacted *count)
{
	if (json_object_is_type(o, json_type_object))
		return redact_members(redact, o, count);
	if (json_object_is_type(o, json_type_array))
		return redact_items(redact, o, count);
	return 0;
}

/* ---- bytes ---- */

/* Every step-th byte, as text; what is none ends a line. */
static bool finds_in(const struct sw_redact *redact, const uint8_t *data, size_t len, size_t from,
		     size_t step)
{
	_cleanup_free_ char *text = malloc(len / step + 2);
	_cleanup_buf_ struct sw_buf out = {};
	struct sw_redacted count = {};
	size_t n = 0;

	if (!text)
		return true;
	for (size_t i = from; i < len; i += step)
		text[n++] = isprint(data[i]) ? (char)data[i] : '\n';
	text[n] = '\0';
	if (sw_redact_text(redact, text, &out, &count) < 0)
		return true;
	for (unsigned int i = 0; i < SW_REDACT_KINDS; i++)
		if (count.times[i])
			return true;
	return false;
}

bool sw_redact_finds(const struct sw_redact *redact, const void *data, size_t len)
{
	return finds_in(redact, data, len, 0, 1) || finds_in(redact, data, len, 0, 2) ||
	       finds_in(redact, data, len, 1, 2);
}
