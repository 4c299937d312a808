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

#define SW_FAILED_PLAN "plan"		/* there is no plan */
#define SW_FAILED_ANSWERS "answers"	/* they cannot be used */

/* An install that nobody watches, and that failed before it could start. */
struct sw_failed_start {
	const char *step;	/* SW_FAILED_ANSWERS: of the answers only a part may be known */
	const struct sw_error *error;
	char *const *lines;	/* what else is to be told, before the failure itself; or NULL */
	bool keep;		/* leave it in the firmware for the next boot */
};

/*
 * Tells the receivers of the answers (NULL: nobody). May take as long as SW_REPORT_DRAIN_S. sink:
 * for log lines, or NULL.
 */
void sw_apply_failed(struct sw_machine *m, const struct sw_answers *a,
		     const struct sw_failed_start *f, const struct sw_sink *sink);

/*
 * Tells the receivers of the answers that somebody is waited for to answer these keys (over: not
 * any more; result: 0, or -ECANCELED when the install was stopped). Nobody where what the report
 * says is left open itself. May take as long as SW_REPORT_DRAIN_S. sink: for log lines, or NULL.
 */
void sw_apply_waits(struct sw_machine *m, const struct sw_answers *a, const char *keys, bool over,
		    int result, const struct sw_sink *sink);

/*
 * SIGUSR1 to the child pauses it at the next safe point, SIGUSR2 lets it go on. While it waits, the
 * file of this name in the machine's run_dir has who asked for that, for the log.
 */
#define SW_APPLY_PAUSED "paused"

/* ---- after an interruption ---- */

enum sw_journal_state {
	SW_JOURNAL_NONE,
	SW_JOURNAL_RUNNING,
	SW_JOURNAL_DONE,
	SW_JOURNAL_UNDONE,
	SW_JOURNAL_ALONE,	/* of a further disk; how far the install came is not known here */
	SW_JOURNAL_OWED,	/* undone but on the disks in `owed` */
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
	 * is absent or says nothing of it: then it can only be undone without that.
	 */
	char *alone;
	/* Sets of the plan's disks, bit k for disks[k]. */
	uint64_t absent;	/* not in the machine, or not alone what they are bound to */
	uint64_t names_away;	/* sw_undo_names() of asides whose disks are not here */
	uint64_t owed;		/* still to be undone when the others have been; 0: all */
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
/*
 * The finished install of exactly these answers, so that nobody installs it again
 * unasked: a medium may stay first in the boot order. Borrowed; NULL: there is none, or
 * the answers say reinstall: always.
 */
const struct sw_journal_info *sw_journal_installed(const struct sw_journal_info *infos, size_t n,
						   const struct sw_answers *a);
/* The disks of a plan that are not in the machine, a bit each. */
uint64_t sw_journal_absent(const struct sw_plan *p, const struct sw_facts *f);
/* The disks on which it gives partitions other names and that are not (sw_undo_names). */
uint64_t sw_journal_names_away(const struct sw_plan *p, const struct sw_facts *f);
void sw_journal_infos_free(struct sw_journal_info *infos, size_t n);

/* The same child process for a resume or an undo. */
enum sw_apply_kind { SW_APPLY_INSTALL, SW_APPLY_RESUME, SW_APPLY_UNDO };
int sw_apply_resume_spawn(struct sw_machine *m, const struct sw_journal_info *info,
			  pid_t *ret_pid, int *ret_fd, struct sw_error *err);
int sw_undo_spawn(struct sw_machine *m, const struct sw_journal_info *info, uint64_t without,
		  pid_t *ret_pid, int *ret_fd, struct sw_error *err);

/* Why an install cannot be resumed from this journal, as an error; 0 when it can. */
int sw_journal_refuse_alone(const struct sw_journal_info *info, struct sw_error *err);

/* Runs an interrupted plan to its end. Accepts exactly the states that the journal predicts. */
int sw_apply_resume(struct sw_machine *m, const struct sw_journal_info *info,
		    const struct sw_sink *sink, struct sw_error *err);

/* The disks that an undo has to bring back, those away among them. */
uint64_t sw_undo_todo(const struct sw_journal_info *info);
/* The plan's disks among them that are not here. */
uint64_t sw_undo_away(const struct sw_journal_info *info);
/* What of it can be brought back on this machine as it is. */
uint64_t sw_undo_possible(const struct sw_journal_info *info);
/* In such a set: the names that partitions had on this aside's disk; 0: no bit is left. */
uint64_t sw_undo_names(const struct sw_plan *p, size_t aside);
/* "disk 2 (MODEL, serial S, WWN W)", or "the names of 2 partitions on sda (...)"; malloc'd. */
char *sw_undo_disk(const struct sw_journal_info *info, size_t disk);
/*
 * Labels and sizes of the partitions that it had when it was seen last, or the names that
 * were changed, on one line; malloc'd.
 */
char *sw_undo_holds(const struct sw_journal_info *info, size_t disk);
/* The disks of a set, ", " between them; malloc'd. */
char *sw_undo_disks(const struct sw_journal_info *info, uint64_t set);
/* Adds the disk of this serial, WWN or number (from 1) to a set. -ENOENT, exit 2: there is none. */
int sw_undo_add_disk(const struct sw_journal_info *info, const char *name, uint64_t *set,
		     struct sw_error *err);
/*
 * Whether all disks that have to be brought back are here but for those of `without`,
 * and there is any; -ENXIO (exit 4) names one that is not and what is on it.
 */
int sw_undo_check(const struct sw_journal_info *info, uint64_t without, struct sw_error *err);

/* What undo would bring back and what it cannot, a line each; malloc'd. */
char *sw_undo_text(const struct sw_journal_info *info, uint64_t without);
/*
 * All disks of the install but those of `without`, whether they are here or not; what
 * these are owed is in the journals of the others, and a later undo brings back just that.
 */
int sw_undo_run(struct sw_machine *m, const struct sw_journal_info *info, uint64_t without,
		const struct sw_sink *sink, struct sw_error *err);
