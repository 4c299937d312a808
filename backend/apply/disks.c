/* SPDX-License-Identifier: Apache-2.0 */
/* The disks of one run: locked together, let go together, and their journals. */
#include <string.h>

#include "apply/run.h"
#include "base/json.h"

void sw_run_close_disks(struct sw_run *run)
{
	for (size_t k = 0; run->disks && k < sw_plan_journals(run->p); k++)
		run->disks[k].io = sw_io_close(run->disks[k].io);
}

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool bears(const struct sw_disk *d, const struct sw_plan_disk *pd)
{
	if (pd->serial || pd->wwn)
		return same(d->serial, pd->serial) && same(d->wwn, pd->wwn);
	return pd->seq && d->diskseq == pd->seq;
}

/* Of a machine with hundreds of disks a run looks into those that its plan names. */
static bool is_named(const struct sw_disk *d, void *arg)
{
	const struct sw_plan *p = arg;

	for (size_t k = 0; k < p->n_disks; k++)
		if (bears(d, &p->disks[k]))
			return true;
	for (size_t i = 0; i < p->n_asides; i++)
		if (bears(d, &p->asides[i].disk))
			return true;
	return false;
}

int sw_run_look(struct sw_run *run, struct sw_facts **ret_facts, struct sw_error *err)
{
	return sw_machine_facts_only(run->m, is_named, run->p, ret_facts, err);
}

int sw_run_open_disks(struct sw_run *run, unsigned int started, struct sw_facts **ret_facts,
		      const struct sw_disk **ret_disks, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *before = NULL, *f = NULL;
	int r;

	if (!run->disks)
		run->disks = calloc(sw_plan_journals(run->p), sizeof(*run->disks));
	if (!run->disks)
		return sw_fail_oom(err);
	r = sw_run_look(run, &before, err);
	if (r == 0)
		r = sw_binding_check(run, before, started, ret_disks, err);
	for (size_t k = 0; k < run->p->n_disks && r == 0; k++)
		if (!(run->without >> k & 1))
			r = sw_machine_open_disk(run->m, ret_disks[k], true, true,
						 &run->disks[k].io, err);
	if (r == 0 && run->p->n_disks == 0)
		r = sw_diskless_open(run->m, true, &run->disks[0].io, err);
	if (r == 0)
		r = sw_run_look(run, &f, err);
	if (r == 0)
		r = sw_binding_check(run, f, started, ret_disks, err);
	if (r == 0)
		r = sw_asides_check(run->p, f, run->resumed, started, err);
	if (r == 0)
		*ret_facts = TAKE_PTR(f);
	return r;
}

int sw_run_reopen_journals(struct sw_run *run, struct sw_error *err)
{
	for (size_t k = 0; k < sw_plan_journals(run->p); k++) {
		struct sw_journal_head h = {};
		int r;

		if (run->without >> k & 1)
			continue;
		r = sw_journal_open(run->disks[k].io, &run->disks[k].journal, &h);
		if (r == 0 && (h.disk != k || (*run->id && strcmp(h.id, run->id) != 0)))
			r = -ESTALE;
		if (r == 0)
			memcpy(run->id, h.id, sizeof(run->id));
		sw_journal_head_clear(&h);
		if (r == -ESTALE) {
			sw_fail(err, SW_EXIT_REFUSED, r, "the journals do not belong together");
			sw_error_where(err, "%s", run->disks[k].io->path);
			sw_error_why(err, "this disk's journal is of another install");
			return r;
		}
		if (r < 0)
			return sw_fail_errno(err, SW_EXIT_DIRTY, r,
					     "the journal on %s cannot be read again",
					     run->disks[k].io->path);
		r = sw_table_check_predicted(run, k, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Of the run's plan; where no journal had to be read yet, the first decides on the id. */
static bool is_of_run(struct sw_run *run, const struct sw_journal_head *h)
{
	_cleanup_json_ json_object *a = NULL, *b = NULL;
	struct sw_plan *p = NULL;
	struct sw_error ignored = {};
	bool same;

	if (*run->id)
		return strcmp(h->id, run->id) == 0;
	if (sw_plan_from_json(h->plan, &p, &ignored) < 0)
		return false;
	a = sw_plan_to_json(p);
	b = sw_plan_to_json(run->p);
	same = a && b && json_object_equal(a, b);
	sw_plan_free(p);
	if (same)
		memcpy(run->id, h->id, sizeof(run->id));
	return same;
}

/* Of the same plan, on a disk whose table is one that the plan predicts. */
static bool is_witness(struct sw_run *run, size_t k)
{
	struct sw_journal_head h = {};
	struct sw_error ignored = {};
	bool is = sw_journal_open(run->disks[k].io, &run->disks[k].journal, &h) == 0 &&
		  h.disk == k && is_of_run(run, &h) &&
		  sw_table_check_predicted(run, k, &ignored) == 0;

	sw_journal_head_clear(&h);
	return is;
}

void sw_run_open_witnesses(struct sw_run *run, const struct sw_facts *f, uint64_t which)
{
	for (size_t k = 0; k < run->p->n_disks; k++) {
		const struct sw_disk *d = which >> k & 1 ? sw_bound_disk(run->p, k, f) : NULL;
		struct sw_error ignored = {};

		if (!d || sw_disk_excluded(d, 0) ||
		    sw_machine_open_disk(run->m, d, true, true, &run->disks[k].io, &ignored) < 0)
			continue;
		if (!is_witness(run, k))
			run->disks[k].io = sw_io_close(run->disks[k].io);
	}
}

static bool for_all(enum sw_record_kind kind)
{
	return kind == SW_RECORD_DONE || kind == SW_RECORD_UNDO || kind == SW_RECORD_UNDONE ||
	       kind == SW_RECORD_OWED;
}

int sw_run_note(struct sw_run *run, enum sw_record_kind kind, uint64_t step)
{
	int r = 0;

	for (size_t k = run->p->n_disks; k-- > 1 && r == 0 && for_all(kind);)
		if (run->disks[k].io)
			r = sw_journal_record(&run->disks[k].journal, kind, step);
	if (r == 0 && run->disks[0].io)
		r = sw_journal_record(&run->disks[0].journal, kind, step);
	return r;
}
