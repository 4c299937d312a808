/* SPDX-License-Identifier: Apache-2.0 */
/* What a session's child does to look at the status, the network, or for a server. */
#pragma once

#include "machine/machine.h"
#include "tui/session/state.h"

/*
 * Adds to out: of the status "text"; of the network what sw_routes_look() adds; of a
 * server that answers at url "url", "status", "size" and "ms"; of a restart what
 * sw_restart_look() finds.
 */
int sw_look_job(struct sw_machine *m, enum sw_look_kind kind, const char *url,
		json_object *out, struct sw_error *err);

/* Whether the network is enough for an install: what sw_nettest_to_json() says. */
int sw_nettest_job(struct sw_machine *m, const struct sw_answers *a, json_object *out,
		   struct sw_error *err);
