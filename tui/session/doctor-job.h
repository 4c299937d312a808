/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor for the console: run in a job's child, so that the session needs no machine. */
#pragma once

#include <json-c/json.h>

#include "base/event.h"
#include "base/secret.h"
#include "machine/machine.h"

enum sw_doctor_task { SW_DOCTOR_LOOK, SW_DOCTOR_SERVERS, SW_DOCTOR_REPAIR,
		      SW_DOCTOR_UNDO };

/* What a slot is to be filled from. All borrowed. */
struct sw_doctor_image {
	json_object *what;	/* {"id": the finding, "source", "sha256": or none, "signed"} */
	const char *ca;		/* PEM, whom its server is believed, or NULL */
};

/* What is to be done. All borrowed. */
struct sw_doctor_ask {
	enum sw_doctor_task task;
	const char *arg;		/* of a repair the finding, of an undo the file */
	struct sw_secret *given;	/* what the repair asks for, or NULL */
	const struct sw_doctor_image *image;	/* its finding is shown and repaired with it */
	bool servers;			/* what the repair is of was said by them */
	bool open;			/* look into an encrypted state */
	struct sw_secret *key;		/* of it, as it was typed; NULL: what the TPM gives */
};

/*
 * Looks; asks the node's servers too; repairs a finding, or takes a repair back, and looks again.
 * Adds to out what sw_visit_to_json() says, "last" (the repair that can be taken back), "done"
 * (what was done, in words) and "opened": an encrypted state was looked into. A look that was to
 * open one and opened none fails, with the reason. sink: told what it is doing, or NULL.
 */
int sw_doctor_job(struct sw_machine *m, const struct sw_doctor_ask *ask,
		  const struct sw_sink *sink, json_object *out, struct sw_error *err);
