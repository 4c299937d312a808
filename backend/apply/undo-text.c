/* SPDX-License-Identifier: Apache-2.0 */
/* What undo brings back whole and what it does not, said before it is done. */
#include <string.h>

#include "apply/run.h"
#include "base/file.h"
#include "base/size.h"

/* Bytes that a range has in common with a partition. */
static uint64_t shared(uint64_t off, uint64_t len, const struct sw_part *o)
{
	uint64_t from = off > o->start ? off : o->start;
	uint64_t to = off + len < o->start + o->size ? off + len : o->start + o->size;

	return len && from < to ? to - from : 0;
}

/* What of an old partition the steps so far may have overwritten, in bytes. */
static uint64_t touched(const struct sw_journal_info *info, size_t disk, const struct sw_part *o)
{
	const struct sw_plan *p = info->plan;
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct sw_step *s = &p->steps[i];

		if (s->disk == disk && s->kind != SW_STEP_JOURNAL &&
		    (info->alone || i + 1 <= info->step))
			sum += shared(s->off, s->len, o);
	}
	sum += shared(p->disks[disk].journal_off, p->disks[disk].journal_len, o);
	/* Steps may write to one place twice. */
	return sum < o->size ? sum : o->size;
}

static int add_part(struct sw_buf *b, const struct sw_journal_info *info, size_t disk,
		    const struct sw_part *o)
{
	uint64_t lost = touched(info, disk, o);
	char size[16], gone[16];

	return sw_buf_addf(b, "  partition %u %s%s%s%s%s: %s%s%s\n", o->number,
			   sw_size_format(o->size, size, sizeof(size)),
			   o->label && *o->label ? " " : "", o->label ? o->label : "",
			   o->fs_type ? " " : "", o->fs_type ? o->fs_type : "",
			   lost ? "NOT whole, up to " : "comes back whole",
			   lost ? sw_size_format(lost, gone, sizeof(gone)) : "",
			   lost ? " of it may be overwritten" : "");
}

static int add_left_out(struct sw_buf *b, const struct sw_left_out *hole, bool last)
{
	if (hole->from == hole->to)
		return 0;
	return sw_buf_addf(b, "    but NOT bytes %u to %u of the %s MiB: a LUKS header was there, "
			   "which the copy leaves out\n", hole->from, hole->to,
			   last ? "last" : "first");
}

static int add_disk(struct sw_buf *b, const struct sw_journal_info *info, size_t disk,
		    bool first)
{
	const struct sw_plan_disk *d = &info->plan->disks[disk];
	int r = 0;

	if (disk > 0)
		r = sw_buf_addf(b, "%son disk %zu (%s, serial %s):\n", first ? "" : "and ",
				disk + 1, d->model ? d->model : "no model",
				d->serial ? d->serial : "none");
	if (r == 0)
		r = sw_buf_adds(b, "  the old partition table, both copies, and the disk's first "
				   "and last MiB\n");
	for (size_t i = 0; i < 2 && r == 0; i++)
		r = add_left_out(b, &info->left_out[disk][i], i);
	if (r == 0 && d->n_old_parts == 0)
		r = sw_buf_adds(b, "  (the disk had no partitions)\n");
	for (size_t i = 0; i < d->n_old_parts && r == 0; i++)
		r = add_part(b, info, disk, &d->old_parts[i]);
	return r;
}

/* Those on disks that are here, or those on disks that are not. */
static int add_asides(struct sw_buf *b, const struct sw_journal_info *info, bool away)
{
	size_t first = sw_plan_journals(info->plan);
	int r = 0;

	for (size_t i = 0; i < info->plan->n_asides && r == 0; i++) {
		uint64_t bit = sw_undo_names(info->plan, i) & sw_undo_todo(info);
		_cleanup_free_ char *text = bit ? sw_undo_disk(info, first + i) : NULL;
		_cleanup_free_ char *holds = bit ? sw_undo_holds(info, first + i) : NULL;

		if (!bit || away != !!(info->names_away & bit))
			continue;
		if (!text || !holds)
			return -ENOMEM;
		r = away ? sw_buf_addf(b, "NOT %s, which is not here: %s\n", text, holds)
			 : sw_buf_addf(b, "  %s\n", text);
	}
	return r;
}

/* What does not belong to one disk. */
static int add_common(struct sw_buf *b, const struct sw_journal_info *info)
{
	int r = 0;

	if (info->owed)
		return add_asides(b, info, false);
	if (sw_undo_keeps_vars(info))
		return sw_buf_adds(b, "The boot entries stay as they are: the first disk has other "
				      "uses by now.\n");
	if (info->plan->entries.n_writes > 0 && info->vars)
		r = sw_buf_adds(b, "  the old boot order and boot entries, where nobody has "
				   "changed them since\n");
	return r < 0 ? r : add_asides(b, info, false);
}

/* A disk that this undo leaves as it is, though it has to be brought back. */
static int add_left(struct sw_buf *b, const struct sw_journal_info *info, size_t disk)
{
	_cleanup_free_ char *name = sw_undo_disk(info, disk), *holds = sw_undo_holds(info, disk);
	bool away = sw_undo_away(info) >> disk & 1;

	if (!name || !holds)
		return -ENOMEM;
	return sw_buf_addf(b, "NOT %s, which is %s; on it: %s\n", name,
			   away && info->absent >> disk & 1 ? "not here"
			   : away ? "without its journal" : "left out", *holds ? holds : "-");
}

static int add_disks(struct sw_buf *b, const struct sw_journal_info *info, uint64_t without)
{
	uint64_t todo = sw_undo_todo(info);
	bool first = true;
	int r = 0;

	for (size_t k = 0; k < info->plan->n_disks && r == 0; k++)
		if (todo & ~without & 1ULL << k) {
			r = add_disk(b, info, k, first);
			first = false;
		}
	if (r == 0)
		r = add_common(b, info);
	for (size_t k = 0; k < info->plan->n_disks && r == 0; k++)
		if (todo & without & 1ULL << k)
			r = add_left(b, info, k);
	return r < 0 ? r : add_asides(b, info, true);
}

char *sw_undo_text(const struct sw_journal_info *info, uint64_t without)
{
	_cleanup_buf_ struct sw_buf b = {};
	const struct sw_plan *p = info->plan;
	int r;

	without |= sw_undo_away(info);
	if (p->n_disks == 0)
		return strdup("Undo brings back:\n"
			      "  the old boot order and boot entries, and slipway's own "
			      "variables\n"
			      "  (no disk was written)\n");
	if (!(sw_undo_todo(info) & ~without & ~info->names_away))
		r = sw_buf_adds(&b, "Undo has nothing to bring back on the disks that are here.\n");
	else if (without & 1 || info->owed)
		r = sw_buf_adds(&b, "Undo brings back:\n");
	else
		r = sw_buf_addf(&b, "Undo on %s (serial %s) brings back:\n", info->disk_name,
				p->disks[0].serial ? p->disks[0].serial : "none");
	if (r == 0)
		r = add_disks(&b, info, without);
	return r < 0 ? NULL : sw_buf_steal(&b);
}
