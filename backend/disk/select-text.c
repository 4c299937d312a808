/* SPDX-License-Identifier: Apache-2.0 */
/* The table of disks and clauses, as text and as data. */
#include <string.h>

#include "base/buf.h"
#include "base/size.h"
#include "disk/select-private.h"

static const char *const clause_names[] = {
	[SW_CLAUSE_SERIAL] = "serial", [SW_CLAUSE_WWN] = "wwn",
	[SW_CLAUSE_PATH] = "path",     [SW_CLAUSE_MODEL] = "model",
	[SW_CLAUSE_VENDOR] = "vendor", [SW_CLAUSE_TRANSPORT] = "transport",
	[SW_CLAUSE_SIZE] = "size",     [SW_CLAUSE_ROTATIONAL] = "rotational",
};

const char *sw_clause_name(enum sw_clause c)
{
	return clause_names[c];
}

int sw_add_clean(struct sw_buf *b, const char *s)
{
	int r = 0;

	for (; r >= 0 && s && *s; s++)
		r = sw_buf_add(b, (unsigned char)*s < 0x20 || *s == 0x7f ? "?" : s, 1);
	return r;
}

static int add_named(struct sw_buf *b, const char *name, const char *value)
{
	int r;

	if (!value || !*value)
		return 0;
	r = sw_buf_addf(b, ", %s ", name);
	return r < 0 ? r : sw_add_clean(b, value);
}

static int add_disk(struct sw_buf *b, const struct sw_disk *d)
{
	char size[16];
	int r = sw_add_clean(b, d->name ? d->name : "?");

	if (r >= 0)
		r = sw_buf_addf(b, "  %s", sw_size_format(d->size, size, sizeof(size)));
	if (r >= 0 && d->transport)
		r = sw_buf_adds(b, " ");
	if (r >= 0)
		r = sw_add_clean(b, d->transport);
	if (r >= 0)
		r = add_named(b, "serial", d->serial);
	if (r >= 0)
		r = add_named(b, "model", d->model);
	if (r >= 0 && (!d->serial || !*d->serial))
		r = add_named(b, "path", d->path);
	return r;
}

static bool is_candidate(const struct sw_selection *s, const struct sw_disk *d)
{
	return s->candidate[d - s->f->disks];
}

static enum sw_clause_result clause_result(const struct sw_selection *s, const struct sw_disk *d,
					   enum sw_clause c)
{
	bool match;

	if (!sw_disk_clause(d, s->m, c, &match))
		return SW_CLAUSE_UNASKED;
	/* Of "largest" only the whole knows. */
	if (c == SW_CLAUSE_SIZE && match && sw_disk_extreme(s->m) && !is_candidate(s, d) &&
	    !sw_selection_excludes(s, d) && sw_disk_matches(d, s->m))
		match = false;
	return match ? SW_CLAUSE_FITS : SW_CLAUSE_MISSES;
}

static int add_verdict(struct sw_buf *b, const struct sw_selection *s, const struct sw_disk *d)
{
	const struct sw_disk *twin = s->twin[d - s->f->disks];
	int r;

	if (sw_selection_excludes(s, d)) {
		r = sw_buf_adds(b, "excluded: ");
		return r < 0 ? r : sw_selection_add_reason(b, s, d);
	}
	if (!is_candidate(s, d))
		return sw_buf_adds(b, sw_disk_asks(s->m) ? "no match" : "not asked for");
	r = sw_buf_adds(b, "candidate");
	if (r == 0 && twin)
		r = sw_buf_adds(b, ", maybe the same disk as ");
	return r < 0 || !twin ? r : sw_add_clean(b, twin->name ? twin->name : "another");
}

char *sw_selection_verdict(const struct sw_selection *s, const struct sw_disk *d)
{
	_cleanup_buf_ struct sw_buf b = {};

	return add_verdict(&b, s, d) < 0 ? NULL : sw_buf_steal(&b);
}

static int add_clauses(struct sw_buf *b, const struct sw_selection *s, const struct sw_disk *d)
{
	int r = sw_buf_adds(b, ": ");

	for (enum sw_clause c = 0; r >= 0 && c < SW_CLAUSE_N; c++) {
		enum sw_clause_result result = clause_result(s, d, c);

		if (result != SW_CLAUSE_UNASKED)
			r = sw_buf_addf(b, "%s %s, ", clause_names[c],
					result == SW_CLAUSE_FITS ? "yes" : "no");
	}
	return r;
}

char *sw_selection_table(const struct sw_selection *s)
{
	const struct sw_facts *f = s->f;
	_cleanup_buf_ struct sw_buf b = {};
	int r = f->n_disks ? 0 : sw_buf_adds(&b, "this machine shows no disks");

	for (size_t i = 0; r >= 0 && i < f->n_disks; i++) {
		if (i)
			r = sw_buf_adds(&b, "\n");
		if (r >= 0)
			r = add_disk(&b, &f->disks[i]);
		if (r >= 0)
			r = add_clauses(&b, s, &f->disks[i]);
		if (r >= 0)
			r = add_verdict(&b, s, &f->disks[i]);
	}
	return r < 0 ? NULL : sw_buf_steal(&b);
}

static int fill_standing(struct sw_disk_standing *st, const struct sw_selection *s,
			 const struct sw_disk *d)
{
	_cleanup_buf_ struct sw_buf reason = {};

	for (enum sw_clause c = 0; c < SW_CLAUSE_N; c++)
		st->clause[c] = clause_result(s, d, c);
	st->candidate = is_candidate(s, d);
	st->verdict = sw_selection_verdict(s, d);
	if (!st->verdict)
		return -ENOMEM;
	if (!sw_selection_excludes(s, d))
		return 0;
	if (sw_selection_add_reason(&reason, s, d) < 0)
		return -ENOMEM;
	st->excluded = sw_buf_steal(&reason);
	return st->excluded ? 0 : -ENOMEM;
}

int sw_disk_stand(const struct sw_facts *f, const struct sw_disk_match *m, uint64_t min_size,
		  const struct sw_disk *const *taken, size_t n_taken,
		  struct sw_disk_standing **ret_standings)
{
	_cleanup_selection_ struct sw_selection s = {};
	struct sw_disk_standing *list = calloc(f->n_disks + 1, sizeof(*list));
	int r = list ? sw_selection_init(&s, f, min_size, taken, n_taken) : -ENOMEM;

	if (r == 0)
		sw_selection_run(&s, m);
	for (size_t i = 0; i < f->n_disks && r == 0; i++)
		r = fill_standing(&list[i], &s, &f->disks[i]);
	if (r < 0) {
		sw_disk_standings_free(list, f->n_disks);
		return r;
	}
	*ret_standings = list;
	return 0;
}

struct sw_disk_standing *sw_disk_standings_free(struct sw_disk_standing *s, size_t n)
{
	for (size_t i = 0; s && i < n; i++) {
		free(s[i].excluded);
		free(s[i].verdict);
	}
	free(s);
	return NULL;
}
