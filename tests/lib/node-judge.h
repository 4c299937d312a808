/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a node starts from a state that a power cut left: by the boot order,
 * and by the fallback path when every entry is gone. Said by our own reader, and
 * by fsck.vfat and mtools as others' opinion.
 */
#pragma once

#include "boot/entries.h"
#include "tests/lib/install-world.h"
#include "tests/lib/tape.h"

#define NODE_SLOTS 2

struct node_judge {
	char *disk;		/* the image that the tape is played on */
	struct sw_part part[NODE_SLOTS], data;	/* where they are; the labels are not ours */
	struct sw_entry_wanted entry[NODE_SLOTS];
	unsigned int vars_seen;	/* variables that had been played when raw was read */
	json_object *raw;
};

enum node_slot_state { NODE_UNREADABLE, NODE_GOOD, NODE_WRONG };

struct node_starts {
	enum node_slot_state slot[NODE_SLOTS];
	char sha256[NODE_SLOTS][65];	/* of the image in a good slot */
	int order, fallback;	/* the slot that starts so, -1: none */
};

/* Where the slots are, from a world on whose first disk a node is installed. */
void node_judge_learn(struct node_judge *j, struct world *w);
void node_judge_clear(struct node_judge *j);

/*
 * True when both roads lead to a slot that is complete and has the hash that its
 * manifest names, and there is whole node data.
 */
bool node_starts(struct node_judge *j, struct tape_play *p, struct node_starts *ret);

/* Fails the test when others see the slots otherwise. */
void node_outside(const struct node_judge *j, const struct node_starts *st);
