/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPT copies as raw bytes. libfdisk and libblkid look for a table in two places
 * and give up when the protective MBR is gone or the disk was resized, so "no
 * table" from them does not mean empty. This reader looks wherever a copy can
 * be, checks it, and reads its entries. For backend/disk and backend/rescue.
 * Format: UEFI specification 2.10, chapter 5.3 (little endian throughout).
 */
#pragma once

#include "base/io.h"
#include "machine/facts.h"

#define SW_GPT_ENTRIES 128U
#define SW_GPT_ENTRY_LEN 128U
#define SW_GPT_ENTRIES_LEN (SW_GPT_ENTRIES * SW_GPT_ENTRY_LEN)	/* bytes */

struct sw_gpt_copy {
	uint64_t off;			/* of the header, bytes */
	uint32_t sector;		/* the sector size that fits it */
	bool header_ok, entries_ok;	/* the checksum of each holds and it can be read */
	uint64_t my_lba, other_lba, entries_lba, first_lba, last_lba;
	uint32_t n_entries, entry_len;
	uint32_t entries_crc;
	struct sw_guid id;
};

#define SW_GPT_COPIES_MAX 8U

struct sw_gpt_scan {
	struct sw_gpt_copy copies[SW_GPT_COPIES_MAX];
	size_t n;
	bool signed_mbr;	/* sector 0 has the signature */
	bool pmbr;	/* sector 0 has the signature and a 0xEE entry */
	bool pmbr_odd;	/* none of them begins at sector 1 and is not marked active */
	uint32_t pmbr_len;	/* … of the first that does, sectors; UINT32_MAX: to the end */
	bool dos;	/* sector 0 has the signature and an entry of another type */
};

/*
 * Finds every "EFI PART" at LBA 1, at the last LBA, and at the LBA that the
 * protective MBR and the copies already found name; for 512 and 4096.
 */
int sw_gpt_scan(struct sw_io *io, struct sw_gpt_scan *ret_scan);

/*
 * The used entries of a copy whose entries_ok is set, as far as they begin
 * inside the disk; free with sw_gpt_parts_free().
 */
int sw_gpt_read_parts(struct sw_io *io, const struct sw_gpt_copy *c, struct sw_part **ret_parts,
		      size_t *ret_n);

/*
 * The digest that table.digest holds: sha256 over the first 2 sectors + 16384
 * bytes and the last 16384 bytes + 1 sector (of the size rounded down to whole
 * sectors). It is defined on raw bytes, so it holds for any table or none; a
 * disk smaller than that is hashed whole.
 */
int sw_gpt_digest(struct sw_io *io, char ret_hex[static 65]);

#define SW_GPT_NAME_LEN 72U	/* bytes of a name in an entry */
/* UTF-8 to UTF-16LE, filled up with zeros; false when it does not fit or is no UTF-8. */
bool sw_gpt_encode_name(const char *label, uint8_t out[static SW_GPT_NAME_LEN]);

/* Frees what n parts own and the array. */
void sw_gpt_parts_free(struct sw_part *parts, size_t n);
