/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of the answers around an install: before it, after it, when it failed. They are told
 * by paths of files (facts, answers, error) and are never given a secret. Private to apply/.
 */
#pragma once

#include "base/event.h"
#include "machine/machine.h"
#include "plan/plan.h"

#define SW_HOOK_TIMEOUT 600U	/* seconds, when hooks.timeout says nothing */

enum sw_hook_when { SW_HOOK_BEFORE, SW_HOOK_AFTER, SW_HOOK_ON_ERROR };

/*
 * Runs the programs of that moment in order; what they print goes to sink as log lines. error:
 * why the install failed, with SW_HOOK_ON_ERROR. The first that fails, hangs or cannot be run
 * ends it: exit 6 with its name, but after an error the others still run.
 */
int sw_hooks_run(struct sw_machine *m, const struct sw_plan *p, enum sw_hook_when when,
		 const struct sw_error *error, const struct sw_sink *sink, struct sw_error *err);
