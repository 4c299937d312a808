/* SPDX-License-Identifier: Apache-2.0 */
/* The disk or file that `slipway layout` works on: may it be touched, where is its undo data. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "disk/select.h"
#include "tui/commands/layout-target.h"

static int refuse(const char *target, const char *what, const char *why, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "%s", what);
	sw_error_where(err, "%s", target);
	if (why)
		sw_error_why(err, "%s", why);
	return -EPERM;
}

/* A disk of the machine: whole, and nothing that must not be touched. */
static int check_disk(const struct sw_cli *cli, const char *target, bool block,
		      struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_free_ char *real = realpath(target, NULL);
	int r = real ? sw_cli_machine(cli, &m, err) : -errno;

	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < f->n_disks; i++) {
		_cleanup_free_ char *node = realpath(f->disks[i].node, NULL);
		const char *no;

		if (!node || strcmp(node, real) != 0)
			continue;
		no = sw_disk_excluded(&f->disks[i], 0);
		return no ? refuse(target, "this disk must not be touched", no, err) : 0;
	}
	if (!block)
		return 0;
	return refuse(target, "this is not a whole disk of this machine",
		      "a partition, or a device that slipway never writes to", err);
}

int sw_layout_cli_check(const struct sw_cli *cli, const struct sw_layout_request *q,
			struct sw_error *err)
{
	struct stat st;
	bool there = stat(q->target, &st) == 0;

	if (!there && errno != ENOENT)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot look at %s", q->target);
	if (q->empty == SW_EMPTY_CREATE)
		return there ? refuse(q->target, "the file exists already",
				      "--empty=create makes a new one", err)
			     : 0;
	if (!there) {
		sw_fail(err, SW_EXIT_FAILED, -ENOENT, "there is no such disk or file");
		sw_error_where(err, "%s", q->target);
		sw_error_hint(err, "--empty=create --size=N makes an image file");
		return -ENOENT;
	}
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return refuse(q->target, "this is neither a disk nor a file", NULL, err);
	if (S_ISBLK(st.st_mode) && q->size)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--size is for files only");
	if (S_ISBLK(st.st_mode) || cli->machine_dir)
		return check_disk(cli, q->target, S_ISBLK(st.st_mode), err);
	return 0;
}

int sw_layout_cli_settle(const struct sw_cli *cli, const char *target, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	struct sw_disk d = { .node = (char *)target };
	const char *slash = strrchr(target, '/');
	int r = sw_cli_machine(cli, &m, err);

	if (r < 0)
		return r;
	d.name = (char *)(slash ? slash + 1 : target);
	r = sw_machine_settle(m, &d);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "the kernel does not take the new table");
		sw_error_where(err, "%s", target);
		sw_error_hint(err, "it is on the disk; restart, or see `lsblk`");
	}
	return r;
}

/* ---- undo data ---- */

int sw_layout_cli_cut(struct sw_io *io, const struct sw_layout_undo_head *h, struct sw_error *err)
{
	struct stat st;
	int r;

	if (fstat(sw_io_fd(io), &st) < 0 || !S_ISREG(st.st_mode) || h->old_size >= io->size)
		return 0;
	r = ftruncate(sw_io_fd(io), (off_t)h->old_size) < 0 ? -errno : 0;
	if (r == 0)
		io->size = h->old_size;
	if (r == 0)
		return 0;
	sw_fail_errno(err, SW_EXIT_DIRTY, r, "the file cannot be cut to its old size");
	sw_error_where(err, "%s", io->path);
	return r;
}

void sw_layout_place_clear(struct sw_layout_place *p)
{
	sw_io_close(p->file);
	free(p->path);
	if (p->doc)
		json_object_put(p->doc);
	*p = (struct sw_layout_place){};
}

/* --undo, or TARGET.undo beside a file; NULL in *ret_path for a disk without --undo. */
static int undo_path(const struct sw_cli *cli, const char *target, char **ret_path,
		     struct sw_error *err)
{
	const char *given = sw_arg(&cli->args, 'u');
	struct stat st;

	*ret_path = NULL;
	if (!given && (stat(target, &st) < 0 || !S_ISREG(st.st_mode)))
		return 0;
	*ret_path = given ? strdup(given) : sw_fmt("%s.undo", target);
	return *ret_path ? 0 : sw_fail_oom(err);
}

