/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a disk: what the kernel says, by device number, and what is stacked on it. */
#pragma once

#include "machine/private.h"

/* In the order in which they are told. */
enum sw_busy_kind {
	SW_BUSY_HERE,		/* "mounted at /mnt", "used as swap" */
	SW_BUSY_ELSEWHERE,	/* mounted in another namespace only */
	SW_BUSY_HOLDER,		/* what: the kernel name of a loop device on it */
};

struct sw_busy_item {
	unsigned int major, minor;
	enum sw_busy_kind kind;
	size_t order;		/* keeps the kernel's order among equal numbers */
	char *what;
};

/* A loop device that is bound, and to what. */
struct sw_busy_loop {
	char *name, *file;
	bool on_device;			/* file is the device of this number */
	unsigned int major, minor;
};

struct sw_busy {
	struct sw_busy_item *items;	/* sorted by number, kind, order */
	size_t n;
	struct sw_busy_loop *loops;	/* sorted by name */
	size_t n_loops;
	const char *sys_root;	/* borrowed */
};

/* The index of the first item of this device; *ret_n is how many it has. */
size_t sw_busy_find(const struct sw_busy *b, unsigned int major, unsigned int minor,
		    size_t *ret_n);

/* The file or device behind a loop device, NULL when it is none or not bound. */
const char *sw_busy_loop_file(const struct sw_busy *b, const char *name);

/* The device number that the sysfs directory of a block device tells. -ENODEV: none. */
int sw_busy_number(const char *dir, unsigned int *ret_major, unsigned int *ret_minor);
