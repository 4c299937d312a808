/* SPDX-License-Identifier: Apache-2.0 */
/* The admission of this machine for the console: run in a job's child. */
#pragma once

#include "answers/answers.h"
#include "base/secret.h"
#include "machine/machine.h"

/*
 * Whether it would work. Adds to out "passed" and "admissions": of each {"kind", "url",
 * "from", "asks": a token has to be typed, "passed", "checks" as sw_preflight_to_json()}.
 */
int sw_preflight_job(struct sw_machine *m, const struct sw_answers *a, json_object *out,
		     struct sw_error *err);

/*
 * Does it. tokens: those that were typed, by kind; borrowed. The overlay is kept in
 * RUN_DIR/overlay.tar. Adds to out "file", "sha256", "entries": [TEXT], "admissions": of each that
 * is done {"kind", "url", "believes", "protocol", "warnings"}, and "failed", the error as text,
 * when a later one failed. Fails when nothing was gained.
 */
int sw_admit_job(struct sw_machine *m, const struct sw_answers *a,
		 struct sw_secret *const *tokens, json_object *out, struct sw_error *err);
