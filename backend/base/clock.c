/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>

static _Atomic int64_t shift_ms;

int64_t sw_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + atomic_load(&shift_ms);
}

int64_t sw_wall_s(void)
{
	return sw_wall_ms() / 1000;
}

void sw_wall_shift(int64_t ahead_ms)
{
	atomic_store(&shift_ms, ahead_ms);
}

int64_t sw_wall_shifted(void)
{
	return atomic_load(&shift_ms);
}

int64_t sw_build_time(void)
{
	return SW_BUILD_TIME;
}
