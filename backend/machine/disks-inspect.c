/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking inside the disks. Each look waits for its disk many times, so several
 * disks are looked at side by side: a shelf of hundreds takes seconds, not
 * minutes. The threads share nothing but the list; each owns the disk it took.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include <blkid/blkid.h>
#include <libfdisk/libfdisk.h>

#include "disk/disk.h"
#include "machine/private.h"

#define THREADS_MAX 16U

/*
 * A last question to the kernel, for what leaves no trace in mounts, swap or
 * holders (second disks of btrfs, ZFS members, iSCSI targets): an exclusive open
 * fails while anybody has claimed the disk or a partition of it.
 */
static int check_claimed(struct sw_disk *d)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (d->uses || stat(d->node, &st) < 0 || !S_ISBLK(st.st_mode))
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
	return check_claimed(d);
}

/* ---- side by side ---- */

struct work {
	struct sw_machine *m;
	struct sw_disk *disks;
	size_t n;
	bool (*want)(const struct sw_disk *d, void *arg);
	void *arg;
	atomic_size_t next;
	atomic_int result;	/* the first failure */
};

static void *worker(void *arg)
{
	struct work *w = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&w->next, 1);
		int r, none = 0;

		if (i >= w->n || atomic_load(&w->result) < 0)
			return NULL;
		if (w->want && !w->want(&w->disks[i], w->arg))
			continue;
		r = inspect(w->m, &w->disks[i]);
		if (r < 0)
			(void)atomic_compare_exchange_strong(&w->result, &none, r);
	}
}

int sw_disks_inspect(struct sw_machine *m, struct sw_disk *disks, size_t n,
		     bool (*want)(const struct sw_disk *d, void *arg), void *arg)
{
	struct work w = { .m = m, .disks = disks, .n = n, .want = want, .arg = arg };
	pthread_t threads[THREADS_MAX];
	size_t started = 0;

	/* Both read their debugging variable at the first call, which must not be two at once. */
	blkid_init_debug(0);
	fdisk_init_debug(0);
	while (started < THREADS_MAX && started + 1 < n &&
	       pthread_create(&threads[started], NULL, worker, &w) == 0)
		started++;
	/* This thread works as well, alone when no other could be started. */
	(void)worker(&w);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	return atomic_load(&w.result);
}
