/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#define LOOK_NS (5L * 1000 * 1000)
#define SECOND_NS (1000L * 1000 * 1000)

struct work {
	size_t n;
	int (*one)(size_t i, void *arg);
	void *arg;
	atomic_size_t next, done;
	atomic_int result;	/* the first failure */

	pthread_t threads[SW_PARALLEL_MAX];
	size_t started;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t ended;
	size_t running;
};

static void take_all(struct work *w)
{
	for (;;) {
		size_t i = atomic_fetch_add(&w->next, 1);
		int r, none = 0;

		if (i >= w->n || atomic_load(&w->result) < 0)
			return;
		r = w->one(i, w->arg);
		(void)atomic_fetch_add(&w->done, 1);
		if (r < 0)
			(void)atomic_compare_exchange_strong(&w->result, &none, r);
	}
}

static void *worker(void *arg)
{
	struct work *w = arg;

	take_all(w);
	pthread_mutex_lock(&w->lock);
	w->running--;
	pthread_cond_signal(&w->ended);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* With the lock held. */
static void start(struct work *w, size_t more)
{
	size_t most = w->n < SW_PARALLEL_MAX ? w->n : SW_PARALLEL_MAX;

	for (; more > 0 && w->started < most; more--) {
		if (pthread_create(&w->threads[w->started], NULL, worker, w) != 0)
			return;
		w->started++;
		w->running++;
	}
}

/* False when it ended because some thread did. */
static bool pause_for_a_look(struct work *w)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += LOOK_NS;
	if (t.tv_nsec >= SECOND_NS) {
		t.tv_nsec -= SECOND_NS;
		t.tv_sec++;
	}
	return pthread_cond_clockwait(&w->ended, &w->lock, CLOCK_MONOTONIC, &t) != 0;
}

/*
 * More threads than processors only cost where the work is done without waiting;
 * where it waits, they are the gain. So there are twice as many each time that
 * not even one thing for each has been done between two looks.
 */
static void watch(struct work *w)
{
	size_t before = 0;

	while (w->running > 0) {
		size_t now;

		if (!pause_for_a_look(w))
			continue;
		now = atomic_load(&w->done);
		if (now - before < w->running && atomic_load(&w->next) < w->n)
			start(w, w->running);
		before = now;
	}
}

static size_t processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

int sw_parallel(size_t n, size_t per_processor, int (*one)(size_t i, void *arg), void *arg)
{
	struct work w = { .n = n, .one = one, .arg = arg, .lock = PTHREAD_MUTEX_INITIALIZER,
			  .ended = PTHREAD_COND_INITIALIZER };

	if (n > 1) {
		pthread_mutex_lock(&w.lock);
		start(&w, processors() * per_processor);
		watch(&w);
		pthread_mutex_unlock(&w.lock);
		for (size_t i = 0; i < w.started; i++)
			(void)pthread_join(w.threads[i], NULL);
	}
	/* One thing, or no thread could be started. */
	take_all(&w);
	return atomic_load(&w.result);
}
