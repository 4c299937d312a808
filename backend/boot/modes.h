/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one switch: from where a node starts. Pure: the raw boot variables, the
 * slots as they are on the disk and what is wanted give the writes. Whatever is
 * cut short, BootOrder alone leads to something that works; BootNext is only
 * ever an extra.
 *
 *   network, armed	BootOrder = newest good slot, previous, network, rest;
 *			BootNext = network, set anew after each good boot
 *   network, order	BootOrder = network, newest good slot, previous, rest
 *   local		BootOrder = newest good slot, previous, rest; no BootNext
 *   hands-off		entries are kept right, BootOrder and BootNext never written
 */
#pragma once

#include "boot/netentry.h"

#define SW_MODE_SLOTS 36	/* four on each of nine disks */
#define SW_MODE_DISKS 9

enum sw_node_mode { SW_NODE_LOCAL, SW_NODE_NETWORK, SW_NODE_HANDS_OFF };
enum sw_strategy { SW_STRATEGY_ARMED, SW_STRATEGY_ORDER };
enum sw_once { SW_ONCE_NONE, SW_ONCE_NETWORK, SW_ONCE_LOCAL, SW_ONCE_SLOT, SW_ONCE_RESCUE };

struct sw_mode_slot {
	struct sw_entry_wanted entry;
	char letter;
	unsigned int copy;	/* on which of the install's disks: breaks a tie; 0 on the first */
	bool good;		/* manifest and hash right */
	bool held;		/* rolled back: comes after the others */
	uint64_t sequence;
};

struct sw_mode_wish {
	enum sw_node_mode mode;
	enum sw_strategy strategy;
	struct sw_netwish net;
	enum sw_once once;	/* only BootNext is set, the mode stays */
	char once_letter;	/* SW_ONCE_SLOT */
	/* Rescue images, one a disk: their entries are kept, too; borrowed. Once: the first. */
	const struct sw_entry_wanted *rescue;
	size_t n_rescue;
	bool explicit;		/* a person asks now: counters start anew */
	bool keep_next;		/* leave BootNext alone */
	bool unarmed;		/* do not arm the network now; what armed it goes */
	bool kept;		/* node data hold mode and strategy: the state need not */
};

/*
 * What we remember between boots, in a small variable of our own: what we set,
 * so that it can be compared with what the firmware made of it.
 */
struct sw_mode_state {
	enum sw_node_mode mode;
	enum sw_strategy strategy;
	/*
	 * We set BootNext, for the mode or for once. Where node data hold the mode, mode,
	 * strategy and armed may be those of an earlier one: armed counts in mode network.
	 */
	bool armed, once;
	uint8_t next_misses;	/* BootNext that the firmware lost, in a row */
	uint8_t order_misses;	/* boots that found another order than we wrote, in a row */
	uint16_t next;		/* … what BootNext was set to */
	uint16_t order[3];	/* the first of BootOrder as we wrote it */
	size_t n_order;
};

/* What is known about this boot. */
struct sw_mode_evidence {
	bool same_boot;		/* the state was written in this very boot */
	int current;		/* BootCurrent, -1 */
};

#define SW_MODE_NOTES 4

struct sw_mode_result {
	struct sw_entry_plan plan;
	struct sw_mode_state state;	/* to be stored */
	bool state_changed;
	enum sw_node_mode mode;	/* what holds now: local after two lost BootNexts */
	int network;		/* number of the network's entry, -1: none */
	char notes[SW_MODE_NOTES][200];
	size_t n_notes;
};

/*
 * old: NULL when nothing is remembered. Fails without a plan: -ENOENT when there
 * is no network entry (mode network) or no good slot (mode local, once), -EPERM
 * for once in hands-off.
 */
int sw_mode_reconcile(json_object *raw, const struct sw_mode_slot *slots, size_t n_slots,
		      const struct sw_mode_wish *wish, const struct sw_mode_state *old,
		      const struct sw_mode_evidence *ev, struct sw_mode_result *ret_result,
		      struct sw_error *err);
void sw_mode_result_clear(struct sw_mode_result *r);

/*
 * The writes of an install into mode network: the wanted entries, of which the
 * first n_filled get an image, the network's entry behind these or (strategy
 * order) before all, and with strategy armed the first BootNext. -ENOENT without a
 * network entry; errors in err as sw_netentry_ensure() says.
 */
int sw_entries_plan_network(json_object *raw, const struct sw_entry_wanted *wanted,
			    size_t n_wanted, size_t n_filled, const struct sw_netwish *net,
			    enum sw_strategy strategy, struct sw_entry_plan *ret_plan,
			    struct sw_error *err);

/*
 * The same into mode local: the wanted entries first, and no BootNext to the
 * network or a slot that an earlier mode left behind. Somebody else's stays.
 */
int sw_entries_plan_local(json_object *raw, const struct sw_entry_wanted *wanted,
			  size_t n_wanted, struct sw_entry_plan *ret_plan, struct sw_error *err);

/* What our variable says after an install, from the boot variables as they are then. */
int sw_mode_state_installed(json_object *raw, enum sw_node_mode mode, enum sw_strategy strategy,
			    struct sw_mode_state *ret_state);

const char *sw_node_mode_name(enum sw_node_mode m);	/* "local" "network" "hands-off" */
const char *sw_strategy_name(enum sw_strategy s);	/* "armed" "order" */
int sw_node_mode_parse(const char *text, enum sw_node_mode *ret_mode);
int sw_strategy_parse(const char *text, enum sw_strategy *ret_strategy);

/* ---- the variable: mode-state.c ---- */

#define SW_MODE_VARIABLE "SlipwayBoot"
#define SW_MODE_STATE_LEN 24	/* bytes */
extern const struct sw_guid sw_guid_slipway;	/* c7f24dd8-4d6c-4d0c-9a35-7e3f1b6f0a52 */

void sw_mode_state_encode(const struct sw_mode_state *s, uint8_t ret_data[SW_MODE_STATE_LEN]);
/* -EINVAL for another length, magic, version or values out of range. */
int sw_mode_state_decode(const uint8_t *data, size_t len, struct sw_mode_state *ret_state);
/* -ENOENT when there is none, or none that can be read. */
int sw_mode_state_read(struct sw_varstore *vars, struct sw_mode_state *ret_state);
int sw_mode_state_write(struct sw_varstore *vars, const struct sw_mode_state *s,
			struct sw_error *err);
bool sw_mode_state_same(const struct sw_mode_state *a, const struct sw_mode_state *b);
/* A variable of ours as stored, for undo; malloc'd, NULL when there is none that can be read. */
char *sw_own_variable_hex(struct sw_varstore *vars, const char *name);
/* Puts it back to that; NULL or "": takes it away. */
int sw_own_variable_restore(struct sw_varstore *vars, const char *name, const char *hex,
			    struct sw_error *err);
