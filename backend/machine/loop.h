/* SPDX-License-Identifier: Apache-2.0 */
/* A part of a disk or of an image as a block device of its own, see loop(4). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sw_loop {
	int fd;		/* the device is there as long as this, or whoever uses it, is open */
	char *node;	/* "/dev/loop7" */
};

/*
 * size bytes from off on of the disk or image at path; sector: of the device, bytes. What is opened
 * read-only cannot be written through it, by the kernel's file systems either. mark: a name that
 * the device keeps, by which it is found again, or NULL. -errno; -ENOENT where the kernel has no
 * loop devices.
 */
int sw_loop_open(const char *path, uint64_t off, uint64_t size, uint32_t sector, bool read_only,
		 const char *mark, struct sw_loop *ret_loop);
void sw_loop_close(struct sw_loop *l);
