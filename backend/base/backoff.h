/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to try again. Pauses grow to a ceiling and are uneven, so that ten thousand machines
 * that one power cut started together do not come back together. Pure: the random numbers
 * come from a seed and the time from the caller, so a test can live through hours at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sw_backoff {
	unsigned int first_ms, max_ms;	/* the first pause at its longest; the ceiling */
	int64_t end_ms;		/* no pause ends later, by the caller's clock; 0: whenever */
	unsigned int tries;	/* pauses there may be; 0: as many as fit */
	unsigned int done;	/* pauses there were */
	uint64_t random;	/* state of the generator */
};

/* A seed of 0 is replaced by one from the kernel. */
void sw_backoff_seed(struct sw_backoff *b, uint64_t seed);
/*
 * The next pause in ms: between half of the step and the whole of it, steps doubling from
 * first_ms to max_ms. asked_ms is what a server asked for (Retry-After; 0: nothing): then it
 * is that and up to half more, since it asks everybody for the same. False: enough was tried.
 */
bool sw_backoff_next(struct sw_backoff *b, int64_t now_ms, unsigned int asked_ms,
		     unsigned int *ret_pause_ms);
/* A success: the next failure begins with the first pause again. */
void sw_backoff_reset(struct sw_backoff *b);
/* A number from 0 to most, uniform. */
unsigned int sw_backoff_random(struct sw_backoff *b, unsigned int most);
/*
 * How long to wait before the first try of all, when many may start at once: 0 to spread_s
 * seconds, in ms.
 */
unsigned int sw_backoff_start(struct sw_backoff *b, unsigned int spread_s);
