/* SPDX-License-Identifier: Apache-2.0 */
/* finish: kexec, from the installing system straight into the node. */
#pragma once

#include "machine/machine.h"
#include "plan/plan.h"

/*
 * Has the running kernel load what the installed slot holds, with the command line that its image
 * has and node.src=a, by which the node knows where it came from. The slot is read from the disk,
 * and its hash is checked. sw_machine_power() with SW_POWER_KEXEC starts it. Errors as of
 * sw_machine_load(), exit 8 when the slot is not what was installed.
 */
int sw_handover_load(struct sw_machine *m, const struct sw_plan *p, struct sw_error *err);
