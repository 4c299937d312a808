/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/table-edit.h"

#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "disk/gpt.h"
#include "disk/table-private.h"

#define ENDS (1ULL << 20)	/* of the disk, copied whole */
#define PIECE_MAX (4ULL << 20)	/* more than any entry array that libfdisk reads */

struct scratch {
	int fd;
	struct sw_io *io;
	struct fdisk_context *cxt;
};

static void scratch_clear(struct scratch *s)
{
	if (s->cxt) {
		(void)fdisk_deassign_device(s->cxt, 1);
		fdisk_unref_context(s->cxt);
	}
	sw_io_close(s->io);
	if (s->fd >= 0)
		close(s->fd);
}

static void partition_unref(struct fdisk_partition **p)
{
	if (*p)
		fdisk_unref_partition(*p);
}

static int copy_range(struct sw_io *io, int fd, uint64_t off, uint64_t len)
{
	_cleanup_free_ uint8_t *data = NULL;
	int r;

	if (off >= io->size || len == 0)
		return 0;
	if (len > io->size - off)
		len = io->size - off;
	data = malloc(len);
	if (!data)
		return -ENOMEM;
	r = sw_io_read(io, off, data, len);
	if (r < 0)
		return r;
	return pwrite(fd, data, len, (off_t)off) == (ssize_t)len ? 0 : -EIO;
}

/* Both ends, and whatever a header that is read there points to. */
static int copy_table(struct sw_io *io, int fd)
{
	struct sw_gpt_scan scan;
	int r = sw_gpt_scan(io, &scan);

	if (r >= 0)
		r = copy_range(io, fd, 0, ENDS);
	if (r >= 0 && io->size > ENDS)
		r = copy_range(io, fd, io->size - ENDS, ENDS);
	for (size_t i = 0; r >= 0 && i < scan.n; i++) {
		const struct sw_gpt_copy *c = &scan.copies[i];
		uint64_t len = (uint64_t)c->n_entries * c->entry_len;

		r = copy_range(io, fd, c->off, c->sector);
		if (r >= 0 && c->header_ok && len <= PIECE_MAX &&
		    c->entries_lba < io->size / c->sector)
			r = copy_range(io, fd, c->entries_lba * c->sector, len);
	}
	return r;
}

static int scratch_open(struct sw_io *io, bool with_table, struct scratch *s)
{
	_cleanup_free_ char *path = NULL;
	int r;

	s->fd = memfd_create("slipway-table", MFD_CLOEXEC);
	if (s->fd < 0 || ftruncate(s->fd, (off_t)io->size) < 0)
		return -errno;
	r = with_table ? copy_table(io, s->fd) : 0;
	path = sw_fmt("/proc/self/fd/%d", s->fd);
	if (r >= 0)
		r = path ? sw_io_open(path, false, false, io->sector, &s->io, NULL) : -ENOMEM;
	if (r < 0)
		return r;
	s->cxt = fdisk_new_context();
	if (!s->cxt)
		return -ENOMEM;
	(void)fdisk_disable_dialogs(s->cxt, 1);
	(void)fdisk_save_user_sector_size(s->cxt, io->sector, io->sector);
	r = fdisk_assign_device_by_fd(s->cxt, s->fd, io->path, 0);
	if (r >= 0 && with_table && !fdisk_is_label(s->cxt, GPT))
		r = -ENOMEDIUM;
	return r;
}

static int fail(struct sw_io *io, int r, struct sw_error *err)
{
	if (r == -ENOMEDIUM) {
		sw_fail(err, SW_EXIT_REFUSED, r, "there is no GPT that could be changed");
		sw_error_hint(err, "--empty=force makes a new one and forgets what is there");
	} else {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot work out the partition table");
	}
	sw_error_where(err, "%s", io->path);
	return r;
}

