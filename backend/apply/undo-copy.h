/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Undo data away from the target disks: on the operator's stick, in a file, or on
 * a web server. A copy is the journal zones of all disks of a plan, one after
 * the other (apply/journal.h), as they were when the install began, so it
 * checks itself. What a LUKS header or its keyslots could be in is left out.
 */
#pragma once

#include "apply/run.h"

/* Where to, as disk.undo-copy has it: "stick", a path, http:// or https://. 0 or exit 3. */
int sw_undo_copy_check(const char *where, struct sw_error *err);

/*
 * Makes the copy of a run whose disks are open, and stores it. Before the first
 * other write; a failure is exit 5, 6 or 10 and nothing was changed.
 */
int sw_undo_copy_make(struct sw_run *run, const char *where, struct sw_error *err);

/* Stores the journals of an install as they are on its disks now. */
int sw_undo_copy_export(struct sw_machine *m, const struct sw_journal_info *info,
			const char *where, struct sw_error *err);

struct sw_undo_copy {
	char *dir;			/* scratch */
	struct sw_io *io;		/* the copy */
	struct sw_journal_info *info;	/* one, as a scan would give it */
	char *name;			/* where it is from, for messages */
};

/* Fetches and checks a copy; nothing is written to any disk. exit 3 when it is not one. */
int sw_undo_copy_open(struct sw_machine *m, const char *from, struct sw_undo_copy *ret_copy,
		      struct sw_error *err);
void sw_undo_copy_clear(struct sw_undo_copy *c);

/*
 * Puts the journals back onto those disks of the plan that have lost theirs, so
 * that resume, undo and status work as ever. Refuses (exit 4) a disk that is
 * not the plan's, that has another install's journal, or whose table is none
 * that this install can have left. Nothing is done to the disks of `without`
 * (a bit each).
 */
int sw_undo_copy_restore(struct sw_machine *m, struct sw_undo_copy *c, uint64_t without,
			 struct sw_error *err);
/* Says in the copy's info which disks of the install are not in the machine. */
void sw_undo_copy_look(struct sw_undo_copy *c, const struct sw_facts *f);
