/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/mbr.h"

#include <endian.h>
#include <string.h>

#define ENTRIES 4U
#define TABLE_AT 446U

struct entry {
	uint8_t boot, chs_first[3], type, chs_last[3];
	uint32_t start, len;		/* sectors, little endian */
} __attribute__((packed));

static bool ordinary_type(uint8_t type)
{
	/* Empty, the three extended ones, protective. */
	return type != 0 && type != 0x05 && type != 0x0f && type != 0x85 && type != 0xee;
}

static bool overlaps(const struct sw_part *a, const struct sw_part *b)
{
	return a->start < b->start + b->size && b->start < a->start + a->size;
}

/* 1: parts has one more; 0: the entry is empty; -EINVAL: it is not plain. */
static int read_entry(const struct sw_io *io, const struct entry *e, struct sw_part *parts,
		      size_t n)
{
	static const struct entry none;
	uint64_t start = le32toh(e->start), len = le32toh(e->len);
	struct sw_part p = { .start = start * io->sector, .size = len * io->sector };

	if (memcmp(e, &none, sizeof(none)) == 0)
		return 0;
	if ((e->boot & 0x7f) || !ordinary_type(e->type) || start == 0 || len == 0 ||
	    start + len > io->size / io->sector)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (overlaps(&p, &parts[i]))
			return -EINVAL;
	parts[n] = p;
	return 1;
}

int sw_mbr_read_parts(struct sw_io *io, struct sw_part **ret_parts, size_t *ret_n)
{
	_cleanup_free_ struct sw_part *parts = calloc(ENTRIES, sizeof(*parts));
	struct entry entries[ENTRIES];
	uint8_t b[512];
	size_t n = 0;
	int r = parts ? sw_io_read(io, 0, b, sizeof(b)) : -ENOMEM;

	if (r < 0)
		return r == -ERANGE ? 0 : r;
	if (b[510] != 0x55 || b[511] != 0xaa)
		return 0;
	memcpy(entries, b + TABLE_AT, sizeof(entries));
	for (unsigned int i = 0; i < ENTRIES; i++) {
		r = read_entry(io, &entries[i], parts, n);
		if (r < 0)
			return 0;
		if (r > 0)
			parts[n++].number = i + 1;
	}
	if (n == 0)
		return 0;
	*ret_parts = TAKE_PTR(parts);
	*ret_n = n;
	return 1;
}
