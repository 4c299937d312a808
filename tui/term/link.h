/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal's connection to the session: its socket, and messages both ways. */
#pragma once

#include <signal.h>

#include "tui/session/wire.h"

struct sw_link {
	const char *path;
	int sock;		/* -EBADF: not connected */
	int session;		/* a pidfd, readable when the session has died */
	struct sw_buf from, to;
};

#define SW_LINK_RETRY_MS 200L

/* Connects and greets; false: nobody listens. */
bool sw_link_connect(struct sw_link *l, const struct sw_hello *h);
/* Tries for ms milliseconds with these signals let through; *stop ends it. */
bool sw_link_wait(struct sw_link *l, const struct sw_hello *h, long ms, const sigset_t *unblocked,
		  const volatile sig_atomic_t *stop);
void sw_link_disconnect(struct sw_link *l);
/* Sends what can be sent without waiting. */
void sw_link_flush(struct sw_link *l);
/*
 * Reads what there is and hands each message on, until `take` returns false. Disconnects at
 * the end or when the peer talks nonsense.
 */
void sw_link_receive(struct sw_link *l, bool (*take)(const struct sw_message *m, void *arg),
		     void *arg);