int sw_table_usable(struct sw_io *io, uint64_t *ret_start, uint64_t *ret_end,
		    unsigned int *ret_numbers, struct sw_error *err)
{
	_cleanup_(scratch_clear) struct scratch s = { .fd = -EBADF };
	int r = scratch_open(io, true, &s);

	if (r < 0)
		return fail(io, r, err);
	*ret_start = fdisk_get_first_lba(s.cxt) * io->sector;
	*ret_numbers = (unsigned int)fdisk_get_npartitions(s.cxt);
	*ret_end = (fdisk_get_last_lba(s.cxt) + 1) * io->sector;
	return 0;
}

int sw_table_scratch(struct sw_io *io, uint64_t size, uint32_t sector, struct sw_io **ret_io,
		     struct sw_error *err)
{
	_cleanup_close_ int fd = memfd_create("slipway-disk", MFD_CLOEXEC);
	_cleanup_free_ char *path = sw_fmt("/proc/self/fd/%d", fd);
	int r = fd < 0 || ftruncate(fd, (off_t)size) < 0 ? -errno : path ? 0 : -ENOMEM;

	if (r >= 0 && io)
		r = copy_table(io, fd);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "no scratch disk of %llu bytes",
				     (unsigned long long)size);
	r = sw_io_open(path, false, false, sector, ret_io, err);
	if (r >= 0 && io)
		(void)snprintf((*ret_io)->path, sizeof((*ret_io)->path), "%s", io->path);
	return r;
}

/* ---- changes ---- */

static int change_part(struct fdisk_context *cxt, uint32_t sector, const struct sw_table_change *c)
{
	_cleanup_(partition_unref) struct fdisk_partition *pa = NULL;
	char uuid[SW_GUID_TEXT];
	const char *label = c->part.label ? c->part.label : "", *name;
	size_t no = c->number - 1;
	int r = fdisk_get_partition(cxt, no, &pa);

	if (r < 0)
		return r;
	if (fdisk_partition_get_start(pa) != c->part.start / sector)
		return -EINVAL;
	name = fdisk_partition_get_name(pa);
	if (fdisk_partition_get_size(pa) != c->part.size / sector) {
		r = fdisk_partition_size_explicit(pa, 1);
		if (r >= 0)
			r = fdisk_partition_set_size(pa, c->part.size / sector);
	}
	if (r >= 0)
		r = fdisk_partition_set_uuid(pa, sw_table_guid_text(&c->part.uuid, uuid));
	if (r >= 0 && strcmp(name ? name : "", label) != 0)
		r = fdisk_partition_set_name(pa, label);
	return r < 0 ? r : fdisk_set_partition(cxt, no, pa);
}

static int make_changes(struct fdisk_context *cxt, uint32_t sector, const struct sw_guid *disk_id,
			const struct sw_table_change *c, size_t n, size_t *ret_at)
{
	char id[SW_GUID_TEXT];
	int r = 0;

	*ret_at = n;
	if (disk_id) {
		r = fdisk_create_disklabel(cxt, "gpt");
		if (r >= 0)
			r = fdisk_set_disklabel_id_from_string(cxt,
							       sw_table_guid_text(disk_id, id));
	}
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = c[i].add ? sw_table_add_part(cxt, sector, c[i].number - 1, &c[i].part)
			     : change_part(cxt, sector, &c[i]);
		if (r < 0)
			*ret_at = i;
	}
	return r < 0 ? r : fdisk_write_disklabel(cxt);
}

/* libfdisk moves or shortens what it does not like; the bytes must say what was asked. */
static int check_parts(const struct sw_part *got, size_t n_got, const struct sw_table_change *c,
		       size_t n, size_t *ret_at)
{
	for (size_t i = 0; i < n; i++) {
		const struct sw_new_part *want = &c[i].part;
		const struct sw_part *p = NULL;

		*ret_at = i;
		for (size_t k = 0; k < n_got; k++)
			if (got[k].number == c[i].number)
				p = &got[k];
		if (!p || p->start != want->start || p->size != want->size ||
		    !sw_guid_equal(&p->uuid, &want->uuid) ||
		    !sw_guid_equal(&p->type, &want->type) || p->attrs != want->attrs ||
		    strcmp(p->label ? p->label : "", want->label ? want->label : "") != 0)
			return -EINVAL;
	}
	*ret_at = n;
	return 0;
}

