/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling others how an install goes: a log file, syslog servers, webhooks, all fed from the
 * one stream of events. A process of its own takes the events, with a thread and a bounded
 * queue for each receiver, so that none of them can hold up the install or another receiver.
 * What could not be delivered is told when the install ends.
 */
#pragma once

#include "answers/answers.h"
#include "base/event.h"
#include "boot/lastfail.h"
#include "machine/machine.h"
#include "plan/plan.h"

#define SW_REPORT_DRAIN_S 20U	/* after the end, for what is still to be delivered */

struct sw_reporter;

/* Whom and about what. */
struct sw_report {
	struct sw_machine *m;
	const struct sw_answers *answers;
	bool partial;	/* the answers are what could be understood of them: they have no digest */
	const struct sw_plan *plan;		/* NULL: there is none yet */
	const struct sw_lastfail *before;	/* of an earlier boot, or NULL */
};

/*
 * Starts it. *ret_reporter is NULL when the answers name nobody. What is wrong with a receiver
 * (no token, say) is told at the end and stops nothing; an error here is lack of memory
 * or processes.
 */
int sw_reporter_start(const struct sw_report *r, struct sw_reporter **ret_reporter,
		      struct sw_error *err);
/*
 * SW_EVENT_DONE is the last, and so are SW_EVENT_WAIT and SW_EVENT_ANSWERED, which are told alone.
 * Never blocks: an event is lost, and counted, rather than waited for. NULL is fine.
 */
void sw_reporter_tell(struct sw_reporter *r, const struct sw_event *ev);
/*
 * Waits, at most a little longer than SW_REPORT_DRAIN_S or until sink says cancelled, for the
 * deliveries after the last event; what was not delivered goes to sink as log lines. Frees.
 */
void sw_reporter_finish(struct sw_reporter *r, const struct sw_sink *sink);
