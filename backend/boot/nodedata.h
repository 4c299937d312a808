/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Node data: a small JSON document (host name, admission, boot mode, answers'
 * digest ...) kept in two copies on its own partition. Each copy has a magic,
 * a sequence and a SHA-256; the valid one with the higher sequence counts; a
 * write goes to the other copy, so a power cut leaves the old one.
 */
#pragma once

#include "base/buf.h"
#include "base/io.h"

#define SW_NODEDATA_MAX (1u << 20)	/* bytes of JSON */

/* -ENOENT when neither copy is valid. */
int sw_nodedata_read(struct sw_io *io, uint64_t offset, uint64_t size, json_object **ret_data,
		     uint64_t *ret_sequence, struct sw_error *err);

/* Both copies as they are: header and document, where they begin and how long they are. */
struct sw_nodedata_copies {
	bool valid[2];
	uint64_t at[2];		/* bytes on the disk */
	size_t len[2];		/* 0 for one that is not valid */
};
int sw_nodedata_look(struct sw_io *io, uint64_t offset, uint64_t size,
		     struct sw_nodedata_copies *ret_copies);

/*
 * Writes into the older or invalid copy with the next sequence, flushes, reads
 * back. fresh: whatever was there is forgotten first, and both copies are written.
 */
int sw_nodedata_write(struct sw_io *io, uint64_t offset, uint64_t size, json_object *data,
		      bool fresh, struct sw_error *err);

/*
 * The bytes that a write of this document would put in place of the older or invalid copy, and
 * where on io. Nothing is written. Cut off anywhere, the other copy is whole.
 */
int sw_nodedata_next(struct sw_io *io, uint64_t offset, uint64_t size, json_object *data,
		     struct sw_buf *ret_copy, uint64_t *ret_at, struct sw_error *err);

/* What the node data say of the admission of this kind ("attest"), or NULL; borrowed. */
json_object *sw_nodedata_admission(json_object *data, const char *kind);
