/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a YAML tree to answers, by the field table: a path of keys either is a
 * field, leads to fields, or is unknown. All errors of a file are collected,
 * and the place of every field is kept for the rules that come later.
 */
#include <string.h>

#include "answers/answers.h"
#include "answers/errors.h"
#include "base/text.h"
#include "answers/yaml.h"
#include "base/file.h"

#define KEY_MAX 64		/* longer than any key of the table */

struct mapping {
	const char *file;
	struct sw_answers *a;
	struct sw_errors *errors;
	bool uki;		/* the file gives payload.uki */
};

struct sw_error *sw_errors_next(struct sw_errors *e)
{
	struct sw_error *err = e->n < e->max ? &e->v[e->n] : &e->overflow;

	memset(err, 0, sizeof(*err));
	return err;
}

int sw_errors_keep(struct sw_errors *e, int r)
{
	if (e->r == 0)
		e->r = r;
	if (e->n < e->max)
		e->n++;
	return r;
}

static struct sw_error *next_at(struct mapping *m, const struct sw_yaml *y)
{
	struct sw_error *err = sw_errors_next(m->errors);

	sw_error_where(err, "%s:%u:%u", m->file, y->line, y->column);
	return err;
}

static int fail_node(struct mapping *m, const struct sw_yaml *y, const char *what,
		     const char *why, const char *hint)
{
	struct sw_error *err = next_at(m, y);

	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s", what);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return sw_errors_keep(m->errors, -EINVAL);
}

/* True when key is "path.something": path is a group of fields. */
static bool is_below(const char *key, const char *path)
{
	size_t n = strlen(path);

	return n == 0 || (strncmp(key, path, n) == 0 && key[n] == '.');
}

static bool is_group(const char *path)
{
	for (size_t i = 0; i < sw_n_fields; i++)
		if (is_below(sw_fields[i].key, path))
			return true;
	return false;
}

/* The keys of one group as text, and the one nearest to what was written. */
static void suggest(const char *group, const char *typed, struct sw_error *err)
{
	const char *prev = "";
	char nearest[KEY_MAX] = "";
	unsigned int best = 0, d;
	size_t len = (size_t)snprintf(err->why, sizeof(err->why), "the keys here are");
	size_t prev_n = 0;

	for (size_t i = 0; i < sw_n_fields; i++) {
		const char *rest = sw_fields[i].key + (*group ? strlen(group) + 1 : 0);
		char word[KEY_MAX];
		size_t n;

		if (!is_below(sw_fields[i].key, group))
			continue;
		n = strcspn(rest, ".");
		/* Fields of one group follow each other in the table. */
		if (n == prev_n && strncmp(rest, prev, n) == 0)
			continue;
		(void)snprintf(word, sizeof(word), "%.*s", (int)n, rest);
		if (len < sizeof(err->why))
			len += (size_t)snprintf(err->why + len, sizeof(err->why) - len, "%s %s",
						prev_n ? "," : "", word);
		if (sw_text_is_near(typed, word, &d) && (!nearest[0] || d < best)) {
			(void)snprintf(nearest, sizeof(nearest), "%s", word);
			best = d;
		}
		prev = rest;
		prev_n = n;
	}
	if (nearest[0])
		sw_error_hint(err, "did you mean \"%s\"?", nearest);
}

/* The one key of the table that ends in this word, when there is only one. */
static const char *elsewhere(const char *typed)
{
	const char *found = NULL;

	for (size_t i = 0; i < sw_n_fields; i++) {
		const char *dot = strrchr(sw_fields[i].key, '.');

		if (!dot || strcmp(dot + 1, typed) != 0)
			continue;
		if (found)
			return NULL;
		found = sw_fields[i].key;
	}
	return found;
}

static int fail_unknown(struct mapping *m, const char *group, const struct sw_yaml *key)
{
	struct sw_error *err = next_at(m, key);
	char shown[SW_TEXT_SHOW];
	const char *other = elsewhere(key->text);

	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "unknown key \"%s\"%s%s",
		      sw_text_show(key->text, shown), *group ? " in " : "", group);
	if (strchr(key->text, '.') && sw_field_find(key->text))
		sw_error_hint(err, "a dot is one level of indentation: write it below its group");
	suggest(group, key->text, err);
	if (other)
		sw_error_hint(err, "did you mean %s?", other);
	else
		sw_error_hint(err, "slipway explain lists all keys");
	return sw_errors_keep(m->errors, -EINVAL);
}

static void set_place(struct sw_answers *a, const struct sw_field *f, const struct sw_yaml *y)
{
	a->places[f - sw_fields] = (struct sw_place){ .line = y->line, .column = y->column };
}

static int read_field(struct mapping *m, const struct sw_field *f, const struct sw_yaml *value)
{
	char what[128];
	struct sw_error *err;
	int r;

	if (value->kind != SW_YAML_SCALAR) {
		(void)snprintf(what, sizeof(what), "%s is one value, not a %s", f->key,
			       value->kind == SW_YAML_MAP ? "group of keys" : "list");
		return fail_node(m, value, what, f->help, "");
	}
	if (sw_yaml_is_null(value)) {
		(void)snprintf(what, sizeof(what), "%s has no value", f->key);
		return fail_node(m, value, what, "nothing, ~ and null are no values",
				 "give a value or take the line out");
	}
	err = next_at(m, value);
	r = sw_field_set(f, m->a, value->text, err);
	if (r < 0)
		return sw_errors_keep(m->errors, r);
	set_place(m->a, f, value);
	return 0;
}

static void read_group(struct mapping *m, const char *group, const struct sw_yaml *map);

/* `sha256: HEX` beside `uki:` is short for `sha256: {uki: HEX}`. */
static bool is_short_hash(const struct mapping *m, const char *path, const struct sw_yaml *value)
{
	return m->uki && value->kind == SW_YAML_SCALAR && strcmp(path, "payload.sha256") == 0;
}

