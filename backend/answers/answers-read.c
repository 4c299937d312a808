/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a YAML tree to answers, by the field table: a path of keys either is a
 * field, leads to fields, or is unknown. All errors of a file are collected,
 * and the place of every field is kept for the rules that come later.
 */
#include <string.h>

#include "answers/answers.h"
#include "answers/errors.h"
#include "answers/hide.h"
#include "answers/validate-private.h"
#include "answers/values.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/yaml.h"
#include "base/file.h"

struct mapping {
	const char *file;
	struct sw_answers *a;
	struct sw_errors *errors;
	bool uki;		/* the file gives payload.uki */
	char **faulty;		/* the keys of the top with an error in what is below them */
	bool unknown;		/* one of them is no key */
};

/*
 * A group of keys in the file. In a list the same group of the table stands
 * several times: messages and values go by the name with its ordinal.
 */
struct group {
	const char *key;	/* in the table: "disk" */
	const char *name;	/* "disk.more[2]" */
	bool item;		/* of disk.more: only what lives in a choice */
	bool listed;		/* among others: has no field of its own on the console */
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

static bool holds(const struct group *g, const struct sw_field *f)
{
	return is_below(f->key, g->key) && (!g->item || sw_field_of_disk(f));
}

static bool is_group(const struct group *g)
{
	for (size_t i = 0; i < sw_n_fields; i++)
		if (holds(g, &sw_fields[i]))
			return true;
	return false;
}

/* The keys of one group as text, and the one nearest to what was written. */
static void suggest(const struct group *g, const char *typed, struct sw_error *err)
{
	const char *prev = "";
	char nearest[SW_KEY_MAX] = "";
	unsigned int best = 0, d;
	size_t len = (size_t)snprintf(err->why, sizeof(err->why), "the keys here are");
	size_t prev_n = 0;

	for (size_t i = 0; i < sw_n_fields; i++) {
		const char *rest = sw_fields[i].key + (*g->key ? strlen(g->key) + 1 : 0);
		char word[SW_KEY_MAX];
		size_t n;

		if (!holds(g, &sw_fields[i]))
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

static int fail_unknown(struct mapping *m, const struct group *g, const struct sw_yaml *key)
{
	struct sw_error *err = next_at(m, key);
	char shown[SW_TEXT_SHOW];
	const char *other = elsewhere(key->text);

	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "unknown key \"%s\"%s%s",
		      sw_hide_show(key->text, shown), *g->name ? " in " : "", g->name);
	if (strchr(key->text, '.') && sw_field_find(key->text))
		sw_error_hint(err, "a dot is one level of indentation: write it below its group");
	suggest(g, key->text, err);
	if (other)
		sw_error_hint(err, "did you mean %s?", other);
	else
		sw_error_hint(err, "slipway explain lists all keys");
	return sw_errors_keep(m->errors, -EINVAL);
}

static int fail_oom(struct mapping *m)
{
	return sw_errors_keep(m->errors, sw_fail_oom(sw_errors_next(m->errors)));
}

static void set_place(struct mapping *m, const char *name, const struct sw_yaml *y)
{
	if (sw_places_put(m->a, name, (struct sw_place){ y->line, y->column, m->file }) < 0)
		(void)fail_oom(m);
}

static int fail_null(struct mapping *m, const char *name, const struct sw_yaml *value)
{
	char what[SW_KEY_MAX + 32];

	(void)snprintf(what, sizeof(what), "%s has no value", name);
	return fail_node(m, value, what, "nothing, ~ and null are no values",
			 "give a value or take the line out");
}

static int fail_not_one(struct mapping *m, const struct sw_field *f, const char *name,
			const struct sw_yaml *value)
{
	char what[SW_KEY_MAX + 64];

	(void)snprintf(what, sizeof(what), "%s is %s, not a %s", name,
		       f->type == SW_FIELD_LIST ? "a list of values" : "one value",
		       value->kind == SW_YAML_MAP ? "group of keys" : "list");
	return fail_node(m, value, what, f->help,
			 value->kind == SW_YAML_MAP ? "write the value behind the colon"
						    : "take one, without the brackets or dash");
}

/* The word without quotes; in quotes it is a value like any other. */
static bool asks(const struct sw_yaml *value)
{
	return value->kind == SW_YAML_SCALAR && value->plain &&
	       strcmp(value->text, SW_ANSWER_ASK) == 0;
}

static void read_open(struct mapping *m, const struct group *g, const char *name,
		      const struct sw_yaml *value)
{
	struct sw_error *err = next_at(m, value);
	int r = g->listed ? sw_answers_fail_open(name, err)
			  : sw_answers_leave_open(m->a, name, err);

	if (r < 0)
		(void)sw_errors_keep(m->errors, r);
	else
		set_place(m, name, value);
}

static int read_scalar(struct mapping *m, const struct sw_field *f, const char *name,
		       const struct sw_yaml *value)
{
	struct sw_error *err;
	int r;

	if (value->kind != SW_YAML_SCALAR)
		return fail_not_one(m, f, name, value);
	if (sw_yaml_is_null(value))
		return fail_null(m, name, value);
	err = next_at(m, value);
	r = sw_answers_set(m->a, name, value->text, err);
	if (r < 0)
		return sw_errors_keep(m->errors, r);
	set_place(m, name, value);
	return 0;
}

/* The place of a list is its own, that of an item only for its message. */
static int read_list(struct mapping *m, const struct sw_field *f, const char *name,
		     const struct sw_yaml *list)
{
	const struct sw_field *same;
	void *base;
	int r = sw_key_locate(m->a, name, true, &same, &base);

	if (r < 0)
		return fail_oom(m);
	set_place(m, name, list);
	for (size_t i = 0; i < list->n; i++) {
		const struct sw_yaml *value = list->items[i].value;
		struct sw_error *err;

		if (value->kind != SW_YAML_SCALAR) {
			r = fail_not_one(m, f, name, value);
			continue;
		}
		if (sw_yaml_is_null(value)) {
			r = fail_null(m, name, value);
			continue;
		}
		err = next_at(m, value);
		r = sw_value_add_item(f, base, name, value->text, err);
		if (r < 0)
			(void)sw_errors_keep(m->errors, r);
	}
	return r;
}

static void read_group(struct mapping *m, const struct group *g, const struct sw_yaml *map);

/*
 * The field that a value in a group's place is for: `sha256: HEX` beside `uki:`
 * is short for `sha256: {uki: HEX}`, `trust: none` for `trust: {policy: none}`,
 * `disk: none` for `disk: {use: none}`. Anything else there is a mistake that
 * the group's own message tells better.
 */
static const struct sw_field *short_for(const struct mapping *m, const char *path,
					const struct sw_yaml *value)
{
	const struct sw_field *f = value->kind == SW_YAML_SCALAR ? sw_field_standing_for(path)
								 : NULL;

	if (f && f->type == SW_FIELD_SHA256 && !m->uki)
		return NULL;
	if (f && strcmp(path, "disk") == 0 && strcmp(value->text, "none") != 0)
		return NULL;
	return f;
}

/* Whether "word:" begins the value, without the blank behind it that YAML wants. */
static bool lacks_blank(const struct group *g, const struct sw_yaml *value)
{
	char path[SW_KEY_MAX];
	const struct group inner = { .key = path, .item = g->item };
	size_t n = strcspn(value->text, ":");

	return value->plain && value->text[n] &&
	       snprintf(path, sizeof(path), "%s.%.*s", g->key, (int)n, value->text) <
		       (int)sizeof(path) &&
	       (sw_field_find(path) || is_group(&inner));
}

/* The one key of the group that has the word among its choices: "mode" for `boot: local`. */
static const char *key_with(const struct group *g, const char *word)
{
	const char *found = NULL;

	for (size_t i = 0; i < sw_n_fields; i++) {
		const struct sw_field *f = &sw_fields[i];

		if (!holds(g, f) || !f->choices || strchr(f->key + strlen(g->key) + 1, '.') ||
		    sw_field_check(f, word, NULL) < 0)
			continue;
		if (found)
			return NULL;
		found = f->key + strlen(g->key) + 1;
	}
	return found;
}

static void hint_group(const struct group *g, const struct sw_yaml *value, struct sw_error *err)
{
	const char *key = value->kind == SW_YAML_SCALAR && *value->text ? key_with(g, value->text)
									: NULL;

	if (key)
		sw_error_hint(err, "did you mean {%s: %s}?", key, value->text);
	else if (asks(value))
		sw_error_hint(err, "give ask to one of its keys, like match: {serial: ask}");
	else if (value->kind == SW_YAML_SCALAR && lacks_blank(g, value))
		sw_error_hint(err, "a blank belongs behind a colon: key: value");
	else
		sw_error_hint(err, "write them below it, indented");
}

static int fail_group(struct mapping *m, const struct group *g, const struct sw_yaml *value)
{
	struct sw_error *err = next_at(m, value);

	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s is a group of keys, not a %s", g->name,
		      value->kind == SW_YAML_LIST ? "list" : "value");
	suggest(g, "", err);
	hint_group(g, value, err);
	return sw_errors_keep(m->errors, -EINVAL);
}

/* at: where keys that are missing in it would belong. */
static void read_map(struct mapping *m, const struct group *g, const struct sw_yaml *at,
		     const struct sw_yaml *value)
{
	if (value->kind != SW_YAML_MAP) {
		(void)fail_group(m, g, value);
		return;
	}
	set_place(m, g->name, at);
	read_group(m, g, value);
}

static int fail_too_many(struct mapping *m, const char *name, const struct sw_yaml *at,
			 const char *why)
{
	char what[SW_KEY_MAX + 32];

	(void)snprintf(what, sizeof(what), "%s has too many items", name);
	return fail_node(m, at, what, why, "shorten the list");
}

/* The disk that a group with the name "disk" or "disk.more[N]" is about: the last one read. */
static struct sw_disk_choice *choice_of(struct mapping *m, const struct group *g)
{
	return g->item ? &m->a->more[m->a->n_more - 1] : &m->a->disk;
}

/* Alternatives. The first has the name of the group itself, as if it stood alone. */
static void read_matches(struct mapping *m, const struct group *disk, const char *name,
			 const struct sw_yaml *list)
{
	if (list->n == 0) {
		(void)fail_node(m, list, "disk.match is an empty list", "no disk could fit it",
				"write at least one group, like {serial: S4EVNX0R}");
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		const struct sw_yaml *value = list->items[i].value;
		char ordinal[SW_KEY_MAX];
		const struct group g = { .key = "disk.match", .name = i ? ordinal : name,
					 .listed = list->n > 1 };
		int r = i ? sw_disk_choice_add_match(choice_of(m, disk)) : 0;

		if (r == -E2BIG) {
			(void)fail_too_many(m, name, value, "there are at most 16 alternatives");
			return;
		}
		if (r < 0) {
			(void)fail_oom(m);
			return;
		}
		(void)snprintf(ordinal, sizeof(ordinal), "%.60s[%zu]", name, i + 1);
		read_map(m, &g, value, value);
	}
}

/* The first has the name of the group itself, as if it stood alone. */
static void read_items(struct mapping *m, const struct sw_list_group *l,
		       const struct sw_yaml *list)
{
	if (list->n == 0 && l->empty) {
		char what[SW_KEY_MAX + 32];

		(void)snprintf(what, sizeof(what), "%s is an empty list", l->key);
		(void)fail_node(m, list, what, "it says nothing", l->empty);
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		const struct sw_yaml *value = list->items[i].value;
		char ordinal[SW_KEY_MAX];
		const struct group g = { .key = l->key, .name = i ? ordinal : l->key,
					 .listed = list->n > 1 };

		if (i && sw_items_add(l, m->a) < 0) {
			(void)fail_too_many(m, l->key, value, l->full);
			return;
		}
		(void)snprintf(ordinal, sizeof(ordinal), "%s[%zu]", l->key, i + 1);
		read_map(m, &g, value, value);
	}
}

static void read_more(struct mapping *m, const struct sw_yaml *value)
{
	if (value->kind != SW_YAML_LIST) {
		(void)fail_node(m, value, "disk.more is a list of disks, not a single one",
				"each item has the keys match and wipe",
				"start each item with \"- match:\", indented below more");
		return;
	}
	for (size_t i = 0; i < value->n; i++) {
		const struct sw_yaml *item = value->items[i].value;
		char name[SW_KEY_MAX];
		const struct group g = { .key = "disk", .name = name, .item = true };
		int r = sw_answers_add_more(m->a);

		if (r == -E2BIG) {
			(void)fail_too_many(m, "disk.more", item,
					    "there are at most 63 further disks");
			return;
		}
		if (r < 0) {
			(void)fail_oom(m);
			return;
		}
		(void)snprintf(name, sizeof(name), "disk.more[%zu]", i + 1);
		read_map(m, &g, item, item);
	}
}

static void read_field(struct mapping *m, const struct group *g, const struct sw_field *f,
		       const char *name, const struct sw_yaml *value)
{
	if (asks(value))
		read_open(m, g, name, value);
	else if (f->type == SW_FIELD_DISKS)
		read_more(m, value);
	else if (f->type == SW_FIELD_LIST && value->kind == SW_YAML_LIST)
		(void)read_list(m, f, name, value);
	else
		(void)read_scalar(m, f, name, value);
}

static void read_item(struct mapping *m, const struct group *g, const struct sw_yaml_item *item)
{
	char path[SW_KEY_MAX], name[SW_KEY_MAX];
	const struct group inner = { .key = path, .name = name, .item = g->item };
	const struct sw_field *f;
	const char *word = item->key->text;
	int n = snprintf(path, sizeof(path), "%s%s%s", g->key, *g->key ? "." : "", word);
	int k = snprintf(name, sizeof(name), "%s%s%s", g->name, *g->name ? "." : "", word);

	if (n < 0 || (size_t)n >= sizeof(path) || k < 0 || (size_t)k >= sizeof(name) ||
	    strpbrk(word, ".[") || *word == '\0') {
		(void)fail_unknown(m, g, item->key);
		return;
	}
	f = sw_field_find(path);
	if (!f)
		f = short_for(m, path, item->value);
	if (f && (!g->item || sw_field_of_disk(f)))
		read_field(m, g, f, f->home == SW_HOME_ANSWERS ? f->key : name, item->value);
	else if (f || !is_group(&inner))
		(void)fail_unknown(m, g, item->key);
	else if (item->value->kind == SW_YAML_LIST && strcmp(path, "disk.match") == 0)
		read_matches(m, g, name, item->value);
	else if (item->value->kind == SW_YAML_LIST && sw_list_group_find(path))
		read_items(m, sw_list_group_find(path), item->value);
	else
		read_map(m, &inner, item->key, item->value);
}

static void read_group(struct mapping *m, const struct group *g, const struct sw_yaml *map)
{
	for (size_t i = 0; i < map->n; i++)
		read_item(m, g, &map->items[i]);
}

/* What went wrong below which key: the rules about several keys leave it out. */
static void read_top(struct mapping *m, const struct sw_yaml *root)
{
	const struct group top = { .key = "", .name = "" };

	for (size_t i = 0; i < root->n; i++) {
		const char *word = root->items[i].key->text;
		const struct group g = { .key = word, .name = word };
		size_t before = m->errors->n;

		read_item(m, &top, &root->items[i]);
		if (m->errors->n == before && m->errors->n < m->errors->max)
			continue;
		m->unknown |= !sw_field_find(word) && !is_group(&g);
		if (sw_strv_add(&m->faulty, word) < 0)
			(void)fail_oom(m);
	}
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
	set_place(m, "", root);
	if (!sw_yaml_find(root, "slipway"))
		(void)fail_node(m, root, "slipway is missing",
				"an answer file says which version of the format it is",
				"add the line slipway: 1");
	read_top(m, root);
}

/* The item of "node.hostname", and the path of the group that it is in. */
static const struct sw_yaml_item *find_path(const struct sw_yaml *root, const char *path,
					    char group[static SW_KEY_MAX])
{
	const char *dot = strrchr(path, '.');
	const struct sw_yaml_item *in;

	(void)snprintf(group, SW_KEY_MAX, "%.*s", dot ? (int)(dot - path) : 0, path);
	if (!dot)
		return sw_yaml_find(root, path);
	in = sw_yaml_find(root, group);
	return in ? sw_yaml_find(in->value, dot + 1) : NULL;
}

int sw_answers_parse_part(const char *text, size_t len, const char *file, const char *path,
			  struct sw_answers **ret_answers, struct sw_error *err)
{
	struct sw_error first;
	struct sw_errors errors = { .v = &first, .max = 1 };
	_cleanup_answers_ struct sw_answers *a = sw_answers_new_placed();
	_cleanup_yaml_ struct sw_yaml *root = NULL;
	struct mapping m = { .file = file, .a = a, .errors = &errors };
	const struct sw_yaml_item *version, *item;
	char group[SW_KEY_MAX];
	int r = a ? sw_yaml_parse(text, len, file, &root, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	version = sw_yaml_find(root, "slipway");
	item = find_path(root, path, group);
	if (!version || !item)
		return -ENOENT;
	set_place(&m, "", root);
	read_item(&m, &(struct group){ .key = "", .name = "" }, version);
	read_item(&m, &(struct group){ .key = group, .name = group }, item);
	if (errors.r < 0 && err && err->r == 0)
		*err = first;
	if (errors.r == 0)
		*ret_answers = TAKE_PTR(a);
	return errors.r;
}

struct sw_answers *sw_answers_new_placed(void)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();

