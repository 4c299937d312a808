/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which partition tables an interrupted table step (or undo) can have left:
 * each sector of both table areas is either as it was saved or as the plan
 * writes it. Anything else was done by somebody else, and is left alone.
 */
#include <string.h>

#include "apply/run.h"

#define ENTRIES_LEN 16384U	/* 128 entries of 128 bytes, as in every GPT that we write */

/* Lays the new table over a copy of a saved MiB that starts at `base` on the disk. */
static void overlay(uint8_t *area, uint64_t base, const struct sw_table_image *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(t->piece); i++) {
		const struct sw_table_piece *p = &t->piece[i];

		if (p->off >= base && p->off + p->len <= base + SW_JOURNAL_SAVED)
			memcpy(area + (p->off - base), p->data, p->len);
	}
}

/* -ESTALE when a sector of [from, to) of the area is neither old nor new. */
static int compare(const uint8_t *now, const uint8_t *old, const uint8_t *new, uint32_t sector,
		   size_t from, size_t to, const struct sw_left_out *hole)
{
	for (size_t at = from; at < to; at += sector)
		if (!(at >= hole->from && at < hole->to) &&
		    memcmp(now + at, old + at, sector) != 0 &&
		    memcmp(now + at, new + at, sector) != 0)
			return -ESTALE;
	return 0;
}

static int check_area(struct sw_run_disk *d, const struct sw_table_image *t, bool last)
{
	const struct sw_left_out *hole = &d->journal.left_out[last];
	uint64_t base = last ? d->io->size - SW_JOURNAL_SAVED : 0;
	uint32_t ss = d->io->sector;
	_cleanup_free_ uint8_t *old = NULL, *now = malloc(SW_JOURNAL_SAVED),
				*new = malloc(SW_JOURNAL_SAVED);
	int r = sw_journal_saved(&d->journal, last, &old);

	if (!now || !new)
		return -ENOMEM;
	if (r == 0)
		r = sw_io_read(d->io, base, now, SW_JOURNAL_SAVED);
	if (r < 0)
		return r;
	memcpy(new, old, SW_JOURNAL_SAVED);
	overlay(new, base, t);
	return last ? compare(now, old, new, ss, SW_JOURNAL_SAVED - ENTRIES_LEN - ss,
			      SW_JOURNAL_SAVED, hole)
		    : compare(now, old, new, ss, 0, 2UL * ss + ENTRIES_LEN, hole);
}

int sw_table_check_predicted(struct sw_run *run, size_t disk, struct sw_error *err)
{
	struct sw_run_disk *d = &run->disks[disk];
	struct sw_table_image t = {};
	int r = run->p->n_disks ? sw_plan_table(run->p, disk, &t, err) : 0;

	if (r < 0 || run->p->n_disks == 0)
		return r;
	r = check_area(d, &t, false);
	if (r == 0)
		r = check_area(d, &t, true);
	sw_table_image_clear(&t);
	if (r == -ESTALE) {
		sw_fail(err, SW_EXIT_REFUSED, r, "somebody else has changed this disk since");
		sw_error_where(err, "%s", d->io->path);
		sw_error_why(err, "its partition table is neither the old one, nor the new one, "
				  "nor one of the states between them");
		sw_error_hint(err, "nothing was written; if what is on it now may be lost, install "
				   "again");
	} else if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the journal's undo data cannot be read");
		sw_error_where(err, "%s", d->io->path);
	}
	return r;
}
