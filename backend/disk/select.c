/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that decide which disk is written to. Every doubt is a refusal: no
 * clause, no match, two matches, a match that may not be touched.
 */
#include "disk/select.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/size.h"
#include "disk/select-private.h"

/* ---- clauses ---- */

struct size_rule {
	char op[3];	/* ">=" "<=" ">" "<" "=" */
	uint64_t bytes;
	bool largest, smallest;
};

static int parse_size_rule(const char *text, struct size_rule *ret)
{
	struct size_rule rule = {};
	size_t n = strspn(text, "<>=");

	if (!strcmp(text, "largest") || !strcmp(text, "smallest")) {
		rule.largest = *text == 'l';
		rule.smallest = !rule.largest;
		*ret = rule;
		return 0;
	}
	if (n > 2 || (n == 2 && text[1] != '=') || (n == 2 && text[0] == '='))
		return -EINVAL;
	memcpy(rule.op, n ? text : "=", n ? n : 1);
	text += n + strspn(text + n, " ");
	if (sw_size_parse(text, &rule.bytes) < 0)
		return -EINVAL;
	*ret = rule;
	return 0;
}

static bool size_matches(uint64_t size, const char *text)
{
	struct size_rule rule;

	if (parse_size_rule(text, &rule) < 0)
		return false;
	if (rule.largest || rule.smallest)
		return true;	/* needs the other disks: see keep_extreme() */
	if (size == rule.bytes)
		return strchr(rule.op, '=') != NULL;
	return (size > rule.bytes && rule.op[0] == '>') || (size < rule.bytes && rule.op[0] == '<');
}

/* A name with glob characters in it also matches itself. */
static bool text_matches(const char *value, const char *pattern, int flags)
{
	if (!value || !*value || !*pattern)
		return false;
	if (!strcmp(value, pattern))
		return true;
	/* A rack holds each serial against each of its disks; fnmatch() is 20 times strcmp(). */
	if (!flags && !pattern[strcspn(pattern, "*?[\\")])
		return false;
	return fnmatch(pattern, value, flags) == 0;
}

/* Serials and paths are told apart by case; the others are written either way. */
static const struct {
	size_t pattern, value;	/* where they are, in *m and *d */
	int flags;
} text_clauses[] = {
#define TEXT(name) offsetof(struct sw_disk_match, name), offsetof(struct sw_disk, name)
	[SW_CLAUSE_SERIAL] = { TEXT(serial), 0 },
	[SW_CLAUSE_WWN] = { TEXT(wwn), FNM_CASEFOLD },
	[SW_CLAUSE_PATH] = { TEXT(path), 0 },
	[SW_CLAUSE_MODEL] = { TEXT(model), FNM_CASEFOLD },
	[SW_CLAUSE_VENDOR] = { TEXT(vendor), FNM_CASEFOLD },
	[SW_CLAUSE_TRANSPORT] = { TEXT(transport), FNM_CASEFOLD },
#undef TEXT
};

const char *sw_clause_pattern(const struct sw_disk_match *m, enum sw_clause c)
{
	if (c == SW_CLAUSE_SIZE)
		return m->size;
	if (c == SW_CLAUSE_ROTATIONAL)
		return m->rotational == SW_ROTATIONAL_UNASKED ? NULL :
		       m->rotational == SW_ROTATIONAL_YES ? "yes" : "no";
	return *(char *const *)((const char *)m + text_clauses[c].pattern);
}

const char *sw_clause_value(const struct sw_disk *d, enum sw_clause c)
{
	return *(char *const *)((const char *)d + text_clauses[c].value);
}

bool sw_disk_clause(const struct sw_disk *d, const struct sw_disk_match *m, enum sw_clause c,
		    bool *ret_match)
{
	const char *pattern = sw_clause_pattern(m, c);

	if (c == SW_CLAUSE_SIZE)
		*ret_match = pattern && size_matches(d->size, pattern);
	else if (c == SW_CLAUSE_ROTATIONAL)
		*ret_match = d->rotational == (m->rotational == SW_ROTATIONAL_YES);
	else
		*ret_match = pattern && text_matches(sw_clause_value(d, c), pattern,
						     text_clauses[c].flags);
	return pattern != NULL;
}

bool sw_disk_asks(const struct sw_disk_match *m)
{
	return m->serial || m->wwn || m->model || m->vendor || m->path || m->transport || m->size ||
	       m->rotational != SW_ROTATIONAL_UNASKED;
}

int sw_disk_extreme(const struct sw_disk_match *m)
{
	struct size_rule rule;

	if (!m->size || parse_size_rule(m->size, &rule) < 0)
		return 0;
	return rule.largest ? 1 : rule.smallest ? -1 : 0;
}

