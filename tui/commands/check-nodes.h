/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway check` for a rack: one answer file against the captured facts of many machines. */
#pragma once

#include "tui/commands/common.h"

struct sw_node_facts {
	char *name;		/* the file's, without directory and .json */
	struct sw_target t;
};

struct sw_nodes {
	struct sw_node_facts *list;
	size_t n;
};

/*
 * Whether --facts names more than one machine: it was given more than once, or
 * names a directory.
 */
bool sw_nodes_wanted(const struct sw_cli *cli);
/*
 * Opens them all, in the order given, those of a directory by name; a directory
 * counts with its *.json. Fails on the first that cannot be read: a rack that is
 * checked with one machine missing is not checked.
 */
int sw_nodes_open(const struct sw_cli *cli, struct sw_nodes *ret_nodes, struct sw_error *err);
void sw_nodes_clear(struct sw_nodes *nodes);
#define _cleanup_nodes_ _cleanup_(sw_nodes_clear)

/* The disks of a plan, as `check --json` names them; new reference. */
json_object *sw_check_disks_json(const struct sw_plan *p);

/*
 * Plans the answers on each machine and prints how many take them and why the
 * others do not, those with one reason on one line. 0, or the exit code of the
 * first that refuses.
 */
int sw_nodes_check(const struct sw_nodes *nodes, const struct sw_answers *a, const char *file,
		   bool json, struct sw_error *err);
