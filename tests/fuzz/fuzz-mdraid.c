/* SPDX-License-Identifier: Apache-2.0 */
/* A RAID superblock that anybody may have written; its checksum is made right half the time. */
#include <string.h>

#include "disk/mdraid.h"
#include "tests/lib/crash.h"

#define SIZE (2U << 20)
#define AT 4096U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t word(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void repair(uint8_t *b)
{
	uint32_t roles = word(b + 220) % 1920;
	uint64_t sum = 0;
	size_t len = 256 + 2UL * roles, i;

	memset(b + 216, 0, 4);
	for (i = 0; i + 4 <= len; i += 4)
		sum += word(b + i);
	if (i < len)
		sum += (uint64_t)b[i] | (uint64_t)b[i + 1] << 8;
	sum = (sum & UINT32_MAX) + (sum >> 32);
	for (i = 0; i < 4; i++)
		b[216 + i] = (uint8_t)(sum >> (8 * i));
}

static void check(struct mem_io *m)
{
	struct sw_md md = {}, again = {};

	if (sw_md_read(&m->io, &md) < 0)
		return;
	if (md.number >= md.members || md.data_offset > SIZE || md.size > SIZE - md.data_offset ||
	    strnlen(md.name, sizeof(md.name)) == sizeof(md.name))
		abort();
	/* What was read can be written, and then says the same. */
	if (sw_md_write(&m->io, &md) < 0 || sw_md_read(&m->io, &again) < 0 ||
	    again.size != md.size || again.number != md.number || again.members != md.members ||
	    memcmp(again.uuid, md.uuid, sizeof(md.uuid)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t disk[SIZE];
	struct mem_io m;

	if (size > 4096)
		return 0;
	memset(disk, 0, 3 * AT);
	memcpy(disk + AT, data, size);
	mem_io_init(&m, disk, SIZE, 512);
	check(&m);
	memset(disk, 0, 3 * AT);
	memcpy(disk + AT, data, size);
	repair(disk + AT);
	check(&m);
	return 0;
}