bool sw_disk_is_size_rule(const char *text)
{
	struct size_rule rule;

	return parse_size_rule(text, &rule) == 0;
}

bool sw_disk_matches(const struct sw_disk *d, const struct sw_disk_match *m)
{
	bool match;

	for (enum sw_clause c = 0; c < SW_CLAUSE_N; c++)
		if (sw_disk_clause(d, m, c, &match) && !match)
			return false;
	return sw_disk_asks(m);
}

bool sw_disk_choice_meets(const struct sw_facts *f, const struct sw_disk_choice *c)
{
	for (size_t i = 0; i < c->n_match; i++)
		for (size_t k = 0; k < f->n_disks; k++)
			if (sw_disk_matches(&f->disks[k], &c->match[i]))
				return true;
	return false;
}

const char *sw_disk_excluded(const struct sw_disk *d, uint64_t min_size)
{
	if (d->medium)
		return "slipway was started from it";
	if (d->read_only)
		return "it is read-only";
	if (d->uses && d->uses[0])
		return d->uses[0];
	if (d->size == 0)
		return "there is no medium in it";
	if (d->sector != 512 && d->sector != 4096)
		return "its sector size is neither 512 nor 4096";
	if (d->size < min_size)
		return "it is too small";
	return NULL;
}

/* ---- exactly one ---- */

int sw_selection_init(struct sw_selection *s, const struct sw_facts *f, uint64_t min_size,
		      const struct sw_disk *const *taken, size_t n_taken)
{
	size_t n = f->n_disks + 1;

	*s = (struct sw_selection){ .f = f, .min_size = min_size };
	s->excluded = calloc(n, sizeof(*s->excluded));
	s->twin = calloc(n, sizeof(*s->twin));
	s->candidate = calloc(n, sizeof(*s->candidate));
	if (!s->excluded || !s->twin || !s->candidate)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_disks; i++)
		s->excluded[i] = sw_disk_excluded(&f->disks[i], min_size);
	for (size_t i = 0; i < n_taken; i++)
		s->excluded[taken[i] - f->disks] = "chosen already";
	return sw_selection_find_twins(s);
}

void sw_selection_clear(struct sw_selection *s)
{
	free(s->excluded);
	free(s->twin);
	free(s->candidate);
	*s = (struct sw_selection){};
}

static const char *own_reason(const struct sw_selection *s, const struct sw_disk *d)
{
	return d ? s->excluded[d - s->f->disks] : NULL;
}

static const struct sw_disk *twin_of(const struct sw_selection *s, const struct sw_disk *d)
{
	return s->twin[d - s->f->disks];
}

bool sw_selection_excludes(const struct sw_selection *s, const struct sw_disk *d)
{
	return own_reason(s, d) || own_reason(s, twin_of(s, d));
}

int sw_selection_add_reason(struct sw_buf *b, const struct sw_selection *s,
			    const struct sw_disk *d)
{
	const struct sw_disk *twin = twin_of(s, d);
	int r;

	if (own_reason(s, d))
		return sw_add_clean(b, own_reason(s, d));
	if (!own_reason(s, twin))
		return 0;
	r = sw_buf_adds(b, "it may be the same disk as ");
	if (r == 0)
		r = sw_add_clean(b, twin->name ? twin->name : "another");
	if (r == 0)
		r = sw_buf_adds(b, ": ");
	return r < 0 ? r : sw_add_clean(b, own_reason(s, twin));
}

/* All that share the extreme size stay, so that two equal ones are ambiguous. */
static void keep_extreme(struct sw_selection *s)
{
	int sign = sw_disk_extreme(s->m);
	const struct sw_disk *best = NULL;

	for (size_t i = 0; sign && i < s->f->n_disks; i++) {
		const struct sw_disk *d = &s->f->disks[i];

		if (s->candidate[i] &&
		    (!best || (sign > 0 ? d->size > best->size : d->size < best->size)))
			best = d;
	}
	for (size_t i = 0; best && i < s->f->n_disks; i++)
		if (s->f->disks[i].size != best->size)
			s->candidate[i] = false;
}

void sw_selection_run(struct sw_selection *s, const struct sw_disk_match *m)
{
	const struct sw_facts *f = s->f;

	s->m = m;
	s->n = 0;
	for (size_t i = 0; i < f->n_disks; i++)
		s->candidate[i] = sw_disk_matches(&f->disks[i], m) &&
				  !sw_selection_excludes(s, &f->disks[i]);
	keep_extreme(s);
	for (size_t i = 0; i < f->n_disks; i++)
		s->n += s->candidate[i];
}

