/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway check` for a rack: answer files against the captured facts of many machines. */
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

/* Which of several files goes with which machine. */
struct sw_rack {
	size_t *taken;		/* by machine: how many files plan on it */
	char **first;		/* by machine: the first two of them, in words */
	size_t lonely;		/* files that plan on none */
	char *alike;		/* the last answers that several machines took, but for the name */
	bool *planned;		/* by machine: those took them, and the name made no difference */
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
 *
 * With a rack, the files share the machines: where no disk is what a file asks
 * for, another file is meant, which is no refusal and has no words.
 */
int sw_nodes_check(const struct sw_nodes *nodes, const struct sw_answers *a, const char *file,
		   bool json, struct sw_rack *rack, struct sw_error *err);

int sw_rack_init(struct sw_rack *rack, const struct sw_nodes *nodes);
void sw_rack_clear(struct sw_rack *rack, const struct sw_nodes *nodes);
/* Counts that the file plans on machine i. -ENOMEM. */
int sw_rack_take(struct sw_rack *rack, size_t i, const char *file);
/*
 * Whether these answers are those before but for the host name, which are then
 * valid for the same machines (see sw_rack_shares()). If not they take their
 * place, without a machine yet. -ENOMEM.
 */
int sw_rack_alike(struct sw_rack *rack, const struct sw_nodes *nodes, const struct sw_answers *a);
/*
 * Whether the host name makes no difference to what is planned here. UUIDs are
 * made from it, and are compared with what is on the disks: there is nothing.
 */
bool sw_rack_shares(const struct sw_target *t);
/* Which machines have no file, or several. 0, or exit code 4 when one is without. */
int sw_rack_print(const struct sw_rack *rack, const struct sw_nodes *nodes, bool json);
