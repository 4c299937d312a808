/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iPXE as the way to the network: a binary that the operator provides, on a small
 * FAT partition of its own, with a script beside it that it reads by itself
 * (autoexec.ipxe, https://ipxe.org; iPXE has looked for it since 2021). Each step
 * of the script has a timeout, since iPXE holds off the firmware's own watchdog,
 * and it ends in `exit 1`: firmware takes 0 for "started well" and stops there.
 */
#pragma once

#include "base/io.h"
#include "base/json.h"

#define SW_IPXE_LABEL "slipway-ipxe"	/* of the partition */
#define SW_IPXE_PATH "\\EFI\\IPXE\\IPXE.EFI"

/*
 * The script that boots uri, by the card with this MAC address ("52:54:00:12:34:56",
 * NULL or "": any). malloc'd; NULL when out of memory.
 */
char *sw_ipxe_script(const char *uri, const char *mac);

/*
 * Refuses what cannot work: no EFI program for this machine, one that is no iPXE or
 * too old to read a script beside it (exit 3), or one without a signature where the
 * firmware asks for one (exit 4). where: for errors.
 */
int sw_ipxe_check(const char *path, bool secure_boot, const char *where, struct sw_error *err);

/*
 * The FAT32 file system of exactly `size` bytes with both, as a sparse file at out.
 * Reproducible, as sw_slot_build().
 */
int sw_ipxe_build(const char *binary, const char *script, int64_t time, uint64_t size,
		  uint32_t sector, uint32_t volume_id, const char *out, struct sw_error *err);

/* Notes in node data what an install puts there: "ipxe", the SHA-256 of binary and script. */
int sw_ipxe_to_node_data(json_object *node_data, const char *binary, const char *script);
/*
 * Whether a partition holds binary and script as the node data have noted them. 0,
 * -ENODATA when nothing was noted (of an older install: only the file system was
 * looked at), -EBADMSG with what is wrong in ret_why, -ENOMEM.
 */
int sw_ipxe_verify(struct sw_io *io, uint64_t offset, uint64_t size, json_object *node_data,
		   char ret_why[static 200]);
