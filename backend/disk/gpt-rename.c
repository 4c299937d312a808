/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/gpt-rename.h"

#include <string.h>

#include "base/hash.h"
#include "base/le.h"
#include "disk/gpt.h"

#define HEADER_LEN 512U		/* what is read of a header: it is shorter */

static int refuse(struct sw_io *io, struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_REFUSED, -EINVAL, "the partitions cannot be renamed");
	sw_error_where(err, "%s", io->path);
	sw_error_why(err, "%s", why);
	return -EINVAL;
}

struct both {
	struct sw_gpt_copy one, two;	/* primary, backup */
	uint8_t *entries;
	size_t len;
};

static int find_both(struct sw_io *io, struct both *b, struct sw_error *err)
{
	uint64_t last = io->size / io->sector - 1;
	struct sw_gpt_scan s;
	int r = sw_gpt_scan(io, &s);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read %s", io->path);
	for (size_t i = 0; i < s.n; i++) {
		if (s.copies[i].sector != io->sector || !s.copies[i].header_ok)
			continue;
		if (s.copies[i].my_lba == 1)
			b->one = s.copies[i];
		else if (s.copies[i].my_lba == last)
			b->two = s.copies[i];
	}
	if (!b->one.header_ok || !b->two.header_ok || b->one.entry_len != 128 ||
	    b->two.entry_len != 128 || b->one.n_entries != b->two.n_entries ||
	    (!b->one.entries_ok && !b->two.entries_ok))
		return refuse(io, err, "its partition table is not whole");
	return 0;
}

/* A cut may have left one copy with entries that do not fit its header: the other one counts. */
static int load(struct sw_io *io, struct both *b, struct sw_error *err)
{
	const struct sw_gpt_copy *from = b->one.entries_ok ? &b->one : &b->two;
	int r;

	b->len = (size_t)from->n_entries * from->entry_len;
	b->entries = malloc(b->len);
	if (!b->entries)
		return sw_fail_oom(err);
	r = sw_io_read(io, from->entries_lba * io->sector, b->entries, b->len);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read %s", io->path) : 0;
}

static int change(struct sw_io *io, struct both *b, const struct sw_gpt_name *names, size_t n,
		  struct sw_error *err)
{
	static const uint8_t none[16];

	for (size_t i = 0; i < n; i++) {
		uint8_t *e = b->entries + (size_t)(names[i].number - 1) * 128;

		if (names[i].number == 0 || names[i].number > b->one.n_entries ||
		    memcmp(e, none, sizeof(none)) == 0)
			return refuse(io, err, "a partition to be renamed is not there");
		memcpy(e + 16, names[i].uuid.b, 16);
		if (!sw_gpt_encode_name(names[i].label, e + 56))
			return refuse(io, err, "a new name is too long");
	}
	return 0;
}

/* Entries first: until the header with their checksum stands, the other copy is the whole one. */
static int write_copy(struct sw_io *io, const struct both *b, const struct sw_gpt_copy *c)
{
	uint8_t h[HEADER_LEN];
	uint32_t len;
	int r = sw_io_read(io, c->off, h, sizeof(h));

	if (r < 0)
		return r;
	len = sw_le32(h + 12);
	if (len < 92 || len > sizeof(h))
		return -EBADMSG;
	sw_put_le32(h + 88, sw_crc32(b->entries, b->len));
	sw_put_le32(h + 16, 0);
	sw_put_le32(h + 16, sw_crc32(h, len));
	r = sw_io_write(io, c->entries_lba * io->sector, b->entries, b->len);
	if (r == 0)
		r = sw_io_flush(io);
	if (r == 0)
		r = sw_io_write(io, c->off, h, sizeof(h));
	return r == 0 ? sw_io_flush(io) : r;
}

static int read_back(struct sw_io *io, const struct both *b)
{
	uint32_t crc = sw_crc32(b->entries, b->len);
	struct both now = {};
	int r = sw_io_drop(io);

	if (r == 0)
		r = find_both(io, &now, NULL);
	if (r < 0)
		return r;
	return now.one.entries_ok && now.two.entries_ok && now.one.entries_crc == crc &&
	       now.two.entries_crc == crc ? 0 : -EBADMSG;
}

int sw_gpt_rename(struct sw_io *io, const struct sw_gpt_name *names, size_t n,
		  struct sw_error *err)
{
	struct both b = {};
	int r = find_both(io, &b, err);

	if (r == 0)
		r = load(io, &b, err);
	if (r == 0)
		r = change(io, &b, names, n, err);
	if (r < 0) {
		free(b.entries);
		return r;
	}
	r = write_copy(io, &b, &b.two);
	if (r == 0)
		r = write_copy(io, &b, &b.one);
	if (r == 0)
		r = read_back(io, &b);
	free(b.entries);
	if (r < 0) {
		sw_fail_errno(err, r == -EBADMSG ? SW_EXIT_VERIFY : SW_EXIT_DIRTY, r,
			      "the names cannot be written");
		sw_error_where(err, "%s", io->path);
	}
	return r;
}
