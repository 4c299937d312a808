/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A damage repaired and taken back, and both cut off by the power: after each torn sector, and in
 * random subsets of what was in flight.
 */
#pragma once

#include "tests/lib/damage.h"

/* Disks and boot variables together; our own record of the mode is no part of it. */
struct damage_content {
	char disk[SW_SHA256_TEXT], vars[SW_SHA256_TEXT];
};

struct damage_content damage_content(const struct world *w);
void damage_assert_same(const struct damage_content *a, const struct damage_content *b);

/* A copy of the healthy world with that damage. */
struct world damage_break(const struct world *healthy, const struct damage *d);
/* A name for an undo file beside the world; malloc'd. What lay there is gone. */
char *damage_undo_file(const struct world *healthy, const char *name);
void damage_repair(const struct world *healthy, struct world *w, const struct damage *d,
		   const char *undo);
void damage_take_back(struct world *w, const struct damage *d, const char *undo);

/*
 * Records the repair and its undo on a tape each and judges what every cut leaves. The node starts
 * (unless the damage is a dead one), d->holds holds; from each nth state the repair is made again,
 * after which nothing is wrong, and the undo, after which it is the broken node to the byte.
 */
void damage_cut(const struct world *healthy, const struct damage *d);
