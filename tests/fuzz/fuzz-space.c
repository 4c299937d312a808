/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full a hostile file system says it is. The first byte chooses the kind; then come sectors
 * (number in three bytes, then 512 bytes) of a partition that is zero elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "rescue/private.h"

#define PART (1ULL << 30)
#define RECORD 515

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct patched {
	struct sw_io io;
	const uint8_t *data;
	size_t n;
	uint64_t budget;	/* bytes: a FAT may be long, and slow to count */
};

static int patched_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct patched *p = (struct patched *)io;

	if (len > p->budget || off > io->size || len > io->size - off)
		return -EIO;
	p->budget -= len;
	memset(data, 0, len);
	for (size_t i = 0; i < p->n; i++) {
		const uint8_t *r = p->data + i * RECORD;
		uint64_t at = ((uint64_t)r[0] | (uint64_t)r[1] << 8 | (uint64_t)r[2] << 16) * 512;
		uint64_t from = at > off ? at : off;
		uint64_t to = at + 512 < off + len ? at + 512 : off + len;

		if (from < to)
			memcpy((uint8_t *)data + (from - off), r + 3 + (from - at), to - from);
	}
	return 0;
}

static const struct sw_io_ops patched_ops = { .read = patched_read };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "vfat", "xfs", "btrfs" };
	struct patched p = { .io = { .ops = &patched_ops, .size = PART, .sector = 512 },
			     .data = data + 1, .budget = 16 << 20 };
	struct sw_fs_space s;

	if (size == 0)
		return 0;
	p.n = (size - 1) / RECORD < 16 ? (size - 1) / RECORD : 16;
	if (sw_fs_space(&p.io, 0, types[data[0] % ARRAY_SIZE(types)], &s) == 0 &&
	    s.free > s.size)
		abort();
	return 0;
}
