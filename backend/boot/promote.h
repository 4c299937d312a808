/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new last-known-good: into the slot that is neither running nor first, read
 * back, and only then one write of BootOrder. A cut before it leaves the old
 * slot first and untouched, the half-written one unreadable and passed over.
 */
#pragma once

#include "base/event.h"
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
};

/* The slot whose entry comes first in BootOrder, -1: none. */
int sw_node_first_slot(const struct sw_node *n, const struct sw_varset *s);
/* The good slot that starts by preference: not held, highest sequence; -1: none. */
int sw_node_best_slot(const struct sw_node *n);

/*
 * Refuses when the road is unknown, when there is no slot besides the running
 * one, and when the running slot is the target of last resort. Pure but for
 * what the switch has read already.
 */
int sw_promote_plan(const struct sw_switch *s, struct sw_promote *ret_promote,
		    struct sw_error *err);
void sw_promote_clear(struct sw_promote *p);

/*
 * Writes: `before`, the slot image at the partition, read back and hashed
 * against sha256, `after`. The only writes that a promote makes before our own
 * variable; every prefix of them leaves a node that starts.
 */
int sw_promote_write(struct sw_io *io, struct sw_varstore *vars, const struct sw_promote *p,
		     uint64_t offset, uint64_t size, const char *image, const char *sha256,
		     const struct sw_sink *sink, struct sw_error *err);

/*
 * Which slot `slipway rollback` puts first: the best of the others. -ENOENT when
 * there is no other good one. ret_from: the slot that is put back.
 */
int sw_rollback_choose(const struct sw_node *n, size_t *ret_from, size_t *ret_to,
		       struct sw_error *err);
