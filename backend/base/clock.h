/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two clocks: one that nobody sets, for how long something took or may still take, and that
 * of the day, which may be wrong and is set.
 */
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

/* The time of day of the machine that is worked on, ms since the epoch. */
int64_t sw_wall_ms(void);
/* The same in seconds. */
int64_t sw_wall_s(void);

/*
 * How far the clock of a stand-in is ahead of this system's, ms: it has one of its own, so that no
 * test sets that of the system. 0 on a real machine. Of this process and those that it forks.
 */
void sw_wall_shift(int64_t ahead_ms);
int64_t sw_wall_shifted(void);

/* When this program was made, s since the epoch: no clock that is right shows less. */
int64_t sw_build_time(void);