int sw_layout_place_find(const struct sw_cli *cli, const char *target, struct sw_io *disk,
			 bool writable, struct sw_layout_place *ret_place,
			 struct sw_layout_undo_head *ret_head,
			 struct sw_error *err)
{
	_cleanup_(sw_layout_place_clear) struct sw_layout_place p = {};
	int r = undo_path(cli, target, &p.path, err);

	if (r < 0)
		return r;
	if (p.path && access(p.path, F_OK) < 0)
		return -ENOENT;
	if (p.path) {
		r = sw_io_open(p.path, writable, writable, 0, &p.file, err);
		if (r < 0)
			return r == -ENOENT ? -EIO : r;
		p.u = (struct sw_layout_undo){ .io = p.file };
	} else {
		p.u = (struct sw_layout_undo){ .io = disk, .off = sw_layout_undo_zone(disk->size) };
		if (!p.u.off)
			return -ENOENT;
	}
	r = sw_layout_undo_open(&p.u, ret_head);
	if (r == -ENOENT)
		return r;
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the undo data is damaged");
		sw_error_where(err, "%s", p.path ? p.path : target);
		sw_error_hint(err, "--no-undo goes on without it");
		return r;
	}
	*ret_place = p;
	p = (struct sw_layout_place){};
	return 0;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* A file that is not ours is never overwritten. */
static int check_file(const char *path, const char *target, struct sw_error *err)
{
	struct sw_layout_undo_head h = {};
	_cleanup_io_ struct sw_io *io = NULL;
	struct stat st;
	int r;

	if (stat(path, &st) < 0 || st.st_size == 0)
		return 0;
	r = sw_io_open(path, false, false, 0, &io, err);
	if (r < 0)
		return r;
	r = sw_layout_undo_open(&(struct sw_layout_undo){ .io = io }, &h);
	sw_layout_undo_head_clear(&h);
	if (r != -ENOENT && !same_file(path, target))
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EEXIST, "this file is not undo data");
	sw_error_where(err, "%s", path);
	sw_error_hint(err, "Name another with --undo FILE; this one is left alone");
	return -EEXIST;
}

static int refuse_without(const char *target, const char *why, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ENOSPC, "there is no place for undo data");
	sw_error_where(err, "%s", target);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "Give --undo FILE on another disk, or --no-undo: then the old table and "
			   "what new partitions cover do not come back");
	return -ENOSPC;
}

int sw_layout_place_choose(const struct sw_cli *cli, const char *target, struct sw_io *disk,
			   const struct sw_layout_result *t, struct sw_layout_place *p,
			   struct sw_error *err)
{
	const char *why = "";
	int r;

	if (sw_arg(&cli->args, 'U') || !t->changed || !disk)
		return 0;
	r = sw_layout_undo_collect(disk, t, &p->doc, &p->need, err);
	if (r == 0)
		r = undo_path(cli, target, &p->path, err);
	if (r < 0)
		return r;
	if (p->path)
		return check_file(p->path, target, err);
	p->zone = sw_layout_undo_zone_free(disk, t, p->need, &why);
	return p->zone || sw_layout_undo_nothing(p->doc) ? 0 : refuse_without(target, why, err);
}

static int make_file(struct sw_layout_place *p, struct sw_error *err)
{
	_cleanup_close_ int fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)p->need) < 0 || fsync(fd) < 0) {
		int r = -errno;

		sw_fail_errno(err, SW_EXIT_FAILED, r, "the undo data cannot be written");
		sw_error_where(err, "%s", p->path);
		sw_error_hint(err, "Nothing was changed; give --undo FILE, or --no-undo");
		return r;
	}
	return sw_io_open(p->path, true, true, 0, &p->file, err);
}

/* That the name itself outlives a power cut. */
static int sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	_cleanup_close_ int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int sw_layout_place_save(struct sw_layout_place *p, struct sw_io *disk, struct sw_error *err)
{
	int r;

	if (!p->path && !p->zone)
		return 0;
	p->u = (struct sw_layout_undo){ .io = disk, .off = sw_layout_undo_zone(disk->size) };
	if (p->path) {
		r = make_file(p, err);
		if (r < 0)
			return r;
		p->u = (struct sw_layout_undo){ .io = p->file };
	}
	r = sw_layout_undo_save(&p->u, disk, p->doc, err);
	if (r == 0 && p->path)
		r = sync_parent(p->path);
	return r;
}
