/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking inside the disks. Each look waits for its disk many times, so several
 * disks are looked at side by side: a shelf of hundreds takes seconds, not
 * minutes. The threads share nothing but the list; each owns the disk it took.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <blkid/blkid.h>
#include <libfdisk/libfdisk.h>

#include "base/parallel.h"
#include "disk/disk.h"
#include "machine/private.h"

/*
 * A last question to the kernel, for what leaves no trace in mounts, swap or
 * holders (second disks of btrfs, ZFS members, iSCSI targets): an exclusive open
 * fails while anybody has claimed the disk or a partition of it.
 */
static int check_claimed(struct sw_disk *d, int of_disk)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (d->uses || fstat(of_disk, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	fd = open(d->node, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == EBUSY)
		return sw_disk_add_use(d, "%s is in use by the kernel", d->name);
	return 0;
}

static bool holds_medium(struct sw_io *io, const struct sw_disk *d, const char *uuid)
{
	int fd = sw_io_fd(io);

	if (sw_iso_matches(fd, 0, d->size, uuid))
		return true;
	for (size_t i = 0; i < d->table.n_parts; i++) {
		const struct sw_part *p = &d->table.parts[i];

		if (p->fs_type && strcmp(p->fs_type, "iso9660") == 0 &&
		    sw_iso_matches(fd, p->start, p->size, uuid))
			return true;
	}
	return false;
}

static bool mapped(const struct sw_disk *d)
{
	return strncmp(d->name, "dm-", 3) == 0 || strncmp(d->name, "md", 2) == 0;
}

/* Words for the first failure; the disk stays listed. */
static int unreadable(struct sw_disk *d, int r)
{
	return r == -ENOMEM ? r : sw_disk_add_use(d, "%s cannot be read: %s", d->name,
						  strerror(-r));
}

static int inspect(struct sw_machine *m, struct sw_disk *d)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_table table = {};
	char **signatures = NULL;
	int r;

	/* Mapped devices are no targets, and reading a suspended one never ends. */
	if (d->size == 0 || mapped(d))
		return 0;
	r = sw_io_open(d->node, false, false, d->sector, &io, NULL);
	if (r < 0)
		return unreadable(d, r);
	if (m->kind == SW_MACHINE_STANDIN)
		d->size = io->size;
	r = sw_disk_probe(io, &table, &signatures, NULL);
	if (r < 0)
		return unreadable(d, r);
	d->table = table;
	d->signatures = signatures;
	if (m->kind == SW_MACHINE_REAL && m->medium)
		d->medium = holds_medium(io, d, m->medium);
	return check_claimed(d, sw_io_fd(io));
}

/* ---- side by side ---- */

struct work {
	struct sw_machine *m;
	struct sw_disk *disks;
	bool (*want)(const struct sw_disk *d, void *arg);
	void *arg;
};

static int inspect_one(size_t i, void *arg)
{
	const struct work *w = arg;

	return !w->want || w->want(&w->disks[i], w->arg) ? inspect(w->m, &w->disks[i]) : 0;
}

int sw_disks_inspect(struct sw_machine *m, struct sw_disk *disks, size_t n,
		     bool (*want)(const struct sw_disk *d, void *arg), void *arg)
{
	struct work w = { .m = m, .disks = disks, .want = want, .arg = arg };

	/* Both read their debugging variable at the first call, which must not be two at once. */
	blkid_init_debug(0);
	fdisk_init_debug(0);
	return sw_parallel(n, 2, inspect_one, &w);
}
