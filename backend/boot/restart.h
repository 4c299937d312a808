/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the next start alone goes: into the firmware's setup, or to one boot entry. Both are wishes
 * that the firmware takes and forgets. UEFI 2.10, 8.5.4 (OsIndications) and 3.3 (BootNext).
 */
#pragma once

#include "boot/varstore.h"
#include "machine/machine.h"

/* 0, or -EOPNOTSUPP (exit 5) with the reason when the firmware cannot be told to open its setup. */
int sw_restart_has_setup(struct sw_varstore *vars, struct sw_error *err);
/* Whether the next start opens the setup; the other wishes in the variable stay as they are. */
int sw_restart_setup(struct sw_varstore *vars, bool on, struct sw_error *err);
/* Has the next start be that of Boot####, as `slipway boot next` does. */
int sw_restart_entry(struct sw_machine *m, uint16_t number, struct sw_error *err);
/* … or the memory test of the medium, as `slipway boot memtest` does: boot/memtest.h. */
int sw_restart_memtest(struct sw_machine *m, struct sw_error *err);
/*
 * What a restart can be told: {"setup_off": REASON or absent, "entries": [{"number", "label",
 * "off": REASON or absent}]}, in the order of the firmware. Exit 5 without UEFI variables.
 */
int sw_restart_look(struct sw_machine *m, json_object **ret_choices, struct sw_error *err);
