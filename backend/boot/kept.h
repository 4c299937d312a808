/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cold start of a slot's image cannot fetch while the servers are away,
 * kept beside the node data: one overlay a slot, in two copies. A copy has a
 * magic, a sequence, the SHA-256 of its content and the SHA-256 of the UKI that
 * it belongs to, and is never given out for another UKI. The content is opaque.
 *
 * Each half of the node data's partition holds a copy of the node data in its
 * first 4 KiB + SW_NODEDATA_MAX bytes; behind it the rest of the half is divided
 * evenly between the slots.
 */
#pragma once

#include "base/io.h"

struct sw_kept_zone {
	uint64_t offset, size;	/* of the partition of the node data, bytes */
	unsigned int slot, n_slots;
};

enum sw_kept_seal { SW_KEPT_PLAIN };	/* how the content is sealed; others are refused */

struct sw_kept {
	uint8_t *data;
	size_t len;
	char sha256[65];	/* of the content */
	char uki[65];		/* SHA-256 of the UKI that it belongs to */
	uint64_t sequence;
};

#define SW_KEPT_HEADER 4096u	/* bytes of a copy before its content */

/* One of the two copies, where it lies and whether it is what was looked for. */
struct sw_kept_copy {
	bool good;
	uint64_t at;	/* of its header, bytes from the start of io */
	uint64_t len;	/* header and content, in whole sectors of 4 KiB; 0 when not good */
};

/* The largest content that fits, in bytes; 0 when the partition has no room for any. */
uint64_t sw_kept_max(const struct sw_kept_zone *z);

/* The newest whole copy that belongs to this UKI. -ENOENT when there is none. */
int sw_kept_read(struct sw_io *io, const struct sw_kept_zone *z, const char *uki,
		    struct sw_kept *ret_overlay, struct sw_error *err);

/* Which copies are the overlay with this hash (NULL: any) of this UKI; -ENOENT without room. */
int sw_kept_look(struct sw_io *io, const struct sw_kept_zone *z, const char *uki,
		 const char *sha256, struct sw_kept_copy ret_copies[static 2]);

/*
 * Writes one copy, over that which the image in the slot (keep: its SHA-256, or
 * NULL) can do without, and reads it back. So the old image keeps its overlay
 * until the slot is written; sw_kept_mirror() then makes the second copy.
 * -EFBIG: it does not fit, with the room there is.
 */
int sw_kept_write(struct sw_io *io, const struct sw_kept_zone *z, const void *data,
		     size_t len, const char *uki, const char *keep, struct sw_error *err);
int sw_kept_mirror(struct sw_io *io, const struct sw_kept_zone *z, const char *uki,
		      struct sw_error *err);
void sw_kept_clear(struct sw_kept *o);
#define _cleanup_kept_ _cleanup_(sw_kept_clear)
