/* SPDX-License-Identifier: Apache-2.0 */
#include "base/gather.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <liburing.h>

#define SLOTS 2U

/*
 * One for each thread: making a ring costs as much as reading a disk. The kernel
 * knows the memory, too, or it would look up each page for each reading.
 */
struct state {
	struct io_uring ring;
	bool has_ring, has_buffer;
	uint8_t *memory;		/* SLOTS of them, or NULL */
	bool taken[SLOTS];
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool usable;
static atomic_bool forbidden;

static void drop_ring(struct state *s)
{
	if (s->has_ring)
		io_uring_queue_exit(&s->ring);
	s->has_ring = false;
}

static void state_free(void *p)
{
	struct state *s = p;

	drop_ring(s);
	free(s->memory);
	free(s);
}

static void state_free_last(void)
{
	/* The main thread ends without its destructors. */
	if (usable && pthread_getspecific(key))
		state_free(pthread_getspecific(key));
}

/*
 * A child that goes on without exec must not use its parent's ring, and its
 * number may soon be another file's.
 */
static void forget_ring(void)
{
	struct state *s = pthread_getspecific(key);

	if (s)
		drop_ring(s);
}

static void make_key(void)
{
	usable = pthread_key_create(&key, state_free) == 0;
	if (usable && pthread_atfork(NULL, NULL, forget_ring) != 0)
		usable = false;
	(void)atexit(state_free_last);
}

static struct state *state_of_thread(void)
{
	struct state *s;

	pthread_once(&once, make_key);
	s = usable ? pthread_getspecific(key) : NULL;
	if (s || !usable)
		return s;
	s = calloc(1, sizeof(*s));
	if (s && pthread_setspecific(key, s) != 0) {
		free(s);
		s = NULL;
	}
	return s;
}

/*
 * Since Linux 6.1 what has ended is looked at only when the thread waits for it,
 * all at once, and does not interrupt it each time. Older kernels know no such
 * flags.
 */
static int new_ring(struct io_uring *ring)
{
	int r = io_uring_queue_init(SW_GATHER_MAX, ring,
				    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);

	return r == -EINVAL ? io_uring_queue_init(SW_GATHER_MAX, ring, 0) : r;
}

/* Without the right to lock this much memory, it goes without. */
static bool show_memory(struct state *s)
{
	const struct iovec all = { .iov_base = s->memory, .iov_len = SLOTS * SW_GATHER_BYTES };

	return s->memory && io_uring_register_buffers(&s->ring, &all, 1) == 0;
}

/* With a ring, or NULL. */
static struct state *ready_state(void)
{
	struct state *s = atomic_load(&forbidden) ? NULL : state_of_thread();

	if (!s || s->has_ring)
		return s;
	/* Containers and hardened kernels forbid it: no reason to ask for each disk again. */
	if (new_ring(&s->ring) < 0) {
		atomic_store(&forbidden, true);
		return NULL;
	}
	s->has_ring = true;
	s->has_buffer = show_memory(s);
	return s;
}

uint8_t *sw_gather_memory(void)
{
	struct state *s = state_of_thread();

	if (s && !s->memory)
		s->memory = aligned_alloc(SW_GATHER_ALIGN, SLOTS * SW_GATHER_BYTES);
	for (size_t i = 0; s && s->memory && i < SLOTS; i++)
		if (!s->taken[i]) {
			s->taken[i] = true;
			return s->memory + i * SW_GATHER_BYTES;
		}
	return aligned_alloc(SW_GATHER_ALIGN, SW_GATHER_BYTES);
}

static bool is_shown(const struct state *s, const uint8_t *data, size_t len)
{
	const uint8_t *end = s->memory + SLOTS * SW_GATHER_BYTES;

	return s->memory && data >= s->memory && data < end && len <= (size_t)(end - data);
}

void sw_gather_memory_free(uint8_t *data)
{
	struct state *s = data ? state_of_thread() : NULL;

	if (s && is_shown(s, data, 0))
		s->taken[(size_t)(data - s->memory) / SW_GATHER_BYTES] = false;
	else
		free(data);
}

/* Afterwards nothing is under way any more, whatever went wrong: the memory is ours again. */
static void wait_for_all(struct io_uring *ring, struct sw_gather_piece *pieces, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct io_uring_cqe *c;

		while (io_uring_wait_cqe(ring, &c) < 0)
			;
		pieces[io_uring_cqe_get_data64(c)].got = c->res > 0 ? (size_t)c->res : 0;
		io_uring_cqe_seen(ring, c);
	}
}

static void prepare(struct state *s, int fd, const struct sw_gather_piece *p, size_t number)
{
	struct io_uring_sqe *e = io_uring_get_sqe(&s->ring);

	if (s->has_buffer && is_shown(s, p->data, p->len))
		io_uring_prep_read_fixed(e, fd, p->data, (unsigned int)p->len, p->off, 0);
	else
		io_uring_prep_read(e, fd, p->data, (unsigned int)p->len, p->off);
	io_uring_sqe_set_data64(e, number);
}

int sw_gather(int fd, struct sw_gather_piece *pieces, size_t n)
{
	struct state *s = n > 0 && n <= SW_GATHER_MAX ? ready_state() : NULL;
	int r;

	if (!s)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < n; i++) {
		pieces[i].got = 0;
		prepare(s, fd, &pieces[i], i);
	}
	r = io_uring_submit_and_wait(&s->ring, (unsigned int)n);
	/* A short submission is the kernel out of memory; what it took has to come back first. */
	if (r > 0)
		wait_for_all(&s->ring, pieces, (size_t)r);
	if (r == (int)n)
		return 0;
	drop_ring(s);
	return -EOPNOTSUPP;
}
