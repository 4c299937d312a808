/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include <sys/random.h>
#include <time.h>

#include "base/clock.h"

void sw_backoff_seed(struct sw_backoff *b, uint64_t seed)
{
	if (seed == 0 && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed)) {
		struct timespec ts;

		/* Early in a boot there may be no random numbers yet, but no two clocks agree. */
		clock_gettime(CLOCK_MONOTONIC, &ts);
		seed = (uint64_t)ts.tv_nsec << 20 ^ (uint64_t)sw_wall_ms();
	}
	b->random = seed;
}

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
static uint64_t next_random(struct sw_backoff *b)
{
	uint64_t z = b->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

unsigned int sw_backoff_random(struct sw_backoff *b, unsigned int most)
{
	return (unsigned int)(next_random(b) % ((uint64_t)most + 1));
}

unsigned int sw_backoff_start(struct sw_backoff *b, unsigned int spread_s)
{
	return sw_backoff_random(b, spread_s * 1000);
}

void sw_backoff_reset(struct sw_backoff *b)
{
	b->done = 0;
}

bool sw_backoff_next(struct sw_backoff *b, int64_t now_ms, unsigned int asked_ms,
		     unsigned int *ret_pause_ms)
{
	unsigned int step = b->first_ms, pause;

	if (b->tries && b->done >= b->tries)
		return false;
	for (unsigned int i = 0; i < b->done && step < b->max_ms; i++)
		step = step > b->max_ms / 2 ? b->max_ms : step * 2;
	step = step < b->max_ms ? step : b->max_ms;
	pause = asked_ms ? asked_ms + sw_backoff_random(b, asked_ms / 2)
			 : step - step / 2 + sw_backoff_random(b, step / 2);
	if (b->end_ms && now_ms + (int64_t)pause > b->end_ms)
		return false;
	b->done++;
	*ret_pause_ms = pause;
	return true;
}