/* A clause that two ways to one disk, or two disks with one serial, can be told apart by. */
static bool parts(const struct sw_disk_match *m, const struct sw_disk *d,
		  const struct sw_disk *twin)
{
	static const enum sw_clause able[] = { SW_CLAUSE_PATH, SW_CLAUSE_WWN };
	bool match, other;

	for (size_t i = 0; i < ARRAY_SIZE(able); i++)
		if (sw_disk_clause(d, m, able[i], &match) && match &&
		    sw_disk_clause(twin, m, able[i], &other) && !other)
			return true;
	return false;
}

/* The names of disks: a clause of these kinds is meant for one disk. */
static bool same_name(const struct sw_disk *a, const struct sw_disk *b, enum sw_clause c)
{
	const char *x = c == SW_CLAUSE_SERIAL ? a->serial : c == SW_CLAUSE_WWN ? a->wwn : a->path;
	const char *y = c == SW_CLAUSE_SERIAL ? b->serial : c == SW_CLAUSE_WWN ? b->wwn : b->path;

	if (!x || !y)
		return false;
	return c == SW_CLAUSE_WWN ? strcasecmp(x, y) == 0 : strcmp(x, y) == 0;
}

static bool shares_asked_name(const struct sw_disk_match *m, const struct sw_disk *d,
			      const struct sw_disk *other)
{
	bool match;

	for (enum sw_clause c = SW_CLAUSE_SERIAL; c <= SW_CLAUSE_PATH; c++)
		if (sw_disk_clause(d, m, c, &match) && same_name(d, other, c))
			return true;
	return false;
}

const struct sw_disk *sw_selection_rival(const struct sw_selection *s,
					 const struct sw_disk_match *m, const struct sw_disk *d)
{
	for (size_t i = 0; i < s->f->n_disks; i++) {
		const struct sw_disk *o = &s->f->disks[i];

		if (o == d)
			continue;
		if (sw_disk_may_be_one(d, o) && !parts(m, d, o))
			return o;
		if (shares_asked_name(m, d, o) && sw_selection_excludes(s, o) &&
		    sw_disk_matches(o, m))
			return o;
	}
	return NULL;
}

static const struct sw_disk *first_candidate(const struct sw_selection *s)
{
	for (size_t i = 0; i < s->f->n_disks; i++)
		if (s->candidate[i])
			return &s->f->disks[i];
	return NULL;
}

const struct sw_disk *sw_selection_result(const struct sw_selection *s)
{
	const struct sw_disk *d = s->n == 1 ? first_candidate(s) : NULL;

	return d && !sw_selection_rival(s, s->m, d) ? d : NULL;
}

bool sw_selection_decides(const struct sw_selection *s, const struct sw_disk_match *m,
			  const struct sw_disk *d)
{
	int sign = sw_disk_extreme(m);

	if (!sw_disk_matches(d, m) || sw_selection_excludes(s, d))
		return false;
	for (size_t i = 0; i < s->f->n_disks; i++) {
		const struct sw_disk *o = &s->f->disks[i];

		if (o == d || (sign > 0 && o->size < d->size) || (sign < 0 && o->size > d->size))
			continue;
		if (sw_disk_matches(o, m) && !sw_selection_excludes(s, o))
			return false;
	}
	return !sw_selection_rival(s, m, d);
}

/* ---- words and the way through the alternatives ---- */

static int check_match(const struct sw_disk_match *m, struct sw_error *err)
{
	if (!m->size || sw_disk_is_size_rule(m->size))
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the size rule \"%.60s\" is not understood",
		m->size);
	sw_error_hint(err, "Write >=100G, <2T, 64G (exactly), largest or smallest");
	return -EINVAL;
}

static const char *name_of(const struct sw_disk *d)
{
	return d->name ? d->name : "a disk";
}

static void say_none(const struct sw_selection *s, struct sw_error *err)
{
	const struct sw_disk *only = NULL;
	_cleanup_buf_ struct sw_buf reason = {};
	size_t matched = 0;

	for (size_t i = 0; i < s->f->n_disks; i++)
		if (sw_disk_matches(&s->f->disks[i], s->m)) {
			only = &s->f->disks[i];
			matched++;
		}
	if (matched == 1 && sw_selection_add_reason(&reason, s, only) == 0)
		sw_fail(err, SW_EXIT_REFUSED, -ENODEV, "%.40s matches but cannot be used: %.200s",
			name_of(only), sw_buf_text(&reason));
	else if (matched)
		sw_fail(err, SW_EXIT_REFUSED, -ENODEV,
			"%zu disks match but none of them can be used", matched);
	else if (sw_disk_asks(s->m))
		sw_fail(err, SW_EXIT_REFUSED, -ENODEV, "no disk matches");
	else
		sw_fail(err, SW_EXIT_REFUSED, -ENODEV, "nothing says which disk to use");
}

