/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarative layouts: the syntax and semantics of repart.d(5); slipway's own
 * keys carry the prefix X-Slipway-, which systemd ignores.
 */
#pragma once

#include "base/error.h"
#include "base/guid.h"
#include "machine/facts.h"

enum sw_role { SW_ROLE_NONE, SW_ROLE_SLOT, SW_ROLE_NODE_DATA, SW_ROLE_STATE, SW_ROLE_RESCUE };

struct sw_layout_part {
	char *file;		/* "10-slot-a.conf", for errors */
	struct sw_guid type;
	struct sw_guid uuid;	/* zero: derived from the seed */
	char *label;
	int priority;
	uint32_t weight, padding_weight;
	uint64_t size_min, size_max;	/* bytes; size_max UINT64_MAX: none */
	uint64_t padding_min, padding_max;
	char *format;		/* "vfat" "ext4" "xfs" "btrfs" "swap" or NULL */
	uint64_t attrs;
	enum sw_role role;	/* X-Slipway-Role= */
};

struct sw_layout {
	char *name;		/* "node" */
	char *description;	/* X-Slipway-Description of the first file that has one */
	struct sw_layout_part *parts;
	size_t n_parts;
	uint64_t min_size;	/* least disk size, bytes */
};

/*
 * Reads the .conf files of a directory in name order. Errors carry
 * file:line:column, and did-you-mean for keys and types; exit 3.
 */
int sw_layout_read(const char *dir, struct sw_layout **ret_layout, struct sw_error *err);
/*
 * Finds a layout by name in $SLIPWAY_LAYOUTS, in layouts/ of the source tree
 * that the program was built in, and in /usr/share/slipway/layouts; a name with
 * a slash is a path.
 */
int sw_layout_find(const char *name, struct sw_layout **ret_layout, struct sw_error *err);
struct sw_layout *sw_layout_free(struct sw_layout *l);
/* The names that sw_layout_find() knows, sorted, each once; NULL-terminated, free both levels. */
int sw_layout_names(char ***ret_names);
SW_DEFINE_CLEANUP(struct sw_layout, sw_layout_free)
#define _cleanup_layout_ _cleanup_(sw_layout_freep)

struct sw_placement {
	const struct sw_layout_part *part;	/* borrowed from the layout */
	uint64_t start, size;	/* bytes */
	struct sw_guid uuid;
};

/*
 * Pure. Places all partitions on an empty table of a disk of this size
 * (4096-aligned, first at 1 MiB, priorities dropped as repart does, remaining
 * space by weight). -ENOSPC says what does not fit and by how much.
 */
int sw_layout_solve(const struct sw_layout *l, uint64_t disk_size, uint32_t sector,
		    const struct sw_guid *seed, struct sw_placement **ret_placements,
		    size_t *ret_n, struct sw_guid *ret_disk_id, struct sw_error *err);
