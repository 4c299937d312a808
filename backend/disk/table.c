/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/table.h"

#include <ctype.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/hash.h"
#include "disk/gpt.h"
#include "disk/table-private.h"

static void context_unref(struct fdisk_context **c)
{
	if (*c)
		fdisk_unref_context(*c);
}

static void partition_unref(struct fdisk_partition **p)
{
	if (*p)
		fdisk_unref_partition(*p);
}

const char *sw_table_guid_text(const struct sw_guid *g, char text[static SW_GUID_TEXT])
{
	(void)sw_guid_format(g, text);
	for (char *p = text; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return text;
}

static int set_type(struct fdisk_context *cxt, struct fdisk_partition *pa,
		    const struct sw_guid *guid)
{
	char text[SW_GUID_TEXT];
	struct fdisk_parttype *t = fdisk_label_parse_parttype(fdisk_get_label(cxt, "gpt"),
							      sw_table_guid_text(guid, text));
	int r = t ? fdisk_partition_set_type(pa, t) : -EINVAL;

	fdisk_unref_parttype(t);	/* a no-op for libfdisk's own static types */
	return r;
}

int sw_table_add_part(struct fdisk_context *cxt, uint32_t sector, size_t index,
		      const struct sw_new_part *p)
{
	_cleanup_(partition_unref) struct fdisk_partition *pa = fdisk_new_partition();
	char uuid[SW_GUID_TEXT];
	size_t no = index;
	int r;

	if (!pa)
		return -ENOMEM;
	r = set_type(cxt, pa, &p->type);
	if (r >= 0)
		r = fdisk_partition_set_partno(pa, index);
	if (r >= 0)
		r = fdisk_partition_set_start(pa, p->start / sector);
	if (r >= 0)
		r = fdisk_partition_set_size(pa, p->size / sector);
	if (r >= 0)
		r = fdisk_partition_size_explicit(pa, 1);
	if (r >= 0)
		r = fdisk_partition_set_uuid(pa, sw_table_guid_text(&p->uuid, uuid));
	if (r >= 0)
		r = fdisk_partition_set_name(pa, p->label ? p->label : "");
	if (r >= 0)
		r = fdisk_add_partition(cxt, pa, &no);
	return r < 0 ? r : fdisk_gpt_set_partition_attrs(cxt, index, p->attrs);
}

static bool is_gap(const struct sw_new_part *p)
{
	return p->size == 0 && sw_guid_is_zero(&p->type);
}

static int write_scratch(int fd, uint32_t sector, const struct sw_guid *disk_id,
			 const struct sw_new_part *parts, size_t n_parts, size_t *ret_at)
{
	_cleanup_(context_unref) struct fdisk_context *cxt = fdisk_new_context();
	char id[SW_GUID_TEXT];
	int r;

	*ret_at = n_parts;
	if (!cxt)
		return -ENOMEM;
	(void)fdisk_disable_dialogs(cxt, 1);
	(void)fdisk_save_user_sector_size(cxt, sector, sector);
	r = fdisk_assign_device_by_fd(cxt, fd, "scratch", 0);
	if (r >= 0)
		r = fdisk_create_disklabel(cxt, "gpt");
	if (r >= 0)
		r = fdisk_set_disklabel_id_from_string(cxt, sw_table_guid_text(disk_id, id));
	for (size_t i = 0; r >= 0 && i < n_parts; i++) {
		if (is_gap(&parts[i]))
			continue;
		r = sw_table_add_part(cxt, sector, i, &parts[i]);
		if (r < 0)
			*ret_at = i;
	}
	if (r >= 0)
		r = fdisk_write_disklabel(cxt);
	(void)fdisk_deassign_device(cxt, 1);
	return r;
}

static int load_pieces(int fd, uint64_t disk_size, uint32_t sector, struct sw_table_image *t)
{
	uint64_t end = disk_size - disk_size % sector;
	const struct sw_table_piece want[5] = {
		{ "backup entries", end - sector - SW_GPT_ENTRIES_LEN, SW_GPT_ENTRIES_LEN, NULL },
		{ "backup header", end - sector, sector, NULL },
		{ "primary entries", 2ULL * sector, SW_GPT_ENTRIES_LEN, NULL },
		{ "protective MBR", 0, sector, NULL },
		{ "primary header", sector, sector, NULL },
	};

	for (size_t i = 0; i < 5; i++) {
		struct sw_table_piece *p = &t->piece[i];

		*p = want[i];
		p->data = malloc(p->len);
		if (!p->data)
			return -ENOMEM;
		if (pread(fd, p->data, p->len, (off_t)p->off) != (ssize_t)p->len)
			return -EIO;
	}
	return 0;
}

/* The same ranges in the same order as sw_gpt_digest(): the pieces cover them without a gap. */
static int digest_pieces(struct sw_table_image *t)
{
	static const uint8_t order[5] = { 3, 4, 2, 0, 1 };
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	int r = h ? 0 : -ENOMEM;

	for (size_t i = 0; r >= 0 && i < 5; i++)
		r = sw_hash_update(h, t->piece[order[i]].data, t->piece[order[i]].len);
	return r < 0 ? r : sw_hash_final(h, t->digest);
}

static bool same_part(const struct sw_part *a, size_t number, const struct sw_new_part *b)
{
	return a->number == number && a->start == b->start && a->size == b->size &&
	       sw_guid_equal(&a->type, &b->type) && sw_guid_equal(&a->uuid, &b->uuid) &&
	       a->attrs == b->attrs && !strcmp(a->label ? a->label : "", b->label ? b->label : "");
}

/* libfdisk moves or shortens what it does not like; the bytes must say what was asked. */
static int check_scratch(int fd, uint64_t disk_size, uint32_t sector,
			 const struct sw_new_part *parts, size_t n_parts, size_t *ret_at)
{
	_cleanup_free_ char *path = sw_fmt("/proc/self/fd/%d", fd);
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_gpt_scan scan;
	struct sw_part *got = NULL;
	size_t n = 0;
	int r = path ? sw_io_open(path, false, false, sector, &io, NULL) : -ENOMEM;

	*ret_at = n_parts;
	if (r >= 0)
		r = sw_gpt_scan(io, &scan);
	if (r < 0)
		return r;
	if (scan.n != 2 || !scan.copies[0].entries_ok || !scan.copies[1].entries_ok ||
	    scan.copies[1].my_lba != disk_size / sector - 1 ||
	    scan.copies[0].n_entries * scan.copies[0].entry_len != SW_GPT_ENTRIES_LEN)
		return -EIO;
	r = sw_gpt_read_parts(io, &scan.copies[0], &got, &n);
	for (size_t i = 0, k = 0; r >= 0 && i < n_parts; i++) {
		if (is_gap(&parts[i]))
			continue;
		if (k >= n || !same_part(&got[k++], i + 1, &parts[i])) {
			*ret_at = i;
			r = -EINVAL;
		}
	}
	sw_gpt_parts_free(got, n);
	return r;
}

static int build(uint64_t disk_size, uint32_t sector, const struct sw_guid *disk_id,
		 const struct sw_new_part *parts, size_t n_parts, struct sw_table_image *t,
		 size_t *ret_at)
{
	_cleanup_close_ int fd = memfd_create("slipway-table", MFD_CLOEXEC);
	int r;

	*ret_at = n_parts;
	if (fd < 0 || ftruncate(fd, (off_t)disk_size) < 0)
		return -errno;
	r = write_scratch(fd, sector, disk_id, parts, n_parts, ret_at);
	if (r >= 0)
		r = check_scratch(fd, disk_size, sector, parts, n_parts, ret_at);
	if (r >= 0)
		r = load_pieces(fd, disk_size, sector, t);
	return r < 0 ? r : digest_pieces(t);
}

static int check_request(uint64_t disk_size, uint32_t sector, const struct sw_new_part *parts,
			 size_t n_parts)
{
	if ((sector != 512 && sector != 4096) || n_parts > SW_GPT_ENTRIES ||
	    disk_size < (2U << 20) || disk_size > (uint64_t)INT64_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n_parts; i++)
		if (!is_gap(&parts[i]) &&
		    (parts[i].start % sector || parts[i].size % sector || !parts[i].size ||
		    sw_guid_is_zero(&parts[i].type) || sw_guid_is_zero(&parts[i].uuid)))
			return -EINVAL;
	return 0;
}

int sw_table_build(uint64_t disk_size, uint32_t sector, const struct sw_guid *disk_id,
		   const struct sw_new_part *parts, size_t n_parts,
		   struct sw_table_image *ret_image, struct sw_error *err)
{
	struct sw_table_image t = {};
	size_t at = n_parts;
	int r = check_request(disk_size, sector, parts, n_parts);

	if (r >= 0)
		r = build(disk_size, sector, disk_id, parts, n_parts, &t, &at);
	if (r < 0) {
		sw_table_image_clear(&t);
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot build the partition table");
		if (at < n_parts)
			sw_error_where(err, "partition %zu (%s)", at + 1,
				       parts[at].label ? parts[at].label : "no label");
		return r;
	}
	*ret_image = t;
	return 0;
}

void sw_table_image_clear(struct sw_table_image *t)
{
	for (size_t i = 0; i < 5; i++)
		free(t->piece[i].data);
	*t = (struct sw_table_image){};
}

static int read_back(struct sw_io *io, const struct sw_table_piece *p)
{
	_cleanup_free_ uint8_t *got = malloc(p->len);
	int r;

	if (!got)
		return -ENOMEM;
	r = sw_io_read(io, p->off, got, p->len);
	if (r < 0)
		return r;
	return memcmp(got, p->data, p->len) == 0 ? 0 : -EBADMSG;
}

int sw_table_commit(struct sw_io *io, const struct sw_table_image *t, struct sw_error *err)
{
	for (size_t i = 0; i < 5; i++) {
		const struct sw_table_piece *p = &t->piece[i];
		int r = sw_io_write(io, p->off, p->data, p->len);

		if (r >= 0)
			r = sw_io_flush(io);
		if (r < 0) {
			sw_fail_errno(err, SW_EXIT_DIRTY, r, "cannot write the %s", p->name);
			sw_error_where(err, "%s", io->path);
			return r;
		}
	}
	for (size_t i = 0; i < 5; i++) {
		int r = i == 0 ? sw_io_drop(io) : 0;

		if (r >= 0)
			r = read_back(io, &t->piece[i]);
		if (r < 0) {
			sw_fail(err, SW_EXIT_VERIFY, r, "the %s does not read back as written",
				t->piece[i].name);
			sw_error_where(err, "%s", io->path);
			sw_error_why(err, "%s", r == -EBADMSG ? "the disk returns other bytes"
							       : strerror(-r));
			sw_error_hint(err, "The disk or its cable may be failing: try another one");
			return r;
		}
	}
	return 0;
}
