/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten thousand machines that were switched on together, and one server: the pauses are those
 * of the real client (sw_persist_backoff, sw_backoff_*), the clock is counted. `make fleet`
 * prints what it comes to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admission/persist.h"
#include "base/backoff.h"

#define NODES 10000U
#define SERVICE_MS 5		/* the server takes 200 requests a second, one after the other */
#define BACKLOG 128		/* and as many may wait; others are refused */
#define PATIENCE_S 7200U
#define SECONDS 7200U
#define OUTAGE_MS 600000

enum what { TRIES, ANSWERED };

struct moment {
	int64_t at;
	unsigned int node;
	enum what what;
	unsigned int life;	/* of the server when it took the request */
};

struct world {
	struct moment heap[NODES + 1];
	size_t n;
	struct sw_backoff node[NODES];
	int64_t busy_until;
	bool dies;
	int64_t died, back;	/* 0: not yet */
	unsigned int life;
	/* what came of it */
	unsigned int done, given_up, requests, per_second[SECONDS];
	int64_t last;
};

struct result {
	unsigned int peak, peak_later, requests, worst_tries, back_peak;
	int64_t all_ms, after_back_ms;
};

static bool earlier(const struct moment *a, const struct moment *b)
{
	return a->at != b->at ? a->at < b->at : a->node < b->node;
}

static void swap(struct moment *a, struct moment *b)
{
	struct moment t = *a;

	*a = *b;
	*b = t;
}

static void add(struct world *w, struct moment m)
{
	size_t i = w->n++;

	w->heap[i] = m;
	for (; i > 0 && earlier(&w->heap[i], &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&w->heap[i], &w->heap[(i - 1) / 2]);
}

static struct moment take(struct world *w)
{
	struct moment first = w->heap[0];
	size_t i = 0;

	w->heap[0] = w->heap[--w->n];
	for (;;) {
		size_t least = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < w->n; k++)
			if (earlier(&w->heap[k], &w->heap[least]))
				least = k;
		if (least == i)
			return first;
		swap(&w->heap[i], &w->heap[least]);
		i = least;
	}
}

/* even: as it would be without chance. */
static void try_later(struct world *w, unsigned int node, int64_t now, bool even)
{
	struct sw_backoff *b = &w->node[node];
	unsigned int pause, done = b->done;

	if (!sw_backoff_next(b, now, 0, &pause)) {
		w->given_up++;
		return;
	}
	if (even) {
		pause = b->first_ms;
		while (done-- > 0 && pause < b->max_ms)
			pause = pause * 2 < b->max_ms ? pause * 2 : b->max_ms;
	}
	add(w, (struct moment){ .at = now + pause, .node = node, .what = TRIES });
}

static void request(struct world *w, const struct moment *m, bool even)
{
	bool down = w->died && m->at < w->back;

	w->requests++;
	if (m->at / 1000 < SECONDS)
		w->per_second[m->at / 1000]++;
	if (w->busy_until < m->at)
		w->busy_until = m->at;
	if (down || (w->busy_until - m->at) / SERVICE_MS >= BACKLOG) {
		try_later(w, m->node, m->at, even);
		return;
	}
	w->busy_until += SERVICE_MS;
	add(w, (struct moment){ .at = w->busy_until, .node = m->node, .what = ANSWERED,
				.life = w->life });
}

static void answered(struct world *w, const struct moment *m, bool even)
{
	if (m->life != w->life) {
		try_later(w, m->node, m->at, even);
		return;
	}
	w->done++;
	w->last = m->at;
	if (w->dies && !w->died && w->done == NODES / 2) {
		w->died = m->at;
		w->back = m->at + OUTAGE_MS;
		w->busy_until = w->back;
		w->life++;
	}
}

static struct result run(unsigned int spread_s, bool even, bool dies, const char *name)
{
	static struct world w;
	struct result r = {};

	memset(&w, 0, sizeof(w));
	w.dies = dies;
	for (unsigned int i = 0; i < NODES; i++) {
		w.node[i] = sw_persist_backoff(0, PATIENCE_S);
		sw_backoff_seed(&w.node[i], i + 1);
		add(&w, (struct moment){ .at = sw_backoff_start(&w.node[i], spread_s), .node = i,
					 .what = TRIES });
	}
	while (w.n) {
		struct moment m = take(&w);

		if (m.what == TRIES)
			request(&w, &m, even);
		else
			answered(&w, &m, even);
	}
	for (unsigned int i = 0; i < NODES; i++)
		if (w.node[i].done + 1 > r.worst_tries)
			r.worst_tries = w.node[i].done + 1;
	for (unsigned int s = 0; s < SECONDS; s++) {
		if (w.per_second[s] > r.peak)
			r.peak = w.per_second[s];
		if (s >= 60 && w.per_second[s] > r.peak_later)
			r.peak_later = w.per_second[s];
		if (dies && s >= w.died / 1000 + 120 && w.per_second[s] > r.back_peak)
			r.back_peak = w.per_second[s];
	}
	r.requests = w.requests;
	r.all_ms = w.last;
	r.after_back_ms = w.last - w.back;
	printf("# %-34s peak %5u/s, mean %6.1f/s, %6u requests, at most %2u by one node, "
	       "all after %lld s\n", name, r.peak, r.requests * 1000.0 / (double)r.all_ms,
	       r.requests, r.worst_tries, (long long)r.all_ms / 1000);
	if (dies)
		printf("# %-34s died at %lld s for %d s; peak %u/s from 2 min later on; all %lld s "
		       "after it was back\n", "", (long long)w.died / 1000, OUTAGE_MS / 1000,
		       r.back_peak, (long long)r.after_back_ms / 1000);
	assert_int_equal(w.done, NODES);
	assert_int_equal(w.given_up, 0);
	return r;
}

static void test_chance_keeps_machines_from_coming_back_together(void **state SW_UNUSED)
{
	struct result even = run(0, true, false, "all at once, without chance");
	struct result real = run(0, false, false, "all at once, as it is");

	/* That they start at once, no retry can mend: that is what a spread start is for. */
	assert_int_equal(even.peak, NODES);
	assert_true(real.peak <= 2 * NODES);
	/* After the first minute: without chance most still ask in one second. */
	assert_true(even.peak_later > NODES / 2);
	assert_true(real.peak_later * 10 < even.peak_later);
	assert_true(real.all_ms * 2 < even.all_ms);
}

static void test_a_spread_start_is_no_stampede(void **state SW_UNUSED)
{
	struct result r = run(60, false, false, "slipway.spread=60");

	/* 10,000 over 60 s are 167 a second; the server takes 200. */
	assert_true(r.peak < 300);
	assert_true(r.requests < NODES + NODES / 10);
	assert_true(r.all_ms < 75000);
}

static void test_a_server_that_dies_half_way_is_not_run_down_when_it_is_back(void **state SW_UNUSED)
{
	struct result r = run(60, false, true, "slipway.spread=60, server dies");

	/* 5,000 that ask every 15 to 30 s: 222 a second. */
	assert_true(r.back_peak < 350);
	assert_true(r.worst_tries < 40);
	assert_true(r.after_back_ms < 90000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chance_keeps_machines_from_coming_back_together),
		cmocka_unit_test(test_a_spread_start_is_no_stampede),
		cmocka_unit_test(
			test_a_server_that_dies_half_way_is_not_run_down_when_it_is_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
