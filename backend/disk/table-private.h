/* SPDX-License-Identifier: Apache-2.0 */
/* What building and editing a table share. Private to backend/disk. */
#pragma once

#include <libfdisk/libfdisk.h>

#include "disk/table.h"

/* Adds a partition with the number index + 1 to a GPT context. */
int sw_table_add_part(struct fdisk_context *cxt, uint32_t sector, size_t index,
		      const struct sw_new_part *p);
/* libfdisk compares type GUIDs as upper-case text. Returns text. */
const char *sw_table_guid_text(const struct sw_guid *g, char text[static SW_GUID_TEXT]);
