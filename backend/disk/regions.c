/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/regions.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <blkid/blkid.h>

#include "disk/gpt.h"
#include "disk/hostile.h"

#define EDGE (1ULL << 20)
#define BLOCK 4096ULL
#define JOINED_MAX (4ULL << 30)	/* a mark holds lengths below 8 GiB */
#define SIGNATURES_MAX 64	/* of one area: a probe that never ends must not hang us */

int sw_regions_add(struct sw_regions *l, const struct sw_io *io, uint64_t off, uint64_t len,
		   bool table, const char *what, ...)
{
	uint64_t end = len > io->size - off ? io->size : off + len;
	struct sw_region *v;
	va_list ap;

	if (off >= io->size || len == 0)
		return 0;
	off -= off % io->sector;
	end += (io->sector - end % io->sector) % io->sector;
	v = reallocarray(l->v, l->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->v = v;
	v += l->n++;
	*v = (struct sw_region){ .off = off, .table = table };
	v->len = (end < io->size ? end : io->size) - off;
	va_start(ap, what);
	(void)vsnprintf(v->what, sizeof(v->what), what, ap);
	va_end(ap);
	return 0;
}

void sw_regions_clear(struct sw_regions *l)
{
	free(l->v);
	*l = (struct sw_regions){};
}

/* ---- what libblkid knows ---- */

static void probe_free(blkid_probe *p)
{
	if (*p)
		blkid_free_probe(*p);
}

static bool value(blkid_probe pr, const char *name, const char **ret_text, size_t *ret_len)
{
	return blkid_probe_lookup_value(pr, name, ret_text, ret_len) == 0 && *ret_text;
}

/* One found signature; *ret_off is its place within the area. */
static bool magic_of(blkid_probe pr, uint64_t *ret_off, size_t *ret_len, const char **ret_type,
		     bool *ret_table)
{
	const char *off, *magic;

	*ret_table = false;
	if (value(pr, "SBMAGIC_OFFSET", &off, NULL) && value(pr, "SBMAGIC", &magic, ret_len)) {
		if (!value(pr, "TYPE", ret_type, NULL))
			*ret_type = "unknown";
	} else if (value(pr, "PTMAGIC_OFFSET", &off, NULL) &&
		   value(pr, "PTMAGIC", &magic, ret_len)) {
		if (!value(pr, "PTTYPE", ret_type, NULL))
			*ret_type = "unknown";
		*ret_table = true;
	} else {
		return false;
	}
	*ret_off = strtoull(off, NULL, 10);
	return true;
}

/* Hides each signature once seen, so that the next one of the same area shows. */
static int probe_area(struct sw_regions *l, struct sw_io *io, blkid_probe pr, uint64_t start,
		      uint64_t size, const char *where)
{
	if (blkid_probe_set_device(pr, sw_io_fd(io), (blkid_loff_t)start, (blkid_loff_t)size) < 0)
		return 0;
	(void)blkid_probe_set_sectorsize(pr, io->sector);
	(void)blkid_probe_enable_superblocks(pr, 1);
	(void)blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_TYPE |
							    BLKID_SUBLKS_BADCSUM);
	(void)blkid_probe_enable_partitions(pr, 1);
	(void)blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC | BLKID_PARTS_FORCE_GPT);
	(void)blkid_probe_reset_superblocks_filter(pr);
	if (sw_hostile_area(io, start, size)) {
		char type[] = SW_HOSTILE_TYPE, *names[] = { type, NULL };
		int r = sw_regions_add(l, io, start + SW_HOSTILE_OFF, BLOCK, false,
				       "%s signature %s", type, where);

		if (r < 0)
			return r;
		(void)blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_NOTIN, names);
	}
	for (unsigned int n = 0; n < SIGNATURES_MAX && blkid_do_probe(pr) == 0; n++) {
		const char *type;
		bool table;
		uint64_t off;
		size_t len;
		int r;

		if (!magic_of(pr, &off, &len, &type, &table))
			continue;
		r = sw_regions_add(l, io, (start + off) / BLOCK * BLOCK,
				   ((start + off) % BLOCK + len + BLOCK - 1) / BLOCK * BLOCK, table,
				   "%s signature %s", type, where);
		if (r < 0 || blkid_probe_hide_range(pr, off, len) < 0)
			return r;
		(void)blkid_probe_step_back(pr);
	}
	return 0;
}

