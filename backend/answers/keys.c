/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that name one value each. A field of a match, a choice, or a group that may be a list (an
 * admission, a link, a webhook) has as many values as there are of them; ordinals in brackets
 * tell them apart. The first of each needs none.
 */
#include <string.h>

#include "answers/answers.h"
#include "answers/values.h"
#include "base/file.h"

struct key {
	size_t more;		/* 0: the first disk */
	size_t match;		/* from 1 */
	size_t item;		/* of a group that is a list, from 1 */
	const struct sw_field *f;
};

/* Reads "[N]." after a group; 0 when there is none, -EINVAL when it is malformed. */
static int take_ordinal(const char **p, size_t max, size_t *ret)
{
	size_t n = 0, digits;

	if (**p != '[')
		return 0;
	digits = strspn(*p + 1, "0123456789");
	if (digits == 0 || digits > 3 || (*p)[1] == '0' || strncmp(*p + 1 + digits, "].", 2) != 0)
		return -EINVAL;
	for (size_t i = 1; i <= digits; i++)
		n = n * 10 + (size_t)((*p)[i] - '0');
	if (n > max)
		return -EINVAL;
	*p += digits + 3;
	*ret = n;
	return 1;
}

/* Takes the ordinal behind a group out of the key: 1 when there was one, 0, or -EINVAL. */
static int cut_ordinal(char *key, const char *group, size_t max, size_t *ret)
{
	const size_t n = strlen(group);
	const char *p = key + n;

	if (strncmp(key, group, n) != 0 || *p != '[')
		return 0;
	if (take_ordinal(&p, max, ret) <= 0)
		return -EINVAL;
	key[n] = '.';
	memmove(key + n + 1, p, strlen(p) + 1);
	return 1;
}

static int parse_key(const char *text, struct key *ret)
{
	struct key k = { .match = 1, .item = 1 };
	char key[SW_KEY_MAX];
	const char *p = text;
	const char *group = "";
	int n;

	if (strncmp(p, "disk.more[", 10) == 0) {
		p += 9;
		if (take_ordinal(&p, SW_MORE_MAX, &k.more) <= 0)
			return -EINVAL;
		group = "disk.";
	}
	n = snprintf(key, sizeof(key), "%s%s", group, p);
	if (n < 0 || (size_t)n >= sizeof(key))
		return -EINVAL;
	if (cut_ordinal(key, "disk.match", SW_ALTERNATIVES_MAX, &k.match) < 0)
		return -EINVAL;
	for (size_t i = 0; i < SW_N_LIST_GROUPS; i++)
		if (cut_ordinal(key, sw_list_groups[i].key, sw_list_groups[i].max, &k.item) < 0)
			return -EINVAL;
	k.f = sw_field_find(key);
	if (!k.f || (k.more && !sw_field_of_disk(k.f)))
		return -EINVAL;
	*ret = k;
	return 0;
}

static int find_choice(struct sw_answers *a, const struct key *k, bool grow,
		       struct sw_disk_choice **ret)
{
	int r = 0;

	if (k->more > a->n_more + (grow ? 1 : 0))
		return -EINVAL;
	if (k->more > a->n_more)
		r = sw_answers_add_more(a);
	if (r < 0)
		return r;
	*ret = k->more ? &a->more[k->more - 1] : &a->disk;
	return 0;
}

static int find_item(struct sw_answers *a, const struct key *k, bool grow, void **ret_base)
{
	const struct sw_list_group *g = sw_list_group_of(k->f->home);
	size_t n = sw_items_count(g, a);
	int r = 0;

	if (k->item > n)
		r = grow && k->item == n + 1 ? sw_items_add(g, a) : -EINVAL;
	if (r == 0)
		*ret_base = sw_items_edit(g, a, k->item - 1);
	return r;
}

bool sw_field_of_disk(const struct sw_field *f)
{
	return f->home == SW_HOME_CHOICE || f->home == SW_HOME_MATCH;
}

static int find_base(struct sw_answers *a, const struct key *k, bool grow, void **ret_base)
{
	struct sw_disk_choice *c = NULL;
	int r;

	*ret_base = a;
	if (k->f->home == SW_HOME_ANSWERS)
		return 0;
	if (sw_list_group_of(k->f->home))
		return find_item(a, k, grow, ret_base);
	r = find_choice(a, k, grow, &c);
	if (r == 0 && k->f->home == SW_HOME_MATCH && k->match > c->n_match)
		r = grow && k->match == c->n_match + 1 ? sw_disk_choice_add_match(c) : -EINVAL;
	if (r == 0)
		*ret_base = k->f->home == SW_HOME_MATCH ? (void *)&c->match[k->match - 1]
							: (void *)c;
	return r;
}

int sw_key_locate(struct sw_answers *a, const char *key, bool grow,
		  const struct sw_field **ret_field, void **ret_base)
{
	struct key k;
	int r = parse_key(key, &k);

	if (r == 0)
		r = find_base(a, &k, grow, ret_base);
	if (r == 0)
		*ret_field = k.f;
	return r;
}

int sw_answers_set(struct sw_answers *a, const char *key, const char *text, struct sw_error *err)
{
	const struct sw_field *f = NULL;
	void *base = NULL;
	int r = sw_key_locate(a, key, true, &f, &base);

	if (r == -ENOMEM)
		return sw_fail_oom(err);
	if (r < 0) {
		(void)sw_fail(err, SW_EXIT_INVALID, r, "unknown key \"%.60s\"", key);
		sw_error_hint(err, "slipway explain lists all keys");
		return r;
	}
	r = sw_value_set(f, base, key, text, err);
	if (r == 0)
		sw_answers_close(a, key);
	/* What was typed over is no longer what the file says there. */
	if (r == 0 && sw_places_put(a, key, (struct sw_place){}) < 0)
		r = sw_fail_oom(err);
	return r;
}

