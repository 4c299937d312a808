/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FAT32 reader on a hostile slot. A FAT32 has at least 32 MiB, so the input
 * is a list of sectors (number in three bytes, then 512 bytes) of a disk that is
 * zero elsewhere.
 */
#include "boot/slot.h"
#include "tests/fuzz/patched.h"

#define DISK (40ull << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	struct patched p = patched_new(data, size, 64, DISK, 64 << 20);
	bool ok;

	(void)sw_slot_read(&p.io, 0, DISK, &m, &ok, NULL);
	return 0;
}
