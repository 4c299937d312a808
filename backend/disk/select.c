/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that decide which disk is written to. Every doubt is a refusal: no
 * clause, no match, two matches, a match that may not be touched.
 */
#include "disk/select.h"

#include <fnmatch.h>
#include <string.h>

#include "base/buf.h"
#include "base/size.h"
#include "disk/disk.h"
#include "disk/select-text.h"

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
		return true;	/* needs the other disks: see pick_extreme() */
	if (size == rule.bytes)
		return strchr(rule.op, '=') != NULL;
	return (size > rule.bytes && rule.op[0] == '>') || (size < rule.bytes && rule.op[0] == '<');
}

/* A name with glob characters in it also matches itself. */
static bool text_matches(const char *value, const char *pattern, int flags)
{
	if (!value || !*value || !*pattern)
		return false;
	return !strcmp(value, pattern) || fnmatch(pattern, value, flags) == 0;
}

bool sw_disk_clause(const struct sw_disk *d, const struct sw_disk_match *m, enum sw_clause c,
		    bool *ret_match)
{
	/* Serials and paths are told apart by case; the others are written either way. */
	const struct {
		const char *pattern, *value;
		int flags;
	} text[] = {
		[SW_CLAUSE_SERIAL] = { m->serial, d->serial, 0 },
		[SW_CLAUSE_WWN] = { m->wwn, d->wwn, FNM_CASEFOLD },
		[SW_CLAUSE_PATH] = { m->path, d->path, 0 },
		[SW_CLAUSE_MODEL] = { m->model, d->model, FNM_CASEFOLD },
		[SW_CLAUSE_VENDOR] = { m->vendor, d->vendor, FNM_CASEFOLD },
		[SW_CLAUSE_TRANSPORT] = { m->transport, d->transport, FNM_CASEFOLD },
	};

	if (c == SW_CLAUSE_SIZE) {
		*ret_match = m->size && size_matches(d->size, m->size);
		return m->size != NULL;
	}
	if (c == SW_CLAUSE_ROTATIONAL) {
		*ret_match = d->rotational == (m->rotational == SW_ROTATIONAL_YES);
		return m->rotational != SW_ROTATIONAL_UNASKED;
	}
	*ret_match = text[c].pattern && text_matches(text[c].value, text[c].pattern, text[c].flags);
	return text[c].pattern != NULL;
}

static bool has_clause(const struct sw_disk_match *m)
{
	return m->serial || m->wwn || m->model || m->vendor || m->path || m->transport || m->size ||
	       m->rotational != SW_ROTATIONAL_UNASKED;
}

bool sw_disk_matches(const struct sw_disk *d, const struct sw_disk_match *m)
{
	bool match;

	for (enum sw_clause c = 0; c < SW_CLAUSE_N; c++)
		if (sw_disk_clause(d, m, c, &match) && !match)
			return false;
	return has_clause(m);
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

const char *sw_selection_excluded(const struct sw_selection *s, const struct sw_disk *d)
{
	for (size_t i = 0; i < s->n_taken; i++)
		if (s->taken[i] == d)
			return "chosen already";
	return sw_disk_excluded(d, s->min_size);
}

/*
 * "largest" and "smallest" compare what else may be chosen. All that share the
 * extreme size stay, so that two equal ones are ambiguous.
 */
static void pick_extreme(struct sw_selection *s)
{
	const struct sw_facts *f = s->f;
	struct size_rule rule;
	uint64_t best = 0;
	bool any = false;

	if (!s->m->size || parse_size_rule(s->m->size, &rule) < 0 ||
	    (!rule.largest && !rule.smallest))
		return;
	for (size_t i = 0; i < f->n_disks; i++) {
		uint64_t size = f->disks[i].size;

		if (!s->candidate[i])
			continue;
		if (!any || (rule.largest ? size > best : size < best))
			best = size;
		any = true;
	}
	for (size_t i = 0; i < f->n_disks; i++)
		if (f->disks[i].size != best)
			s->candidate[i] = false;
}

bool sw_disk_is_size_rule(const char *text)
{
	struct size_rule rule;

	return parse_size_rule(text, &rule) == 0;
}

static int check_match(const struct sw_disk_match *m, struct sw_error *err)
{
	if (m->size && !sw_disk_is_size_rule(m->size)) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the size rule \"%.60s\" is not understood",
			m->size);
		sw_error_hint(err, "Write >=100G, <2T, 64G (exactly), largest or smallest");
		return -EINVAL;
	}
	return 0;
}

