/* SPDX-License-Identifier: Apache-2.0 */
/* The block device that is mounted: a partition, a part of an image, or what dm-crypt decrypts. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "boot/secrets.h"
#include "disk/fs-type.h"
#include "disk/luks-map.h"
#include "machine/part-device.h"
#include "machine/shell.h"
#include "rescue/inside-private.h"

int sw_inside_ask_tpm(struct sw_inside *i, struct sw_secret **ret_key, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL, *part = NULL;
	int r = sw_machine_open_disk(i->m, i->disk, false, false, &io, err);

	if (r < 0)
		return r;
	r = sw_io_window(io, i->start, i->size, &part);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the partition cannot be read")
		     : sw_secrets_part_key(i->m, part, NULL, SW_INSIDE_LABEL, ret_key, err);
}

/* ---- nobody else ---- */

static int lock(struct sw_inside *i, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/state-shell.lock", i->m->run_dir);
	int r = path ? sw_mkdir_all(i->m->run_dir, 0700) : -ENOMEM;

	if (r == 0) {
		i->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		r = i->lock < 0 || flock(i->lock, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	}
	if (r == 0)
		return 0;
	if (i->lock >= 0)
		close(TAKE_FD(i->lock));
	if (r != -EWOULDBLOCK)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the state cannot be taken");
	sw_fail(err, SW_EXIT_REFUSED, -EBUSY, "a shell is open in the state already");
	sw_error_hint(err, "leave it, on the console where it is, and try again");
	return -EBUSY;
}

int sw_inside_check_free(const char *device, struct sw_error *err)
{
	_cleanup_close_ int fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	if (errno != EBUSY)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "%s cannot be opened", device);
	sw_fail(err, SW_EXIT_REFUSED, -EBUSY, "the state is in use");
	sw_error_where(err, "%s", device);
	sw_error_hint(err, "it is open on this system already; `mount` says where");
	return -EBUSY;
}

/* ---- the device ---- */

static int stale(const char *device, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_FAILED, -ESTALE, "the partition cannot be opened");
	sw_error_where(err, "%s", device);
	sw_error_why(err, "the kernel knows the disk by another table than is on it");
	sw_error_hint(err, "restart, and look again");
	return -ESTALE;
}

/* The partition's own device, where there is one and it may be written. */
static int take_partition(struct sw_inside *i, char **ret_device, struct sw_error *err)
{
	int r = sw_part_device(i->m, i->disk, i->part->number, i->part->start, ret_device);

	if (r == -ESTALE)
		return stale(*ret_device, err);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the partition cannot be found")
		     : sw_inside_check_free(*ret_device, err);
}

/*
 * What is only read lies behind a device that takes no write: ext4 tidies up what was deleted while
 * it was open, on a device that it could write to, also when it is mounted read-only.
 */
static int take_device(struct sw_inside *i, struct sw_error *err)
{
	const bool real = i->m->kind == SW_MACHINE_REAL;
	_cleanup_free_ char *device = NULL;
	uint64_t start = i->start;
	int r = real ? take_partition(i, &device, err) : 0;

	if (r < 0)
		return r;
	if (real && i->write && !i->mirror) {
		i->device = TAKE_PTR(device);
		return 0;
	}
	if (real)
		start -= i->part->start;
	r = sw_loop_open(real ? device : i->disk->node, start, i->size, i->disk->sector,
			 !i->write, NULL, &i->loop);
	if (r == 0)
		i->device = strdup(i->loop.node);
	if (r == 0 && !i->device)
		r = -ENOMEM;
	return r < 0 ? sw_fail_errno(err, SW_EXIT_MISSING, r, "no loop device can be had") : 0;
}

static int decrypt(struct sw_inside *i, const struct sw_secret *key, struct sw_error *err)
{
	int r = sw_luks_map(i->device, SW_SHELL_STATE_MAP, key, !i->write, &i->map, err);
	struct stat st;

	if (r < 0)
		return r;
	if (fstat(i->map, &st) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "the mapping is gone");
	/* libdevmapper takes its own name away when it is told of the removal. */
	free(i->device);
	i->device = sw_fmt("/dev/dm-%u", minor(st.st_rdev));
	return i->device ? 0 : sw_fail_oom(err);
}

/* What is known of it only now. */
static int look_again(struct sw_inside *i, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	int r = sw_io_open(i->device, false, false, 0, &io, err);

	if (r < 0)
		return r;
	if (sw_fs_type(sw_io_fd(io), 0, io->size, i->fs, sizeof(i->fs)) < 0)
		return sw_fail(err, SW_EXIT_MISSING, -EMEDIUMTYPE,
			       "the encrypted state holds no file system that is known");
	i->condition = sw_inside_condition(io, i->fs);
	return sw_inside_judge(i, err);
}

int sw_inside_unlock(struct sw_inside *i, const struct sw_secret *key, struct sw_error *err)
{
	int r = i->lock < 0 ? lock(i, err) : 0;

	if (r == 0 && !i->device)
		r = take_device(i, err);
	if (r == 0 && i->encrypted)
		r = key ? decrypt(i, key, err)
			: sw_fail(err, SW_EXIT_USAGE, -ENOKEY, "the state is encrypted");
	if (r == 0 && i->encrypted)
		r = look_again(i, err);
	return r;
}
