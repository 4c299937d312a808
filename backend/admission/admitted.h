/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the last admission of each kind in this start went, for whoever asks later:
 * RUN_DIR/admitted, which goes with the start. It has nothing that is secret.
 */
#pragma once

#include <json-c/json.h>

#include "admission/protocol.h"
#include "machine/machine.h"

struct sw_admitted_by {
	enum sw_attest_protocol asked;	/* what the configuration allows */
	enum sw_attest_protocol used;	/* AUTO: it came to no exchange */
};

/* True when another exchange could have been used, and was not there. */
bool sw_admitted_fell_back(const struct sw_admitted_by *by);

/*
 * Notes it, in the place of what was noted of this kind; failed: NULL when the server admitted the
 * machine, with the SHA-256 of the overlay that it gave (hex, or NULL). Returns 0 or -errno;
 * nothing depends on it.
 */
int sw_admitted_note(const struct sw_machine *m, const char *kind, const char *url,
		     const char *overlay, const struct sw_admitted_by *by,
		     const struct sw_error *failed);
/*
 * [{"kind", "url", "admitted": B, "time", "protocol": "strict" or "plain", "fell_back": B,
 * "overlay", "error": TEXT}], the oldest first; new reference, NULL when this start has seen no
 * admission.
 */
json_object *sw_admitted_look(const struct sw_machine *m);
