/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on a disk. libfdisk reads the table, libblkid the signatures on the
 * whole disk and inside each partition, and the raw GPT reader says what the
 * two of them overlook: a copy that is damaged, in the wrong place, or the only
 * one left.
 */
#include <fcntl.h>
#include <linux/blkzoned.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <blkid/blkid.h>
#include <libfdisk/libfdisk.h>

#include "base/file.h"
#include "base/size.h"
#include "disk/maybe.h"
#include "disk/blank.h"
#include "disk/disk.h"
#include "disk/gpt.h"
#include "disk/hostile.h"
#include "disk/lvm.h"
#include "disk/mbr.h"
#include "disk/wipemark.h"

static void context_unref(struct fdisk_context **c)
{
	if (*c)
		fdisk_unref_context(*c);
}

static void table_unref(struct fdisk_table **t)
{
	if (*t)
		fdisk_unref_table(*t);
}

static void probe_free(blkid_probe *p)
{
	if (*p)
		blkid_free_probe(*p);
}

/* ---- the descriptor that both libraries need ---- */

/* An io without one (the recorder) is copied into memory, zeros left out. */
static int copy_to_memfd(struct sw_io *io, int *ret_fd)
{
	_cleanup_close_ int fd = memfd_create("slipway-probe", MFD_CLOEXEC);
	static const size_t step = 1 << 16;
	_cleanup_free_ uint8_t *chunk = calloc(2, step);

	if (!chunk)
		return -ENOMEM;
	if (fd < 0 || ftruncate(fd, (off_t)io->size) < 0)
		return -errno;
	for (uint64_t off = 0; off < io->size; off += step) {
		size_t n = io->size - off < step ? (size_t)(io->size - off) : step;
		int r = sw_io_read(io, off, chunk, n);

		if (r < 0)
			return r;
		if (memcmp(chunk, chunk + step, n) != 0 &&
		    pwrite(fd, chunk, n, (off_t)off) != (ssize_t)n)
			return -EIO;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* A disk while it is looked at. */
struct device {
	struct sw_io io;	/* what was read at once comes from memory */
	struct sw_io *whole;
	struct sw_blank *seen;	/* the disk's own windows, or NULL */
	int fd, direct;
	bool zoned;
};

static int seen_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	const struct device *d = (const struct device *)io;

	return d->seen && sw_blank_copy(d->seen, off, data, len)
	     ? 0 : sw_io_read(d->whole, off, data, len);
}

static int seen_fd(struct sw_io *io)
{
	return ((const struct device *)io)->fd;
}

static const struct sw_io_ops seen_ops = { .read = seen_read, .fd = seen_fd };

static void device_open(struct device *d, struct sw_io *io, int fd)
{
	char self[32];
	uint32_t zone = 0;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	*d = (struct device){ .io = *io, .whole = io, .fd = fd };
	d->io.ops = &seen_ops;
	d->direct = open(self, O_RDONLY | O_DIRECT | O_CLOEXEC);
	d->zoned = ioctl(fd, BLKGETZONESZ, &zone) == 0 && zone > 0;
	d->seen = d->zoned ? NULL : sw_blank_read(d->direct, 0, io->size, SW_BLANK_DISK);
}

static void device_close(struct device *d)
{
	sw_blank_free(d->seen);
	if (d->direct >= 0)
		close(d->direct);
}

/* ---- file systems ---- */

static int value_of(blkid_probe pr, const char *name, char **ret_value)
{
	const char *v = NULL;

	if (blkid_probe_lookup_value(pr, name, &v, NULL) < 0 || !v || !*v)
		return 0;
	*ret_value = strdup(v);
	return *ret_value ? 0 : -ENOMEM;
}

/* An area, and what libblkid has to be asked for there. */
struct area {
	uint64_t off, size;
	enum sw_blank_kind kind;
	const struct sw_blank *seen;	/* what was read of it, or NULL */
	bool blank;
	bool hostile;		/* see disk/hostile; the type is not asked for then */
	size_t n_types;
	char *types[SW_MAYBE_MAX];	/* only with seen */
};

/* Where the type is in the list; n_types: nowhere. */
static size_t find_type(const struct area *a, const char *type)
{
	size_t i = 0;

	while (i < a->n_types && strcmp(a->types[i], type) != 0)
		i++;
	return i;
}

static void area_look(struct area *a, const struct device *d)
{
	size_t at;

	/* btrfs keeps its superblocks elsewhere on a zoned disk. */
	a->blank = !d->zoned && sw_blank_area(a->seen, d->fd, a->off, a->size, a->kind);
	if (a->seen && !a->blank)
		a->n_types = sw_maybe_types(a->seen, a->off, a->size, a->kind, a->types);
	at = find_type(a, SW_HOSTILE_TYPE);
	if (a->blank || (a->seen && at == a->n_types))
		return;
	a->hostile = sw_hostile_area(d->whole, a->off, a->size);
	if (a->seen && a->hostile) {
		a->types[at] = a->types[--a->n_types];
		a->types[a->n_types] = NULL;
	}
}

static bool may_hold_superblocks(const struct area *a)
{
	return !a->blank && (!a->seen || a->n_types > 0);
}

/*
 * Only those that may be there; or without those that cannot be, and those that
 * libblkid would read much for.
 */
static void filter_area(blkid_probe pr, struct area *a, int fd)
{
	char zfs[] = "zfs_member", log[] = "xfs_external_log", type[] = SW_HOSTILE_TYPE;
	char *names[SW_MAYBE_MAX + 4] = {};
	size_t n;

	if (a->seen) {
		(void)blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_ONLYIN, a->types);
		return;
	}
	n = sw_maybe_never(a->kind, names);
	if (!sw_blank_may_be_zfs(NULL, fd, a->off, a->size))
		names[n++] = zfs;
	if (!sw_blank_may_be_xfs_log(NULL, fd, a->off))
		names[n++] = log;
	if (a->hostile)
		names[n++] = type;
	names[n] = NULL;
	if (n == 0)
		(void)blkid_probe_reset_superblocks_filter(pr);
	else
		(void)blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_NOTIN, names);
}

