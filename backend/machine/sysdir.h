/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of sysfs: listed once, so that nobody asks for what is not there,
 * and its files opened from there. Facts of hundreds of disks are mostly this.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"

struct sw_devno {
	unsigned int major, minor;
};

struct sw_sysdir {
	int fd;
	bool is_device;		/* number: of the device that it is of */
	struct sw_devno number;
	struct sw_buf names;	/* each with its NUL, in no order; none that starts with a dot */
};

/* at: what path is relative to, or AT_FDCWD. -errno; then there is nothing to close. */
int sw_sysdir_open(int at, const char *path, struct sw_sysdir *ret_dir);
/* The same, and reads the device's number from "dev"; without one it is no device. */
int sw_sysdir_open_device(int at, const char *path, struct sw_sysdir *ret_dir);
/*
 * True when opening it failed because it is not there, or not any more. Other
 * failures (no file can be opened, no memory) must not make a disk look unused.
 */
bool sw_sysdir_is_gone(int r);
void sw_sysdir_close(struct sw_sysdir *d);
#define _cleanup_sysdir_ _cleanup_(sw_sysdir_close)
#define SW_SYSDIR_CLOSED { .fd = -EBADF }

/* The name after this one, the first for NULL; NULL after the last. */
const char *sw_sysdir_next(const struct sw_sysdir *d, const char *name);
bool sw_sysdir_has(const struct sw_sysdir *d, const char *name);

/* The cleaned first line of a file below, malloc'd; NULL when missing, unreadable or empty. */
char *sw_sysdir_line(const struct sw_sysdir *d, const char *path);
/* The number that it holds; dflt when that is no number or more than 20 digits. */
uint64_t sw_sysdir_u64(const struct sw_sysdir *d, const char *path, uint64_t dflt);