static int load(const struct scratch *s, const char *name, uint64_t off, uint64_t len,
		struct sw_table_piece *p)
{
	uint64_t rest = len % s->io->sector;

	len += rest ? s->io->sector - rest : 0;
	*p = (struct sw_table_piece){ .name = name, .off = off, .len = len, .data = malloc(len) };
	return p->data ? sw_io_read(s->io, off, p->data, len) : -ENOMEM;
}

static int load_pieces(const struct scratch *s, const struct sw_gpt_copy *one,
		       const struct sw_gpt_copy *two, struct sw_table_image *t)
{
	uint64_t len = (uint64_t)one->n_entries * one->entry_len;
	uint32_t sector = s->io->sector;
	int r = load(s, "backup entries", two->entries_lba * sector, len, &t->piece[0]);

	if (r >= 0)
		r = load(s, "backup header", two->off, sector, &t->piece[1]);
	if (r >= 0)
		r = load(s, "primary entries", one->entries_lba * sector, len, &t->piece[2]);
	if (r >= 0)
		r = load(s, "protective MBR", 0, sector, &t->piece[3]);
	if (r >= 0)
		r = load(s, "primary header", one->off, sector, &t->piece[4]);
	return r < 0 ? r : sw_gpt_digest(s->io, t->digest);
}

static const struct sw_gpt_copy *copy_at(const struct sw_gpt_scan *scan, uint32_t sector,
					 uint64_t lba)
{
	for (size_t i = 0; i < scan->n; i++)
		if (scan->copies[i].sector == sector && scan->copies[i].my_lba == lba &&
		    scan->copies[i].entries_ok)
			return &scan->copies[i];
	return NULL;
}

static int take_result(const struct scratch *s, const struct sw_table_change *c, size_t n,
		       struct sw_table_image *t, size_t *ret_at)
{
	const struct sw_gpt_copy *one, *two;
	struct sw_gpt_scan scan;
	struct sw_part *got = NULL;
	size_t n_got = 0;
	int r = sw_gpt_scan(s->io, &scan);

	*ret_at = n;
	if (r < 0)
		return r;
	one = copy_at(&scan, s->io->sector, 1);
	two = copy_at(&scan, s->io->sector, s->io->size / s->io->sector - 1);
	if (!one || !two || one->entries_crc != two->entries_crc)
		return -EIO;
	r = sw_gpt_read_parts(s->io, one, &got, &n_got);
	if (r >= 0)
		r = check_parts(got, n_got, c, n, ret_at);
	sw_gpt_parts_free(got, n_got);
	return r < 0 ? r : load_pieces(s, one, two, t);
}

/* libfdisk 2.38 does not see a gap of one sector, so nothing grows into it. */
static int cannot_change(struct sw_io *io, const struct sw_table_change *c, int r,
			 struct sw_error *err)
{
	bool growth = r == -ERANGE && !c->add;

	sw_fail(err, growth ? SW_EXIT_INVALID : SW_EXIT_FAILED, r,
		"partition %u cannot be put into the table", c->number);
	sw_error_where(err, "%s", io->path);
	sw_error_why(err, "%s", growth ? "libfdisk does not let it grow into the one free sector "
					 "behind it" : strerror(-r));
	if (growth)
		sw_error_hint(err, "Give its definition a SizeMaxBytes= of what it has");
	return r;
}

int sw_table_edit(struct sw_io *io, const struct sw_guid *disk_id,
		  const struct sw_table_change *changes, size_t n,
		  struct sw_table_image *ret_image, struct sw_error *err)
{
	_cleanup_(scratch_clear) struct scratch s = { .fd = -EBADF };
	struct sw_table_image t = {};
	size_t at = n;
	int r = scratch_open(io, !disk_id, &s);

	if (r >= 0)
		r = make_changes(s.cxt, io->sector, disk_id, changes, n, &at);
	if (r >= 0)
		r = take_result(&s, changes, n, &t, &at);
	if (r < 0) {
		sw_table_image_clear(&t);
		return at < n ? cannot_change(io, &changes[at], r, err) : fail(io, r, err);
	}
	*ret_image = t;
	return 0;
}
