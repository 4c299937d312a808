/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that read, plan and write boot entries. */
#pragma once

#include "boot/loadopt.h"

/* True when the optional data carries a mark of EDK2 or AMI for entries that they manage. */
_Bool sw_entry_is_firmware_made(const struct sw_loadopt *o);
