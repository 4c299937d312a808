/* SPDX-License-Identifier: Apache-2.0 */
/* What every variable store must do, whatever is behind it. */
#pragma once

#include "boot/varstore.h"

/*
 * Runs all checks and prints one TAP line for each to stdout, numbered from 1,
 * and the plan line at the end. Uses variables of a GUID of its own and free
 * Boot#### numbers, and leaves the store as it found it (BootOrder and BootNext
 * are put back). Returns the number of failed checks.
 */
int varstore_conformance(struct sw_varstore *s);

/* Put before each line: "" (the default) for a test of its own, "# " inside a larger one. */
extern const char *varstore_conformance_prefix;
