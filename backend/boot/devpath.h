/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UEFI device paths: a bounded walk over nodes, their text, and the few nodes
 * that we build. Formats: UEFI specification 2.10, section 10. Nothing is ever
 * rewritten: a path that came from firmware is kept byte for byte.
 */
#pragma once

#include "base/buf.h"
#include "base/guid.h"
#include "base/le.h"

#define SW_DP_HARDWARE 1
#define SW_DP_ACPI 2
#define SW_DP_MESSAGING 3
#define SW_DP_MEDIA 4
#define SW_DP_BBS 5
#define SW_DP_END 0x7f

#define SW_DP_MEDIA_HD 1
#define SW_DP_MEDIA_CDROM 2
#define SW_DP_MEDIA_FILE 4
#define SW_DP_MEDIA_FV_FILE 6
#define SW_DP_MSG_MAC 0x0b
#define SW_DP_MSG_URI 0x18

struct sw_devpath_node {
	uint8_t type, subtype;
	const uint8_t *data;	/* after the four bytes of header; borrowed */
	size_t len;
};

/*
 * The node at *offset, which moves past it: 1; 0 at the end-entire node (moved
 * past, too); -EINVAL when a length does not fit or the end node is missing.
 * The end of one instance (7f/01) is an ordinary node.
 */
int sw_devpath_next(const uint8_t *p, size_t len, size_t *offset,
		    struct sw_devpath_node *ret_node);

/* 0 when every node fits and the first path ends properly; an option may list further ones. */
int sw_devpath_check(const uint8_t *p, size_t len);

/* "HD(1,GPT,guid,0x800,0x100000)/File(\EFI\BOOT\BOOTX64.EFI)"; malloc'd. -EINVAL, -ENOMEM. */
int sw_devpath_text(const uint8_t *p, size_t len, char **ret_text);

/* A GPT partition as an HD() node names it. */
struct sw_devpath_hd {
	uint32_t number;
	uint64_t start, size;	/* logical sectors */
	struct sw_guid guid;
};

/* The first GPT HD() node and the file path after it (UTF-8, malloc'd). -ENOENT without both. */
int sw_devpath_find_file(const uint8_t *p, size_t len, struct sw_devpath_hd *ret_hd,
			 char **ret_path);

/* True when some node has this type and subtype. */
_Bool sw_devpath_has(const uint8_t *p, size_t len, uint8_t type, uint8_t subtype);

/* Building: nodes, then the end. -E2BIG when a node passes 64 KiB. */
int sw_devpath_add(struct sw_buf *b, uint8_t type, uint8_t subtype, const void *data, size_t len);
int sw_devpath_add_hd(struct sw_buf *b, const struct sw_devpath_hd *hd);
int sw_devpath_add_file(struct sw_buf *b, const char *path);	/* backslashes; UTF-8 */
int sw_devpath_add_end(struct sw_buf *b);
