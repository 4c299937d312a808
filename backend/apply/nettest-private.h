/* SPDX-License-Identifier: Apache-2.0 */
/* Between nettest.c and nettest-servers.c. */
#pragma once

#include "apply/nettest.h"

/* A row more, "name of" or "name"; NULL when the table is full. */
struct sw_verdict_row *sw_nettest_add(struct sw_nettest *t, const char *name, const char *of);

/* A row for each server that these answers name; -ECANCELED, -ENOMEM. */
int sw_nettest_servers(const struct sw_answers *a, const struct sw_sink *sink,
		       struct sw_nettest *t, struct sw_error *err);