static int set_area(blkid_probe pr, const struct device *d, struct area *a)
{
	if (blkid_probe_set_device(pr, d->fd, (blkid_loff_t)a->off, (blkid_loff_t)a->size) < 0)
		return -EIO;
	(void)blkid_probe_set_sectorsize(pr, d->io.sector);
	(void)blkid_probe_enable_partitions(pr, 0);
	(void)blkid_probe_enable_superblocks(pr, 1);
	(void)blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID |
							    BLKID_SUBLKS_TYPE | BLKID_SUBLKS_MAGIC);
	filter_area(pr, a, d->fd);
	return 0;
}

static const char *text_of(blkid_probe pr, const char *name)
{
	const char *v = NULL;

	return blkid_probe_lookup_value(pr, name, &v, NULL) == 0 && v && *v ? v : NULL;
}

/*
 * What this is a part of: a volume group, an array, a pool, a btrfs of perhaps
 * several disks. It dies or suffers when one of its parts is overwritten.
 */
static int group_of(blkid_probe pr, struct sw_io *io, uint64_t off, uint64_t size,
		    char **ret_group)
{
	static const struct {
		const char *type, *what;
	} known[] = {
		{ "linux_raid_member", "array" }, { "zfs_member", "pool" }, { "btrfs", "btrfs" },
	};
	const char *type = text_of(pr, "TYPE"), *uuid = text_of(pr, "UUID");
	const char *label = text_of(pr, "LABEL");
	struct sw_lvm lvm;

	if (type && strcmp(type, "LVM2_member") == 0 && sw_lvm_read(io, off, size, &lvm) == 0) {
		*ret_group = sw_fmt("volume group %s (%s)", lvm.name, lvm.uuid);
		return *ret_group ? 0 : -ENOMEM;
	}
	for (size_t i = 0; type && uuid && i < ARRAY_SIZE(known); i++) {
		if (strcmp(type, known[i].type) != 0)
			continue;
		*ret_group = sw_fmt("%s%s%s (%s)", known[i].what, label ? " " : "",
				    label ? label : "", uuid);
		return *ret_group ? 0 : -ENOMEM;
	}
	return 0;
}

