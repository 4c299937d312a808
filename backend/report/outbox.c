/* SPDX-License-Identifier: Apache-2.0 */
#include "report/outbox.h"

#include "base/clock.h"

void sw_outbox_init(struct sw_outbox *b)
{
	pthread_condattr_t attr;

	*b = (struct sw_outbox){};
	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&b->news, &attr);
	(void)pthread_condattr_destroy(&attr);
}

static struct sw_parcel *at(struct sw_outbox *b, size_t i)
{
	return &b->v[(b->first + i) % SW_OUTBOX_MAX];
}

void sw_outbox_clear(struct sw_outbox *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(at(b, i)->text);
	b->n = 0;
}

static void drop_first(struct sw_outbox *b)
{
	free(TAKE_PTR(at(b, 0)->text));
	b->first = (b->first + 1) % SW_OUTBOX_MAX;
	b->n--;
}

void sw_outbox_put(struct sw_outbox *b, struct sw_parcel p)
{
	struct sw_parcel *last;

	(void)pthread_mutex_lock(&b->lock);
	last = b->n ? at(b, b->n - 1) : NULL;
	if (!p.text || b->closing) {
		b->lost++;
		free(p.text);
	} else if (last && p.kind == SW_MESSAGE_PROGRESS && last->kind == SW_MESSAGE_PROGRESS) {
		free(last->text);
		*last = p;
	} else {
		if (b->n == SW_OUTBOX_MAX) {
			drop_first(b);
			b->lost++;
		}
		*at(b, b->n++) = p;
	}
	(void)pthread_cond_broadcast(&b->news);
	(void)pthread_mutex_unlock(&b->lock);
}

/* How far it is does not matter any more when it has ended. */
static void drop_progress(struct sw_outbox *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++)
		if (at(b, i)->kind == SW_MESSAGE_PROGRESS)
			free(at(b, i)->text);
		else
			*at(b, kept++) = *at(b, i);
	b->n = kept;
}

void sw_outbox_close(struct sw_outbox *b, int64_t end_ms)
{
	(void)pthread_mutex_lock(&b->lock);
	drop_progress(b);
	b->closing = true;
	b->end_ms = end_ms;
	(void)pthread_cond_broadcast(&b->news);
	(void)pthread_mutex_unlock(&b->lock);
}

bool sw_outbox_take(struct sw_outbox *b, struct sw_parcel *ret_parcel)
{
	bool any;

	(void)pthread_mutex_lock(&b->lock);
	while (b->n == 0 && !b->closing)
		(void)pthread_cond_wait(&b->news, &b->lock);
	any = b->n > 0 && !(b->closing && sw_now_ms() >= b->end_ms);
	if (any) {
		*ret_parcel = *at(b, 0);
		at(b, 0)->text = NULL;
		drop_first(b);
	}
	(void)pthread_mutex_unlock(&b->lock);
	return any;
}

bool sw_outbox_wait(struct sw_outbox *b, unsigned int ms)
{
	const int64_t until = sw_now_ms() + ms;
	const struct timespec ts = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };
	int r = 0;

	(void)pthread_mutex_lock(&b->lock);
	while (!b->closing && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&b->news, &b->lock, &ts);
	(void)pthread_mutex_unlock(&b->lock);
	return r == ETIMEDOUT;
}

int64_t sw_outbox_end(struct sw_outbox *b)
{
	int64_t end;

	(void)pthread_mutex_lock(&b->lock);
	end = b->closing ? b->end_ms : 0;
	(void)pthread_mutex_unlock(&b->lock);
	return end;
}
