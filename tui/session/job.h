/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session must not wait for (reading the machine, planning, saving) is
 * done by a short-lived child, which hands its result back as JSON. The child
 * has a copy of everything, so it needs no locks, and a library that crashes
 * or hangs takes only the child with it.
 */
#pragma once

#include "machine/machine.h"
#include "tui/session/state.h"

enum sw_job_kind { SW_JOB_FACTS, SW_JOB_PLAN, SW_JOB_SAVE, SW_JOB_SWITCH,
		   SW_JOB_SWITCH_SET, SW_JOB_WIPE_PLAN, SW_JOB_WIPE_REPORT, SW_JOB_DOCTOR,
		   SW_JOB_DOCTOR_REPAIR, SW_JOB_DOCTOR_UNDO, SW_JOB_STATUS,
		   SW_JOB_NETWORK, SW_JOB_REACH, SW_JOB_PREFLIGHT, SW_JOB_NETTEST,
		   SW_JOB_ADMIT, SW_JOB_RESTART, SW_JOB_TOOL, SW_JOB_TOOL_DO, SW_JOB_RESTART_TO,
		   SW_JOB_SHELL, SW_JOB_TELL, SW_JOB_WAITS, SW_N_JOBS };

struct sw_job {
	enum sw_job_kind kind;
	pid_t pid;		/* 0: not running */
	int fd;
	struct sw_buf out;
};

/* Those that look at something, in the order of the looks. */
static inline bool sw_job_is_look(enum sw_job_kind kind)
{
	return kind >= SW_JOB_STATUS && kind <= SW_JOB_TOOL_DO;
}
/* What such a job looks at. */
enum sw_look_kind sw_job_look(enum sw_job_kind kind);
/* Ends a running child of this job first. */
int sw_job_start(struct sw_job *j, struct sw_machine *m, const struct sw_state *s,
		 struct sw_error *err);
/*
 * Reads what there is. True: the state was given something, what the job tells while it works
 * (lines, each an event) or, at the end, its result.
 */
bool sw_job_read(struct sw_job *j, struct sw_state *s);
void sw_job_stop(struct sw_job *j);
/* Stops at the next place where it asks whether it shall, and then says that it did. */
void sw_job_ask_to_stop(struct sw_job *j);
/* An event that a job told, for a state; a line that is none is left out. */
void sw_job_told(enum sw_job_kind kind, const char *line, size_t len, struct sw_state *s);
/* The result of a job, for a state; also the failure when out is no such result. */
void sw_job_deliver(enum sw_job_kind kind, const char *out, size_t len, struct sw_state *s);
