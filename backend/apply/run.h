/* SPDX-License-Identifier: Apache-2.0 */
/* Private to apply/: the state of one run, and the functions that carry out each kind of step. */
#pragma once

#include "apply/journal.h"
#include "boot/slot.h"

struct sw_run {
	struct sw_machine *m;
	struct sw_plan *p;		/* borrowed */
	const struct sw_sink *sink;
	struct sw_io *io;		/* the target disk, locked */
	struct sw_journal journal;
	json_object *vars;		/* boot variables as they were before, or NULL */
	char *work;			/* scratch directory */
	char *kernel, *initrd, *uki, *image;	/* files in it */
	struct sw_slot_manifest manifest;
	unsigned int step;		/* 1-based, of the step that runs */
	bool resumed;
	bool changed;			/* something was written to the machine */
	bool degraded;			/* boot entries could not be written */
};

typedef int (*sw_step_fn)(struct sw_run *run, const struct sw_step *s, struct sw_error *err);

int sw_step_fetch(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_image(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_slot(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_blank(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_node_data(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_format(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_table(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_entries(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_verify(struct sw_run *run, const struct sw_step *s, struct sw_error *err);

/* The disk of these facts that the plan is bound to; NULL when it is not here (or not alone). */
const struct sw_disk *sw_bound_disk(const struct sw_plan *p, const struct sw_facts *f);

/*
 * Whether the machine is still the one that was planned on. started: the number
 * of the step that the journal says was running, 0 for a first run; from the
 * table (or entries) step on the respective digest may be anything.
 */
int sw_binding_check(const struct sw_plan *p, const struct sw_facts *f, const struct sw_disk *d,
		     bool resumed, unsigned int started, struct sw_error *err);

/*
 * On a resume or undo with the journal open: refuses a disk whose table is not
 * one that the plan can have left behind. -ESTALE then.
 */
int sw_table_check_predicted(struct sw_run *run, struct sw_error *err);

/* The 1-based number of the plan's first step of this kind, UINT_MAX when there is none. */
unsigned int sw_plan_step_number(const struct sw_plan *p, enum sw_step_kind kind);
