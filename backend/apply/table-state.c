/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tables a resume may find. Once the table step was started its pieces
 * are old, new, or (a cut between two sectors) a mixture, and an undo leaves the
 * same choice; a sector that is neither was written by somebody else, who may
 * have put something there that must not be overwritten.
 */
#include <string.h>

#include "apply/run.h"

struct saved {
	uint8_t *first, *last;	/* the disk's ends as they were, SW_JOURNAL_SAVED bytes each */
	uint64_t size;
};

/* The old content of a range; NULL when it is not within what was saved. */
static const uint8_t *old_content(const struct saved *s, uint64_t off, size_t len)
{
	uint64_t tail = s->size - SW_JOURNAL_SAVED;

	if (off + len <= SW_JOURNAL_SAVED)
		return s->first + off;
	return off >= tail && off + len <= s->size ? s->last + (off - tail) : NULL;
}

static int foreign(struct sw_error *err, const struct sw_io *io, const char *piece)
{
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "the disk has changed since the install stopped");
	sw_error_where(err, "%s", io->path);
	sw_error_why(err, "its partition table (%s) is neither the old nor the new one", piece);
	sw_error_hint(err, "nothing was written; look at the disk and make a new plan");
	return -ESTALE;
}

static int check_piece(struct sw_io *io, const struct saved *s, const struct sw_table_piece *piece,
		       struct sw_error *err)
{
	_cleanup_free_ uint8_t *now = malloc(piece->len ? piece->len : 1);
	const uint8_t *old = old_content(s, piece->off, piece->len);
	int r;

	if (!now)
		return sw_fail_oom(err);
	if (!old)
		return sw_fail(err, SW_EXIT_INTERNAL, -ERANGE, "%s lies outside of what is saved",
			       piece->name);
	r = sw_io_read(io, piece->off, now, piece->len);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_DIRTY, r, "the partition table cannot be read");
	for (size_t at = 0; at < piece->len; at += io->sector) {
		size_t n = piece->len - at < io->sector ? piece->len - at : io->sector;

		if (memcmp(now + at, old + at, n) != 0 && memcmp(now + at, piece->data + at, n) != 0)
			return foreign(err, io, piece->name);
	}
	return 0;
}

int sw_table_state_check(struct sw_io *io, struct sw_journal *j, const struct sw_plan *p,
			 struct sw_error *err)
{
	_cleanup_free_ uint8_t *first = NULL, *last = NULL;
	struct sw_table_image t = {};
	struct saved s = { .size = p->disk_size };
	int r;

	r = sw_journal_saved(j, false, &first);
	if (r == 0)
		r = sw_journal_saved(j, true, &last);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_DIRTY, r, "the undo data cannot be read");
	s.first = first;
	s.last = last;
	r = sw_plan_table(p, &t, err);
	for (size_t i = 0; i < ARRAY_SIZE(t.piece) && r == 0; i++)
		r = check_piece(io, &s, &t.piece[i], err);
	sw_table_image_clear(&t);
	return r;
}
