/* SPDX-License-Identifier: Apache-2.0 */
/* The same work on many things, side by side. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/parallel.h"

static atomic_uint times[1000];
static atomic_uint calls;

static int once(size_t i, void *arg)
{
	assert_ptr_equal(arg, times);
	(void)atomic_fetch_add(&times[i], 1);
	return 0;
}

static void each_is_done_once(void **state SW_UNUSED)
{
	static const size_t counts[] = { 0, 1, 2, 17, 1000 };

	for (size_t k = 0; k < ARRAY_SIZE(counts); k++) {
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			atomic_store(&times[i], 0);
		assert_int_equal(sw_parallel(counts[k], 1 + k % 2, once, times), 0);
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			assert_int_equal(atomic_load(&times[i]), i < counts[k]);
	}
}

static int fails_at_ten(size_t i, void *arg SW_UNUSED)
{
	(void)atomic_fetch_add(&calls, 1);
	return i >= 10 ? -EIO : 0;
}

static void a_failure_is_told_and_stops_the_rest(void **state SW_UNUSED)
{
	assert_int_equal(sw_parallel(1 << 20, 1, fails_at_ten, NULL), -EIO);
	/* Those before it, one in each thread, and none of the other million. */
	assert_true(atomic_load(&calls) <= 10 + 2 * SW_PARALLEL_MAX);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_here = PTHREAD_COND_INITIALIZER;
static size_t inside;

/* Like a disk that spins up: ends when all threads that there may be wait like it. */
static int waits_for_the_others(size_t i SW_UNUSED, void *arg SW_UNUSED)
{
	struct timespec until;
	int r = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&lock);
	inside++;
	pthread_cond_broadcast(&all_here);
	while (inside < SW_PARALLEL_MAX && r == 0)
		r = pthread_cond_clockwait(&all_here, &lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&lock);
	return -r;
}

static void those_that_wait_are_many_at_once(void **state SW_UNUSED)
{
	inside = 0;
	assert_int_equal(sw_parallel(500, 1, waits_for_the_others, NULL), 0);
	assert_int_equal(inside, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_done_once),
		cmocka_unit_test(those_that_wait_are_many_at_once),
		cmocka_unit_test(a_failure_is_told_and_stops_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
