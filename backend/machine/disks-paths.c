/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two nodes, one disk. Behind two SAS or FC ports, without a multipath daemon,
 * every disk appears twice, and what uses it is seen on one node only: the other
 * looks free. Nodes with one WWN, serial, size and sector size are taken for
 * paths to one disk, unless their tables differ. Disks that lie about their WWN
 * are then taken for one as well, which costs a question and no data.
 */
#include <string.h>

#include "base/strv.h"
#include "machine/private.h"

#define PATHS_MAX 16U		/* a name that more disks share is no name */

static int compare(const void *a, const void *b)
{
	const struct sw_disk *x = *(const struct sw_disk *const *)a;
	const struct sw_disk *y = *(const struct sw_disk *const *)b;
	int r = strcasecmp(x->wwn, y->wwn);

	if (r == 0)
		r = strcmp(x->serial ? x->serial : "", y->serial ? y->serial : "");
	if (r == 0 && x->size != y->size)
		r = x->size < y->size ? -1 : 1;
	if (r == 0 && x->sector != y->sector)
		r = x->sector < y->sector ? -1 : 1;
	return r != 0 ? r : strverscmp(x->name, y->name);
}

bool sw_disk_same(const struct sw_disk *a, const struct sw_disk *b)
{
	if (!a->wwn || !b->wwn || strcasecmp(a->wwn, b->wwn) != 0 || a->size != b->size ||
	    a->sector != b->sector ||
	    strcmp(a->serial ? a->serial : "", b->serial ? b->serial : "") != 0)
		return false;
	/* Read at two moments a table may differ; read whole and different, these are two disks. */
	return !a->table.digest[0] || !b->table.digest[0] ||
	       strcmp(a->table.digest, b->table.digest) == 0;
}

/* What is known of one path holds for the other. */
static int share(struct sw_disk *to, const struct sw_disk *from)
{
	if (from->medium)
		to->medium = true;
	if (to->uses || !from->uses || !from->uses[0])
		return 0;
	return sw_disk_add_use(to, "%s is another path to %s: %s", to->name, from->name,
			       from->uses[0]);
}

static int mark_pair(struct sw_disk *a, struct sw_disk *b)
{
	int r = sw_strv_add(&a->paths, b->name);

	if (r == 0)
		r = sw_strv_add(&b->paths, a->name);
	if (r == 0)
		r = share(a, b);
	return r == 0 ? share(b, a) : r;
}

/* Mapped devices and loop devices have no WWN; a "0x000…" is none. */
static bool has_wwn(const struct sw_disk *d)
{
	return d->wwn && d->size > 0 && d->wwn[strspn(d->wwn, "0x.eui")] != '\0';
}

int sw_disks_mark_paths(struct sw_facts *f)
{
	_cleanup_free_ struct sw_disk **list = calloc(f->n_disks + 1, sizeof(*list));
	size_t n = 0;
	int r = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_disks; i++)
		if (has_wwn(&f->disks[i]))
			list[n++] = &f->disks[i];
	if (n > 1)
		qsort(list, n, sizeof(*list), compare);
	/* Neighbours that are alike form a group. */
	for (size_t i = 0; i < n && r == 0; i++)
		for (size_t k = i + 1; k < n && k < i + PATHS_MAX && r == 0 &&
		     strcasecmp(list[i]->wwn, list[k]->wwn) == 0;
		     k++)
			if (sw_disk_same(list[i], list[k]))
				r = mark_pair(list[i], list[k]);
	return r;
}
