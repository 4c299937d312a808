/* SPDX-License-Identifier: Apache-2.0 */
/* The network of the answers on the machine that installs: given, waited for, or taken back. */
#pragma once

#include "answers/answers.h"
#include "base/event.h"
#include "machine/machine.h"

#define SW_NETWORK_WAIT 60U	/* seconds for cables, partners and DHCP servers */

/*
 * network: sw_plan_network(), may be NULL. On slipway's medium the links get what it says, and
 * each of its files must have come to a link that is configured; else the network is as before
 * and the error (exit 10) says which file did not. Elsewhere nothing is changed, and said so.
 */
int sw_network_apply(struct sw_machine *m, json_object *network, const struct sw_sink *sink,
		     struct sw_error *err);

/*
 * The same for answers that are still being gathered, before more of them are asked for over this
 * network: of them only network is judged (exit 3).
 */
int sw_network_of_answers(struct sw_machine *m, const struct sw_answers *a,
			  const struct sw_sink *sink, struct sw_error *err);