	if (!a)
		return NULL;
	a->places = sw_places_new();
	return a->places ? TAKE_PTR(a) : NULL;
}

/* alone: no other source adds to it, so that what is missing in it is missing. */
static int parse(const char *text, size_t len, const char *file, bool alone, struct sw_error *errs,
		 size_t max, size_t *ret_n, struct sw_answers **ret_answers)
{
	struct sw_errors errors = { .v = errs, .max = max };
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_yaml_ struct sw_yaml *root = NULL;
	struct sw_error *err = sw_errors_next(&errors);
	int r = sw_yaml_parse(text, len, file, &root, err);

	a = sw_answers_new_placed();
	if (r == 0 && !a)
		r = sw_fail_oom(err);
	if (r < 0) {
		(void)sw_errors_keep(&errors, r);
	} else {
		struct mapping m = { .file = file, .a = a, .errors = &errors };

		read_root(&m, root);
		if (alone && errors.r < 0 && root->kind == SW_YAML_MAP)
			sw_check_rest(a, file, &(struct sw_unread){ m.faulty, m.unknown }, &errors);
		sw_strv_free(m.faulty);
	}
	if (ret_n)
		*ret_n = errors.n;
	if (errors.r == 0)
		*ret_answers = TAKE_PTR(a);
	return errors.r;
}

int sw_answers_parse_all(const char *text, size_t len, const char *file, struct sw_error *errs,
			 size_t max, size_t *ret_n, struct sw_answers **ret_answers)
{
	return parse(text, len, file, false, errs, max, ret_n, ret_answers);
}

int sw_answers_parse_whole(const char *text, size_t len, const char *file, struct sw_error *errs,
			   size_t max, size_t *ret_n, struct sw_answers **ret_answers)
{
	return parse(text, len, file, true, errs, max, ret_n, ret_answers);
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
	return sw_answers_parse_whole(sw_buf_text(&b), b.len, path, errs, max, ret_n, ret_answers);
}

int sw_answers_read(const char *path, struct sw_answers **ret_answers, struct sw_error *err)
{
	struct sw_error first;
	int r = sw_answers_read_all(path, &first, 1, NULL, ret_answers);

	if (r < 0 && err && err->r == 0)
		*err = first;
	return r;
}
