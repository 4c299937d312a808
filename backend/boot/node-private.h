/* SPDX-License-Identifier: Apache-2.0 */
/* Private to backend/boot: finding the disk or disks of a node. */
#pragma once

#include "boot/node.h"

/* Sets n->disk, and n->copies when several disks hold the same install. */
int sw_node_pick_disk(struct sw_machine *m, const struct sw_facts *f, const char *name,
		      struct sw_node *n, struct sw_error *err);
