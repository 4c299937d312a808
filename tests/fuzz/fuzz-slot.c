/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FAT32 reader on a hostile slot. A FAT32 has at least 32 MiB, so the input
 * is a list of sectors (number in three bytes, then 512 bytes) of a disk that is
 * zero elsewhere.
 */
#include <string.h>

#include "boot/slot.h"

#define DISK (40ull << 20)
#define RECORD 515

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct patched {
	struct sw_io io;
	const uint8_t *data;
	size_t n;
	uint64_t budget;	/* bytes: a chain over the whole disk is fine, but slow */
};

static int patched_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct patched *p = (struct patched *)io;

	if (len > p->budget)
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
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	struct patched p = { .io = { .ops = &patched_ops, .size = DISK, .sector = 512 },
			     .data = data, .n = size / RECORD < 64 ? size / RECORD : 64,
			     .budget = 64 << 20 };
	bool ok;

	(void)sw_slot_read(&p.io, 0, DISK, &m, &ok, NULL);
	return 0;
}
