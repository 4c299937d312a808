/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

struct work {
	size_t n;
	int (*one)(size_t i, void *arg);
	void *arg;
	atomic_size_t next;
	atomic_int result;	/* the first failure */
};

static void *worker(void *arg)
{
	struct work *w = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&w->next, 1);
		int r, none = 0;

		if (i >= w->n || atomic_load(&w->result) < 0)
			return NULL;
		r = w->one(i, w->arg);
		if (r < 0)
			(void)atomic_compare_exchange_strong(&w->result, &none, r);
	}
}

int sw_parallel(size_t n, int (*one)(size_t i, void *arg), void *arg)
{
	struct work w = { .n = n, .one = one, .arg = arg };
	pthread_t threads[SW_PARALLEL_MAX];
	size_t started = 0;

	while (started < SW_PARALLEL_MAX && started + 1 < n &&
	       pthread_create(&threads[started], NULL, worker, &w) == 0)
		started++;
	(void)worker(&w);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	return atomic_load(&w.result);
}