static int find_signatures(struct sw_regions *l, struct sw_io *io, const struct sw_table *t)
{
	_cleanup_(probe_free) blkid_probe pr = blkid_new_probe();
	int r = pr ? 0 : -ENOMEM;

	for (size_t i = 0; i < t->n_parts && r == 0; i++) {
		const struct sw_part *p = &t->parts[i];
		char where[32];

		if (p->size == 0 || p->start >= io->size || p->size > io->size - p->start)
			continue;
		(void)snprintf(where, sizeof(where), "in partition %u", p->number);
		r = probe_area(l, io, pr, p->start, p->size, where);
	}
	return r == 0 ? probe_area(l, io, pr, 0, io->size, "on the disk") : r;
}

/* ---- tables ---- */

static int find_tables(struct sw_regions *l, struct sw_io *io)
{
	uint64_t edge = io->size < 2 * EDGE ? io->size / 2 : EDGE;
	struct sw_gpt_scan s;
	int r = sw_gpt_scan(io, &s);

	for (size_t i = 0; i < s.n && r >= 0; i++) {
		const struct sw_gpt_copy *c = &s.copies[i];

		r = sw_regions_add(l, io, c->off, c->sector, true, "GPT header");
		if (r == 0 && c->header_ok && c->entries_lba < io->size / c->sector)
			r = sw_regions_add(l, io, c->entries_lba * c->sector,
					   (uint64_t)c->n_entries * c->entry_len, true,
					   "GPT entries");
	}
	if (r >= 0)
		r = sw_regions_add(l, io, 0, edge, true, "first MiB");
	return r >= 0 ? sw_regions_add(l, io, io->size - edge, edge, true, "last MiB") : r;
}

static bool inside(const struct sw_region *a, const struct sw_region *b)
{
	return a->off >= b->off && a->off + a->len <= b->off + b->len;
}

/* One place is named once: by its signature where it has one, else by the wider area. */
static void drop_doubles(struct sw_regions *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		bool gone = false;

		for (size_t k = 0; k < l->n && !gone; k++)
			gone = k != i && inside(&l->v[i], &l->v[k]) &&
			       (l->v[i].len < l->v[k].len || k < i) &&
			       l->v[i].table == l->v[k].table;
		if (!gone)
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

int sw_regions_find(struct sw_io *io, const struct sw_table *t, struct sw_regions *ret_list,
		    struct sw_error *err)
{
	_cleanup_regions_ struct sw_regions l = {};
	int r = find_signatures(&l, io, t);

	if (r == 0)
		r = find_tables(&l, io);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot look for what is on the disk");
		sw_error_where(err, "%s", io->path);
		return r;
	}
	drop_doubles(&l);
	*ret_list = l;
	l = (struct sw_regions){};
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct sw_region *x = a, *y = b;

	return (x->off > y->off) - (x->off < y->off);
}

/* Takes v[i + 1] into v[i]. */
static void join(struct sw_regions *l, size_t i)
{
	struct sw_region *a = &l->v[i], *b = &l->v[i + 1];
	uint64_t end = b->off + b->len > a->off + a->len ? b->off + b->len : a->off + a->len;

	a->len = end - a->off;
	a->table = a->table || b->table;
	memmove(b, b + 1, (l->n - i - 2) * sizeof(*b));
	l->n--;
}

void sw_regions_join(struct sw_regions *l, size_t max)
{
	if (l->n <= max || max == 0)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_offset);
	while (l->n > max) {
		uint64_t least = UINT64_MAX;
		size_t at = 0;

		for (size_t i = 0; i + 1 < l->n; i++) {
			uint64_t end = l->v[i].off + l->v[i].len;
			uint64_t gap = l->v[i + 1].off > end ? l->v[i + 1].off - end : 0;

			if (gap < least && l->v[i + 1].off - l->v[i].off < JOINED_MAX) {
				least = gap;
				at = i;
			}
		}
		if (least == UINT64_MAX)
			return;
		join(l, at);
	}
}
