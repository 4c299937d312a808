/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share that change boot variables: the copy, the plan shown, the writing. */
#pragma once

#include "boot/bootlist.h"
#include "tui/commands/common.h"

struct sw_boot_target {
	struct sw_target t;
	struct sw_varstore *store;	/* borrowed; NULL on captured facts */
	struct sw_varset set;
	struct sw_boot_list list;	/* of set as it was read */
};

/* The number of an entry as people write it: Boot0003, 0003 or 3. Exit 2. */
int sw_boot_number(const char *text, uint16_t *ret_number, struct sw_error *err);

/* Fails with exit 5 where there are no UEFI variables. */
int sw_boot_target_open(const struct sw_cli *cli, struct sw_boot_target *ret_target,
			struct sw_error *err);
void sw_boot_target_clear(struct sw_boot_target *b);
#define _cleanup_boot_target_ _cleanup_(sw_boot_target_clear)

/*
 * Shows the writes (one line each, or nothing with --json) and, unless dry,
 * does them; `ask` puts a question first. With --json prints {"writes": […],
 * "written": n} in the end; `more` (may be NULL; reference kept by the caller)
 * supplies further keys of that object.
 */
int sw_boot_write(const struct sw_cli *cli, struct sw_varstore *store,
		  const struct sw_entry_plan *p, bool dry, const char *ask, json_object *more,
		  struct sw_error *err);
