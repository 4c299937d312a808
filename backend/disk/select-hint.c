/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to write so that exactly one disk is left. Nothing is concluded: each
 * clause that a disk's own words give is tried against all disks, the shortest
 * first, then pairs of them.
 */
#include <string.h>

#include "base/buf.h"
#include "base/quote.h"
#include "base/text.h"
#include "disk/select-private.h"

#define SHOWN_MAX 4U		/* disks in a hint */
#define TRIED_MAX 8U		/* disks that are looked at when nothing picks them */
#define HINT_ROOM 400U		/* of the 512 bytes of an error's hint */
#define OPTIONS_MAX (SW_CLAUSE_N + 2)	/* size has three */
#define VALUE_MAX 255		/* longest text of an answer */

struct option {
	enum sw_clause kind;
	char *value;
	char *written;		/* "serial: AAAA1" */
};

struct options {
	struct option v[OPTIONS_MAX];
	size_t n;
	bool name_first;	/* serial, wwn and path before any other */
};

static void options_clear(struct options *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->v[i].value);
		free(o->v[i].written);
	}
}

static char *written(enum sw_clause kind, const char *value)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_addf(&b, "%s: ", sw_clause_name(kind));

	/* These are words of ours that a reader of answers takes without quotes. */
	if (r == 0)
		r = kind == SW_CLAUSE_SIZE || kind == SW_CLAUSE_ROTATIONAL
			    ? sw_buf_adds(&b, value)
			    : sw_quote_add(&b, value);
	return r < 0 ? NULL : sw_buf_steal(&b);
}

static size_t rank(const struct options *o, const struct option *v)
{
	size_t last = o->name_first && v->kind > SW_CLAUSE_PATH ? 2 * VALUE_MAX : 0;

	return last + strlen(v->written);
}

/* Keeps the list sorted by what would have to be typed. */
static int add_option(struct options *o, enum sw_clause kind, const char *value)
{
	struct option new = { .kind = kind };
	size_t at = o->n;

	new.value = strdup(value);
	new.written = new.value ? written(kind, value) : NULL;
	if (!new.written) {
		free(new.value);
		return -ENOMEM;
	}
	for (; at > 0 && rank(o, &o->v[at - 1]) > rank(o, &new); at--)
		o->v[at] = o->v[at - 1];
	o->v[at] = new;
	o->n++;
	return 0;
}

/* Match text is a glob; what a disk calls itself is to be taken as it is. */
static int add_text_option(struct options *o, enum sw_clause kind, const char *value)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = 0;

	if (!value || !*value || !sw_text_is_clean(value))
		return 0;
	for (const char *p = value; *p && r == 0; p++) {
		if (strchr("*?[\\", *p))
			r = sw_buf_adds(&b, "\\");
		if (r == 0)
			r = sw_buf_add(&b, p, 1);
	}
	if (r < 0 || b.len > (kind == SW_CLAUSE_TRANSPORT ? 32 : VALUE_MAX))
		return r;
	return add_option(o, kind, sw_buf_text(&b));
}

/* Exactly this size, in the largest unit that needs no fraction. */
static int add_exact_size(struct options *o, uint64_t bytes)
{
	static const char *const units[] = { "", "K", "M", "G", "T", "P" };
	size_t u = 0;
	char text[32];

	for (; bytes && bytes % 1024 == 0 && u + 1 < ARRAY_SIZE(units); u++)
		bytes /= 1024;
	(void)snprintf(text, sizeof(text), "%llu%s", (unsigned long long)bytes, units[u]);
	return add_option(o, SW_CLAUSE_SIZE, text);
}

static int options_of(struct options *o, const struct sw_disk *d)
{
	int r = add_text_option(o, SW_CLAUSE_SERIAL, d->serial);

	if (r == 0)
		r = add_text_option(o, SW_CLAUSE_WWN, d->wwn);
	if (r == 0)
		r = add_text_option(o, SW_CLAUSE_PATH, d->path);
	if (r == 0)
		r = add_text_option(o, SW_CLAUSE_MODEL, d->model);
	if (r == 0)
		r = add_text_option(o, SW_CLAUSE_VENDOR, d->vendor);
	if (r == 0)
		r = add_text_option(o, SW_CLAUSE_TRANSPORT, d->transport);
	if (r == 0)
		r = add_exact_size(o, d->size);
	if (r == 0)
		r = add_option(o, SW_CLAUSE_SIZE, "largest");
	if (r == 0)
		r = add_option(o, SW_CLAUSE_SIZE, "smallest");
	return r < 0 ? r : add_option(o, SW_CLAUSE_ROTATIONAL, d->rotational ? "yes" : "no");
}

static void apply(struct sw_disk_match *m, const struct option *o)
{
	char **const text[] = {
		[SW_CLAUSE_SERIAL] = &m->serial, [SW_CLAUSE_WWN] = &m->wwn,
		[SW_CLAUSE_PATH] = &m->path,	 [SW_CLAUSE_MODEL] = &m->model,
		[SW_CLAUSE_VENDOR] = &m->vendor, [SW_CLAUSE_TRANSPORT] = &m->transport,
		[SW_CLAUSE_SIZE] = &m->size,
	};

	if (o->kind == SW_CLAUSE_ROTATIONAL)
		m->rotational = *o->value == 'y' ? SW_ROTATIONAL_YES : SW_ROTATIONAL_NO;
	else
		*text[o->kind] = o->value;
}

struct finding {
	const struct option *one, *two;	/* two: only in a pair */
};

