/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes a `layout apply` back: the bytes that it will overwrite, saved and
 * flushed before its first write, and how far it came. They lie in a file of
 * their own, or in the reserved zone near the end of the disk when neither the
 * old table nor the new one has a partition there. Content that goes into new
 * partitions overwrites too much to be saved; what that means is said in words.
 *
 * Format, from `off` on: a header of 4096 bytes (magic, version, length and
 * SHA-256 of the document), two state blocks of 4096 bytes of which the whole
 * one with the higher count holds, the document as JSON, and at 1 MiB the data.
 */
#pragma once

#include <json-c/json.h>

#include "base/event.h"
#include "layout/target.h"

struct sw_layout_undo {
	struct sw_io *io;	/* of the file, or of the disk itself; borrowed */
	uint64_t off;		/* where it begins in it */
};

enum sw_layout_undo_state {
	SW_LAYOUT_UNDO_RUNNING = 1,	/* an apply was started */
	SW_LAYOUT_UNDO_DONE,		/* and came to its end */
	SW_LAYOUT_UNDO_UNDOING,
	SW_LAYOUT_UNDO_UNDONE,
};

struct sw_layout_undo_head {
	enum sw_layout_undo_state state;
	int64_t time;			/* of the state */
	json_object *doc;		/* owned */
	uint64_t old_size, new_size;	/* bytes, of the disk or file */
	uint32_t sector;
};

/* "the reserved zone": in the same place as the journal of an install. */
#define SW_LAYOUT_UNDO_ROOM (4ULL << 20)
/* Where it is on a disk of this size; 0: the disk is too small. */
uint64_t sw_layout_undo_zone(uint64_t size);
/*
 * Whether it is free before and after, holds no journal of an install, and has
 * room for `need` bytes; why not in *ret_why (static).
 */
bool sw_layout_undo_zone_free(struct sw_io *disk, const struct sw_layout_result *t, uint64_t need,
			      const char **ret_why);

/*
 * Reads what carrying out t will overwrite. *ret_doc: the document, with words
 * for what comes back and what does not; *ret_need: bytes that saving takes.
 */
int sw_layout_undo_collect(struct sw_io *disk, const struct sw_layout_result *t,
			   json_object **ret_doc, uint64_t *ret_need, struct sw_error *err);
/* True when there was nothing: no table, and zeros in all places that will be written. */
bool sw_layout_undo_nothing(json_object *doc);

/* Saves it, the state RUNNING; flushed and read back when it returns 0. */
int sw_layout_undo_save(const struct sw_layout_undo *u, struct sw_io *disk, json_object *doc,
			struct sw_error *err);
/* -ENOENT: there is none; -EBADMSG: it is damaged. */
int sw_layout_undo_open(const struct sw_layout_undo *u, struct sw_layout_undo_head *ret_head);
void sw_layout_undo_head_clear(struct sw_layout_undo_head *h);
int sw_layout_undo_mark(const struct sw_layout_undo *u, enum sw_layout_undo_state state);

/* Whether the table in force is the one that the apply made; then it only lacks its last record. */
bool sw_layout_undo_is_new(struct sw_io *disk, const struct sw_layout_undo_head *h);
/*
 * Refuses (exit 4, -ESTALE) a disk whose table is neither the old one, nor the
 * new one, nor one of the states between them.
 */
int sw_layout_undo_check(struct sw_io *disk, const struct sw_layout_undo_head *h,
			 struct sw_error *err);
/*
 * Puts everything back, the first two sectors last, and marks it UNDONE. May be
 * interrupted and repeated. A file still has to be cut to old_size.
 */
int sw_layout_undo_run(const struct sw_layout_undo *u, struct sw_io *disk,
		       const struct sw_layout_undo_head *h, const struct sw_sink *sink,
		       struct sw_error *err);
