/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child that applies, as the session sees it: a stream of events. The child
 * outlives a session; a new session finds it by a note in the run directory and
 * follows its log instead of its pipe.
 */
#pragma once

#include "machine/machine.h"
#include "tui/session/state.h"

struct sw_worker {
	pid_t pid;		/* 0: none */
	int fd;			/* the pipe, or the log when adopted */
	bool adopted;		/* not our child: there is no status to wait for */
	struct sw_buf in;
};

/* Starts what the state asks for. */
int sw_worker_start(struct sw_worker *w, struct sw_machine *m, const struct sw_state *s,
		    struct sw_error *err);
/* Finds a child that an earlier session left running; true when there is one. */
bool sw_worker_adopt(struct sw_worker *w, const struct sw_machine *m, enum sw_work *ret_work);

enum sw_worker_news { SW_WORKER_NOTHING, SW_WORKER_LATER, SW_WORKER_NOW };

/* Reads events into the state, and the end. Tells how soon they want to be seen. */
enum sw_worker_news sw_worker_read(struct sw_worker *w, struct sw_state *s);
void sw_worker_cancel(struct sw_worker *w);
/*
 * At the next safe point it waits, or goes on. The note of it (SW_APPLY_PAUSED) has the console
 * where that was asked, for the log and for a session after this one.
 */
void sw_worker_pause(struct sw_worker *w, const struct sw_machine *m, const struct sw_state *s);
/* After sw_worker_adopt(): an earlier session paused it, and so does this one. */
void sw_worker_adopt_pause(const struct sw_machine *m, struct sw_state *s);
/* Lets go of the child without ending it. */
void sw_worker_clear(struct sw_worker *w);
