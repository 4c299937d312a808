/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switch on a machine: what is wanted (node data, else our variable), what
 * there is (variables, slots, the road), and carrying a new wish out. The wish
 * goes to the disk first: cut off after that, `slipway mode keep` finishes it.
 */
#pragma once

#include "boot/modes.h"
#include "boot/node.h"

struct sw_switch {
	struct sw_machine *m;	/* borrowed, all four */
	const struct sw_facts *f;
	struct sw_varstore *vars;
	json_object *raw;
	json_object *own_raw;	/* raw, when it is what a promote made of it */
	struct sw_node node;	/* the copy that is worked on; first the one that counts */
	struct sw_node *copies;	/* the same install on further disks, each as it is there */
	size_t n_copies;
	bool have_node;		/* false: no disk with slots, entries and mode only */
	struct sw_mode_wish wish;	/* as kept; its strings are borrowed from the node data */
	struct sw_mode_state state;
	bool have_state;
	struct sw_mode_evidence ev;
	enum sw_road road;
	size_t road_slot;	/* for SW_ROAD_SLOT */
	char why[200];		/* what the road rests on */
	/* What this start was found to be like before anything was written in it. */
	char tried[SW_MODE_NOTES][200];
	size_t n_tried;
	/* What sw_switch_keep_state() did not keep although all that starts is as wanted, or "". */
	char unkept[200];
};

/*
 * disk: name or NULL. Without a node it still succeeds, unless a disk was named.
 * A named disk is looked at alone, even when others hold copies of its install.
 */
int sw_switch_open(struct sw_machine *m, const struct sw_facts *f, struct sw_varstore *vars,
		   json_object *raw, const char *disk, struct sw_switch *ret_switch,
		   struct sw_error *err);
void sw_switch_clear(struct sw_switch *s);
#define _cleanup_switch_ _cleanup_(sw_switch_clear)

/* sw_mode_reconcile() with these slots and what else the node's disk has to start. */
int sw_switch_reconcile(const struct sw_switch *s, json_object *raw,
			const struct sw_mode_slot *slots, size_t n_slots,
			const struct sw_mode_wish *wish, struct sw_mode_result *ret_result,
			struct sw_error *err);
/* The same with what this machine has; refuses what cannot start. */
int sw_switch_plan(const struct sw_switch *s, const struct sw_mode_wish *wish,
		   struct sw_mode_result *ret_result, struct sw_error *err);

/*
 * The slots as the reconcile wants them: those of s->node, in its order, then
 * those of the copies. Returns how many.
 */
size_t sw_switch_slots(const struct sw_switch *s, struct sw_mode_slot out[SW_MODE_SLOTS]);

/*
 * Makes another copy the one that is worked on: its slots are s->node, its disk
 * the one that is written. The road is judged anew, as seen from there.
 */
int sw_switch_turn(struct sw_switch *s, size_t copy, struct sw_error *err);
/* In words how the copies differ from s->node, a line each; malloc'd, NULL: they do not. */
char *sw_switch_differences(const struct sw_switch *s);

/* Whether sw_switch_apply() would write the node data, too. */
bool sw_switch_changes_data(const struct sw_switch *s, const struct sw_mode_wish *wish,
			    const struct sw_mode_result *res);
/* Node data (when the wish changed), boot variables, our variable, this boot's mark. */
int sw_switch_apply(struct sw_switch *s, const struct sw_mode_wish *wish,
		    const struct sw_mode_result *res, size_t *ret_written, struct sw_error *err);

/*
 * Our variable: 1 when it was written. Where node data hold the wish it only serves a
 * comparison at the next start, so that a firmware that does not take it (a full store) is no
 * failure: 0, and s->unkept says it.
 */
int sw_switch_keep_state(struct sw_switch *s, const struct sw_mode_state *state,
			 struct sw_error *err);

/* Notes that our variable was written in this boot: what it says is compared on the next one. */
int sw_switch_mark(const struct sw_machine *m, const char *boot_id);
