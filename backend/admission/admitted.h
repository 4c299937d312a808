/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the last admission of this start went, for whoever asks later: RUN_DIR/admitted, which goes
 * with the start. It has nothing that is secret.
 */
#pragma once

#include <json-c/json.h>

#include "machine/machine.h"

/*
 * Notes it; failed: NULL when the server admitted the machine, with the SHA-256 of the overlay
 * that it gave (hex, or NULL). Returns 0 or -errno; nothing depends on it.
 */
int sw_admitted_note(const struct sw_machine *m, const char *url, const char *overlay,
		     const struct sw_error *failed);
/*
 * {"url", "admitted": B, "time", "overlay", "error": TEXT}; new reference, NULL when this start
 * has seen no admission.
 */
json_object *sw_admitted_look(const struct sw_machine *m);
