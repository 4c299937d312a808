/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Undo: the old boot variables, then the old table (first and last MiB), with
 * the sector of the primary GPT header last. It can be interrupted and repeated.
 */
#include <string.h>

#include "apply/run.h"

static int put_back(struct sw_io *io, uint64_t off, const uint8_t *data, uint64_t len)
{
	int r = sw_io_write(io, off, data, len);

	return r < 0 ? r : sw_io_flush(io);
}

/* [from, to) of a saved MiB, without what was left out of it. */
static int put_area(struct sw_run_disk *d, bool last, const uint8_t *data, uint64_t from,
		    uint64_t to)
{
	uint64_t base = last ? d->io->size - SW_JOURNAL_SAVED : 0;
	const struct sw_left_out *hole = &d->journal.left_out[last];
	uint64_t before = hole->from < to ? hole->from : to;
	uint64_t after = hole->to > from ? hole->to : from;
	int r = 0;

	if (hole->from == hole->to)
		return put_back(d->io, base + from, data + from, to - from);
	if (from < before)
		r = put_back(d->io, base + from, data + from, before - from);
	if (r == 0 && after < to)
		r = put_back(d->io, base + after, data + after, to - after);
	return r;
}

static bool in_hole(const struct sw_run_disk *d, uint64_t off)
{
	uint64_t tail = d->io->size - SW_JOURNAL_SAVED;
	const struct sw_left_out *hole = d->journal.left_out;

	return (off >= hole[0].from && off < hole[0].to) ||
	       (off >= tail + hole[1].from && off < tail + hole[1].to);
}

/* What cannot come back must not look like an install either. */
static int clear_sector(struct sw_io *io, uint64_t off, const uint8_t *new)
{
	uint8_t now[4096];
	int r = sw_io_read(io, off, now, io->sector);

	if (r == 0 && memcmp(now, new, io->sector) == 0)
		r = sw_io_zero(io, off, io->sector);
	return r;
}

static int clear_new_table(struct sw_run *run, size_t disk)
{
	struct sw_run_disk *d = &run->disks[disk];
	struct sw_table_image t = {};
	int r = 0;

	if (d->journal.left_out[0].to == 0 && d->journal.left_out[1].to == 0)
		return 0;
	r = sw_plan_table(run->p, disk, &t, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(t.piece) && r == 0; i++)
		for (size_t at = 0; at < t.piece[i].len && r == 0; at += d->io->sector)
			if (in_hole(d, t.piece[i].off + at))
				r = clear_sector(d->io, t.piece[i].off + at, t.piece[i].data + at);
	sw_table_image_clear(&t);
	return r == 0 ? sw_io_flush(d->io) : r;
}

static int restore_table(struct sw_run *run, size_t disk)
{
	struct sw_run_disk *d = &run->disks[disk];
	_cleanup_free_ uint8_t *first = NULL, *last = NULL;
	uint32_t ss = d->io->sector;
	int r = sw_journal_saved(&d->journal, false, &first);

	if (r == 0)
		r = sw_journal_saved(&d->journal, true, &last);
	if (r == 0)
		r = clear_new_table(run, disk);
	if (r == 0)
		r = put_area(d, true, last, 0, SW_JOURNAL_SAVED);
	if (r == 0)
		r = put_area(d, false, first, 2ULL * ss, SW_JOURNAL_SAVED);
	if (r == 0)
		r = put_area(d, false, first, 0, ss);
	return r == 0 ? put_area(d, false, first, ss, 2ULL * ss) : r;
}

/* The first of the disks that are open, for messages. */
static const char *some_path(const struct sw_run *run)
{
	for (size_t k = 0; run->disks && k < sw_plan_journals(run->p); k++)
		if (run->disks[k].io)
			return run->disks[k].io->path;
	return "";
}

/*
 * What does not belong to one disk was brought back with the first of them; and when
 * something else was put on the system disk since, the boot entries are its. Adds to
 * *owed the names that could not be given back.
 */
static int restore_common(struct sw_run *run, const struct sw_journal_info *info,
			  const struct sw_facts *f, uint64_t *owed, struct sw_error *err)
{
	int r = 0;

	if (!info->owed && !sw_undo_keeps_vars(info))
		r = sw_undo_vars(run->m, info, run->sink, err);
	if (r == 0)
		*owed |= sw_asides_restore(run, f, sw_undo_todo(info));
	return r;
}

/* The system disk's table last, as when it was written. */
static int restore_tables(struct sw_run *run)
{
	int r = 0;

	for (size_t k = run->p->n_disks; k-- > 0 && r == 0;) {
		if (run->without >> k & 1)
			continue;
		sw_event_log(run->sink, "restoring the partition table of %s",
			     run->disks[k].io->path);
		r = restore_table(run, k);
	}
	return r;
}

