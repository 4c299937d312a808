/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disks that the kernel has, from sys_root/block. Listed is everything that
 * a person could mean by "a disk"; what must not be touched is listed too, with
 * the reason, because a disk that is simply missing makes people look for it.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "machine/busy.h"
#include "machine/private.h"
#include "machine/shell.h"
#include "base/strv.h"
#include "base/text.h"

struct reading {
	const struct sw_machine *m;
	const struct sw_busy *busy;
	struct dirent **entries;
	struct sw_disk *disks;		/* one for each; those not wanted stay without a name */
};

static bool number_follows(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 && name[n] >= '0' && name[n] <= '9';
}

static bool is_mapped(const char *name)
{
	return number_follows(name, "dm-") || number_follows(name, "md");
}

/* Made by a shell in the state, and gone with it. Another's of that name has another kind. */
static bool of_state_shell(const struct sw_sysdir *dir)
{
	_cleanup_free_ char *name = sw_sysdir_line(dir, "dm/name");
	_cleanup_free_ char *uuid = sw_sysdir_line(dir, "dm/uuid");

	return name && uuid && strcmp(name, SW_SHELL_STATE_MAP) == 0 &&
	       strncmp(uuid, "CRYPT-LUKS2-", 12) == 0 &&
	       sw_ends_with(uuid, "-" SW_SHELL_STATE_MAP);
}

/* Memory, floppies, empty loops and the special areas of flash chips are nobody's disks. */
static bool wanted(const struct reading *x, const struct sw_sysdir *dir, const char *name)
{
	static const char *const never[] = { "ram", "zram", "fd", "mtdblock", "nullb" };

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (number_follows(name, never[i]))
			return false;
	if (number_follows(name, "sr"))
		return x->m->medium != NULL;
	if (number_follows(name, "loop"))
		return sw_busy_loop_file(x->busy, name);
	if (number_follows(name, "mmcblk") && (strstr(name, "boot") || strstr(name, "rpmb")))
		return false;
	/* One path of a multipath NVMe disk: the disk itself has an entry of its own. */
	if (sw_sysdir_u64(dir, "hidden", 0))
		return false;
	if (number_follows(name, "dm-") && of_state_shell(dir))
		return false;
	if (is_mapped(name) || number_follows(name, "nbd"))
		return sw_sysdir_u64(dir, "size", 0) > 0;
	return true;
}

static int mapped_use(const struct sw_sysdir *dir, struct sw_disk *d)
{
	_cleanup_free_ char *name = NULL;

	if (strncmp(d->name, "md", 2) == 0)
		return sw_disk_add_use(d, "it is a software RAID device, not a disk");
	name = sw_sysdir_line(dir, "dm/name");
	if (name)
		return sw_disk_add_use(d, "it is a device mapper device (%s), not a disk", name);
	return sw_disk_add_use(d, "it is a device mapper device, not a disk");
}

/* Host-managed SMR: every zone is written from front to back, so no table can be changed. */
static bool zoned(const struct sw_sysdir *dir)
{
	_cleanup_free_ char *kind = sw_sysdir_line(dir, "queue/zoned");

	return kind && strcmp(kind, "host-managed") == 0;
}

/* The disk's own uses, then those of each partition directory below it. */
static int uses(const struct sw_busy *busy, const struct sw_sysdir *dir, const char *entry,
		struct sw_disk *d)
{
	int r = 0;

	if (d->read_only)
		r = sw_disk_add_use(d, "%s is read-only", d->name);
	if (r == 0 && d->size == 0)
		r = sw_disk_add_use(d, "%s has no medium in it", d->name);
	if (r == 0 && zoned(dir))
		r = sw_disk_add_use(d, "%s is a zoned disk, which must be written in sequence",
				    d->name);
	if (r == 0 && is_mapped(d->name))
		r = mapped_use(dir, d);
	if (r == 0)
		r = sw_busy_check(busy, dir, d->name, d);
	for (const char *e = NULL; r == 0 && (e = sw_sysdir_next(dir, e));) {
		_cleanup_sysdir_ struct sw_sysdir part = SW_SYSDIR_CLOSED;

		if (strncmp(e, entry, strlen(entry)) != 0)
			continue;
		r = sw_sysdir_open_device(dir->fd, e, &part);
		if (r == 0 && sw_sysdir_has(&part, "partition"))
			r = sw_busy_check(busy, &part, e, d);
		else if (sw_sysdir_is_gone(r))
			r = 0;
	}
	return r;
}