static void say_why(const struct sw_selection *s, int r, struct sw_error *err)
{
	const struct sw_disk *only = NULL;
	size_t matched = 0;

	for (size_t i = 0; i < s->f->n_disks; i++)
		if (sw_disk_matches(&s->f->disks[i], s->m)) {
			only = &s->f->disks[i];
			matched++;
		}
	if (!has_clause(s->m))
		sw_fail(err, SW_EXIT_REFUSED, r, "nothing says which disk to use");
	else if (s->n > 1)
		sw_fail(err, SW_EXIT_REFUSED, r, "%zu disks match", s->n);
	else if (matched == 1)
		sw_fail(err, SW_EXIT_REFUSED, r, "%.40s matches but cannot be used: %.160s",
			only->name ? only->name : "the disk", sw_selection_excluded(s, only));
	else if (matched > 1)
		sw_fail(err, SW_EXIT_REFUSED, r, "%zu disks match but none of them can be used",
			matched);
	else
		sw_fail(err, SW_EXIT_REFUSED, r, "no disk matches");
}

static int refuse(const struct sw_selection *s, struct sw_error *err)
{
	int r = s->n > 1 ? -ENOTUNIQ : -ENODEV;
	_cleanup_free_ char *hint = NULL, *table = NULL;

	if (!err)
		return r;
	hint = sw_selection_hint(s);
	table = sw_selection_table(s);
	say_why(s, r, err);
	sw_error_why(err, "%s", table ? table : "");
	sw_error_hint(err, "%s", hint ? hint : "Name the disk by its serial");
	return r;
}

static void collect(struct sw_selection *s)
{
	const struct sw_facts *f = s->f;

	s->n = 0;
	for (size_t i = 0; i < f->n_disks; i++)
		s->candidate[i] = sw_disk_matches(&f->disks[i], s->m) &&
				  !sw_selection_excluded(s, &f->disks[i]);
	pick_extreme(s);
	for (size_t i = 0; i < f->n_disks; i++)
		s->n += s->candidate[i];
}

