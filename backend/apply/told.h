/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an install owes to those who are not at the console: events to the receivers of the
 * answers, a failure's code in the firmware for the next boot, and at the next start the word
 * about it. Private to apply/.
 */
#pragma once

#include "base/event.h"
#include "report/report.h"

struct sw_told {
	struct sw_machine *m;
	const struct sw_answers *answers;
	struct sw_reporter *reporter;
	struct sw_sink out;		/* where events go on to */
	struct sw_lastfail before;
	bool any_before;
	bool partial;			/* the answers are what could be understood of them */
	bool note_stays;		/* whatever happens, the firmware is not written to */
};

/*
 * Starts the reporter, tells which disks were chosen and why, and of an earlier boot's failure.
 * Nothing here stops an install.
 */
void sw_told_begin(struct sw_told *t, const struct sw_plan *p);
/* When it failed before there was an event of it. */
void sw_told_end(struct sw_told *t, const char *step, const struct sw_error *err);
/* A sink's function, of a struct sw_told: tells, and passes on; SW_EVENT_DONE last of all. */
void sw_told_event(const struct sw_event *ev, void *told);
