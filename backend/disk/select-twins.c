/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes that may lead to one disk. With a WWN sw_disk_same() knows; without one
 * on either side the same serial, model and size are reason enough for doubt:
 * a second way to the disk, or a maker that gives all of them one number. What
 * is doubted is not chosen, which costs a question and no data.
 */
#include <string.h>
#include <strings.h>

#include "disk/select-private.h"

/* So many alike are not compared one by one: the number is no number, and all are doubted. */
#define RUN_MAX 64U

static const char *text(const char *s)
{
	return s ? s : "";
}

/* Nothing but zeros is no name. */
static bool has_wwn(const struct sw_disk *d)
{
	return d->wwn && d->wwn[strspn(d->wwn, "0x.eui")] != '\0';
}

static bool has_serial(const struct sw_disk *d)
{
	return d->serial && *d->serial;
}

bool sw_disk_lacks_wwn(const struct sw_disk *a, const struct sw_disk *b)
{
	return !has_wwn(a) || !has_wwn(b);
}

static bool tables_differ(const struct sw_disk *a, const struct sw_disk *b)
{
	return a->table.digest[0] && b->table.digest[0] &&
	       strcmp(a->table.digest, b->table.digest) != 0;
}

bool sw_disk_may_be_one(const struct sw_disk *a, const struct sw_disk *b)
{
	if (!sw_disk_lacks_wwn(a, b))
		return sw_disk_same(a, b);
	return has_serial(a) && strcmp(a->serial, text(b->serial)) == 0 &&
	       strcmp(text(a->model), text(b->model)) == 0 && a->size == b->size &&
	       a->sector == b->sector && !tables_differ(a, b);
}

static int compare_numbers(const struct sw_disk *a, const struct sw_disk *b)
{
	int r = strcmp(text(a->serial), text(b->serial));

	if (r == 0 && a->size != b->size)
		r = a->size < b->size ? -1 : 1;
	if (r == 0 && a->sector != b->sector)
		r = a->sector < b->sector ? -1 : 1;
	return r;
}

static int by_wwn(const void *x, const void *y)
{
	const struct sw_disk *a = *(const struct sw_disk *const *)x;
	const struct sw_disk *b = *(const struct sw_disk *const *)y;
	int r = strcasecmp(a->wwn, b->wwn);

	return r ? r : compare_numbers(a, b);
}

static int by_serial(const void *x, const void *y)
{
	const struct sw_disk *a = *(const struct sw_disk *const *)x;
	const struct sw_disk *b = *(const struct sw_disk *const *)y;
	int r = strcmp(text(a->model), text(b->model));

	return r ? r : compare_numbers(a, b);
}

static void note(struct sw_selection *s, const struct sw_disk *d, const struct sw_disk *other)
{
	const struct sw_disk **twin = &s->twin[d - s->f->disks];

	if (!*twin || (!s->excluded[*twin - s->f->disks] && s->excluded[other - s->f->disks]))
		*twin = other;
}

static void doubt_all(struct sw_selection *s, const struct sw_disk **run, size_t n)
{
	size_t worst = 0;

	for (size_t i = 0; i < n; i++)
		if (s->excluded[run[i] - s->f->disks]) {
			worst = i;
			break;
		}
	for (size_t i = 0; i < n; i++)
		note(s, run[i], run[i == worst ? (i ? 0 : 1) : worst]);
}

/* Disks that are alike in all that the order looks at. */
static void pair_up(struct sw_selection *s, const struct sw_disk **run, size_t n)
{
	if (n > RUN_MAX) {
		doubt_all(s, run, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (sw_disk_may_be_one(run[i], run[k])) {
				note(s, run[i], run[k]);
				note(s, run[k], run[i]);
			}
}

/* In a run where each disk has a WWN, by_wwn has said it all. */
static bool all_have_wwn(const struct sw_disk **run, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!has_wwn(run[i]))
			return false;
	return true;
}

static void pair_runs(struct sw_selection *s, const struct sw_disk **list, size_t n,
		      int (*compare)(const void *, const void *))
{
	if (n < 2)
		return;
	qsort(list, n, sizeof(*list), compare);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && compare(&list[i], &list[end]) == 0;)
			end++;
		if (end - i > 1 && (compare == by_wwn || !all_have_wwn(list + i, end - i)))
			pair_up(s, list + i, end - i);
	}
}

int sw_selection_find_twins(struct sw_selection *s)
{
	_cleanup_free_ const struct sw_disk **list = calloc(s->f->n_disks + 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < s->f->n_disks; i++)
		if (has_wwn(&s->f->disks[i]) && s->f->disks[i].size)
			list[n++] = &s->f->disks[i];
	pair_runs(s, list, n, by_wwn);
	n = 0;
	for (size_t i = 0; i < s->f->n_disks; i++)
		if (has_serial(&s->f->disks[i]) && s->f->disks[i].size)
			list[n++] = &s->f->disks[i];
	pair_runs(s, list, n, by_serial);
	return 0;
}
