/* SPDX-License-Identifier: Apache-2.0 */
/* Private to backend/boot: finding the disk or disks of a node. */
#pragma once

#include "boot/node.h"

/* Sets n->disk, and n->copies when several disks hold the same install. */
int sw_node_pick_disk(struct sw_machine *m, const struct sw_facts *f, const char *name,
		      struct sw_node *n, struct sw_error *err);
/* The partition slipway-node of a disk, or NULL. */
const struct sw_part *sw_node_data_part(const struct sw_disk *d);
