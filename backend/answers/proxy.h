/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy that this process uses from now on (net/proxy.h), from where it is kept. */
#pragma once

#include "answers/answers.h"
#include "machine/machine.h"

/*
 * That of the answers, with the login that network.proxy-login names; the environment's when they
 * have none. Exit 3 or 5 for a login that cannot be read.
 */
int sw_answers_use_proxy(const struct sw_answers *a, struct sw_machine *m, struct sw_error *err);
/* That of a node's data: its "network" (plan/network.h), may be NULL. */
int sw_node_use_proxy(json_object *network, struct sw_error *err);
