/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of the volume group that an LVM2 physical volume belongs to, which
 * libblkid does not tell. Read only, bounded, no locking: just the text that
 * LVM keeps at the start of the volume. Private to backend/disk.
 * Format: lib/format_text/layout.h and lib/label/label.h of LVM2 (little endian).
 */
#pragma once

#include "base/io.h"

#define SW_LVM_NAME_MAX 127U

struct sw_lvm {
	char name[SW_LVM_NAME_MAX + 1];	/* of the volume group; "" for a volume in no group */
	char uuid[39];			/* of the volume group, as LVM writes it; may be "" */
};

/*
 * Looks at the physical volume in size bytes from off. -ENODATA when there is
 * none or when its metadata is elsewhere or damaged; read errors as they come.
 */
int sw_lvm_read(struct sw_io *io, uint64_t off, uint64_t size, struct sw_lvm *ret_lvm);
