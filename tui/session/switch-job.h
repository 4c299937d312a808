/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mode switch for the console: run in a job's child. Everything that the
 * screen shows comes as one JSON object, so that the session needs no machine.
 */
#pragma once

#include <json-c/json.h>

#include "machine/machine.h"

/*
 * Carries the choice with this id out first (NULL: only looks), then adds to out
 * what there is, read anew:
 *   {"running": TEXT, "why": TEXT, "mode": M, "strategy": S, "have_node": B,
 *    "order": [LABEL], "next": LABEL, "written": N, "choices": [{"id": ID,
 *    "label": TEXT, "text": TEXT, "now": B, "writes": [[NAME, TEXT]], "notes": [TEXT],
 *    "off": TEXT}]}
 * "off": why it cannot be chosen. "unkept", when there is something: what the firmware did
 * not take although all that starts is as wanted. Errors: as sw_switch_open() and _apply() say.
 */
int sw_switch_job(struct sw_machine *m, const char *choice, json_object *out,
		  struct sw_error *err);
