/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What UEFI firmware starts a CD by: the image that its boot catalogue names. Format: "El Torito"
 * Bootable CD-ROM Format Specification 1.0, section 2, with the platform of UEFI 2.10, 13.3.2.1.
 */
#pragma once

#include <stdint.h>

#include "base/io.h"

#define SW_CD_SECTOR 2048U	/* bytes, whatever the sectors of the drive are */

struct sw_eltorito {
	/* What the firmware's CDROM() node says (UEFI 2.10, 10.3.5.2), in sectors of the CD. */
	uint32_t entry;		/* 0: the initial entry, else the place among those to be started */
	uint32_t start, size;
};

/* The first entry for UEFI without emulation. -ENOENT: no catalogue, or none in it. */
int sw_eltorito_read(struct sw_io *io, struct sw_eltorito *ret);
