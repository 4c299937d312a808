/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `slipway status` and the console's status screen tell: interrupted installs
 * and wipes, what is installed on which disk, and why this system runs.
 */
#pragma once

#include "base/buf.h"
#include "machine/machine.h"

/*
 * Reads slots, node data and journals of all disks; writes nothing. vars: the raw
 * boot variables, NULL without UEFI. New reference.
 */
int sw_status_look(struct sw_machine *m, const struct sw_facts *f, json_object *vars,
		   json_object **ret_status, struct sw_error *err);
/* The same document in words, added to b. 0 or -ENOMEM. */
int sw_status_text(json_object *status, struct sw_buf *b);
