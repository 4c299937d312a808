/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An undo of several disks when some are away: which have to be brought back, which can
 * be, and what is said of those that cannot. Sets of disks have bit k for the plan's disks[k];
 * behind these come the disks of its asides, to which only old partition names are owed.
 */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/buf.h"
#include "base/size.h"

_Static_assert(SW_PLAN_MAX_DISKS == 64, "a set of disks is 64 bits");

static uint64_t all_disks(const struct sw_plan *p)
{
	size_t n = sw_plan_journals(p);

	return n >= 64 ? UINT64_MAX : (1ULL << n) - 1;
}

uint64_t sw_undo_names(const struct sw_plan *p, size_t aside)
{
	size_t bit = sw_plan_journals(p) + aside;

	return bit < 64 ? 1ULL << bit : 0;
}

/* The aside that the bit k stands for, or NULL. */
static const struct sw_aside *aside_at(const struct sw_plan *p, size_t k)
{
	size_t first = sw_plan_journals(p);

	return k >= first && k - first < p->n_asides ? &p->asides[k - first] : NULL;
}

/* Names that the install may have changed: from that step on, or where no step is known. */
static uint64_t all_names(const struct sw_journal_info *info)
{
	const struct sw_plan *p = info->plan;
	uint64_t set = 0;

	if (sw_undo_keeps_vars(info) ||
	    (!info->alone && !info->undoing &&
	     info->step < sw_plan_step_number(p, SW_STEP_ASIDE)))
		return 0;
	for (size_t i = 0; i < p->n_asides; i++)
		set |= sw_undo_names(p, i);
	return set;
}

bool sw_undo_keeps_vars(const struct sw_journal_info *info)
{
	return info->alone && !(info->absent & 1);
}

uint64_t sw_undo_todo(const struct sw_journal_info *info)
{
	return info->owed ? info->owed : all_disks(info->plan) | all_names(info);
}

/* A system disk without its journal cannot be brought back, whether it is here or not. */
uint64_t sw_undo_away(const struct sw_journal_info *info)
{
	uint64_t away = info->absent | (info->alone ? 1 : 0);

	return sw_undo_todo(info) & away;
}

uint64_t sw_undo_possible(const struct sw_journal_info *info)
{
	return sw_undo_todo(info) & ~sw_undo_away(info) & ~info->names_away;
}

uint64_t sw_undo_leaves(const struct sw_journal_info *info, uint64_t without)
{
	uint64_t left = sw_undo_todo(info) & without;

	/* What is used for something else by now is owed nothing any more. */
	return sw_undo_keeps_vars(info) ? left & ~1ULL : left;
}

char *sw_undo_disk(const struct sw_journal_info *info, size_t disk)
{
	const struct sw_aside *a = aside_at(info->plan, disk);
	const struct sw_plan_disk *d = a ? &a->disk : &info->plan->disks[disk];
	_cleanup_buf_ struct sw_buf b = {};
	int r = a ? sw_buf_addf(&b, "the names of %zu partition%s on %s (", a->n_parts,
				a->n_parts == 1 ? "" : "s", d->name)
		  : sw_buf_addf(&b, "disk %zu (", disk + 1);

	if (r == 0)
		r = sw_buf_adds(&b, d->model ? d->model : "no model");
	if (r == 0)
		r = sw_buf_addf(&b, ", serial %s", d->serial ? d->serial : "none");
	if (r == 0 && d->wwn)
		r = sw_buf_addf(&b, ", WWN %s", d->wwn);
	if (r == 0)
		r = sw_buf_adds(&b, ")");
	return r < 0 ? NULL : sw_buf_steal(&b);
}

char *sw_undo_disks(const struct sw_journal_info *info, uint64_t set)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, "");

	for (size_t k = 0; k < 64 && r == 0; k++) {
		bool known = k < info->plan->n_disks || aside_at(info->plan, k);
		_cleanup_free_ char *one = known && set >> k & 1 ? sw_undo_disk(info, k) : NULL;

		if (one)
			r = sw_buf_addf(&b, "%s%s", b.len ? ", " : "", one);
	}
	return r < 0 ? NULL : sw_buf_steal(&b);
}

static int add_held(struct sw_buf *b, const char *label, uint64_t size, bool raid)
{
	char text[16];

	return sw_buf_addf(b, "%s%s %s%s", b->len ? ", " : "",
			   label && *label ? label : "(no label)",
			   sw_size_format(size, text, sizeof(text)), raid ? " of a RAID1" : "");
}

static char *old_names(const struct sw_aside *a)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, "");

	for (size_t i = 0; i < a->n_parts && r == 0; i++)
		r = sw_buf_addf(&b, "%s%s, which was %s", i ? "; " : "", a->parts[i].new_label,
				a->parts[i].old_label);
	return r < 0 ? NULL : sw_buf_steal(&b);
}

