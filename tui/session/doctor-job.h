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

/*
 * Looks; asks the node's servers too; repairs the finding `arg`, or takes back the repair of the
 * file `arg`, and looks again. given: what the repair asks for, or NULL. image: its finding is
 * shown, and repaired, with it; or NULL. Adds to out what sw_visit_to_json() says, "last" (the
 * repair that can be taken back) and "done" (what was done, in words). sink: told what it is
 * doing, or NULL.
 */
int sw_doctor_job(struct sw_machine *m, enum sw_doctor_task task, const char *arg,
		  struct sw_secret *given, const struct sw_doctor_image *image,
		  const struct sw_sink *sink, json_object *out, struct sw_error *err);
