/* SPDX-License-Identifier: Apache-2.0 */
/* One image in the making: for the files that make file systems. Private to backend/layout. */
#pragma once

#include "layout/content.h"

#define SW_MKFS_TIMEOUT_S 3600U
#define SW_LABEL_EXT4 16U	/* bytes that each file system has for its label */
#define SW_LABEL_FAT 11U
#define SW_LABEL_SWAP 15U
#define SW_LABEL_XFS 12U
#define SW_LABEL_BTRFS 255U

struct sw_maker {
	const struct sw_placement *p;
	const char *work;
	char *image, *tree;		/* the tree is NULL when nothing is to be put in */
	char uuid[SW_GUID_TEXT];	/* of the file system */
	char label[SW_LABEL_BYTES];
	uint32_t sector;
	int64_t when;			/* for the times in it; 0: now */
	struct sw_error *err;
};

/* At most n bytes of the partition's label, whole characters only. */
void sw_maker_cut_label(struct sw_maker *m, size_t n);
/* What of the tree or of a source cannot be had; why NULL: the text of r. Returns r. */
int sw_maker_refuse(struct sw_maker *m, int r, const char *path, const char *why);

/* The bytes of the image file that must reach the disk even as zeros are written out. -errno. */
int sw_maker_write_out(struct sw_maker *m, uint64_t from, uint64_t len);

int sw_maker_xfs(struct sw_maker *m);
int sw_maker_vfat(struct sw_maker *m);