char *sw_undo_holds(const struct sw_journal_info *info, size_t disk)
{
	const struct sw_aside *a = aside_at(info->plan, disk);
	const struct sw_plan *p = info->plan;
	const struct sw_plan_disk *d = a ? &a->disk : &p->disks[disk];
	bool is_new = info->alone || info->undoing || info->step >= sw_plan_table_step(p, disk);
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, "");

	if (a)
		return old_names(a);
	for (size_t i = 0; i < p->n_parts && is_new && r == 0; i++)
		if (p->parts[i].disk == disk)
			r = add_held(&b, p->parts[i].label, p->parts[i].size, p->parts[i].raid);
	for (size_t i = 0; i < d->n_old_parts && !is_new && r == 0; i++)
		r = add_held(&b, d->old_parts[i].label, d->old_parts[i].size, false);
	return r < 0 ? NULL : sw_buf_steal(&b);
}

static bool is_called(const struct sw_plan_disk *d, size_t number, const char *name)
{
	char *end;

	if ((d->serial && strcmp(d->serial, name) == 0) || (d->wwn && strcmp(d->wwn, name) == 0))
		return true;
	return strtoul(name, &end, 10) == number && *name >= '1' && *name <= '9' && !*end;
}

int sw_undo_add_disk(const struct sw_journal_info *info, const char *name, uint64_t *set,
		     struct sw_error *err)
{
	const struct sw_plan *p = info->plan;
	_cleanup_free_ char *all = NULL;

	/* A serial that looks like a number is a serial first. */
	for (size_t k = 0; k < p->n_disks; k++)
		if (is_called(&p->disks[k], 0, name)) {
			*set |= 1ULL << k;
			return 0;
		}
	for (size_t k = 0; k < p->n_disks; k++)
		if (is_called(&p->disks[k], k + 1, name)) {
			*set |= 1ULL << k;
			return 0;
		}
	all = sw_undo_disks(info, all_disks(p));
	sw_fail(err, SW_EXIT_USAGE, -ENOENT, "the install has no disk \"%s\"", name);
	sw_error_why(err, "its disks are %s", all && *all ? all : "none");
	sw_error_hint(err, "name one by its serial, its WWN or that number");
	return -ENOENT;
}

static void hint_away(const struct sw_journal_info *info, size_t k, bool gone, bool others,
		      struct sw_error *err)
{
	const struct sw_plan_disk *d = &info->plan->disks[k];
	const char *way = gone ? "`slipway undo --from PLACE` puts it back from a copy"
			       : "attach it, then `slipway undo` again";
	char number[24];

	(void)snprintf(number, sizeof(number), "%zu", k + 1);
	if (others)
		sw_error_hint(err, "nothing was written; %s, or take the other disks back with "
				   "`slipway undo --without %s`", way,
			      d->serial ? d->serial : d->wwn ? d->wwn : number);
	else
		sw_error_hint(err, "nothing was written; %s", way);
}

/* others: there are disks that could be taken back without it. */
static int refuse_away(const struct sw_journal_info *info, size_t k, bool others,
		       struct sw_error *err)
{
	_cleanup_free_ char *disk = sw_undo_disk(info, k), *holds = sw_undo_holds(info, k);
	bool gone = !(info->absent >> k & 1);

	if (!disk || !holds)
		return sw_fail_oom(err);
	sw_fail(err, SW_EXIT_REFUSED, -ENXIO, "%s %s", disk,
		gone ? "has lost its journal" : "is not in this machine");
	if (gone)
		sw_error_why(err, "%s", info->alone);
	else
		sw_error_why(err, "on it: %s", *holds ? holds : "no partition");
	hint_away(info, k, gone, others, err);
	return -ENXIO;
}

int sw_undo_check(const struct sw_journal_info *info, uint64_t without, struct sw_error *err)
{
	uint64_t todo = sw_undo_todo(info), away = sw_undo_away(info) & ~without;
	_cleanup_free_ char *left = NULL;

	for (size_t k = 0; k < info->plan->n_disks; k++)
		if (away >> k & 1)
			return refuse_away(info, k, todo & ~without & ~away, err);
	if (todo & ~without & ~info->names_away)
		return 0;
	left = sw_undo_disks(info, todo);
	sw_fail(err, SW_EXIT_REFUSED, -ENXIO, "no disk is left to undo");
	sw_error_why(err, "to be taken back: %s, and nothing else",
		     left ? left : "what is missing");
	sw_error_hint(err, "nothing was written; attach it, then `slipway undo` again");
	return -ENXIO;
}
