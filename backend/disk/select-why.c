/* SPDX-License-Identifier: Apache-2.0 */
/* Why a choice gave the disk that it gave, and why it left each of the others alone. */
#include <string.h>

#include "base/buf.h"
#include "base/quote.h"
#include "base/text.h"
#include "disk/select-private.h"

static char *rule_text(const struct sw_disk_match *m)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = 0;

	for (enum sw_clause c = 0; c < SW_CLAUSE_N && r == 0; c++) {
		const char *pattern = sw_clause_pattern(m, c);

		if (!pattern)
			continue;
		r = sw_buf_addf(&b, "%s%s: ", b.len ? ", " : "", sw_clause_name(c));
		/* Sizes and yes and no are words of ours, which need no quotes. */
		if (r == 0)
			r = c >= SW_CLAUSE_SIZE ? sw_buf_adds(&b, pattern)
						: sw_quote_add(&b, pattern);
	}
	return r < 0 ? NULL : sw_buf_steal(&b);
}

static int add_miss(struct sw_buf *b, const struct sw_disk *d, enum sw_clause c)
{
	const char *value = c < SW_CLAUSE_SIZE ? sw_clause_value(d, c) : NULL;
	int r = sw_buf_adds(b, b->len ? ", " : "");

	if (r < 0)
		return r;
	if (c == SW_CLAUSE_ROTATIONAL)
		return sw_buf_adds(b, d->rotational ? "rotational" : "not rotational");
	if (c == SW_CLAUSE_SIZE)
		return sw_buf_adds(b, "another size");
	return sw_buf_addf(b, "%s %s", value && *value ? "another" : "no", sw_clause_name(c));
}

static int add_misses(struct sw_buf *b, const struct sw_selection *s, const struct sw_disk *d)
{
	bool match;
	int r = 0;

	for (enum sw_clause c = 0; c < SW_CLAUSE_N && r == 0; c++)
		if (sw_disk_clause(d, s->m, c, &match) && !match)
			r = add_miss(b, d, c);
	/* All of the clauses fit: then it is that another one is more so. */
	if (r == 0 && b->len == 0)
		r = sw_buf_adds(b, sw_disk_extreme(s->m) > 0 ? "not the largest"
							     : "not the smallest");
	return r;
}

/* Short and without its values, so that disks with one reason can be told together. */
static char *why_left(const struct sw_selection *s, const struct sw_disk *d)
{
	_cleanup_buf_ struct sw_buf b = {};
	char *text;
	int r;

	if (!sw_selection_excludes(s, d)) {
		r = add_misses(&b, s, d);
	} else {
		r = sw_buf_adds(&b, sw_disk_matches(d, s->m) ? "the rule fits it, but " : "");
		if (r == 0)
			r = sw_selection_add_reason(&b, s, d);
	}
	text = r < 0 ? NULL : sw_buf_steal(&b);
	return text ? sw_text_clean(text) : NULL;
}

static bool is_among(const struct sw_disk *const *disks, size_t n, const struct sw_disk *d)
{
	for (size_t i = 0; i < n; i++)
		if (disks[i] == d)
			return true;
	return false;
}

static int add_left(struct sw_disk_reasons *out, const struct sw_selection *s,
		    const struct sw_disk *d, size_t max)
{
	struct sw_disk_left *l = &out->left[out->n_left];

	if (out->n_left == max) {
		out->n_more++;
		return 0;
	}
	out->n_left++;
	l->name = strdup(d->name ? d->name : "?");
	l->serial = d->serial ? strdup(d->serial) : NULL;
	l->size = d->size;
	l->why = why_left(s, d);
	return l->name && l->why && (l->serial || !d->serial) ? 0 : -ENOMEM;
}

int sw_disk_choice_reasons(const struct sw_facts *f, const struct sw_disk_choice *c,
			   uint64_t min_size, const struct sw_disk *const *disks, size_t n,
			   size_t at, size_t max, struct sw_disk_reasons *ret_reasons)
{
	_cleanup_selection_ struct sw_selection s = {};
	struct sw_disk_reasons *out = ret_reasons;
	int r = sw_selection_init(&s, f, min_size, disks, at);

	*out = (struct sw_disk_reasons){};
	if (r < 0)
		return r;
	do
		sw_selection_run(&s, &c->match[out->alternative]);
	while (sw_selection_result(&s) != disks[at] && ++out->alternative < c->n_match);
	out->rule = rule_text(s.m);
	out->left = calloc(max + 1, sizeof(*out->left));
	r = out->rule && out->left ? 0 : -ENOMEM;
	for (int fits = 1; fits >= 0; fits--)
		for (size_t i = 0; i < f->n_disks && r == 0; i++) {
			const struct sw_disk *d = &f->disks[i];

			if (!is_among(disks, n, d) && sw_disk_matches(d, s.m) == (fits == 1))
				r = add_left(out, &s, d, max);
		}
	return r;
}

void sw_disk_left_free(struct sw_disk_left *left, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(left[i].name);
		free(left[i].serial);
		free(left[i].why);
	}
	free(left);
}

void sw_disk_reasons_clear(struct sw_disk_reasons *r)
{
	free(r->rule);
	sw_disk_left_free(r->left, r->n_left);
	*r = (struct sw_disk_reasons){};
}
