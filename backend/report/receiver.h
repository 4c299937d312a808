/* SPDX-License-Identifier: Apache-2.0 */
/* One of those who are told, with a thread of its own. Private to report/. */
#pragma once

#include "base/secret.h"
#include "net/syslog.h"
#include "report/outbox.h"

struct sw_receiver {
	char *shown;		/* for messages: without password and query */
	/* one of them */
	const struct sw_webhook *hook;
	const char *syslog;
	const char *log;
	/* of a webhook */
	struct sw_secret *token;
	char *ca, pin[65];
	/* of syslog and a log file */
	struct sw_syslog_at at;
	int fd;
	const char *host;	/* in syslog's messages */
	/* how it goes */
	struct sw_outbox box;
	pthread_t thread;
	bool running;
	bool broken;		/* what the answers say of it cannot be used; `why` says why not */
	unsigned int lost;	/* tried, and given up */
	char why[300];		/* of the last try that failed */
};

/* Fills a receiver; broken and why when it cannot be used. -ENOMEM. */
int sw_receiver_webhook(struct sw_receiver *r, struct sw_machine *m, const struct sw_webhook *w);
int sw_receiver_syslog(struct sw_receiver *r, const char *address, const char *host);
int sw_receiver_log(struct sw_receiver *r, const char *path);
void sw_receiver_clear(struct sw_receiver *r);

/* Puts what it wants to know of this event into its outbox. */
void sw_receiver_offer(struct sw_receiver *r, const struct sw_message_maker *m,
		       enum sw_message_kind kind, const struct sw_event *ev);
/* The thread: delivers until the outbox is closed and empty, or out of time. */
void *sw_receiver_run(void *receiver);
/* Everything that never arrived; a receiver that still runs has not said all. */
unsigned int sw_receiver_lost(struct sw_receiver *r);
