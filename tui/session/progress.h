/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a running plan stands: its steps, the bar, rate and time left, and the
 * last lines of its log; built from events alone.
 */
#pragma once

#include "base/event.h"
#include "plan/plan.h"
#include "tui/session/view.h"

#define SW_PROGRESS_LOG_LINES 2000u

struct sw_progress {
	struct sw_progress_step {
		char title[128];
		unsigned int weight;
		enum { SW_PROGRESS_WAITING, SW_PROGRESS_STARTED, SW_PROGRESS_OK,
		       SW_PROGRESS_BAD } state;
	} *steps;
	unsigned int n_steps;
	unsigned int current;	/* 1-based; 0: none yet */
	uint64_t done, size;	/* of the current step, bytes */
	int64_t start_ms, step_ms, last_ms;	/* of the events, by sw_now_ms() */
	bool finished;		/* an SW_EVENT_DONE came */
	int result;
	struct sw_error error;
	char code[48];		/* of the failure, or "" */
	char node_id[65];	/* of the SW_EVENT_DONE, or "" */
	char ssh_host_key[64];	/* the same */
	char **log;		/* a ring */
	size_t log_first, log_n;
	uint64_t log_total;	/* lines ever added */
};

/* plan may be NULL: titles then come with the events. -ENOMEM. */
int sw_progress_begin(struct sw_progress *run, const struct sw_plan *plan);
void sw_progress_clear(struct sw_progress *run);
void sw_progress_event(struct sw_progress *run, const struct sw_event *ev);
void sw_progress_log(struct sw_progress *run, int64_t time_ms, const char *text);
/* The i-th line that is still kept. */
const char *sw_progress_log_line(const struct sw_progress *run, size_t i);
/* The kept log as text; malloc'd. */
char *sw_progress_log_text(const struct sw_progress *run);
/* Share of the whole that is done, 0 to 1000. */
unsigned int sw_progress_permille(const struct sw_progress *run);

void sw_progress_draw(const struct sw_progress *run, struct sw_frame *f, const struct sw_area *a);
