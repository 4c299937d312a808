/* SPDX-License-Identifier: Apache-2.0 */
/* The clock before an install: certificates look bad to a wrong one. */
#pragma once

#include "answers/answers.h"
#include "net/time.h"

/*
 * Asks the NTP servers of the answers (else of the leases) and the https servers that the payload
 * comes from; when the clock is plainly wrong and those are none, those of admission and reports
 * too. Sets the clock where it is slipway's to set (net/time.h). Fails only when cancelled or
 * without memory.
 */
int sw_clock_settle(struct sw_machine *m, const struct sw_answers *a, const struct sw_sink *sink,
		    struct sw_error *err);

#define SW_CLOCK_SERVERS_MAX 8U
/* Whom that would ask. Borrows from the answers, but for what sw_clock_ask_clear() frees. */
struct sw_clock_ask {
	struct sw_time_ask ask;
	struct sw_time_server servers[SW_CLOCK_SERVERS_MAX];
	char pins[SW_CLOCK_SERVERS_MAX][65];
	char *ca[SW_CLOCK_SERVERS_MAX];
};
int sw_clock_ask_from(const struct sw_answers *a, struct sw_clock_ask *ret_ask);
void sw_clock_ask_clear(struct sw_clock_ask *ask);
