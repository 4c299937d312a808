/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway explain`: the field table for a person at a terminal of 80 columns, and for programs. */
#include <string.h>

#include "answers/answers.h"
#include "answers/values.h"
#include "base/text.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"

#define WIDTH 78
#define KEY_COLUMN 24

static const char *type_name(const struct sw_field *f)
{
	switch (f->type) {
	case SW_FIELD_TEXT:
		return "text";
	case SW_FIELD_CHOICE:
		return "one of the choices";
	case SW_FIELD_URL:
		return "source";
	case SW_FIELD_SHA256:
		return "64 hex digits";
	case SW_FIELD_HOSTNAME:
		return "host name";
	case SW_FIELD_INT:
		return "whole number";
	case SW_FIELD_UUID:
		return "UUID";
	case SW_FIELD_CERTIFICATE:
		return f->check ? "public key as PEM" : "certificate as PEM";
	case SW_FIELD_LIST:
		return "list of values";
	case SW_FIELD_DISKS:
		return "list of groups of keys";
	}
	return "text";
}

static int add_wrapped(struct sw_buf *b, const char *text)
{
	size_t column = 0;
	int r = 0;

	while (*text && r == 0) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > WIDTH) {
			r = sw_buf_adds(b, "\n");
			column = 0;
		} else if (column) {
			r = sw_buf_adds(b, " ");
			column++;
		}
		if (r == 0)
			r = sw_buf_add(b, text, n);
		column += n;
		text += n + (text[n] == ' ');
	}
	return r < 0 ? r : sw_buf_adds(b, "\n");
}

static int add_choices(struct sw_buf *b, const struct sw_field *f)
{
	int r = sw_buf_adds(b, "  choices:  ");

	for (size_t i = 0; f->choices[i] && r == 0; i++)
		r = sw_buf_addf(b, "%s%s", i ? ", " : "", f->choices[i]);
	return r < 0 ? r : sw_buf_adds(b, "\n");
}

enum need { NEED_NO, NEED_DEPENDS, NEED_ALWAYS, NEED_DEFAULT };

static enum need need_of(const struct sw_field *f)
{
	struct sw_answers empty = {};

	if (f->required && f->required(&empty) && !f->applies)
		return f->dflt ? NEED_DEFAULT : NEED_ALWAYS;
	if (f->home == SW_HOME_ADMISSION && f->dflt)
		return NEED_DEFAULT;
	return f->required || f->needs ? NEED_DEPENDS : NEED_NO;
}

static const char *when(const struct sw_field *f)
{
	static const char *const words[] = {
		[NEED_NO] = "no", [NEED_DEPENDS] = "depends on the other answers",
		[NEED_ALWAYS] = "always", [NEED_DEFAULT] = "always has a value",
	};

	return words[need_of(f)];
}

static char *explain_one(const struct sw_field *f)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_addf(&b, "%s (%s)\n\n", f->key, f->label);

	if (r == 0)
		r = add_wrapped(&b, f->help);
	if (r == 0)
		r = sw_buf_addf(&b, "\n  type:     %s\n", type_name(f));
	if (r == 0 && f->type == SW_FIELD_CHOICE)
		r = add_choices(&b, f);
	if (r == 0)
		r = sw_buf_addf(&b, "  default:  %s\n  required: %s\n", f->dflt ? f->dflt : "none",
				when(f));
	if (r == 0)
		r = sw_buf_addf(&b, "  example:  %s\n", f->example);
	if (r == 0 && sw_field_can_be_asked(f))
		r = sw_buf_addf(&b, "  left open: " SW_ANSWER_ASK ", without quotes%s\n",
				f->home == SW_HOME_MATCH || sw_list_group_of(f->home)
					? "; not in a list of groups" : "");
	return r < 0 ? NULL : sw_buf_steal(&b);
}

/* The first sentence, cut at a word when it is longer than the line. */
static size_t first_sentence(const char *help, size_t room)
{
	const char *stop = strstr(help, ". ");
	size_t n = stop ? (size_t)(stop - help) : strlen(help) - 1;

	if (n <= room)
		return n;
	n = room - 3;
	while (n > 0 && help[n] != ' ')
		n--;
	return n;
}

static int add_line(struct sw_buf *b, const struct sw_field *f)
{
	size_t room = WIDTH - KEY_COLUMN, n = first_sentence(f->help, room);
	bool cut = f->help[n] == ' ';
	/* A key that fills its column has the line to itself. */
	bool fits = strlen(f->key) < KEY_COLUMN;

	return sw_buf_addf(b, "%-*s%s%*s%.*s%s\n", KEY_COLUMN, f->key, fits ? "" : "\n",
			   fits ? 0 : KEY_COLUMN, "", (int)n, f->help, cut ? "..." : "");
}

static bool is_in(const char *key, const char *group)
{
	size_t n = group ? strlen(group) : 0;

	return n == 0 || (strncmp(key, group, n) == 0 && key[n] == '.');
}

/* What a further disk has is what the first one has. */
static const struct sw_field *find(const char *key)
{
	_cleanup_free_ char *first = NULL;
	const struct sw_field *f = sw_field_find(key);

	if (f || strncmp(key, "disk.more.", 10) != 0)
		return f;
	first = sw_fmt("disk.%s", key + 10);
	f = first ? sw_field_find(first) : NULL;
	return f && sw_field_of_disk(f) ? f : NULL;
}

char *sw_answers_explain(const char *key)
{
	const struct sw_field *f = key && *key ? find(key) : NULL;
	const char *help = key ? sw_field_group_help(key) : NULL;
	_cleanup_buf_ struct sw_buf b = {};

	if (f)
		return explain_one(f);
	if (help && (add_wrapped(&b, help) < 0 || sw_buf_adds(&b, "\n") < 0))
		return NULL;
	for (size_t i = 0; i < sw_n_fields; i++)
		if (is_in(sw_fields[i].key, key) && add_line(&b, &sw_fields[i]) < 0)
			return NULL;
	return b.len ? sw_buf_steal(&b) : NULL;
}

/* ---- for programs ---- */

static const char *type_word(const struct sw_field *f)
{
	switch (f->type) {
	case SW_FIELD_TEXT:
	case SW_FIELD_LIST:	/* what each of its items is */
		return "text";
	case SW_FIELD_CHOICE:
		return "choice";
	case SW_FIELD_URL:
		return f->local ? "local-source" : "source";
	case SW_FIELD_SHA256:
		return "sha256";
	case SW_FIELD_HOSTNAME:
		return "hostname";
	case SW_FIELD_INT:
		return "integer";
	case SW_FIELD_UUID:
		return "uuid";
	case SW_FIELD_CERTIFICATE:
		return f->check ? "public-key" : "certificate";
	case SW_FIELD_DISKS:
		return "group";
	}
	return "text";
}

/* How many values the key may have in its list; nothing for a key that has one. */
static void add_items(json_object *o, const struct sw_field *f)
{
	if (f->type == SW_FIELD_LIST || f->type == SW_FIELD_DISKS)
		sw_json_add_u64(o, "max_items", f->type == SW_FIELD_LIST ? SW_LIST_MAX
									 : SW_MORE_MAX);
}

/* The group that the key is in may stand several times, as a list. */
static void add_group(json_object *o, const struct sw_field *f)
{
	const struct sw_list_group *g = sw_list_group_of(f->home);

	if (g)
		sw_json_add_str(o, "in_list", g->key);
	else if (f->home == SW_HOME_MATCH)
		sw_json_add_str(o, "in_list", "disk.match");
	if (f->stands_for)
		sw_json_add_str(o, "stands_for", f->stands_for);
}

static json_object *field_json(const struct sw_field *f)
{
	static const char *const needs[] = {
		[NEED_NO] = "no", [NEED_DEPENDS] = "depends", [NEED_ALWAYS] = "always",
		[NEED_DEFAULT] = "default",
	};
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "key", f->key);
	sw_json_add_str(o, "label", f->label);
	sw_json_add_str(o, "type", type_word(f));
	add_items(o, f);
	if (f->type == SW_FIELD_CHOICE)
		sw_json_add(o, "allowed", sw_json_strv((char *const *)f->choices));
	else if (f->type != SW_FIELD_CERTIFICATE && f->type != SW_FIELD_DISKS)
		sw_json_add_u64(o, "max_length", f->max ? f->max : SW_FIELD_MAX);
	sw_json_add_str(o, "default", f->dflt);
	sw_json_add_str(o, "required", needs[need_of(f)]);
	sw_json_add_bool(o, "may_be_asked", sw_field_can_be_asked(f));
	sw_json_add_str(o, "help", f->help);
	sw_json_add_str(o, "example", f->example);
	add_group(o, f);
	return o;
}

json_object *sw_answers_explain_json(const char *key)
{
	const struct sw_field *f = key && *key ? find(key) : NULL;
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	sw_json_add_u64(o, "slipway", SW_ANSWERS_VERSION);
	sw_json_add_str(o, "help", key && !f ? sw_field_group_help(key) : NULL);
	for (size_t i = 0; i < sw_n_fields; i++)
		if (f ? f == &sw_fields[i] : is_in(sw_fields[i].key, key))
			json_object_array_add(list, field_json(&sw_fields[i]));
	sw_json_add(o, "keys", list);
	if (json_object_array_length(list))
		return o;
	json_object_put(o);
	return NULL;
}

char *sw_answers_suggest(const char *key)
{
	const char *nearest = NULL;
	unsigned int best = 0, d;

	for (size_t i = 0; i < sw_n_fields; i++) {
		const char *dot = strrchr(sw_fields[i].key, '.');

		/* Both the whole key and its last word may have been meant. */
		if (!sw_text_is_near(key, sw_fields[i].key, &d) &&
		    !(dot && sw_text_is_near(key, dot + 1, &d)))
			continue;
		if (!nearest || d < best) {
			nearest = sw_fields[i].key;
			best = d;
		}
	}
	return nearest ? strdup(nearest) : NULL;
}
