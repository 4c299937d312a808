/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted, as the kernel writes it: see "mountinfo" in proc(5). Private to machine/. */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

struct sw_mount {
	unsigned int major, minor;	/* 0: anonymous (btrfs, overlay, tmpfs ...) */
	char *at;		/* mount point */
	char *type;		/* "ext4" */
	char *source;		/* "/dev/sda1", or any word */
	char *options;		/* of the superblock: "rw,lowerdir=..." */
};

struct sw_mounts {
	struct sw_mount *list;	/* in the kernel's order: a later one covers an earlier one */
	size_t n;
};

/* Lines that are not understood are left out; -errno when the file cannot be read. */
int sw_mounts_read(const char *file, struct sw_mounts *ret_mounts);
void sw_mounts_clear(struct sw_mounts *t);
#define _cleanup_mounts_ _cleanup_(sw_mounts_clear)

/* The mount that a path lies in; NULL when none has it. Borrowed. */
const struct sw_mount *sw_mounts_of(const struct sw_mounts *t, const char *path);

/* The kernel writes blanks and backslashes in its lists as \ooo. In place; returns s. */
char *sw_mounts_unescape(char *s);
