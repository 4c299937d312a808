/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node that is installed on a disk of this machine: its slots with what they
 * hold, its node data, and by which road the running system came. What cannot be
 * known is "unknown", and nothing is overwritten then.
 */
#pragma once

#include "boot/bootlist.h"
#include "boot/kept.h"
#include "boot/slot.h"
#include "machine/machine.h"

#define SW_NODE_SLOTS 4
#define SW_NODE_COPIES 8

struct sw_node_slot {
	const struct sw_part *part;	/* borrowed from the facts */
	char letter;		/* 'a' … */
	char entry[40];		/* what its boot entry is called: "Slipway A" */
	bool filled;		/* a file system with a manifest */
	bool blank;		/* not filled, and cleared rather than damaged */
	bool good;		/* … and the image has the hash that it names */
	bool held;		/* put back by `slipway rollback` */
	struct sw_slot_manifest m;
	char why[200];		/* why it is not good */
};

/*
 * Reads what the slot in s->part holds and hashes its image; nothing else of s may be set. held:
 * the hash of an image that was put back, or NULL. Freed by sw_slot_manifest_clear(&s->m).
 */
void sw_node_slot_read(struct sw_io *io, const char *held, struct sw_node_slot *s);

struct sw_node {
	const struct sw_disk *disk;	/* borrowed from the facts; NULL: a node without a disk */
	struct sw_node_slot slots[SW_NODE_SLOTS];
	size_t n_slots;
	/* Further disks that hold the same install (layout "mirror"); borrowed. */
	const struct sw_disk *copies[SW_NODE_COPIES];
	size_t n_copies;
	const struct sw_part *data_part;	/* NULL: none */
	const struct sw_part *rescue_part;	/* slipway-rescue, NULL: none */
	const struct sw_part *ipxe_part;	/* slipway-ipxe, NULL: none */
	char rescue_entry[40], ipxe_entry[40];	/* what their boot entries are called */
	json_object *data;	/* node data, NULL when there is none that is valid */
};

/*
 * Finds the one disk with slots (or the one of that name) and reads everything;
 * each image is hashed. Of disks that hold copies of one install it takes the
 * one that runs, else the one with the newest node data. -ENOENT: none;
 * -ENOTUNIQ: several that are not copies, name one.
 */
int sw_node_find(struct sw_machine *m, const struct sw_facts *f, const char *disk,
		 struct sw_node *ret_node, struct sw_error *err);
void sw_node_clear(struct sw_node *n);
#define _cleanup_node_ _cleanup_(sw_node_clear)

/*
 * The node data of a node without a disk (boot/nodevar.h) into n->data, for when
 * sw_node_find() found none. -ENOENT, -EBADMSG.
 */
int sw_node_read_variable(struct sw_machine *m, struct sw_node *n);
/*
 * Writes n->data (read back) into its partition and that of every copy, without a
 * disk into the variable. -ENOENT without such a partition.
 */
int sw_node_write_data(struct sw_machine *m, const struct sw_node *n, struct sw_error *err);

/* Where the slot's overlay is kept; of size 0 without node data. */
struct sw_kept_zone sw_node_overlay_zone(const struct sw_node *n, size_t slot);
/*
 * The overlay that the manifest of the slot names. -ENOENT when it names none or
 * it is not there, -EBADMSG when what is there is another one.
 */
int sw_node_overlay(struct sw_machine *m, const struct sw_node *n, size_t slot,
		    struct sw_kept *ret_overlay, struct sw_error *err);

/* Its two copies, one by one. -ENOENT when the manifest names none. */
int sw_node_overlay_look(struct sw_machine *m, const struct sw_node *n, size_t slot,
			 struct sw_kept_copy ret_copies[static 2], struct sw_error *err);
/* The largest overlay that a slot can have, 0: none. */
uint64_t sw_node_overlay_max(const struct sw_node *n, size_t slot);

/* The entries of rescue_part and ipxe_part, which must be there. Labels are borrowed from n. */
struct sw_entry_wanted sw_node_rescue_entry(const struct sw_node *n);
struct sw_entry_wanted sw_node_ipxe_entry(const struct sw_node *n);
/* What stands beside the slots, each looked at whole. */
#define SW_NODE_EXTRAS 2	/* rescue image, iPXE */
enum sw_extra_state {
	SW_EXTRA_NONE,		/* no partition for it, or nothing was put there */
	SW_EXTRA_GOOD,
	SW_EXTRA_UNPROVEN,	/* there, but no hash was kept */
	SW_EXTRA_BAD,
};
struct sw_node_extra {
	const char *id, *what;	/* "rescue", "rescue image" */
	const struct sw_part *part;	/* borrowed, NULL: none */
	enum sw_extra_state state;
	char why[200];		/* for the last two */
};
int sw_node_extras(struct sw_machine *m, const struct sw_node *n,
		   struct sw_node_extra ret[static SW_NODE_EXTRAS], struct sw_error *err);
/* Whether the rescue image is whole: it is read and hashed. -ENOENT, -EBADMSG in words. */
int sw_node_check_rescue(struct sw_machine *m, const struct sw_node *n, struct sw_error *err);

/* The boot entry that a slot must have. The label is borrowed from n. */
struct sw_entry_wanted sw_node_entry(const struct sw_node *n, size_t slot);

enum sw_road { SW_ROAD_UNKNOWN, SW_ROAD_SLOT, SW_ROAD_NETWORK, SW_ROAD_OTHER };

/*
 * How the running system came: LoaderDevicePartUUID (set by systemd's stub when
 * it was started from a partition, absent over HTTP) cross-checked with
 * BootCurrent. ret_slot counts for SW_ROAD_SLOT only; why says in words what
 * the answer rests on, or what disagrees.
 */
enum sw_road sw_node_road(struct sw_varstore *vars, const struct sw_varset *s,
			  const struct sw_node *n, int boot_current, size_t *ret_slot,
			  char why[static 200]);
