/* SPDX-License-Identifier: Apache-2.0 */
/* Finding journals on the disks of a machine, and which of them belong together. */
#include <limits.h>
#include <string.h>

#include "apply/run.h"
#include "base/file.h"

struct found {
	struct sw_journal_head h;
	const struct sw_disk *d;	/* borrowed; NULL: of a node without a disk */
	struct sw_plan *plan;
};

static void found_clear(struct found *f)
{
	sw_journal_head_clear(&f->h);
	sw_plan_free(f->plan);
}

/* What the journals of one install tell together. */
struct together {
	bool partly, undoing;
	uint64_t owed;
};

/*
 * What is owed only gets less, and each disk knows how it was when it last took part: so
 * it is what all agree on.
 */
static struct together hear_all(const struct found *found, size_t n, const char *id)
{
	struct together t = { .owed = UINT64_MAX };

	for (size_t i = 0; i < n; i++) {
		const struct sw_journal_head *h = &found[i].h;

		if (strcmp(h->id, id) != 0)
			continue;
		t.undoing |= h->undoing && h->state == SW_JOURNAL_RUNNING;
		t.partly |= h->partly;
		if (h->state == SW_JOURNAL_UNDONE)
			t.owed = 0;
		else if (h->partly)
			t.owed &= h->owed;
	}
	return t;
}

/* An undo that was begun or ended without this disk. */
static void correct(struct sw_journal_info *info, const struct together *t)
{
	if (info->state == SW_JOURNAL_UNDONE)
		return;
	if (!t->partly) {
		if (t->undoing && info->state != SW_JOURNAL_ALONE)
			info->state = SW_JOURNAL_RUNNING;
		info->undoing |= t->undoing;
		return;
	}
	info->owed = t->owed;
	info->undoing |= t->undoing;
	if (t->owed == 0)
		info->state = SW_JOURNAL_UNDONE;
	else
		info->state = t->undoing ? SW_JOURNAL_RUNNING : SW_JOURNAL_OWED;
}

uint64_t sw_journal_absent(const struct sw_plan *p, const struct sw_facts *f)
{
	uint64_t set = 0;

	for (size_t k = 0; k < p->n_disks; k++)
		if (!sw_bound_disk(p, k, f))
			set |= 1ULL << k;
	return set;
}

uint64_t sw_journal_names_away(const struct sw_plan *p, const struct sw_facts *f)
{
	uint64_t set = 0;

	for (size_t i = 0; i < p->n_asides; i++)
		if (!sw_bound_to(p, &p->asides[i].disk, f))
			set |= sw_undo_names(p, i);
	return set;
}

static int info_from(struct found *f, const struct sw_facts *facts, struct sw_journal_info *info)
{
	struct sw_plan *p = f->plan;
	unsigned int journal = sw_plan_step_number(p, SW_STEP_JOURNAL);

	*info = (struct sw_journal_info){ .state = f->h.state,
					  .step = f->h.step ? f->h.step : journal,
					  .steps = (unsigned int)p->n_steps,
					  .undoing = f->h.undoing,
					  .disk_name = strdup(f->d ? f->d->name : SW_NO_DISK),
					  .time = f->h.time };
	info->plan = TAKE_PTR(f->plan);
	info->absent = sw_journal_absent(info->plan, facts);
	info->names_away = sw_journal_names_away(info->plan, facts);
	memcpy(info->left_out, f->h.left_out, sizeof(info->left_out));
	info->vars = f->h.vars ? json_object_get(f->h.vars) : NULL;
	if (info->step <= p->n_steps)
		info->step_title = strdup(p->steps[info->step - 1].title);
	return info->disk_name ? 0 : -ENOMEM;
}

/* d NULL: the file that stands for the disk of a node without one. */
static int scan_disk(struct sw_machine *m, const struct sw_disk *d, struct found *ret)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct found f = { .d = d };
	struct sw_error ignored = {};
	struct sw_journal j;
	int r = d ? sw_machine_open_disk(m, d, false, false, &io, &ignored)
		  : sw_diskless_open(m, false, &io, &ignored);

	if (r == 0)
		r = sw_journal_open(io, &j, &f.h);
	if (r == 0)
		r = sw_plan_from_json(f.h.plan, &f.plan, &ignored);
	if (r == 0 && (f.h.disk >= sw_plan_journals(f.plan) || !d != (f.plan->n_disks == 0)))
		r = -EBADMSG;
	if (r < 0)
		found_clear(&f);
	else
		*ret = f;
	return r;
}

