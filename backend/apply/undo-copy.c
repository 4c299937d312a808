/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of journals: made from disks, and put back onto disks that lost theirs. */
#include "apply/undo-copy.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "apply/undo-store.h"
#include "base/file.h"

/* A file of the size of all zones, as an io. */
static int new_copy(const char *path, const struct sw_plan *p, struct sw_io **ret_io,
		    struct sw_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)(sw_plan_journals(p) * SW_JOURNAL_LEN)) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot make the undo copy");
	return sw_io_open(path, true, false, 512, ret_io, err);
}

/*
 * "slipway-undo-SERIAL.bin", without a disk with the host name; what FAT or a URL
 * would not take becomes a dash.
 */
static char *file_name(const struct sw_plan *p)
{
	const char *word = p->n_disks ? p->disks[0].serial : p->answers->hostname;
	char *name = sw_fmt("slipway-undo-%.64s.bin", word ? word : "disk");

	for (char *c = name; c && *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.",
			    *c))
			*c = '-';
	return name;
}

/* Whatever else the error advises. */
static void nothing_written(struct sw_error *err)
{
	_cleanup_free_ char *advice = err ? strdup(err->hint) : NULL;

	if (!advice)
		return;
	err->hint[0] = '\0';
	sw_error_hint(err, "nothing was written to the disk; %s%sor install without undo-copy",
		      advice, advice[0] ? ", " : "");
}

int sw_undo_copy_make(struct sw_run *run, const char *where, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/undo-copy", run->work), *name = file_name(run->p);
	struct sw_io *io = NULL;
	int r;

	if (!path || !name)
		return sw_fail_oom(err);
	(void)unlink(path);
	r = new_copy(path, run->p, &io, err);
	if (r == 0)
		r = sw_journal_copy(run->disks, run->p, run->vars, io, err);
	io = sw_io_close(io);
	if (r == 0)
		r = sw_undo_store(run->m, where, path, name, run->sink, err);
	(void)unlink(path);
	if (r < 0)
		nothing_written(err);
	return r;
}

static int export_disks(struct sw_machine *m, const struct sw_plan *p, struct sw_io *to,
			struct sw_error *err)
{
	struct sw_io *disks[SW_PLAN_MAX_DISKS] = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	int r = sw_machine_facts(m, &f, err);

	if (r == 0 && p->n_disks == 0)
		r = sw_diskless_open(m, false, &disks[0], err);
	for (size_t k = 0; k < p->n_disks && r == 0; k++) {
		const struct sw_disk *d = sw_bound_disk(p, k, f);

		if (!d)
			r = sw_fail(err, SW_EXIT_MISSING, -ENODEV,
				    "disk %zu of the install is not in this machine", k + 1);
		else
			r = sw_machine_open_disk(m, d, false, false, &disks[k], err);
	}
	if (r == 0)
		r = sw_journal_export(disks, p, to, err);
	for (size_t k = 0; k < sw_plan_journals(p); k++)
		sw_io_close(disks[k]);
	return r;
}

int sw_undo_copy_export(struct sw_machine *m, const struct sw_journal_info *info,
			const char *where, struct sw_error *err)
{
	_cleanup_free_ char *dir = NULL, *path = NULL, *name = file_name(info->plan);
	struct sw_io *io = NULL;
	int r = sw_journal_refuse_alone(info, err);

	if (r < 0)
		return r;
	r = sw_scratch_new("slipway-undo", &dir);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "no scratch directory");
	path = sw_fmt("%s/copy", dir);
	r = path && name ? new_copy(path, info->plan, &io, err) : sw_fail_oom(err);
	if (r == 0)
		r = export_disks(m, info->plan, io, err);
	io = sw_io_close(io);
	if (r == 0)
		r = sw_undo_store(m, where, path, name, NULL, err);
	(void)sw_remove_tree(dir);
	return r;
}

/* ---- reading one ---- */

static int not_a_copy(struct sw_error *err, const struct sw_undo_copy *c, int r)
{
	sw_fail(err, SW_EXIT_INVALID, r == -ENOENT ? -EINVAL : r, "this is not a whole undo copy");
	sw_error_where(err, "%s", c->name);
	sw_error_why(err, r == -EBADMSG ? "it is damaged: a checksum does not hold"
					: "it does not begin as one");
	sw_error_hint(err, "nothing was written; `slipway undo export` and disk.undo-copy make "
			   "them");
	return -EINVAL;
}

/* Each zone must be of the same plan, for its own disk, with its areas whole. */
static int check_zone(struct sw_undo_copy *c, const struct sw_plan *p, size_t k, const char *id)
{
	_cleanup_free_ uint8_t *first = NULL, *last = NULL;
	struct sw_journal_head h = {};
	struct sw_journal j;
	int r = sw_journal_open_at(c->io, k * SW_JOURNAL_LEN, sw_plan_journal_size(p, k), &j,
				   &h);

	if (r == 0 && (h.disk != k || strcmp(h.id, id) != 0))
		r = -EBADMSG;
	if (r == 0)
		r = sw_journal_saved(&j, false, &first);
	if (r == 0)
		r = sw_journal_saved(&j, true, &last);
	sw_journal_head_clear(&h);
	return r;
}

