/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a new table. libfdisk's are the same (tests hold every byte against them), but it
 * makes them on a file and looks through all entries for each partition, which a rack of a
 * thousand machines feels.
 * Format: UEFI specification 2.10, 5.2.3 (protective MBR) and 5.3.2 (header), 5.3.3 (entries).
 */
#include "disk/table.h"

#include <string.h>

#include "base/hash.h"
#include "base/le.h"
#include "disk/gpt.h"

#define HEADER_LEN 92U
#define FIRST_BYTES (1ULL << 20)	/* nothing begins before it, as with libfdisk */

static bool is_gap(const struct sw_new_part *p)
{
	return p->size == 0 && sw_guid_is_zero(&p->type);
}

/* What the headers say of the disk, in sectors. */
struct geometry {
	uint64_t last, entries;		/* the last sector; how many an entry array takes */
	uint64_t first_usable, last_usable;
};

/* A small disk has no MiB to spare. */
static struct geometry geometry_of(uint64_t disk_size, uint32_t sector)
{
	uint64_t total = disk_size / sector, mib = FIRST_BYTES / sector;
	struct geometry g = { .last = total - 1, .entries = SW_GPT_ENTRIES_LEN / sector };

	g.first_usable = total <= mib * 4 ? 2 + g.entries : mib;
	g.last_usable = g.last - g.entries - 1;
	return g;
}

/* Its sectors are there, and no earlier partition has them. */
static bool fits(const struct geometry *g, uint32_t sector, const struct sw_new_part *parts,
		 size_t i)
{
	const struct sw_new_part *p = &parts[i];

	if (p->start / sector < g->first_usable ||
	    p->size / sector > g->last_usable + 1 - g->first_usable ||
	    p->start / sector > g->last_usable + 1 - p->size / sector)
		return false;
	for (size_t k = 0; k < i; k++)
		if (!is_gap(&parts[k]) && p->start < parts[k].start + parts[k].size &&
		    parts[k].start < p->start + p->size)
			return false;
	return true;
}

static bool put_entry(uint8_t e[static SW_GPT_ENTRY_LEN], uint32_t sector,
		      const struct sw_new_part *p)
{
	memcpy(e, p->type.b, 16);
	memcpy(e + 16, p->uuid.b, 16);
	sw_put_le64(e + 32, p->start / sector);
	sw_put_le64(e + 40, (p->start + p->size) / sector - 1);
	sw_put_le64(e + 48, p->attrs);
	return sw_gpt_encode_name(p->label ? p->label : "", e + 56);
}

static void put_header(uint8_t *h, const struct geometry *g, bool primary,
		       const struct sw_guid *id, uint32_t entries_crc)
{
	memcpy(h, "EFI PART", 8);
	sw_put_le32(h + 8, 0x00010000);
	sw_put_le32(h + 12, HEADER_LEN);
	sw_put_le64(h + 24, primary ? 1 : g->last);
	sw_put_le64(h + 32, primary ? g->last : 1);
	sw_put_le64(h + 40, g->first_usable);
	sw_put_le64(h + 48, g->last_usable);
	memcpy(h + 56, id->b, 16);
	sw_put_le64(h + 72, primary ? 2 : g->last - g->entries);
	sw_put_le32(h + 80, SW_GPT_ENTRIES);
	sw_put_le32(h + 84, SW_GPT_ENTRY_LEN);
	sw_put_le32(h + 88, entries_crc);
	sw_put_le32(h + 16, sw_crc32(h, HEADER_LEN));
}

/* One partition over the whole disk, so that a tool that knows no GPT takes it for full. */
static void put_mbr(uint8_t *m, const struct geometry *g)
{
	static const uint8_t chs[8] = { 0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff };

	memcpy(m + 446, chs, sizeof(chs));
	sw_put_le32(m + 454, 1);
	sw_put_le32(m + 458, g->last < UINT32_MAX ? (uint32_t)g->last : UINT32_MAX);
	m[510] = 0x55;
	m[511] = 0xaa;
}

/* The pieces, empty; in the order in which they are written. */
static int make_pieces(const struct geometry *g, uint32_t sector, struct sw_table_image *t)
{
	const struct sw_table_piece want[5] = {
		{ "backup entries", (g->last - g->entries) * sector, SW_GPT_ENTRIES_LEN, NULL },
		{ "backup header", g->last * sector, sector, NULL },
		{ "primary entries", 2ULL * sector, SW_GPT_ENTRIES_LEN, NULL },
		{ "protective MBR", 0, sector, NULL },
		{ "primary header", sector, sector, NULL },
	};

	for (size_t i = 0; i < 5; i++) {
		t->piece[i] = want[i];
		t->piece[i].data = calloc(1, want[i].len);
		if (!t->piece[i].data)
			return -ENOMEM;
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

static int build(uint64_t disk_size, uint32_t sector, const struct sw_guid *disk_id,
		 const struct sw_new_part *parts, size_t n_parts, struct sw_table_image *t,
		 size_t *ret_at)
{
	struct geometry g = geometry_of(disk_size, sector);
	int r = make_pieces(&g, sector, t);
	uint8_t *entries = t->piece[0].data;
	uint32_t crc;

	for (size_t i = 0; i < n_parts && r == 0; i++) {
		if (is_gap(&parts[i]) ||
		    (fits(&g, sector, parts, i) &&
		     put_entry(entries + i * SW_GPT_ENTRY_LEN, sector, &parts[i])))
			continue;
		*ret_at = i;
		r = -EINVAL;
	}
	if (r < 0)
		return r;
	crc = sw_crc32(entries, SW_GPT_ENTRIES_LEN);
	memcpy(t->piece[2].data, entries, SW_GPT_ENTRIES_LEN);
	put_header(t->piece[1].data, &g, false, disk_id, crc);
	put_mbr(t->piece[3].data, &g);
	put_header(t->piece[4].data, &g, true, disk_id, crc);
	return digest_pieces(t);
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
