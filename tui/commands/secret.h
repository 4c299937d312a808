/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands on a node's secrets share: the node, and keys from files. */
#pragma once

#include "boot/node.h"
#include "boot/secrets.h"
#include "tui/commands/common.h"

struct sw_secret_view {
	struct sw_target t;
	struct sw_node node;
};

/* The node with its data. Exit 4 for one whose data are an EFI variable, 5 without one. */
int sw_secret_view_open(const struct sw_cli *cli, struct sw_secret_view *v, struct sw_error *err);
void sw_secret_view_clear(struct sw_secret_view *v);
#define _cleanup_secret_view_ _cleanup_(sw_secret_view_clear)

/* The recovery key in a file, as it opens; NULL without a file. No core dump has it. */
int sw_secret_recovery(const char *file, struct sw_secret **ret_key, struct sw_error *err);
