/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Built on libyaml's events rather than its documents: an alias then still is
 * an alias with a place, and the limits hold while reading instead of after.
 */
#include "base/yaml.h"

#include <string.h>

#include <yaml.h>

#include "base/text.h"
#include "base/yaml-text.h"

struct reader {
	yaml_parser_t parser;
	const char *text, *file;
	size_t len;
	size_t nodes;
	struct sw_error *err;
};


static int fail_mark(struct reader *rd, const yaml_mark_t *mark, const char *what,
		     const char *why, const char *hint)
{
	int r = sw_fail(rd->err, SW_EXIT_INVALID, -EINVAL, "%s", what);

	sw_error_where(rd->err, "%s:%zu:%zu", rd->file, mark->line + 1, mark->column + 1);
	sw_error_why(rd->err, "%s", why);
	sw_error_hint(rd->err, "%s", hint);
	return r;
}

static int next_event(struct reader *rd, yaml_event_t *ret_event)
{
	if (yaml_parser_parse(&rd->parser, ret_event))
		return 0;
	return sw_yaml_explain(&rd->parser, rd->text, rd->len, rd->file, rd->err);
}

/* Recursion is bounded: no tree is deeper than SW_YAML_MAX_DEPTH. */
struct sw_yaml *sw_yaml_free(struct sw_yaml *y)
{
	if (!y)
		return NULL;
	for (size_t i = 0; i < y->n; i++) {
		sw_yaml_free(y->items[i].key);
		sw_yaml_free(y->items[i].value);
	}
	free(y->items);
	free(y->text);
	free(y);
	return NULL;
}

const struct sw_yaml_item *sw_yaml_find(const struct sw_yaml *y, const char *key)
{
	if (!y || y->kind != SW_YAML_MAP)
		return NULL;
	for (size_t i = 0; i < y->n; i++)
		if (strcmp(y->items[i].key->text, key) == 0)
			return &y->items[i];
	return NULL;
}

bool sw_yaml_is_null(const struct sw_yaml *y)
{
	return y->kind == SW_YAML_SCALAR && y->plain &&
	       (y->text[0] == '\0' || strcmp(y->text, "~") == 0 || strcmp(y->text, "null") == 0);
}

static int refuse_properties(struct reader *rd, const yaml_event_t *e, const yaml_char_t *anchor,
			     const yaml_char_t *tag)
{
	if (anchor)
		return fail_mark(rd, &e->start_mark, "an anchor (&) in an answer file",
				 "references make a file hard to check",
				 "write the value out; put quotes around one that starts with &");
	if (tag)
		return fail_mark(rd, &e->start_mark, "a tag (!) in an answer file",
				 "values are plain text here",
				 "remove it; put quotes around a value that starts with !");
	return 0;
}

static int new_node(struct reader *rd, const yaml_event_t *e, enum sw_yaml_kind kind,
		    struct sw_yaml **ret_node)
{
	struct sw_yaml *y;

	if (++rd->nodes > SW_YAML_MAX_NODES)
		return fail_mark(rd, &e->start_mark, "too many values",
				 "at most 10,000 are read", "is this the right file?");
	y = calloc(1, sizeof(*y));
	if (!y)
		return sw_fail_oom(rd->err);
	y->kind = kind;
	y->line = (unsigned int)e->start_mark.line + 1;
	y->column = (unsigned int)e->start_mark.column + 1;
	*ret_node = y;
	return 0;
}

static int read_scalar(struct reader *rd, const yaml_event_t *e, struct sw_yaml **ret_node)
{
	const char *value = (const char *)e->data.scalar.value;
	_cleanup_yaml_ struct sw_yaml *y = NULL;
	int r = refuse_properties(rd, e, e->data.scalar.anchor, e->data.scalar.tag);

	if (r < 0)
		return r;
	if (memchr(value, '\0', e->data.scalar.length))
		return fail_mark(rd, &e->start_mark, "a value with a zero byte in it",
				 "no value of an answer file can hold one", "remove the \\0");
	r = new_node(rd, e, SW_YAML_SCALAR, &y);
	if (r < 0)
		return r;
	y->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	y->text = strndup(value, e->data.scalar.length);
	if (!y->text)
		return sw_fail_oom(rd->err);
	*ret_node = TAKE_PTR(y);
	return 0;
}

static int add_item(struct reader *rd, struct sw_yaml *y, struct sw_yaml **key,
		    struct sw_yaml **value)
{
	/* Grows in powers of two: the count itself says when the room is used up. */
	if ((y->n & (y->n - 1)) == 0) {
		size_t room = y->n ? y->n * 2 : 1;
		struct sw_yaml_item *items = reallocarray(y->items, room, sizeof(*items));

		if (!items)
			return sw_fail_oom(rd->err);
		y->items = items;
	}
	y->items[y->n++] = (struct sw_yaml_item){ .key = TAKE_PTR(*key),
						    .value = TAKE_PTR(*value) };
	return 0;
}

