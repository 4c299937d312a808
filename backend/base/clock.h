/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that nobody sets: for how long something took or may still take. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Milliseconds since some moment (CLOCK_MONOTONIC). */
static inline int64_t sw_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