static int read_copy(struct sw_undo_copy *c, struct sw_error *err)
{
	struct sw_journal_head h = {};
	struct sw_journal j;
	struct sw_plan *p;
	int r = sw_journal_open_at(c->io, 0, 0, &j, &h);

	if (r == 0)
		r = sw_journal_info_from_copy(&h, &c->info);
	p = r == 0 ? c->info->plan : NULL;
	if (p && c->io->size != sw_plan_journals(p) * SW_JOURNAL_LEN)
		r = -EBADMSG;
	for (size_t k = 0; p && k < sw_plan_journals(p) && r == 0; k++)
		r = check_zone(c, p, k, h.id);
	sw_journal_head_clear(&h);
	return r < 0 ? not_a_copy(err, c, r) : 0;
}

int sw_undo_copy_open(struct sw_machine *m, const char *from, struct sw_undo_copy *ret_copy,
		      struct sw_error *err)
{
	struct sw_undo_copy c = {};
	_cleanup_free_ char *path = NULL;
	int r = sw_scratch_new("slipway-undo", &c.dir);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "no scratch directory");
	path = sw_fmt("%s/copy", c.dir);
	r = path ? sw_undo_fetch(m, from, path, &c.name, err) : sw_fail_oom(err);
	if (r == 0)
		r = sw_io_open(path, true, false, 512, &c.io, err);
	if (r == 0)
		r = read_copy(&c, err);
	if (r < 0) {
		sw_undo_copy_clear(&c);
		return r;
	}
	*ret_copy = c;
	return 0;
}

void sw_undo_copy_clear(struct sw_undo_copy *c)
{
	if (c->info)
		sw_journal_infos_free(c->info, 1);
	sw_io_close(c->io);
	if (c->dir)
		(void)sw_remove_tree(c->dir);
	free(c->dir);
	free(c->name);
	*c = (struct sw_undo_copy){};
}

/* ---- putting it back ---- */

static int other_journal(struct sw_error *err, const struct sw_io *io)
{
	sw_fail(err, SW_EXIT_REFUSED, -EEXIST, "the disk has the journal of another install");
	sw_error_where(err, "%s", io->path);
	sw_error_hint(err, "nothing was written; `slipway status` shows it, and `slipway undo` or "
			   "`slipway resume` without --from work with it");
	return -EEXIST;
}

/* 1 when the disk has its own journal of this install, 0 when it has to get one. */
static int has_journal(struct sw_run *run, size_t k, const char *id, struct sw_error *err)
{
	struct sw_journal_head h = {};
	struct sw_journal j;
	int r = sw_journal_open(run->disks[k].io, &j, &h);

	if (r == 0)
		r = strcmp(h.id, id) == 0 && h.disk == k ? 1 : other_journal(err,
									    run->disks[k].io);
	else if (r == -ENOENT || r == -EBADMSG)
		r = 0;
	else
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the disk cannot be read");
	sw_journal_head_clear(&h);
	return r;
}

/* All disks are looked at before the first is written to. */
static int restore_all(struct sw_run *run, struct sw_undo_copy *c, const char *id,
		       struct sw_error *err)
{
	bool has[SW_PLAN_MAX_DISKS] = {};
	int r = 0;

	for (size_t k = 0; k < sw_plan_journals(run->p) && r >= 0; k++) {
		struct sw_journal_head h = {};

		has[k] = run->without >> k & 1;
		if (has[k])
			continue;
		r = has_journal(run, k, id, err);
		if (r != 0) {
			has[k] = true;
			continue;
		}
		r = sw_journal_open_at(c->io, k * SW_JOURNAL_LEN, sw_plan_journal_size(run->p, k),
				       &run->disks[k].journal, &h);
		sw_journal_head_clear(&h);
		r = r < 0 ? not_a_copy(err, c, r) : sw_table_check_predicted(run, k, err);
	}
	/* The system disk's last, as when it was first written. */
	for (size_t k = sw_plan_journals(run->p); k-- > 0 && r >= 0;)
		if (!has[k])
			r = sw_journal_import(c->io, k * SW_JOURNAL_LEN, run->disks[k].io,
					      sw_plan_journal_place(run->p, k),
					      (unsigned int)run->p->n_steps, err);
	return r < 0 ? r : 0;
}

void sw_undo_copy_look(struct sw_undo_copy *c, const struct sw_facts *f)
{
	c->info->absent = sw_journal_absent(c->info->plan, f);
	c->info->names_away = sw_journal_names_away(c->info->plan, f);
}

int sw_undo_copy_restore(struct sw_machine *m, struct sw_undo_copy *c, uint64_t without,
			 struct sw_error *err)
{
	struct sw_run run = { .m = m, .p = c->info->plan, .resumed = true, .without = without };
	const struct sw_disk *disks[SW_PLAN_MAX_DISKS] = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_journal_head h = {};
	struct sw_journal j;
	/* The tables may be anything by now; identity and exclusions must still hold. */
	int r = sw_run_open_disks(&run, c->info->steps, &f, disks, err);

	if (r == 0)
		r = sw_journal_open_at(c->io, 0, 0, &j, &h) < 0 ? not_a_copy(err, c, -EBADMSG) : 0;
	if (r == 0)
		r = restore_all(&run, c, h.id, err);
	sw_journal_head_clear(&h);
	sw_run_close_disks(&run);
	free(run.disks);
	return r;
}
