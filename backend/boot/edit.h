/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that a person asks for, on the editable copy. What is not ours is
 * changed only with `force`: firmware in the field punishes it (setup menus that
 * stop opening, entries that come back), and another system may depend on it.
 */
#pragma once

#include "boot/bootlist.h"

struct sw_edit {
	struct sw_varset *set;
	const struct sw_boot_list *list;	/* of the same variables, before any change */
	bool force;
	bool foreign;		/* set when the change touches what is not ours */
};

/* These first; the others follow as they were. Foreign entries that change places need force. */
int sw_edit_order(struct sw_edit *e, const uint16_t *numbers, size_t n, struct sw_error *err);
/* BootNext; the entry is put into BootOrder, too, since some firmware wants that. -1: none. */
int sw_edit_next(struct sw_edit *e, int number, struct sw_error *err);
int sw_edit_rename(struct sw_edit *e, uint16_t number, const char *label, struct sw_error *err);
int sw_edit_delete(struct sw_edit *e, uint16_t number, struct sw_error *err);
/*
 * A new active entry with this device path at the end of BootOrder, or first.
 * Refused when an entry with the same path exists: firmware drops one of two
 * that differ by their label only.
 */
int sw_edit_add(struct sw_edit *e, const char *label, const uint8_t *path, size_t len, bool first,
		uint16_t *ret_number, struct sw_error *err);

/* "Boot0003", "0003" or "3": up to four hex digits. -EINVAL. */
int sw_entry_number_parse(const char *text, uint16_t *ret_number);
