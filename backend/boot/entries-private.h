/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that read, plan and write boot entries. */
#pragma once

#include "boot/entries.h"
#include "boot/loadopt.h"

/* True when the optional data carries a mark of EDK2 or AMI for entries that they manage. */
_Bool sw_entry_is_firmware_made(const struct sw_loadopt *o);

enum sw_entry_match { SW_ENTRY_FOREIGN, SW_ENTRY_OTHER_CONTENT, SW_ENTRY_RIGHT };
/* Whether a stored option leads to the wanted partition and file, and says just what it must. */
enum sw_entry_match sw_entry_match(const uint8_t *data, size_t len,
				   const struct sw_entry_wanted *w);
/* Adds the option as it is stored for w; errors are those of sw_loadopt_build(). */
int sw_entry_build(const struct sw_entry_wanted *w, struct sw_buf *b);
