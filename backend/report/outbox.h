/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for one receiver: bounded, and putting never waits. Progress that nobody has
 * fetched yet is replaced by newer progress. Private to report/.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "report/message.h"

#define SW_OUTBOX_MAX 128U

struct sw_parcel {
	enum sw_message_kind kind;	/* of a webhook's; SW_MESSAGE_NONE: a line */
	bool bad;			/* about a failure */
	int64_t time_ms;
	char *text;
};

struct sw_outbox {
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct sw_parcel v[SW_OUTBOX_MAX];
	size_t first, n;
	bool closing;
	int64_t end_ms;		/* while closing, by sw_now_ms() */
	unsigned int lost;	/* pushed out by newer ones */
};

void sw_outbox_init(struct sw_outbox *b);
void sw_outbox_clear(struct sw_outbox *b);
/* Takes the text, also when it is NULL (out of memory: lost). The oldest goes when it is full. */
void sw_outbox_put(struct sw_outbox *b, struct sw_parcel p);
/* Nothing is put any more; what is in it may be fetched until end_ms. */
void sw_outbox_close(struct sw_outbox *b, int64_t end_ms);
/* Waits for one; false: closed, and empty or too late. The caller frees its text. */
bool sw_outbox_take(struct sw_outbox *b, struct sw_parcel *ret_parcel);
/* Waits so long, or until it is closed (false when that is so, or was before). */
bool sw_outbox_wait(struct sw_outbox *b, unsigned int ms);
/* When it must be done; 0: not yet. */
int64_t sw_outbox_end(struct sw_outbox *b);