static int probe_part(blkid_probe pr, struct device *d, struct sw_part *p)
{
	_cleanup_blank_ struct sw_blank *seen = NULL;
	struct area a = { .off = p->start, .size = p->size, .kind = SW_BLANK_PART };
	struct sw_io *io = &d->io;
	int r;

	/* libblkid takes size 0 as "the whole disk". */
	if (p->size == 0 || p->start >= io->size || p->size > io->size - p->start)
		return 0;
	if (!d->zoned)
		seen = sw_blank_read(d->direct, p->start, p->size, a.kind);
	a.seen = seen;
	area_look(&a, d);
	if (a.hostile) {
		p->fs_type = strdup(SW_HOSTILE_TYPE);
		return p->fs_type ? 0 : -ENOMEM;
	}
	if (!may_hold_superblocks(&a) || set_area(pr, d, &a) < 0)
		return 0;
	/* Two contradicting signatures: take the first rather than call it empty. */
	r = blkid_do_safeprobe(pr);
	if (r == -2) {
		blkid_reset_probe(pr);
		r = blkid_do_probe(pr);
	}
	if (r != 0)
		return 0;
	r = value_of(pr, "TYPE", &p->fs_type);
	if (r >= 0)
		r = value_of(pr, "LABEL", &p->fs_label);
	if (r >= 0)
		r = value_of(pr, "UUID", &p->fs_uuid);
	return r >= 0 ? group_of(pr, io, p->start, p->size, &p->group) : r;
}

static int add_signature(char ***list, size_t *n, char *text)
{
	char **a;

	if (!text)
		return -ENOMEM;
	a = reallocarray(*list, *n + 2, sizeof(*a));
	if (!a) {
		free(text);
		return -ENOMEM;
	}
	a[(*n)++] = text;
	a[*n] = NULL;
	*list = a;
	return 0;
}

static char *signature_text(blkid_probe pr)
{
	const char *type = NULL, *label = NULL, *off = NULL;

	(void)blkid_probe_lookup_value(pr, "TYPE", &type, NULL);
	(void)blkid_probe_lookup_value(pr, "LABEL", &label, NULL);
	(void)blkid_probe_lookup_value(pr, "SBMAGIC_OFFSET", &off, NULL);
	return sw_fmt("%s%s%s%s at 0x%llx", type ? type : "unknown", label ? " \"" : "",
		      label ? label : "", label ? "\"" : "", off ? strtoull(off, NULL, 10) : 0ULL);
}

/* Tables of other kinds (BSD, Sun, Mac ...) are something to lose as well. */
static int probe_other_table(blkid_probe pr, char ***list, size_t *n)
{
	const char *type = NULL;

	blkid_reset_probe(pr);	/* and keeps what it has read */
	(void)blkid_probe_enable_superblocks(pr, 0);
	(void)blkid_probe_enable_partitions(pr, 1);
	if (blkid_do_probe(pr) != 0 || blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL) < 0)
		return 0;
	if (!strcmp(type, "PMBR") || !strcmp(type, "gpt") || !strcmp(type, "dos"))
		return 0;
	return add_signature(list, n, sw_fmt("%s partition table", type));
}

static int probe_whole(blkid_probe pr, struct device *d, struct sw_table *t, char ***list,
		       size_t *n)
{
	struct area a = { .size = d->io.size, .kind = SW_BLANK_DISK, .seen = d->seen };
	struct sw_io *io = &d->io;
	int r = 1;

	if (io->size < 512)
		return 0;
	area_look(&a, d);
	if (a.hostile)
		r = add_signature(list, n, sw_fmt("%s with false lengths at 0x%x",
						  SW_HOSTILE_TYPE, SW_HOSTILE_OFF));
	if (r < 0)
		return r;
	if (a.blank || (t->type != SW_TABLE_NONE && !may_hold_superblocks(&a)) ||
	    set_area(pr, d, &a) < 0)
		return 0;
	while (may_hold_superblocks(&a) && (r = blkid_do_probe(pr)) == 0) {
		r = add_signature(list, n, signature_text(pr));
		if (r >= 0 && !t->group)
			r = group_of(pr, io, 0, io->size, &t->group);
		if (r < 0)
			return r;
	}
	/* What cannot be read may be anything: such a disk must never pass for a blank one. */
	if (r < 0) {
		r = add_signature(list, n, strdup("areas that cannot be read"));
		if (r < 0)
			return r;
	}
	return t->type == SW_TABLE_NONE ? probe_other_table(pr, list, n) : 0;
}

