/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new last-known-good: into the slot that is neither running nor first, read
 * back, and only then one write of BootOrder. A cut before it leaves the old
 * slot first and untouched, the half-written one unreadable and passed over.
 */
#pragma once

#include "base/event.h"
#include "boot/kept.h"
#include "boot/switch.h"

struct sw_promote {
	size_t target;		/* slot to write */
	int stays;		/* good slot that must stay, -1: there is none yet */
	uint64_t sequence;	/* for the manifest */
	struct sw_entry_plan before;	/* puts `stays` first when it is not; mostly empty */
	struct sw_entry_plan after;	/* puts the new slot first */
	struct sw_mode_state state;	/* of our variable afterwards */
	bool state_changed;
	char notes[SW_MODE_NOTES][200];
	size_t n_notes;
	struct sw_kept_zone zone;	/* where the target's overlay is kept */
	const void *overlay;	/* borrowed; NULL: none. Set by the caller */
	size_t overlay_len;
	char keep[65];		/* the image in the target now: its overlay goes last */
};

/* The image to promote. */
struct sw_promote_image {
	const char *uki;	/* path; its sha256 is m->sha256 */
	struct sw_slot_manifest *m;	/* its sequence is set by sw_promote_copy() */
	const void *overlay;	/* NULL: none */
	size_t overlay_len;
	const char *dir;	/* scratch, for the slot's file system */
};

/* Whether node data name this partition as a slot of the install; true when they name none. */
bool sw_promote_knows(json_object *data, const struct sw_guid *uuid);
/* The slot whose entry comes first in BootOrder, -1: none. */
int sw_node_first_slot(const struct sw_node *n, const struct sw_varset *s);
/* The good slot that starts by preference: not held, highest sequence; -1: none. */
int sw_node_best_slot(const struct sw_node *n);
/* Adds to b in words how another copy of the same node differs, a line each. */
int sw_node_difference(const struct sw_node *n, const struct sw_node *copy, struct sw_buf *b);

/*
 * Of the copy that s is at. sequence: 0 for the next one of the whole install.
 * Refuses when the road is unknown, when there is no slot besides the running
 * one, and when the running slot is the target of last resort. Pure but for
 * what the switch has read already.
 */
int sw_promote_plan(const struct sw_switch *s, uint64_t sequence, struct sw_promote *ret_promote,
		    struct sw_error *err);
void sw_promote_clear(struct sw_promote *p);

/* True when the good slot holds this very image with this very overlay (any when m names none). */
bool sw_slot_holds(const struct sw_node_slot *s, const struct sw_slot_manifest *m);

/*
 * Looks at the overlays of all slots: one that is lost on the disk counts as not there, so that
 * a promote of the very image with it writes both again. Only what s says is changed.
 */
int sw_promote_look_at_overlays(struct sw_switch *s, struct sw_error *err);

/*
 * Whether the new image is older than the best one here, by the IMAGE_VERSION of
 * each (compared as strverscmp() does). One that has none is older than one that
 * has: there is nothing else to hold a replayed old image against. Exit 4.
 */
int sw_promote_check_age(const struct sw_node *n, const char *version, struct sw_error *err);

/*
 * Writes: `before`, a copy of the overlay, the slot image at the partition, read
 * back and hashed against sha256, `after`, the overlay's second copy. The only
 * writes that a promote makes before our own variable; every prefix of them leaves
 * a node that starts.
 */
int sw_promote_write(struct sw_io *io, struct sw_varstore *vars, const struct sw_promote *p,
		     uint64_t offset, uint64_t size, const char *image, const char *sha256,
		     const struct sw_sink *sink, struct sw_error *err);

/* The highest number that an image in a slot of the node, or of a copy of it, has; 0: none. */
uint64_t sw_promote_highest(const struct sw_switch *s);
/*
 * The sequence that the image gets on every disk: that of the copy which holds it
 * already as the newest one of all (a promote that was cut short goes on so), else
 * 0 for the next.
 */
uint64_t sw_promote_sequence(const struct sw_switch *s, const struct sw_slot_manifest *m);

/*
 * A slot's file system for the target is built and sw_promote_write() writes it
 * to the disk of s->node.
 */
int sw_promote_copy(const struct sw_switch *s, struct sw_varstore *vars, struct sw_promote *p,
		    const struct sw_promote_image *image, const struct sw_sink *sink,
		    struct sw_error *err);
/* Takes what the plan makes into s, so that the next copy is planned from there. */
int sw_promote_take(struct sw_switch *s, const struct sw_promote *p,
		    const struct sw_slot_manifest *m, struct sw_error *err);

/*
 * Which slot `slipway rollback` puts first: the best of the others. -ENOENT when
 * there is no other good one. ret_from: the slot that is put back.
 */
int sw_rollback_choose(const struct sw_node *n, size_t *ret_from, size_t *ret_to,
		       struct sw_error *err);
