/* SPDX-License-Identifier: Apache-2.0 */
/* Ios that stand on others: a part of a disk, and one content on several disks. */
#pragma once

#include "base/io.h"

/* len bytes of `under` from off on; `under` is borrowed and must live longer. -ERANGE. */
int sw_io_new_window(struct sw_io *under, uint64_t off, uint64_t len, struct sw_io **ret_io);

/*
 * Every write goes to all of n ios, every read is from all and compared: -EBADMSG when
 * they differ. As large as the smallest. The ios are taken over and closed with it, in
 * every case.
 */
int sw_io_new_copies(struct sw_io **ios, size_t n, struct sw_io **ret_io);