static int check_key(struct reader *rd, const struct sw_yaml *map, const struct sw_yaml *key,
		     const yaml_mark_t *mark)
{
	const struct sw_yaml_item *first;
	char what[96], shown[SW_TEXT_SHOW];

	if (key->kind != SW_YAML_SCALAR)
		return fail_mark(rd, mark, "a key that is a list or a group",
				 "keys are words",
				 "put quotes around a value that starts with { or [");
	if (key->plain && strcmp(key->text, "<<") == 0)
		return fail_mark(rd, mark, "a merge key (<<) in an answer file",
				 "references make a file hard to check", "write the keys out");
	first = sw_yaml_find(map, key->text);
	if (!first)
		return 0;
	(void)snprintf(what, sizeof(what), "the key \"%s\" stands here twice",
		       sw_text_show(key->text, shown));
	(void)snprintf(shown, sizeof(shown), "the first is in line %u", first->key->line);
	return fail_mark(rd, mark, what, shown, "remove one of them");
}

static int read_node(struct reader *rd, const yaml_event_t *e, unsigned int depth,
		     struct sw_yaml **ret_node);

/* Reads key and value pairs, or the members of a list, until the collection ends. */
static int read_items(struct reader *rd, struct sw_yaml *y, unsigned int depth)
{
	yaml_event_type_t end = y->kind == SW_YAML_MAP ? YAML_MAPPING_END_EVENT
						      : YAML_SEQUENCE_END_EVENT;

	for (;;) {
		_cleanup_(yaml_event_delete) yaml_event_t first = {}, second = {};
		_cleanup_yaml_ struct sw_yaml *key = NULL, *value = NULL;
		int r = next_event(rd, &first);

		if (r < 0 || first.type == end)
			return r;
		if (y->kind == SW_YAML_MAP) {
			r = read_node(rd, &first, depth, &key);
			if (r == 0)
				r = check_key(rd, y, key, &first.start_mark);
			if (r == 0)
				r = next_event(rd, &second);
		}
		if (r == 0)
			r = read_node(rd, key ? &second : &first, depth, &value);
		if (r == 0)
			r = add_item(rd, y, &key, &value);
		if (r < 0)
			return r;
	}
}

static int read_group(struct reader *rd, const yaml_event_t *e, enum sw_yaml_kind kind,
		      unsigned int depth, struct sw_yaml **ret_node)
{
	_cleanup_yaml_ struct sw_yaml *y = NULL;
	int r;

	if (depth >= SW_YAML_MAX_DEPTH)
		return fail_mark(rd, &e->start_mark, "too many levels",
				 "at most 16 are read", "is this the right file?");
	r = kind == SW_YAML_MAP ? refuse_properties(rd, e, e->data.mapping_start.anchor,
						    e->data.mapping_start.tag)
				: refuse_properties(rd, e, e->data.sequence_start.anchor,
						    e->data.sequence_start.tag);
	if (r == 0)
		r = new_node(rd, e, kind, &y);
	if (r == 0)
		r = read_items(rd, y, depth + 1);
	if (r < 0)
		return r;
	*ret_node = TAKE_PTR(y);
	return 0;
}

static int read_node(struct reader *rd, const yaml_event_t *e, unsigned int depth,
		     struct sw_yaml **ret_node)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(rd, e, ret_node);
	case YAML_MAPPING_START_EVENT:
		return read_group(rd, e, SW_YAML_MAP, depth, ret_node);
	case YAML_SEQUENCE_START_EVENT:
		return read_group(rd, e, SW_YAML_LIST, depth, ret_node);
	case YAML_ALIAS_EVENT:
		return fail_mark(rd, &e->start_mark, "an alias (*) in an answer file",
				 "references make a file hard to check",
				 "put quotes around a value that starts with *");
	default:
		return fail_mark(rd, &e->start_mark, "not valid YAML", "a value is expected here",
				 "check the lines before");
	}
}

static int read_document(struct reader *rd, struct sw_yaml **ret_yaml)
{
	_cleanup_(yaml_event_delete) yaml_event_t stream = {}, start = {}, node = {}, end = {},
						  last = {};
	_cleanup_yaml_ struct sw_yaml *y = NULL;
	int r = next_event(rd, &stream);

	if (r == 0)
		r = next_event(rd, &start);
	if (r == 0 && start.type == YAML_STREAM_END_EVENT)
		return fail_mark(rd, &start.start_mark, "the file is empty",
				 "it holds nothing but comments and blanks",
				 "slipway explain lists the keys");
	if (r == 0)
		r = next_event(rd, &node);
	if (r == 0)
		r = read_node(rd, &node, 0, &y);
	if (r == 0)
		r = next_event(rd, &end);
	if (r == 0)
		r = next_event(rd, &last);
	if (r == 0 && last.type != YAML_STREAM_END_EVENT)
		return fail_mark(rd, &last.start_mark, "a second document",
				 "an answer file is one document",
				 "remove what follows, or split the file");
	if (r < 0)
		return r;
	*ret_yaml = TAKE_PTR(y);
	return 0;
}

int sw_yaml_parse(const char *text, size_t len, const char *file, struct sw_yaml **ret_yaml,
		  struct sw_error *err)
{
	struct reader rd = { .file = file, .err = err };
	size_t skip;
	int r = sw_yaml_check_bytes(text, len, file, &skip, err);

	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&rd.parser))
		return sw_fail_oom(err);
	rd.text = text + skip;
	rd.len = len - skip;
	yaml_parser_set_encoding(&rd.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&rd.parser, (const unsigned char *)rd.text, rd.len);
	r = read_document(&rd, ret_yaml);
	yaml_parser_delete(&rd.parser);
	return r;
}