static int undo_locked(struct sw_run *run, const struct sw_journal_info *info,
		       const struct sw_facts *f, uint64_t *owed, struct sw_error *err)
{
	int r = sw_run_reopen_journals(run, err);

	if (r < 0)
		return r;
	sw_run_open_witnesses(run, f, run->without & ~sw_undo_todo(info));
	r = sw_run_note(run, SW_RECORD_UNDO, 0);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the journal cannot be continued");
		sw_error_where(err, "%s", some_path(run));
		sw_error_hint(err, "nothing else was written; check the disk's health and its log, "
				   "then `slipway undo` again");
		return r;
	}
	run->changed = true;
	r = restore_common(run, info, f, owed, err);
	if (r < 0)
		return r;
	r = restore_tables(run);
	if (r == 0)
		r = sw_run_note(run, *owed ? SW_RECORD_OWED : SW_RECORD_UNDONE, *owed);
	if (r < 0)
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "the old table cannot be written back");
	return r;
}

/* Once begun, an undo is something to finish. */
static void mark_dirty(struct sw_run *run, struct sw_error *err)
{
	if (!run->changed)
		return;
	err->exit = SW_EXIT_DIRTY;
	sw_error_where(err, "%s", some_path(run));
	err->hint[0] = '\0';
	sw_error_hint(err, "the undo stopped half-way; `slipway undo` again goes on with it");
}

static int open_and_undo(struct sw_run *run, const struct sw_journal_info *info, uint64_t *owed,
			 struct sw_error *err)
{
	const struct sw_disk *disks[SW_PLAN_MAX_DISKS] = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	/* The tables may be anything by now; identity and exclusions must still hold. */
	int r = sw_run_open_disks(run, info->steps, &f, disks, err);

	if (r == 0)
		r = undo_locked(run, info, f, owed, err);
	if (r < 0)
		mark_dirty(run, err);
	sw_run_close_disks(run);
	for (size_t k = 0; k < run->p->n_disks && r == 0; k++)
		if (disks[k])
			(void)sw_machine_settle(run->m, disks[k]);
	free(run->disks);
	run->disks = NULL;
	return r;
}

/* Whether it was about more than names on other disks. */
static bool has_disk(const struct sw_journal_info *info)
{
	size_t n = sw_plan_journals(info->plan);

	return n >= 64 || sw_undo_todo(info) & ((1ULL << n) - 1);
}

static void say_result(const struct sw_journal_info *info, uint64_t owed, int r,
		       struct sw_event *done)
{
	_cleanup_free_ char *left = owed ? sw_undo_disks(info, owed) : NULL;

	if (r == 0 && owed)
		(void)snprintf(done->text, sizeof(done->text), "Taken back, but not %s; attach "
			       "what is missing and undo again", left ? left : "some disks");
	else
		(void)snprintf(done->text, sizeof(done->text), "%s",
			       r < 0 ? "Undo failed"
			       : info->owed && !has_disk(info)
				       ? "The old partition names are back"
			       : info->owed || sw_undo_keeps_vars(info)
				       ? "The old partition table is back"
			       : info->plan->n_disks
				       ? "The old partition table and boot entries are back"
				       : "The old boot entries are back");
}

int sw_undo_run(struct sw_machine *m, const struct sw_journal_info *info, uint64_t without,
		const struct sw_sink *sink, struct sw_error *err)
{
	uint64_t todo = sw_undo_todo(info), owed = sw_undo_leaves(info, without);
	struct sw_run run = { .m = m, .p = info->plan, .sink = sink, .resumed = true,
			      .without = without | ~todo };
	struct sw_event plan = { .type = SW_EVENT_PLAN, .steps = 1, .text = "Undoing" };
	struct sw_event done = { .type = SW_EVENT_DONE, .steps = 1, .step = 1 };
	struct sw_error mine = {};
	int r;

	if (info->state == SW_JOURNAL_UNDONE) {
		sw_fail(err, SW_EXIT_REFUSED, -EALREADY, "the last install was undone already");
		return -EALREADY;
	}
	r = sw_undo_check(info, without, err);
	if (r < 0)
		return r;
	sw_event_emit(sink, &plan);
	r = open_and_undo(&run, info, &owed, &mine);
	say_result(info, owed, r, &done);
	if (r == 0 && owed)
		sw_event_log(sink, "%s", done.text);
	done.result = r;
	done.error = mine;
	sw_event_emit(sink, &done);
	if (err && r < 0)
		*err = mine;
	return r;
}