static bool decides(const struct sw_selection *s, const struct sw_disk_match *base,
		    const struct sw_disk *d, const struct finding *f)
{
	struct sw_disk_match m = *base;

	apply(&m, f->one);
	if (f->two)
		apply(&m, f->two);
	return sw_selection_decides(s, &m, d);
}

static size_t length(const struct finding *f)
{
	return strlen(f->one->written) + strlen(f->two->written);
}

/* All pairs, sorted by length. Returns their number. */
static size_t pairs_of(const struct options *o, struct finding *pairs)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		for (size_t k = i + 1; k < o->n; k++) {
			struct finding f = { &o->v[i], &o->v[k] };
			size_t at = n;

			if (f.one->kind == f.two->kind)
				continue;
			for (; at > 0 && length(&pairs[at - 1]) > length(&f); at--)
				pairs[at] = pairs[at - 1];
			pairs[at] = f;
			n++;
		}
	return n;
}

/* The shortest clause, else the shortest pair, that leaves this disk alone. */
static bool find(const struct sw_selection *s, const struct sw_disk_match *base,
		 const struct sw_disk *d, const struct options *o, struct finding *ret)
{
	struct finding pairs[OPTIONS_MAX * OPTIONS_MAX / 2];
	size_t n;

	for (size_t i = 0; i < o->n; i++) {
		*ret = (struct finding){ &o->v[i], NULL };
		if (decides(s, base, d, ret))
			return true;
	}
	n = pairs_of(o, pairs);
	for (size_t i = 0; i < n; i++) {
		*ret = pairs[i];
		if (decides(s, base, d, ret))
			return true;
	}
	return false;
}

struct hint {
	const struct sw_selection *s;
	const struct sw_disk_match *base;	/* what the clauses are added to */
	struct sw_buf text, none;	/* clauses with their disks; names of disks without */
	size_t tried, shown, left;
	bool replaces;		/* a clause takes the place of one in the base */
};

static bool is_asked(const struct sw_disk_match *m, enum sw_clause c)
{
	bool match;

	return sw_disk_clause(&(struct sw_disk){}, m, c, &match);
}

static int add_finding(struct hint *h, const struct finding *f, const struct sw_disk *d)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_addf(&b, "%s%s%s%s (", h->shown ? " or " : "", f->one->written,
			    f->two ? " and " : "", f->two ? f->two->written : "");

	if (r == 0)
		r = sw_add_clean(&b, d->name ? d->name : "?");
	if (r == 0)
		r = sw_buf_adds(&b, ")");
	if (r < 0)
		return r;
	if (h->text.len + b.len > HINT_ROOM) {
		h->left++;
		return 0;
	}
	h->shown++;
	h->replaces = h->replaces || is_asked(h->base, f->one->kind) ||
		      (f->two && is_asked(h->base, f->two->kind));
	return sw_buf_add(&h->text, b.data, b.len);
}

static int add_without(struct hint *h, const struct sw_disk *d)
{
	int r = sw_buf_adds(&h->none, h->none.len ? ", " : "");

	return r < 0 ? r : sw_add_clean(&h->none, d->name ? d->name : "?");
}

static int look_at(struct hint *h, const struct sw_disk *d)
{
	/* Where nothing has been said yet, a name is better than what another disk may be, too. */
	_cleanup_(options_clear) struct options o = { .name_first = h->s->n == 0 };
	struct finding f;
	int r;

	if (h->shown >= SHOWN_MAX || h->tried >= TRIED_MAX) {
		h->left++;
		return 0;
	}
	h->tried++;
	r = options_of(&o, d);
	if (r < 0)
		return r;
	return find(h->s, h->base, d, &o, &f) ? add_finding(h, &f, d) : add_without(h, d);
}

static char *nothing_found(const struct hint *h)
{
	if (h->tried == 0)
		return strdup("No disk of this machine can be used; see the reasons");
	if (h->left && !h->none.len)
		return strdup("What would decide is too long to be shown here: slipway disks "
			      "shows what each disk is");
	return strdup(h->left ? "Nothing tells the first of these disks apart: leave only the "
				"right one in the machine"
			      : "Nothing tells these disks apart: leave only the right one in "
				"the machine");
}

static char *finish(const struct hint *h, const char *place)
{
	_cleanup_buf_ struct sw_buf b = {};
	bool other = h->s->n == 0 && sw_disk_asks(h->s->m);
	int r;

	if (h->shown == 0)
		return nothing_found(h);
	r = other ? sw_buf_addf(&b, "To use another disk, let %s be ", h->s->key)
		  : sw_buf_adds(&b, h->replaces ? "Write " : "Add ");
	if (r == 0)
		r = sw_buf_add(&b, h->text.data, h->text.len);
	if (r == 0 && h->left)
		r = sw_buf_addf(&b, " (and %zu more)", h->left);
	if (r == 0 && !other)
		r = sw_buf_addf(&b, " %s %s", h->replaces ? "in" : "to", place);
	if (r == 0 && h->none.len && h->none.len < 64)
		r = sw_buf_addf(&b, "; nothing picks %s", sw_buf_text(&h->none));
	return r < 0 ? NULL : sw_buf_steal(&b);
}

char *sw_selection_hint(const struct sw_selection *s, const char *place)
{
	static const struct sw_disk_match nothing;
	struct hint h = { .s = s, .base = s->n ? s->m : &nothing };
	char *text = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->f->n_disks; i++)
		if (s->n ? s->candidate[i] : !sw_selection_excludes(s, &s->f->disks[i]))
			r = look_at(&h, &s->f->disks[i]);
	if (r == 0)
		text = finish(&h, place);
	sw_buf_clear(&h.text);
	sw_buf_clear(&h.none);
	return text;
}
