/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an LVM2 physical volume of 64 KiB, at the start of a disk or inside it. */
#include <stdlib.h>
#include <string.h>

#include "disk/lvm.h"

#define VOLUME 65536U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const uint8_t *disk, uint64_t off)
{
	struct sw_io *io = NULL;
	struct sw_lvm l;

	if (sw_io_new_recorder(VOLUME + off, 512, disk, NULL, SIZE_MAX, 0, &io) < 0)
		return;
	if (sw_lvm_read(io, off, VOLUME, &l) == 0 &&
	    (!l.name[0] || strlen(l.name) > SW_LVM_NAME_MAX || strlen(l.uuid) > 38 ||
	     strpbrk(l.name, " {\"\n")))
		abort();
	sw_io_close(io);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t disk[2 * VOLUME];

	if (size > VOLUME)
		return 0;
	memset(disk, 0, sizeof(disk));
	memcpy(disk, data, size);
	look(disk, 0);
	memset(disk, 0, sizeof(disk));
	memcpy(disk + VOLUME, data, size);
	look(disk, VOLUME);
	return 0;
}
