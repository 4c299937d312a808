/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What on the machine's other disks bears a name that the new node goes by, or
 * suffers from the install: found in the facts, before anything is written.
 */
#pragma once

#include "plan/plan.h"

enum sw_conflict_kind {
	SW_CONFLICT_PARTUUID,	/* same partition UUID as a planned one */
	SW_CONFLICT_LABEL,	/* same GPT name */
	SW_CONFLICT_FS_UUID,
	SW_CONFLICT_FS_LABEL,
	SW_CONFLICT_DISK_ID,
	SW_CONFLICT_GROUP,	/* an array, volume group or pool that loses a part */
	SW_CONFLICT_GROUP_NAME,	/* two different groups with one name stay */
	SW_CONFLICT_ENTRY,	/* a boot entry or BootNext that goes before the node's */
};

struct sw_conflict {
	enum sw_conflict_kind kind;
	/* on which disk and partition; NULL: not of one. Borrowed from the facts. */
	const struct sw_disk *disk;
	const struct sw_part *part;
	bool captures;	/* would be booted or mounted in the node's place */
	char *text;	/* what, where, and the effect; owned */
};

/*
 * Pure. In the order of severity, then of disks. A disk that seems to be another
 * path to one of the plan's is left out. -ENOMEM.
 */
int sw_plan_find_conflicts(const struct sw_plan *p, const struct sw_facts *f,
			   struct sw_conflict **ret_list, size_t *ret_n);
void sw_conflicts_free(struct sw_conflict *list, size_t n);