/* Where a missing key would belong: the deepest group that is there. */
static void place_below(struct mapping *m, const char *path, const struct sw_yaml *y)
{
	for (size_t i = 0; i < sw_n_fields; i++)
		if (is_below(sw_fields[i].key, path))
			set_place(m->a, &sw_fields[i], y);
}

static int fail_group(struct mapping *m, const char *path, const struct sw_yaml *value)
{
	struct sw_error *err = next_at(m, value);

	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s is a group of keys, not a %s", path,
		      value->kind == SW_YAML_LIST ? "list" : "value");
	suggest(path, "", err);
	if (value->kind == SW_YAML_SCALAR && value->plain && strchr(value->text, ':'))
		sw_error_hint(err, "a blank belongs behind a colon: key: value");
	sw_error_hint(err, "write them below it, indented");
	return sw_errors_keep(m->errors, -EINVAL);
}

static void read_item(struct mapping *m, const char *group, const struct sw_yaml_item *item)
{
	char path[KEY_MAX];
	const struct sw_field *f;
	int n = snprintf(path, sizeof(path), "%s%s%s", group, *group ? "." : "", item->key->text);

	if (n < 0 || (size_t)n >= sizeof(path) || strchr(item->key->text, '.') ||
	    item->key->text[0] == '\0') {
		(void)fail_unknown(m, group, item->key);
		return;
	}
	f = sw_field_find(path);
	if (!f && is_short_hash(m, path, item->value))
		f = sw_field_find("payload.sha256.uki");
	if (f) {
		(void)read_field(m, f, item->value);
		return;
	}
	if (!is_group(path)) {
		(void)fail_unknown(m, group, item->key);
		return;
	}
	if (item->value->kind != SW_YAML_MAP) {
		(void)fail_group(m, path, item->value);
		return;
	}
	place_below(m, path, item->key);
	read_group(m, path, item->value);
}

static void read_group(struct mapping *m, const char *group, const struct sw_yaml *map)
{
	for (size_t i = 0; i < map->n; i++)
		read_item(m, group, &map->items[i]);
}

static void read_root(struct mapping *m, const struct sw_yaml *root)
{
	const struct sw_yaml_item *payload = sw_yaml_find(root, "payload");

	if (root->kind != SW_YAML_MAP) {
		(void)fail_node(m, root, "this is no answer file",
				"it starts with something else than a key",
				"start with slipway: 1");
		return;
	}
	m->uki = payload && sw_yaml_find(payload->value, "uki");
	place_below(m, "", root);
	if (!sw_yaml_find(root, "slipway"))
		(void)fail_node(m, root, "slipway is missing",
				"an answer file says which version of the format it is",
				"add the line slipway: 1");
	read_group(m, "", root);
}

static int new_with_places(struct sw_answers **ret_answers)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();

	if (!a)
		return -ENOMEM;
	a->places = calloc(sw_n_fields, sizeof(*a->places));
	if (!a->places)
		return -ENOMEM;
	*ret_answers = TAKE_PTR(a);
	return 0;
}

int sw_answers_parse_all(const char *text, size_t len, const char *file, struct sw_error *errs,
			 size_t max, size_t *ret_n, struct sw_answers **ret_answers)
{
	struct sw_errors errors = { .v = errs, .max = max };
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_yaml_ struct sw_yaml *root = NULL;
	struct sw_error *err = sw_errors_next(&errors);
	int r = sw_yaml_parse(text, len, file, &root, err);

	if (r == 0 && new_with_places(&a) < 0)
		r = sw_fail_oom(err);
	if (r < 0) {
		(void)sw_errors_keep(&errors, r);
	} else {
		struct mapping m = { .file = file, .a = a, .errors = &errors };

		read_root(&m, root);
	}
	if (ret_n)
		*ret_n = errors.n;
	if (errors.r == 0)
		*ret_answers = TAKE_PTR(a);
	return errors.r;
}

int sw_answers_parse(const char *text, size_t len, const char *file,
		     struct sw_answers **ret_answers, struct sw_error *err)
{
	struct sw_error first;
	int r = sw_answers_parse_all(text, len, file, &first, 1, NULL, ret_answers);

	if (r < 0 && err && err->r == 0)
		*err = first;
	return r;
}

static int read_file(const char *path, struct sw_buf *b, struct sw_error *err)
{
	int r = sw_file_read(path, b);

	if (r == -E2BIG)
		(void)sw_fail(err, SW_EXIT_INVALID, r, "the answer file is larger than 1 MiB");
	else if (r < 0)
		(void)sw_fail_errno(err, r == -ENOENT ? SW_EXIT_MISSING : SW_EXIT_FAILED, r,
				    "the answer file cannot be read");
	if (r < 0)
		sw_error_where(err, "%s", path);
	return r;
}

int sw_answers_read_all(const char *path, struct sw_error *errs, size_t max, size_t *ret_n,
			struct sw_answers **ret_answers)
{
	_cleanup_buf_ struct sw_buf b = { .max = SW_YAML_MAX_BYTES };
	int r;

	errs[0] = (struct sw_error){};
	r = read_file(path, &b, &errs[0]);
	if (r < 0) {
		if (ret_n)
			*ret_n = 1;
		return r;
	}
	return sw_answers_parse_all(sw_buf_text(&b), b.len, path, errs, max, ret_n, ret_answers);
}

int sw_answers_read(const char *path, struct sw_answers **ret_answers, struct sw_error *err)
{
	struct sw_error first;
	int r = sw_answers_read_all(path, &first, 1, NULL, ret_answers);

	if (r < 0 && err && err->r == 0)
		*err = first;
	return r;
}
