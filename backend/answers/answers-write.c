/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers as an answer file again, and as a digest. What is written is exactly
 * what the reader needs: keys with a value, grouped as in the table.
 */
#include <string.h>

#include "answers/answers.h"
#include "answers/values.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/quote.h"

/* No item holds a comma. Between brackets a colon may end a word, so it is quoted too. */
static int add_list(struct sw_buf *b, const char *text)
{
	int r = sw_buf_adds(b, "[");

	while (*text && r == 0) {
		size_t n = strcspn(text, ",");
		_cleanup_free_ char *item = strndup(text, n);

		if (!item)
			return -ENOMEM;
		r = strchr(item, ':') ? sw_quote_add_quoted(b, item) : sw_quote_add(b, item);
		text += n + (text[n] == ',');
		text += strspn(text, " ");
		if (r == 0 && *text)
			r = sw_buf_adds(b, ", ");
	}
	return r < 0 ? r : sw_buf_adds(b, "]");
}

static int add_value(struct sw_buf *b, const struct sw_field *f, const char *text)
{
	if (f->type == SW_FIELD_LIST)
		return add_list(b, text);
	/* Without quotes it would be a question. */
	if (strcmp(text, SW_ANSWER_ASK) == 0)
		return sw_quote_add_quoted(b, text);
	return f->type == SW_FIELD_INT ? sw_buf_adds(b, text) : sw_quote_add(b, text);
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

/*
 * Opens the groups of key that prev was not in, and writes "name: " of the field itself. The
 * outermost is `depth` deep; begun: the first line's indentation is written already.
 */
static int add_key_at(struct sw_buf *b, unsigned int depth, bool begun, const char *prev,
		      const char *key)
{
	size_t shared = common_groups(prev, key);
	const char *p = key + shared;
	int r = 0;

	for (size_t i = 0; i < shared; i++)
		depth += key[i] == '.';
	for (const char *dot = strchr(p, '.'); dot && r == 0; dot = strchr(p, '.')) {
		r = begun ? 0 : indent(b, depth);
		depth++;
		begun = false;
		if (r == 0)
			r = sw_buf_addf(b, "%.*s:\n", (int)(dot - p), p);
		p = dot + 1;
	}
	if (r == 0 && !begun)
		r = indent(b, depth);
	return r < 0 ? r : sw_buf_addf(b, "%s: ", p);
}

static int add_key(struct sw_buf *b, const char *prev, const char *key)
{
	return add_key_at(b, 0, false, prev, key);
}

static int add_comment(struct sw_buf *b, const struct sw_field *f)
{
	int r = 0;

	if (f->type != SW_FIELD_CHOICE)
		return 0;
	for (size_t i = 0; f->choices[i] && r == 0; i++)
		r = sw_buf_addf(b, "%s%s", i ? " | " : "  # ", f->choices[i]);
	return r;
}

/* The default of a field that does not count here: neither written nor part of the digest. */
static bool says_nothing(const struct sw_field *f, const struct sw_answers *a, const char *text)
{
	return f->dflt && !sw_field_applies(f, a, NULL) && strcmp(text, f->dflt) == 0;
}

static int add_field(struct sw_buf *b, const struct sw_field *f, const struct sw_answers *a,
		     const char **prev)
{
	_cleanup_free_ char *text = sw_field_get(f, a);
	bool open = sw_answers_is_open(a, f->key);
	int r;

	if (!text)
		return -ENOMEM;
	if (!open && (!*text || says_nothing(f, a, text)))
		return 0;
	r = add_key(b, *prev, f->key);
	if (r == 0)
		r = open ? sw_buf_adds(b, SW_ANSWER_ASK) : add_value(b, f, text);
	if (r == 0)
		r = add_comment(b, f);
	*prev = f->key;
	return r < 0 ? r : sw_buf_adds(b, "\n");
}

/* The keys of one item of a list; the first stands behind a "- " that is written already. */
static int add_item_keys(struct sw_buf *b, enum sw_field_home home, const void *base,
			 unsigned int depth, bool item)
{
	const char *prev = NULL;
	int r = 0;

	for (size_t i = 0; i < sw_n_fields && r == 0; i++) {
		const struct sw_field *f = &sw_fields[i];
		_cleanup_free_ char *text = NULL;

		if (f->home != home)
			continue;
		text = sw_value_get(f, base);
		if (!text)
			return -ENOMEM;
		if (!*text)
			continue;
		r = add_key_at(b, depth, item && !prev, prev ? prev : "", sw_field_word(f));
		if (r == 0)
			r = add_value(b, f, text);
		if (r == 0)
			r = sw_buf_adds(b, "\n");
		prev = sw_field_word(f);
	}
	return r == 0 && !prev && item ? sw_buf_adds(b, "{}\n") : r;
}

static bool asks_nothing(const struct sw_disk_match *m)
{
	static const struct sw_disk_match nothing;

	return memcmp(m, &nothing, sizeof(nothing)) == 0;
}

/* "match:" with one group or the list of alternatives; what stands before it is written. */
static int add_match(struct sw_buf *b, const struct sw_disk_choice *c, unsigned int depth)
{
	bool empty = c->n_match == 1 && asks_nothing(&c->match[0]);
	int r = sw_buf_adds(b, empty ? "match: {}\n" : "match:\n");

	if (c->n_match == 1)
		return r < 0 ? r : add_item_keys(b, SW_HOME_MATCH, &c->match[0], depth + 1, false);
	for (size_t i = 0; i < c->n_match && r == 0; i++) {
		r = indent(b, depth + 1);
		if (r == 0)
			r = sw_buf_adds(b, "- ");
		if (r == 0)
			r = add_item_keys(b, SW_HOME_MATCH, &c->match[i], depth + 2, true);
	}
	return r;
}

static int add_more(struct sw_buf *b, const struct sw_answers *a, const char *prev)
{
	int r = a->n_more ? add_key(b, prev, "disk.more") : 0;

	/* The blank behind "more:" goes. */
	if (r == 0 && a->n_more)
		b->data[b->len - 1] = '\n';
	for (size_t i = 0; i < a->n_more && r == 0; i++) {
		_cleanup_free_ char *wipe = sw_value_get(sw_field_find("disk.wipe"), &a->more[i]);

		r = wipe ? sw_buf_adds(b, "    - ") : -ENOMEM;
		if (r == 0)
			r = add_match(b, &a->more[i], 3);
		if (r == 0)
			r = sw_buf_addf(b, "      wipe: %s\n", wipe);
	}
	return r;
}

static int add_items(struct sw_buf *b, const struct sw_list_group *g, const struct sw_answers *a,
		     const char **prev)
{
	unsigned int depth = 1;
	int r = add_key(b, *prev, g->key);

	for (const char *p = g->key; *p; p++)
		depth += *p == '.';
	/* The blank behind "webhooks:" goes. */
	if (r == 0)
		b->data[b->len - 1] = '\n';
	for (size_t i = 0; i < sw_items_count(g, a) && r == 0; i++) {
		r = indent(b, depth);
		if (r == 0)
			r = sw_buf_adds(b, "- ");
		if (r == 0)
			r = add_item_keys(b, g->home, sw_items_at(g, a, i), depth + 1, true);
	}
	*prev = g->key;
	return r;
}

static bool is_first_of_home(const struct sw_field *f)
{
	return f == sw_fields || f[-1].home != f->home;
}

/* Whether the field's values are written as a list of groups, all with the first field. */
static bool in_list(const struct sw_field *f, const struct sw_answers *a)
{
	const struct sw_list_group *g = sw_list_group_of(f->home);

	return (f->home == SW_HOME_MATCH && a->disk.n_match != 1) ||
	       (g && sw_items_count(g, a) != 1);
}

/* Opens "disk:" when nothing of it is there yet. */
static int add_alternatives(struct sw_buf *b, const struct sw_answers *a, const char **prev)
{
	int r = strncmp(*prev, "disk.", 5) == 0 ? 0 : sw_buf_adds(b, "disk:\n");

	if (r == 0)
		r = indent(b, 1);
	if (r == 0)
		r = add_match(b, &a->disk, 1);
	*prev = "disk.match";
	return r;
}

static int add_list_of(struct sw_buf *b, enum sw_field_home home, const struct sw_answers *a,
		       const char **prev)
{
	return home == SW_HOME_MATCH ? add_alternatives(b, a, prev)
				     : add_items(b, sw_list_group_of(home), a, prev);
}

char *sw_answers_to_yaml(const struct sw_answers *a)
{
	_cleanup_buf_ struct sw_buf b = {};
	const char *prev = "";
	int r = sw_buf_adds(&b, "# See slipway-answers(5), or \"slipway explain KEY\".\n");

	for (size_t i = 0; i < sw_n_fields && r == 0; i++) {
		const struct sw_field *f = &sw_fields[i];

		if (f->type == SW_FIELD_DISKS)
			r = add_more(&b, a, prev);
		else if (!in_list(f, a))
			r = add_field(&b, f, a, &prev);
		else if (is_first_of_home(f))
			r = add_list_of(&b, f->home, a, &prev);
	}
	return r < 0 ? NULL : sw_buf_steal(&b);
}

struct digest {
	struct sw_buf b;
	const struct sw_answers *a;
};

static int digest_line(const char *key, const struct sw_field *f, const char *text, void *arg)
{
	struct digest *d = arg;

	if (f->passing || says_nothing(f, d->a, text))
		return 0;
	return sw_buf_addf(&d->b, "%s=%s\n", key, text);
}

int sw_answers_digest(const struct sw_answers *a, char ret_hex[static 65])
{
	struct digest d = { .a = a };
	/* "key=value" lines in the order of the table; no value can hold a line break. */
	int r = sw_answers_each(a, digest_line, &d);

	for (size_t i = 0; a->open && i < sw_n_fields && r == 0; i++)
		if (!sw_fields[i].passing && sw_answers_is_open(a, sw_fields[i].key))
			r = sw_buf_addf(&d.b, "%s is asked\n", sw_fields[i].key);
	if (r == 0)
		r = sw_sha256(d.b.data, d.b.len, ret_hex);
	sw_buf_clear(&d.b);
	return r;
}

bool sw_answers_same(const struct sw_answers *a, const struct sw_answers *b)
{
	_cleanup_answers_ struct sw_answers *filled = NULL;
	char x[65], y[65];

	if (a && b && b->open) {
		if (sw_answers_copy(b, &filled, NULL) < 0 ||
		    sw_answers_fill_open(filled, a, NULL) < 0)
			return false;
		b = filled;
	}
	return a && b && sw_answers_digest(a, x) == 0 && sw_answers_digest(b, y) == 0 &&
	       strcmp(x, y) == 0;
}