/* What a journal of a further disk means when the system disk's is not here. */
static char *why_alone(const struct sw_plan *p, const struct sw_facts *f, bool undone)
{
	const struct sw_disk *system = sw_bound_disk(p, 0, f);
	const char *serial = p->disks[0].serial ? p->disks[0].serial : "unknown";

	if (!system && undone)
		return sw_fmt("the system disk of that install (serial %s) is not in this machine; "
			      "with it back, `slipway undo` finishes", serial);
	if (!system)
		return sw_fmt("it belongs to an install whose system disk (serial %s) is not in "
			      "this machine; with that disk back it can be resumed or undone, and "
			      "now undone with `slipway undo --without %s`", serial,
			      p->disks[0].serial ? serial : "1");
	if (strcmp(system->table.digest, p->disks[0].table_digest) == 0)
		return sw_fmt("the install ended before anything but its journal was written; "
			      "there is nothing to resume or undo, install again");
	return sw_fmt("the system disk of that install (%s, serial %s) no longer has its journal: "
		      "something else was put on it since", system->name, serial);
}

static int alone_from(struct found *f, const struct sw_facts *facts, bool partly,
		      struct sw_journal_info *info)
{
	bool ended = f->h.noted && f->h.state != SW_JOURNAL_RUNNING;
	int r = info_from(f, facts, info);

	if (r < 0)
		return r;
	if (!ended)
		info->state = SW_JOURNAL_ALONE;
	info->alone = why_alone(info->plan, facts, partly);
	return info->alone ? 0 : -ENOMEM;
}

static bool has_system(const struct found *found, size_t n, const struct found *f)
{
	for (size_t i = 0; i < n; i++)
		if (found[i].h.disk == 0 && strcmp(found[i].h.id, f->h.id) == 0)
			return true;
	return false;
}

/* The same install on two further disks is still one. */
static bool told_already(const struct found *found, const struct found *f)
{
	for (const struct found *i = found; i < f; i++)
		if (strcmp(i->h.id, f->h.id) == 0)
			return true;
	return false;
}

int sw_journal_scan(struct sw_machine *m, const struct sw_facts *f,
		    struct sw_journal_info **ret_infos, size_t *ret_n, struct sw_error *err)
{
	struct sw_journal_info *infos = calloc(f->n_disks + 2, sizeof(*infos));
	struct found *found = calloc(f->n_disks + 2, sizeof(*found));
	size_t n = 0, n_found = 0;
	struct together t;
	int r = infos && found ? 0 : -ENOMEM;

	for (size_t i = 0; i < f->n_disks && r == 0; i++)
		if (!f->disks[i].medium && scan_disk(m, &f->disks[i], &found[n_found]) == 0)
			n_found++;
	if (r == 0 && scan_disk(m, NULL, &found[n_found]) == 0)
		n_found++;
	for (size_t i = 0; i < n_found && r == 0; i++) {
		t = hear_all(found, n_found, found[i].h.id);
		if (found[i].h.disk == 0)
			r = info_from(&found[i], f, &infos[n++]);
		else if (!has_system(found, n_found, &found[i]) && !told_already(found, &found[i]))
			r = alone_from(&found[i], f, t.partly, &infos[n++]);
		else
			continue;
		correct(&infos[n - 1], &t);
	}
	for (size_t i = 0; i < n_found; i++)
		found_clear(&found[i]);
	free(found);
	if (r < 0) {
		sw_journal_infos_free(infos, n);
		return sw_fail_oom(err);
	}
	*ret_infos = infos;
	*ret_n = n;
	return 0;
}

void sw_journal_infos_free(struct sw_journal_info *infos, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(infos[i].disk_name);
		free(infos[i].step_title);
		free(infos[i].alone);
		sw_plan_free(infos[i].plan);
		if (infos[i].vars)
			json_object_put(infos[i].vars);
	}
	free(infos);
}

int sw_journal_refuse_alone(const struct sw_journal_info *info, struct sw_error *err)
{
	if (!info->alone)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -ENXIO, "the journal on %s is not the whole story",
		info->disk_name);
	sw_error_why(err, "%s", info->alone);
	return -ENXIO;
}

int sw_journal_info_from_copy(const struct sw_journal_head *h, struct sw_journal_info **ret_info)
{
	struct sw_journal_info *info = calloc(1, sizeof(*info));
	struct sw_error ignored = {};

	if (!info || sw_plan_from_json(h->plan, &info->plan, &ignored) < 0 || h->disk != 0) {
		if (info)
			sw_journal_infos_free(info, 1);
		return info ? -EBADMSG : -ENOMEM;
	}
	/* How far it came is not known, so anything may have been touched. */
	info->state = SW_JOURNAL_RUNNING;
	info->step = info->steps = (unsigned int)info->plan->n_steps;
	info->step_title = strdup("not known");
	info->disk_name = strdup(info->plan->n_disks == 0     ? SW_NO_DISK
				 : info->plan->disks[0].node ? info->plan->disks[0].node
							     : "the install's disk");
	info->vars = h->vars ? json_object_get(h->vars) : NULL;
	memcpy(info->left_out, h->left_out, sizeof(info->left_out));
	*ret_info = info;
	return 0;
}
