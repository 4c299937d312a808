/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every boot entry for people and for the rules of who may touch it: decoded,
 * whose it is, and whether what it points to is on this machine. Ours are known
 * by the GUID of a slot's partition and the path; while that disk is away label
 * and path together have to do.
 */
#pragma once

#include "boot/varset.h"

enum sw_owner {
	SW_OWNER_OURS,
	SW_OWNER_FIRMWARE,	/* made by the firmware, or a file of its own volume */
	SW_OWNER_NETWORK,	/* somebody else's entry for a NIC or an address */
	SW_OWNER_FOREIGN,
	SW_OWNER_PHANTOM,	/* only a number in BootOrder, BootNext or BootCurrent */
};
enum sw_target_state { SW_TARGET_UNKNOWN, SW_TARGET_PRESENT, SW_TARGET_MISSING };

struct sw_boot_entry {
	uint16_t number;
	int position;		/* in BootOrder from 1, 0: not in it */
	bool active, readable, current, next;
	bool memtest;		/* ours, for one start into the memory test: boot/memtest.h */
	enum sw_owner owner;
	enum sw_target_state target;
	char *label, *path;	/* clean text */
	char *target_text;	/* "partition 1 of nvme0n1", "no partition has this GUID", … */
	size_t optional_len;	/* bytes of optional data */
	bool firmware_mark;	/* … and they say that the firmware made it */
};

struct sw_boot_list {
	struct sw_boot_entry *v;	/* in BootOrder first, then by number */
	size_t n;
	bool repeats;		/* BootOrder names a number twice */
};

/* f may be NULL: every target is unknown then. Never fails for odd content. */
int sw_boot_list_make(const struct sw_varset *s, const struct sw_facts *f,
		      struct sw_boot_list *ret_list);
void sw_boot_list_clear(struct sw_boot_list *l);
const struct sw_boot_entry *sw_boot_list_find(const struct sw_boot_list *l, uint16_t number);

const char *sw_owner_name(enum sw_owner o);	/* "ours", "firmware", … */
const char *sw_target_name(enum sw_target_state t);	/* "unknown", "present", "missing" */

/* True for the GPT name of a slot: "slipway-a" to "slipway-d". */
bool sw_part_is_slot(const struct sw_part *p);
#define SW_NODE_DATA_LABEL "slipway-node"
bool sw_part_is_node_data(const struct sw_part *p);
/* The first slot, or the node data, of a disk; NULL: it has none. */
const struct sw_part *sw_disk_slot(const struct sw_disk *d);
const struct sw_part *sw_disk_node_data(const struct sw_disk *d);
