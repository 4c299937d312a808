/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine as the kernel shows it, in a scratch directory: sysfs, procfs and
 * device nodes that are files of 8 MiB. Every helper fails the test when it
 * cannot do its work.
 */
#pragma once

#include "machine/machine.h"

struct tree {
	struct sw_machine *m;	/* SW_MACHINE_REAL on these directories */
	char *top;
	unsigned int disks;
};

struct tree *tree_new(void);
void tree_free(struct tree **t);
#define _cleanup_tree_ _cleanup_(tree_free)

/* Writes top/name with the directories above it. */
void put_bytes(struct tree *t, const char *name, const void *data, size_t len);
void put(struct tree *t, const char *name, const char *text);
void putf(struct tree *t, const char *dir, const char *name, const char *text);
void put_link(struct tree *t, const char *name, const char *target);

/* A disk of 8 MiB whose sysfs directory is sys/devices/WHERE/NAME; returns that path (malloc'd). */
char *put_disk(struct tree *t, const char *where, const char *name, const char *dev);
/* A partition of it; dev as sysfs writes it: "8:1\n". */
void put_part(struct tree *t, const char *disk_dir, const char *name, const char *dev);

struct sw_facts *facts_of(struct tree *t);
const struct sw_disk *disk(const struct sw_facts *f, const char *name);
bool has_use(const struct sw_disk *d, const char *text);
