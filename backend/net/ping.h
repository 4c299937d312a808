/* SPDX-License-Identifier: Apache-2.0 */
/* A few echoes to a host, by the system's ping. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/event.h"

#define SW_PING_COUNT "5"	/* echoes, one a second */

/*
 * 0 for what can be the name or address of a host ("192.0.2.1", "fe80::1%eth0",
 * "boot.example"); exit 2 for anything else, an option of ping's for one.
 */
int sw_ping_check(const char *host, struct sw_error *err);
/*
 * Asks SW_PING_COUNT times. sink gets each line that ping prints, out all of them;
 * *ret_answered: at least one answer came. Exit 2 of sw_ping_check(), 5 without a ping, 6 when it
 * cannot be started or does not end.
 */
int sw_ping(const char *host, const struct sw_sink *sink, struct sw_buf *out, bool *ret_answered,
	    struct sw_error *err);