static int by_text(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int set_names(const struct sw_machine *m, const char *entry, struct sw_disk *d)
{
	d->name = strdup(entry);
	d->node = sw_fmt("%s/%s", m->dev_root, entry);
	if (!d->name || !d->node)
		return -ENOMEM;
	/* sysfs writes the slash of "cciss/c0d0" as an exclamation mark. */
	for (char *p = d->node + strlen(m->dev_root); (p = strchr(p, '!'));)
		*p = '/';
	return 0;
}

/* What /sys/block/NAME links to: all further paths are shorter for the kernel. malloc'd. */
static char *directory_of(const struct sw_machine *m, const char *entry)
{
	_cleanup_free_ char *link = sw_fmt("%s/block/%s", m->sys_root, entry);
	char to[PATH_MAX];
	ssize_t n = link ? readlink(link, to, sizeof(to) - 1) : -1;

	if (n <= 0 || strncmp(to, "../devices/", 11) != 0)
		return TAKE_PTR(link);
	to[n] = '\0';
	return sw_fmt("%s/%s", m->sys_root, to + 3);
}

static int read_disk(const struct reading *x, const char *path, const struct sw_sysdir *dir,
		     const char *entry, struct sw_disk *d)
{
	uint64_t sectors = sw_sysdir_u64(dir, "size", 0), sector;
	int r = set_names(x->m, entry, d);

	if (r < 0)
		return r;
	/* sysfs counts in 512 bytes whatever the sector size. */
	d->size = sectors <= INT64_MAX / 512 ? sectors * 512 : 0;
	sector = sw_sysdir_u64(dir, "queue/logical_block_size", 512);
	d->sector = sector >= 512 && sector <= 1 << 20 && !(sector & (sector - 1))
		  ? (uint32_t)sector : 512;
	d->diskseq = sw_sysdir_u64(dir, "diskseq", 0);
	d->rotational = sw_sysdir_u64(dir, "queue/rotational", 0);
	d->removable = sw_sysdir_u64(dir, "removable", 0);
	d->read_only = sw_sysdir_u64(dir, "ro", 0);
	r = sw_disk_identify(x->m, path, dir, sw_busy_loop_file(x->busy, entry), d);
	if (r == 0)
		r = uses(x->busy, dir, entry, d);
	/* readdir() has no order; the same machine must give the same facts. */
	if (r == 0 && d->uses)
		qsort(d->uses, sw_strv_len(d->uses), sizeof(*d->uses), by_text);
	return r;
}

/* ---- all of them ---- */

static int read_one(size_t i, void *arg)
{
	const struct reading *x = arg;
	const char *name = x->entries[i]->d_name;
	_cleanup_free_ char *path = name[0] == '.' ? NULL : directory_of(x->m, name);
	_cleanup_sysdir_ struct sw_sysdir dir = SW_SYSDIR_CLOSED;
	int r;

	if (!path)
		return name[0] == '.' ? 0 : -ENOMEM;
	r = sw_sysdir_open_device(AT_FDCWD, path, &dir);
	/* Pulled out since the directory was listed: it is gone, not an empty drive. */
	if (r < 0)
		return sw_sysdir_is_gone(r) ? 0 : r;
	return wanted(x, &dir, name) ? read_disk(x, path, &dir, name, &x->disks[i]) : 0;
}

static int read_all(struct reading *x, size_t n, struct sw_facts *f)
{
	size_t kept = f->n_disks;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = sw_facts_add_disk(f) ? 0 : -ENOMEM;
	x->disks = f->disks + kept;
	if (r == 0)
		r = sw_parallel(n, 1, read_one, x);
	for (size_t i = kept; i < f->n_disks; i++)
		if (f->disks[i].name || r < 0)
			f->disks[kept++] = f->disks[i];
	f->n_disks = kept;
	return r;
}

int sw_disks_sysfs(struct sw_machine *m, struct sw_facts *f)
{
	_cleanup_(sw_busy_freep) struct sw_busy *busy = NULL;
	_cleanup_free_ char *top = sw_fmt("%s/block", m->sys_root);
	struct reading x = { .m = m };
	int r, n;

	if (!top)
		return -ENOMEM;
	n = scandir(top, &x.entries, NULL, NULL);
	if (n < 0)
		return sw_facts_note(f, "disks: %s cannot be read: %s", top, strerror(errno));
	r = sw_busy_read(m, &busy);
	x.busy = busy;
	if (r == 0)
		r = read_all(&x, (size_t)n, f);
	for (int i = 0; i < n; i++)
		free(x.entries[i]);
	free(x.entries);
	return r;
}

/*
 * A read-only loop device is a program's own image (the medium's /usr is one),
 * never somebody's disk; listed, it would only be in the way.
 */
void sw_disks_drop_images(struct sw_facts *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n_disks; i++) {
		struct sw_disk *d = &f->disks[i];

		if (number_follows(d->name, "loop") && d->read_only && !d->medium)
			sw_disk_clear(d);
		else
			f->disks[kept++] = *d;
	}
	f->n_disks = kept;
}
