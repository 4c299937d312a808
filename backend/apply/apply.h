/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only code that writes. Runs a plan's steps in order, journals each, and
 * reports events. Usually in a child process of its own session, so that
 * losing a terminal does not stop an install.
 */
#pragma once

#include "base/event.h"
#include "machine/machine.h"
#include "plan/plan.h"

/*
 * Checks the binding and runs the plan in this process. err->exit tells whether
 * something was changed.
 */
int sw_apply_run(struct sw_machine *m, struct sw_plan *p, const struct sw_sink *sink,
		 struct sw_error *err);

/*
 * Runs it in a child (setsid); events come as JSON lines on *ret_fd, and are
 * also appended to RUN_DIR/events.jsonl. The child's exit status is the exit
 * code. It survives the death of the parent. To cancel: SIGTERM to the child.
 */
int sw_apply_spawn(struct sw_machine *m, struct sw_plan *p, pid_t *ret_pid, int *ret_fd,
		   struct sw_error *err);

/* ---- after an interruption ---- */

enum sw_journal_state {
	SW_JOURNAL_NONE,
	SW_JOURNAL_RUNNING,
	SW_JOURNAL_DONE,
	SW_JOURNAL_UNDONE,
	SW_JOURNAL_ALONE,	/* of a further disk; how far the install came is not known here */
};

/* Bytes of a saved MiB that a copy leaves out, since a LUKS header was there. from == to: none. */
struct sw_left_out {
	uint32_t from, to;
};

#define SW_NO_DISK "none"	/* in place of a disk's name: a node without one */

struct sw_journal_info {
	enum sw_journal_state state;
	unsigned int step, steps;	/* last started step, 1-based */
	bool undoing;			/* it was an undo that was interrupted */
	char *disk_name;		/* facts' name of the disk it is on, or SW_NO_DISK */
	/*
	 * Words when only a further disk of the install has it and the system disk
	 * is absent or says nothing of it: then neither resume nor undo is possible.
	 */
	char *alone;
	json_object *vars;		/* boot variables as they were before, or NULL */
	struct sw_plan *plan;
	char *step_title;
	int64_t time;
	/* Of each disk's first and last MiB: not in this journal, so undo leaves it alone. */
	struct sw_left_out left_out[SW_PLAN_MAX_DISKS][2];
};

/*
 * Looks at the journal zone of every disk. ret_infos: array, one for each
 * install that has a journal: an install on several disks is one.
 */
int sw_journal_scan(struct sw_machine *m, const struct sw_facts *f,
		    struct sw_journal_info **ret_infos, size_t *ret_n, struct sw_error *err);
void sw_journal_infos_free(struct sw_journal_info *infos, size_t n);

/* The same child process for a resume or an undo. */
enum sw_apply_kind { SW_APPLY_INSTALL, SW_APPLY_RESUME, SW_APPLY_UNDO };
int sw_apply_spawn_journal(struct sw_machine *m, const struct sw_journal_info *info,
			   enum sw_apply_kind kind, pid_t *ret_pid, int *ret_fd,
			   struct sw_error *err);

/* Why an install cannot be resumed or undone from this journal, as an error; 0 when it can. */
int sw_journal_refuse_alone(const struct sw_journal_info *info, struct sw_error *err);

/* Runs an interrupted plan to its end. Accepts exactly the states that the journal predicts. */
int sw_apply_resume(struct sw_machine *m, const struct sw_journal_info *info,
		    const struct sw_sink *sink, struct sw_error *err);

/* What undo would bring back and what it cannot, a line each; malloc'd. */
char *sw_undo_text(const struct sw_journal_info *info);
/* All disks of the install; -ENXIO (exit 4) when the journal is alone. */
int sw_undo_run(struct sw_machine *m, const struct sw_journal_info *info,
		const struct sw_sink *sink, struct sw_error *err);