/* Two candidates that may be one disk, or one with a rival. */
static bool say_twins(const struct sw_selection *s, struct sw_error *err)
{
	const struct sw_disk *d = first_candidate(s);
	const struct sw_disk *o = s->n == 1 ? sw_selection_rival(s, s->m, d) : twin_of(s, d);

	if (!o || s->n > 2 || (s->n == 2 && !s->candidate[o - s->f->disks]))
		return false;
	if (!sw_disk_may_be_one(d, o))
		sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ,
			"%.40s matches, but %.40s has the same name and cannot be used", name_of(d),
			name_of(o));
	else if (sw_disk_lacks_wwn(d, o))
		sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ,
			"%.40s and %.40s have one serial, model and size and no WWN to tell "
			"whether they are one disk", name_of(d), name_of(o));
	else
		sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ,
			"%.40s and %.40s are two ways to one disk", name_of(d), name_of(o));
	return true;
}

static int refuse(const struct sw_selection *s, const char *place, struct sw_error *err)
{
	_cleanup_free_ char *hint = NULL, *table = NULL;
	int r = s->n ? -ENOTUNIQ : -ENODEV;

	if (!err)
		return r;
	hint = sw_selection_hint(s, place);
	table = sw_selection_table(s);
	if (!hint || !table)
		return sw_fail_oom(err);
	if (s->n == 0)
		say_none(s, err);
	else if (!say_twins(s, err))
		sw_fail(err, SW_EXIT_REFUSED, r, "%zu disks match", s->n);
	sw_error_why(err, "%s", table);
	sw_error_hint(err, "%s", hint);
	return r;
}

/* The table of one alternative, after those of the ones before it. */
static int add_table(const struct sw_selection *s, size_t i, size_t n, struct sw_buf *tables)
{
	_cleanup_free_ char *table = sw_selection_table(s);
	int r = table ? 0 : -ENOMEM;

	if (r == 0 && n > 1)
		r = sw_buf_addf(tables, "%salternative %zu:\n", i ? "\n" : "", i + 1);
	return r == 0 ? sw_buf_adds(tables, table) : r;
}

static int try_one(struct sw_selection *s, const struct sw_disk_choice *c, size_t i,
		   struct sw_buf *tables, const struct sw_disk **ret_disk, struct sw_error *err)
{
	char place[80];
	int r;

	sw_selection_run(s, &c->match[i]);
	if (tables && add_table(s, i, c->n_match, tables) < 0)
		return sw_fail_oom(err);
	r = check_match(s->m, err);
	if (r < 0)
		return r;
	*ret_disk = sw_selection_result(s);
	if (*ret_disk)
		return 0;
	/* The words are about the last alternative, or the one that is ambiguous. */
	if (s->n == 0 && i + 1 < c->n_match)
		return -ENODEV;
	(void)snprintf(place, sizeof(place), c->n_match > 1 ? "%.40s, alternative %zu" : "%.40s",
		       s->key, i + 1);
	return refuse(s, place, err);
}

int sw_disk_choose_for(const char *key, const struct sw_facts *f, const struct sw_disk_choice *c,
		       uint64_t min_size, const struct sw_disk *const *taken, size_t n_taken,
		       const struct sw_disk **ret_disk, char **ret_table, struct sw_error *err)
{
	_cleanup_selection_ struct sw_selection s = {};
	_cleanup_buf_ struct sw_buf tables = {};
	const struct sw_disk *found = NULL;
	int r = -ENODEV;

	if (sw_selection_init(&s, f, min_size, taken, n_taken) < 0)
		return sw_fail_oom(err);
	s.key = key;
	for (size_t i = 0; i < c->n_match && r == -ENODEV; i++)
		r = try_one(&s, c, i, ret_table ? &tables : NULL, &found, err);
	if (ret_table)
		*ret_table = sw_buf_steal(&tables);
	if (r == 0)
		*ret_disk = found;
	return r;
}

int sw_disk_choose(const struct sw_facts *f, const struct sw_disk_choice *c, uint64_t min_size,
		   const struct sw_disk *const *taken, size_t n_taken,
		   const struct sw_disk **ret_disk, char **ret_table, struct sw_error *err)
{
	return sw_disk_choose_for("disk.match", f, c, min_size, taken, n_taken, ret_disk, ret_table,
				  err);
}

int sw_disk_select(const struct sw_facts *f, const struct sw_disk_match *m, uint64_t min_size,
		   const struct sw_disk **ret_disk, char **ret_table, struct sw_error *err)
{
	struct sw_disk_match copy = *m;
	struct sw_disk_choice c = { .match = &copy, .n_match = 1 };

	return sw_disk_choose(f, &c, min_size, NULL, 0, ret_disk, ret_table, err);
}
