/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw GPT reader on any bytes. Byte 0 chooses: bit 0 the sector size, bit 1
 * an odd disk size, bit 2 that the checksums are made right first, so that the
 * code behind them is reached. The rest fills the disk from the front, and its
 * last sector's worth the end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "disk/gpt.h"

#define DISK 65536U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *p, int n)
{
	uint64_t v = 0;

	for (int i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void fix_checksums(uint8_t *disk, size_t at, uint32_t sector)
{
	uint8_t *h = disk + at;
	uint64_t off = get(h + 72, 8), len = get(h + 80, 4) * get(h + 84, 4);

	if (off < DISK / sector && len <= DISK - off * sector)
		put32(h + 88, sw_crc32(disk + off * sector, (size_t)len));
	put32(h + 12, 92);
	put32(h + 16, 0);
	put32(h + 16, sw_crc32(h, 92));
}

static void check_parts(struct sw_io *io, const struct sw_gpt_copy *c)
{
	struct sw_part *parts = NULL;
	size_t n = 0;

	if (!c->entries_ok || sw_gpt_read_parts(io, c, &parts, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (parts[i].start >= io->size || !parts[i].label ||
		    strlen(parts[i].label) > 108 || parts[i].number > c->n_entries)
			abort();
	sw_gpt_parts_free(parts, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t disk[DISK];
	uint32_t sector = size && data[0] & 1 ? 4096 : 512;
	uint64_t len = size && data[0] & 2 ? DISK - 777 : DISK;
	struct sw_io *io = NULL;
	struct sw_gpt_scan s;
	char hex[65];

	if (size < 2)
		return 0;
	memset(disk, 0, sizeof(disk));
	memcpy(disk, data + 1, size - 1 < DISK ? size - 1 : DISK);
	if (size > 1 + 1024)
		memcpy(disk + DISK - 512, data + size - 512, 512);
	if (data[0] & 4)
		fix_checksums(disk, sector, sector);
	if (sw_io_new_recorder(len, sector, disk, NULL, SIZE_MAX, 0, &io) < 0)
		return 0;
	if (sw_gpt_scan(io, &s) == 0)
		for (size_t i = 0; i < s.n; i++)
			check_parts(io, &s.copies[i]);
	if (sw_gpt_digest(io, hex) < 0)
		abort();
	sw_io_close(io);
	return 0;
}
