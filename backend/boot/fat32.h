/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded, read-only FAT32 reader over an io range (Microsoft's FAT32 file
 * system specification 1.03). Only 8.3 names: a slot has no others. Every chain
 * is followed for at most as many clusters as there are.
 */
#pragma once

#include "base/io.h"

struct sw_fat {
	struct sw_io *io;
	uint64_t base;		/* where the file system begins in io */
	uint32_t sector, cluster;	/* bytes */
	uint32_t reserved;	/* bytes before the first FAT */
	uint64_t data;		/* bytes before cluster 2, from base */
	uint64_t total;		/* bytes */
	uint32_t n_clusters;	/* numbers 2 to n_clusters + 1 are valid */
	uint32_t root;
	uint32_t backup;	/* sector of the backup boot sector, 0: none */
	uint32_t info;		/* sector of FSInfo, 0: none */
	uint8_t *window;	/* a piece of the FAT */
	uint32_t window_at;	/* first cluster of the piece */
};

struct sw_fat_file {
	uint32_t first;		/* 0: empty */
	uint32_t size;
	bool directory;
};

/* -EINVAL when it is no FAT32, or does not fit into size bytes. */
int sw_fat_open(struct sw_io *io, uint64_t base, uint64_t size, struct sw_fat *ret_fat);
void sw_fat_close(struct sw_fat *f);
#define _cleanup_fat_ _cleanup_(sw_fat_close)

/* The FAT entry of a cluster (28 bits). -ERANGE for a number that is none. */
int sw_fat_entry(struct sw_fat *f, uint32_t cluster, uint32_t *ret_value);

/* Looks up "\DIR\NAME.EXT" (either case). -ENOENT, -ENOTDIR, -EIO for a broken chain. */
int sw_fat_find(struct sw_fat *f, const char *path, struct sw_fat_file *ret_file);

/* Feeds the file's content to fn in pieces; -EIO when the chain is shorter than the size. */
int sw_fat_read(struct sw_fat *f, const struct sw_fat_file *file,
		int (*fn)(const void *data, size_t len, void *userdata), void *userdata);

/* Bytes in free clusters. */
int sw_fat_free_bytes(struct sw_fat *f, uint64_t *ret_bytes);
