/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot variables as an editable copy: changes are made here and the
 * difference to what was read becomes a list of writes in the safe order
 * (entries, BootOrder, BootNext, deletes). Pure; nothing is written by it. What
 * nobody changed is never among the writes, so odd content stays as it is.
 */
#pragma once

#include "boot/entries.h"

/* One Boot#### as stored. */
struct sw_varset_entry {
	uint16_t number;
	uint8_t *data;
	size_t len;
};

struct sw_varset {
	struct sw_varset_entry *entries;	/* sorted by number */
	size_t n_entries;
	uint16_t *order;	/* as read, repeats and phantom numbers included */
	size_t n_order;
	int next;		/* BootNext, -1: absent */
	json_object *raw;	/* what it was read from; own reference */
};

/* From a snapshot (sw_entries_snapshot()). -EINVAL when a value is not hex. */
int sw_varset_load(json_object *raw, struct sw_varset *ret_set);
void sw_varset_clear(struct sw_varset *s);
#define _cleanup_varset_ _cleanup_(sw_varset_clear)

/* NULL when there is no such variable: then it may still be a phantom in the order. */
const struct sw_varset_entry *sw_varset_find(const struct sw_varset *s, uint16_t number);
/* 0-based place in BootOrder, -1: not there. */
int sw_varset_place(const struct sw_varset *s, uint16_t number);

/* Adds or replaces; the bytes are copied. */
int sw_varset_put(struct sw_varset *s, uint16_t number, const void *data, size_t len);
/* The lowest number from 0001 that no entry, order or BootNext knows; -ENOSPC. */
int sw_varset_free_number(const struct sw_varset *s);
/* Takes the entry away, out of BootOrder and BootNext, too. */
void sw_varset_remove(struct sw_varset *s, uint16_t number);
/* BootOrder becomes these (without repeats), then everything else in its present order. */
int sw_varset_first(struct sw_varset *s, const uint16_t *numbers, size_t n);
/* Puts the number at the end of BootOrder unless it is in it. */
int sw_varset_append(struct sw_varset *s, uint16_t number);

/* The writes that lead from what was read to what the set says now. */
int sw_varset_plan(const struct sw_varset *s, struct sw_entry_plan *ret_plan);

/*
 * The label of an entry for messages: "\"Slipway A\"", with its number where another one has the
 * same, or "Boot0007". Cut to fit.
 */
const char *sw_varset_name(const struct sw_varset *s, uint16_t number, char text[static 64]);
