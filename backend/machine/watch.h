/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells when disks, links and addresses come and go, so that a console can look
 * again by itself. It only says that something changed; what, the facts say.
 */
#pragma once

#include <stdbool.h>

#include "machine/machine.h"

#define SW_WATCH_FDS 2

struct sw_watch {
	int fd[SW_WATCH_FDS];	/* poll for input; negative ones are not there */
};

/* Real machines only; elsewhere, or when the kernel refuses, there is nothing to poll. */
void sw_watch_open(const struct sw_machine *m, struct sw_watch *ret_watch);
void sw_watch_close(struct sw_watch *w);

/* Reads all that is waiting; true when some of it concerns the facts. Never blocks. */
bool sw_watch_read(struct sw_watch *w);

/* True for a message of udev about a block device; for tests. */
bool sw_watch_is_block(const void *message, size_t len);