/* ---- the table ---- */

static int part_from(struct fdisk_context *cxt, struct fdisk_partition *pa, uint32_t sector,
		     struct sw_part *p)
{
	struct fdisk_parttype *type = fdisk_partition_get_type(pa);
	const char *s = type ? fdisk_parttype_get_string(type) : NULL;
	size_t no = fdisk_partition_get_partno(pa);

	p->number = (unsigned int)no + 1;
	p->start = fdisk_partition_get_start(pa) * sector;
	p->size = fdisk_partition_get_size(pa) * sector;
	if (fdisk_is_label(cxt, GPT)) {
		if (s)
			(void)sw_guid_parse(s, &p->type);
		s = fdisk_partition_get_uuid(pa);
		if (s)
			(void)sw_guid_parse(s, &p->uuid);
		(void)fdisk_gpt_get_partition_attrs(cxt, no, &p->attrs);
	}
	s = fdisk_partition_get_name(pa);
	p->label = s && *s ? strdup(s) : NULL;
	return s && *s && !p->label ? -ENOMEM : 0;
}

static int read_parts(struct fdisk_context *cxt, uint32_t sector, struct sw_table *t)
{
	_cleanup_(table_unref) struct fdisk_table *tb = NULL;
	size_t n;
	int r = fdisk_get_partitions(cxt, &tb);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	n = fdisk_table_get_nents(tb);
	t->parts = calloc(n ? n : 1, sizeof(*t->parts));
	if (!t->parts)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct fdisk_partition *pa = fdisk_table_get_partition(tb, i);

		if (!pa || !fdisk_partition_is_used(pa) || !fdisk_partition_has_start(pa) ||
		    !fdisk_partition_has_size(pa))
			continue;
		r = part_from(cxt, pa, sector, &t->parts[t->n_parts++]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_table(struct sw_io *io, int fd, struct sw_table *t)
{
	_cleanup_(context_unref) struct fdisk_context *cxt = fdisk_new_context();
	_cleanup_free_ char *id = NULL;
	char self[32];
	int r;

	if (!cxt)
		return -ENOMEM;
	(void)fdisk_disable_dialogs(cxt, 1);
	(void)fdisk_save_user_sector_size(cxt, io->sector, io->sector);
	/* By a name, or it would flush the disk's cache in the end, even when it only read. */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	r = fdisk_assign_device(cxt, self, 1);
	if (r == -ENOENT)
		r = fdisk_assign_device_by_fd(cxt, fd, io->path, 1);
	if (r < 0)
		return r == -ENOMEM ? r : 0;	/* too small for any table */
	if (fdisk_is_label(cxt, GPT))
		t->type = SW_TABLE_GPT;
	else if (fdisk_is_label(cxt, DOS))
		t->type = SW_TABLE_DOS;
	else
		r = 1;
	if (r == 0)
		r = read_parts(cxt, io->sector, t);
	if (r == 0 && t->type == SW_TABLE_GPT && fdisk_get_disklabel_id(cxt, &id) == 0 && id)
		(void)sw_guid_parse(id, &t->id);
	(void)fdisk_deassign_device(cxt, 1);
	return r < 0 ? r : 0;
}

/* ---- damage ---- */

static int add_damage(struct sw_buf *b, const char *text)
{
	return sw_buf_addf(b, "%s%s", b->len ? "; " : "", text);
}

static int describe_copy(struct sw_buf *b, const struct sw_gpt_copy *c)
{
	return sw_buf_addf(b, "%s%s GPT copy (%u-byte sectors) at byte %llu", b->len ? "; " : "",
			   c->entries_ok  ? "a whole"
			   : c->header_ok ? "a header without its entries of a"
					  : "a broken",
			   c->sector, (unsigned long long)c->off);
}

/* Both copies of a table that libfdisk could read: whole, in place and alike? */
static int judge_gpt(struct sw_io *io, const struct sw_gpt_scan *s, struct sw_buf *b)
{
	const struct sw_gpt_copy *one = NULL, *two = NULL;
	uint64_t last = io->size / io->sector - 1;
	int r = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct sw_gpt_copy *c = &s->copies[i];

		if (c->sector != io->sector || !c->entries_ok)
			continue;
		if (c->my_lba == 1)
			one = c;
		else if (!two || c->my_lba == last)
			two = c;
	}
	if (!one)
		r = add_damage(b, "the primary GPT copy is damaged; the backup is used");
	else if (one->other_lba < last)
		r = add_damage(b, "the disk has grown: the backup GPT is not at its end");
	if (r >= 0 && !two)
		r = add_damage(b, "the backup GPT copy is damaged or missing");
	if (r >= 0 && s->pmbr && s->dos)
		r = add_damage(b, "a hybrid MBR: sector 0 has DOS partitions beside the GPT");
	if (r >= 0 && one && two &&
	    (one->entries_crc != two->entries_crc || !sw_guid_equal(&one->id, &two->id)))
		r = add_damage(b, "the two GPT copies differ; the primary is used");
	return r;
}

static int compare_copies(const struct sw_gpt_copy *a, const struct sw_gpt_copy *b)
{
	int x = a->entries_ok * 2 + a->header_ok, y = b->entries_ok * 2 + b->header_ok;

	return x != y ? x - y : (a->off < b->off) - (a->off > b->off);
}

/* libfdisk reads no table, but copies are there: the best one names what could be lost. */
static int adopt_copies(struct sw_io *io, const struct sw_gpt_scan *s, struct sw_table *t,
			struct sw_buf *b)
{
	const struct sw_gpt_copy *best = &s->copies[0];
	int r = 0;

	if (!s->pmbr)
		r = add_damage(b, "the protective MBR is missing");
	for (size_t i = 0; r >= 0 && i < s->n; i++) {
		r = describe_copy(b, &s->copies[i]);
		if (compare_copies(&s->copies[i], best) > 0)
			best = &s->copies[i];
	}
	if (r < 0 || t->type == SW_TABLE_DOS)
		return r;
	t->type = SW_TABLE_DAMAGED_GPT;
	if (!best->entries_ok)
		return 0;
	t->id = best->id;
	return sw_gpt_read_parts(io, best, &t->parts, &t->n_parts);
}

/* Sector numbers in a DOS table have 32 bits. */
static int judge_dos(struct sw_io *io, struct sw_buf *b)
{
	uint64_t reach = (1ULL << 32) * io->sector;
	char size[16], all[16];

	if (io->size <= reach)
		return 0;
	return sw_buf_addf(b, "%sa DOS table reaches only %s of %s", b->len ? "; " : "",
			   sw_size_format(reach, size, sizeof(size)),
			   sw_size_format(io->size, all, sizeof(all)));
}

/* Where libfdisk looks in vain or only finds what our own reader has found already. */
enum need { NEED_FDISK, NEED_NOTHING, NEED_COPY, NEED_MBR };

/*
 * libfdisk reads every disk's signatures again, so it is asked only where it
 * knows more: DOS tables that are not plain, and GPTs with a damage. Without
 * the boot signature in sector 0 it finds neither kind.
 */
static enum need need_of(struct sw_io *io, const struct sw_gpt_scan *s)
{
	const struct sw_gpt_copy *one = &s->copies[0], *two = &s->copies[1];
	uint64_t last = io->size / io->sector - 1;

	if (!s->pmbr && !s->dos && !s->signed_mbr)
		return NEED_NOTHING;
	if (s->dos && !s->pmbr && s->n == 0)
		return NEED_MBR;
	if (s->dos || !s->pmbr || s->n != 2 || one->sector != io->sector ||
	    two->sector != io->sector || !one->entries_ok || !two->entries_ok)
		return NEED_FDISK;
	return one->my_lba == 1 && one->other_lba == last && two->my_lba == last &&
	       two->other_lba == 1 && one->last_lba < last && one->entry_len == 128 &&
	       one->entries_crc == two->entries_crc && sw_guid_equal(&one->id, &two->id)
	     ? NEED_COPY : NEED_FDISK;
}

static int find_table(struct sw_io *io, int fd, const struct sw_gpt_scan *s, struct sw_table *t)
{
	int r;

	switch (need_of(io, s)) {
	case NEED_NOTHING:
		return 0;
	case NEED_COPY:
		t->type = SW_TABLE_GPT;
		t->id = s->copies[0].id;
		return sw_gpt_read_parts(io, &s->copies[0], &t->parts, &t->n_parts);
	case NEED_MBR:
		r = sw_mbr_read_parts(io, &t->parts, &t->n_parts);
		if (r > 0)
			t->type = SW_TABLE_DOS;
		return r != 0 ? r : read_table(io, fd, t);
	default:
		return read_table(io, fd, t);
	}
}

static int find_damage(struct sw_io *io, const struct sw_gpt_scan *scan, struct sw_table *t)
{
	_cleanup_buf_ struct sw_buf b = {};
	const struct sw_gpt_scan s = *scan;
	int r = 0;

	/* A protective MBR alone reads as a DOS table; it is what is left of a GPT. */
	if (t->type == SW_TABLE_DOS && s.pmbr && !s.dos) {
		sw_table_clear(t);
		t->type = SW_TABLE_DAMAGED_GPT;
		if (s.n == 0)
			r = add_damage(&b, "a protective MBR without any GPT copy");
	}
	if (t->type == SW_TABLE_GPT)
		r = judge_gpt(io, &s, &b);
	else if (r >= 0 && s.n > 0)
		r = adopt_copies(io, &s, t, &b);
	if (r >= 0 && t->type == SW_TABLE_DOS)
		r = judge_dos(io, &b);
	if (r < 0)
		return r;
	if (b.len == 0)
		return 0;
	t->damage = sw_buf_steal(&b);
	return t->damage ? 0 : -ENOMEM;
}

/* Half-wiped is not blank: what was on it may still be there. */
static int find_mark(struct sw_io *io, char ***list, size_t *n)
{
	struct sw_wipe_mark m;

	if (sw_wipe_mark_read(io, &m) < 0)
		return 0;
	return add_signature(list, n, sw_fmt("a wipe that was interrupted (%s, %u %% done)",
					     sw_wipe_method_name(m.method),
					     sw_wipe_mark_percent(&m)));
}

static void strv_free(char **list)
{
	for (char **s = list; s && *s; s++)
		free(*s);
	free(list);
}

static int look(struct device *d, blkid_probe pr, struct sw_table *t, char ***signatures)
{
	struct sw_gpt_scan s;
	size_t n = 0;
	int r = sw_gpt_scan(&d->io, &s);

	if (r >= 0)
		r = find_table(&d->io, d->fd, &s, t);
	if (r >= 0)
		r = find_damage(&d->io, &s, t);
	for (size_t i = 0; r >= 0 && i < t->n_parts; i++)
		r = probe_part(pr, d, &t->parts[i]);
	if (r >= 0)
		r = probe_whole(pr, d, t, signatures, &n);
	if (r >= 0)
		r = find_mark(&d->io, signatures, &n);
	return r < 0 ? r : sw_gpt_digest(&d->io, t->digest);
}

static int probe_all(struct sw_io *io, struct sw_table *t, char ***signatures)
{
	_cleanup_(probe_free) blkid_probe pr = blkid_new_probe();
	_cleanup_close_ int own = -EBADF;
	int fd = sw_io_fd(io), r = 0;
	struct device d;

	if (!pr)
		return -ENOMEM;
	if (fd < 0) {
		r = copy_to_memfd(io, &own);
		fd = own;
	}
	if (r < 0)
		return r;
	device_open(&d, io, fd);
	r = look(&d, pr, t, signatures);
	device_close(&d);
	return r;
}

int sw_disk_probe(struct sw_io *io, struct sw_table *ret_table, char ***ret_signatures,
		  struct sw_error *err)
{
	struct sw_table t = {};
	char **signatures = NULL;
	int r = probe_all(io, &t, &signatures);

	if (r < 0) {
		sw_table_clear(&t);
		strv_free(signatures);
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read what is on the disk");
		sw_error_where(err, "%s", io->path);
		sw_error_hint(err, "It may be failing: see the kernel's log");
		return r;
	}
	*ret_table = t;
	*ret_signatures = signatures;
	return 0;
}
