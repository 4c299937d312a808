/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/eltorito.h"

#include <string.h>

#include "base/le.h"

#define VOLUME_AT 16U		/* sector of the primary volume descriptor: ECMA-119, 8.4 */
#define RECORD_AT 17U		/* of the boot record */
#define ENTRY 32U
#define ENTRIES (SW_CD_SECTOR / ENTRY)	/* firmware reads one sector of the catalogue, too */
#define UEFI 0xefU

enum { HEADER_FIRST = 0x01, BOOTABLE = 0x88, SECTION = 0x90, SECTION_LAST = 0x91 };

/* Its words add up to 0, and it ends with 55 AA. */
static bool is_valid_header(const uint8_t *e)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < ENTRY; i += 2)
		sum += sw_le16(e + i);
	return e[0] == HEADER_FIRST && (sum & 0xffff) == 0 && e[30] == 0x55 && e[31] == 0xaa;
}

static int read_sector(struct sw_io *io, uint32_t number, uint8_t data[static SW_CD_SECTOR])
{
	int r = sw_io_read(io, (uint64_t)number * SW_CD_SECTOR, data, SW_CD_SECTOR);

	return r == -ERANGE ? -ENOENT : r;
}

static int read_catalogue(struct sw_io *io, uint8_t catalogue[static SW_CD_SECTOR])
{
	static const char system[] = "EL TORITO SPECIFICATION";
	uint8_t record[SW_CD_SECTOR];
	int r = read_sector(io, RECORD_AT, record);

	if (r < 0)
		return r;
	if (record[0] != 0 || memcmp(record + 1, "CD001", 5) != 0 ||
	    memcmp(record + 7, system, sizeof(system)) != 0)
		return -ENOENT;
	r = read_sector(io, sw_le32(record + 0x47), catalogue);
	return r < 0 || is_valid_header(catalogue) ? r : -ENOENT;
}

/*
 * As EDK2 has it, for the node that is made of it must be the same to the byte: the number as it
 * is, although the catalogue counts in 512 bytes, and the rest of the volume for 0 and 1, which
 * stand for an image too large for 16 bits.
 */
static int size_of(struct sw_io *io, const uint8_t *e, uint32_t *ret_size)
{
	uint32_t blocks = sw_le16(e + 6), start = sw_le32(e + 8), volume;
	uint8_t sector[SW_CD_SECTOR];
	int r;

	if (blocks >= 2) {
		*ret_size = blocks;
		return 0;
	}
	r = read_sector(io, VOLUME_AT, sector);
	volume = r < 0 ? 0 : sw_le32(sector + 80);
	if (r < 0 || volume <= start)
		return r < 0 ? r : -ENOENT;
	*ret_size = volume - start;
	return 0;
}

int sw_eltorito_read(struct sw_io *io, struct sw_eltorito *ret)
{
	uint8_t catalogue[SW_CD_SECTOR];
	uint32_t bootable = 0;
	uint8_t platform;
	int r = read_catalogue(io, catalogue);

	if (r < 0)
		return r;
	platform = catalogue[1];
	for (size_t i = 1; i < ENTRIES; i++) {
		const uint8_t *e = catalogue + i * ENTRY;

		/* 0 is the first of the catalogue and none else. */
		bootable += i == 2 && !bootable;
		if (e[0] == SECTION || e[0] == SECTION_LAST)
			platform = e[1];
		if (e[0] != BOOTABLE || sw_le32(e + 8) == 0)
			continue;
		if (platform == UEFI && (e[1] & 0xf) == 0) {
			*ret = (struct sw_eltorito){ .entry = bootable, .start = sw_le32(e + 8) };
			return size_of(io, e, &ret->size);
		}
		bootable++;
	}
	return -ENOENT;
}