struct each {
	int (*fn)(const char *key, const struct sw_field *f, const char *text, void *arg);
	void *arg;
};

static int visit(const struct each *e, const char *group, const struct sw_field *f,
		 const void *base)
{
	_cleanup_free_ char *text = sw_value_get(f, base);
	_cleanup_free_ char *key = NULL;

	if (!text)
		return -ENOMEM;
	if (!*text)
		return 0;
	key = *group ? sw_fmt("%s.%s", group, sw_field_word(f)) : strdup(f->key);
	return key ? e->fn(key, f, text, e->arg) : -ENOMEM;
}

static int visit_home(const struct each *e, const char *group, enum sw_field_home home,
		      const void *base)
{
	int r = 0;

	for (size_t i = 0; i < sw_n_fields && r == 0; i++)
		if (sw_fields[i].home == home)
			r = visit(e, group, &sw_fields[i], base);
	return r;
}

static int visit_alternatives(const struct each *e, const char *disk,
			      const struct sw_disk_choice *c, size_t first)
{
	int r = 0;

	for (size_t i = first; i < c->n_match && r == 0; i++) {
		char group[SW_KEY_MAX];

		(void)snprintf(group, sizeof(group), i ? "%s.match[%zu]" : "%s.match", disk, i + 1);
		r = visit_home(e, group, SW_HOME_MATCH, &c->match[i]);
	}
	return r;
}

static int visit_more(const struct each *e, const struct sw_answers *a)
{
	int r = 0;

	for (size_t i = 0; i < a->n_more && r == 0; i++) {
		char disk[SW_KEY_MAX];

		(void)snprintf(disk, sizeof(disk), "disk.more[%zu]", i + 1);
		r = visit_alternatives(e, disk, &a->more[i], 0);
		if (r == 0)
			r = visit_home(e, disk, SW_HOME_CHOICE, &a->more[i]);
	}
	return r;
}

/* The first of each is among the fields without an ordinal. */
static int visit_items(const struct each *e, const struct sw_list_group *g,
		       const struct sw_answers *a)
{
	int r = 0;

	for (size_t i = 1; i < sw_items_count(g, a) && r == 0; i++) {
		char group[SW_KEY_MAX];

		(void)snprintf(group, sizeof(group), "%s[%zu]", g->key, i + 1);
		r = visit_home(e, group, g->home, sw_items_at(g, a, i));
	}
	return r;
}

/* The structure of a field's first value. */
static const void *first_base(const struct sw_field *f, const struct sw_answers *a)
{
	switch (f->home) {
	case SW_HOME_MATCH:
		return a->disk.match;
	case SW_HOME_CHOICE:
		return &a->disk;
	case SW_HOME_ADMISSION:
	case SW_HOME_WEBHOOK:
	case SW_HOME_LINK:
	case SW_HOME_SECRET:
	case SW_HOME_FILE:
		return sw_items_at(sw_list_group_of(f->home), a, 0);
	case SW_HOME_ANSWERS:
		break;
	}
	return a;
}

/* The bit of the kind that an admission has. */
static unsigned int kind_bit(const struct sw_answers *a, const void *base)
{
	const struct sw_admission *ad = base ? base : a->admission;

	return 1U << ad->kind;
}

bool sw_field_applies(const struct sw_field *f, const struct sw_answers *a, const void *base)
{
	if (f->home == SW_HOME_ADMISSION)
		return f->kinds & kind_bit(a, base);
	return !f->applies || f->applies(a);
}

bool sw_field_required(const struct sw_field *f, const struct sw_answers *a, const void *base)
{
	if (f->home == SW_HOME_ADMISSION)
		return f->needs & kind_bit(a, base);
	return f->required && f->required(a);
}

int sw_answers_each(const struct sw_answers *a,
		    int (*fn)(const char *key, const struct sw_field *f, const char *text,
			      void *arg),
		    void *arg)
{
	const struct each e = { .fn = fn, .arg = arg };
	int r = 0;

	for (size_t i = 0; i < sw_n_fields && r == 0; i++)
		r = visit(&e, "", &sw_fields[i], first_base(&sw_fields[i], a));
	if (r == 0)
		r = visit_alternatives(&e, "disk", &a->disk, 1);
	if (r == 0)
		r = visit_more(&e, a);
	for (size_t i = 0; i < SW_N_LIST_GROUPS && r == 0; i++)
		r = visit_items(&e, &sw_list_groups[i], a);
	return r;
}

char *sw_field_get(const struct sw_field *f, const struct sw_answers *a)
{
	return sw_value_get(f, first_base(f, a));
}

char *sw_field_get_at(const struct sw_field *f, const struct sw_answers *a, const void *base)
{
	return base ? sw_value_get(f, base) : sw_field_get(f, a);
}

int sw_field_set_at(const struct sw_field *f, struct sw_answers *a, void *base, const char *text,
		    struct sw_error *err)
{
	return base ? sw_value_set(f, base, f->key, text, err) : sw_field_set(f, a, text, err);
}

int sw_field_set(const struct sw_field *f, struct sw_answers *a, const char *text,
		 struct sw_error *err)
{
	return sw_answers_set(a, f->key, text, err);
}