static const struct sw_disk *the_candidate(const struct sw_selection *s)
{
	for (size_t i = 0; i < s->f->n_disks; i++)
		if (s->candidate[i])
			return &s->f->disks[i];
	return NULL;
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

static int choose(struct sw_selection *s, const struct sw_disk_choice *c, struct sw_buf *tables,
		  const struct sw_disk **ret_disk, struct sw_error *err)
{
	int r = -ENODEV;

	for (size_t i = 0; i < c->n_match && r == -ENODEV; i++) {
		s->m = &c->match[i];
		collect(s);
		if (tables && add_table(s, i, c->n_match, tables) < 0)
			return sw_fail_oom(err);
		r = check_match(s->m, err);
		/* The words are about the last alternative, or the one that is ambiguous. */
		if (r < 0)
			break;
		if (s->n == 1)
			*ret_disk = the_candidate(s);
		else
			r = s->n || i + 1 == c->n_match ? refuse(s, err) : -ENODEV;
	}
	return r;
}

int sw_disk_choose(const struct sw_facts *f, const struct sw_disk_choice *c, uint64_t min_size,
		   const struct sw_disk *const *taken, size_t n_taken,
		   const struct sw_disk **ret_disk, char **ret_table, struct sw_error *err)
{
	_cleanup_free_ bool *candidate = calloc(f->n_disks ? f->n_disks : 1, sizeof(bool));
	struct sw_selection s = { .f = f, .min_size = min_size, .taken = taken,
				  .n_taken = n_taken, .candidate = candidate };
	_cleanup_buf_ struct sw_buf tables = {};
	int r;

	if (!candidate)
		return sw_fail_oom(err);
	r = choose(&s, c, ret_table ? &tables : NULL, ret_disk, err);
	if (ret_table)
		*ret_table = sw_buf_steal(&tables);
	return r;
}

int sw_disk_select(const struct sw_facts *f, const struct sw_disk_match *m, uint64_t min_size,
		   const struct sw_disk **ret_disk, char **ret_table, struct sw_error *err)
{
	struct sw_disk_match copy = *m;
	struct sw_disk_choice c = { .match = &copy, .n_match = 1 };

	return sw_disk_choose(f, &c, min_size, NULL, 0, ret_disk, ret_table, err);
}

/* ---- what may be wiped ---- */

static bool is_blank(const struct sw_disk *d)
{
	return d->table.type == SW_TABLE_NONE && !d->table.damage &&
	       !(d->signatures && d->signatures[0]);
}

/*
 * Our labels and nothing else, or an empty table. A lone "state" is a name that
 * anyone may use, so one of the others must be there too. A table damaged by a
 * power cut in our own install still counts, if a whole copy shows our labels.
 */
static bool is_ours(const struct sw_disk *d)
{
	static const char *const labels[] = { "slipway-a", "slipway-b", "slipway-node",
					      "slipway-rescue", "state" };
	const struct sw_table *t = &d->table;
	bool named = false;

	if (d->signatures && d->signatures[0])
		return false;
	if (t->n_parts == 0)
		return !t->damage && t->type != SW_TABLE_DAMAGED_GPT;
	if (t->type == SW_TABLE_DOS)
		return false;
	for (size_t i = 0; i < t->n_parts; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(labels) &&
		       (!t->parts[i].label || strcmp(t->parts[i].label, labels[k]) != 0))
			k++;
		if (k == ARRAY_SIZE(labels))
			return false;
		named = named || k < ARRAY_SIZE(labels) - 1;
	}
	return named;
}

/* Does a pattern point at one disk by identity? "*" does not, "NODE07*" does. */
static bool identifies(const char *pattern)
{
	size_t literal = 0;

	if (!pattern || !*pattern)
		return false;
	if (!strpbrk(pattern, "*?["))
		return true;
	for (const char *p = pattern; *p; p++) {
		if (*p == '[')
			while (*p && *p != ']')
				p++;
		else if (*p != '*' && *p != '?')
			literal++;
		if (!*p)
			break;
	}
	return literal >= 4;
}

static int deny(const struct sw_disk *d, struct sw_error *err, const char *what, const char *hint)
{
	_cleanup_free_ char *words = sw_disk_describe(d);

	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "%s", what);
	sw_error_where(err, "%s", d->name ? d->name : "disk");
	sw_error_why(err, "%s", words ? words : "");
	sw_error_hint(err, "%s", hint);
	return -EPERM;
}

int sw_disk_wipe_allowed(const struct sw_disk *d, enum sw_wipe wipe,
			 const struct sw_disk_match *m, struct sw_error *err)
{
	if (is_blank(d))
		return 0;
	if (wipe == SW_WIPE_BLANK)
		return deny(d, err, "the disk is not blank",
			    "Use wipe: ours or wipe: any, or empty the disk yourself");
	if (is_ours(d))
		return 0;
	if (wipe == SW_WIPE_OURS)
		return deny(d, err, "the disk holds what slipway did not put there",
			    "Use wipe: any with the disk's serial if it may all be lost");
	if (identifies(m->serial) || identifies(m->wwn) || identifies(m->path))
		return 0;
	return deny(d, err, "wipe: any needs the disk's serial, WWN or path",
		    "A size or model may fit another disk tomorrow: add serial, wwn or path to "
		    "disk.match");
}

int sw_disk_choice_allows(const struct sw_disk *d, const struct sw_disk_choice *c,
			  struct sw_error *err)
{
	/* An earlier alternative that fits it would have decided, or refused. */
	for (size_t i = 0; i < c->n_match; i++)
		if (sw_disk_matches(d, &c->match[i]))
			return sw_disk_wipe_allowed(d, c->wipe, &c->match[i], err);
	return deny(d, err, "no rule names this disk", "Name it in disk.match");
}
