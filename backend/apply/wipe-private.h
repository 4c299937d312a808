/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the wipe: one run of it. */
#pragma once

#include "apply/wipe.h"

struct sw_wipe_run {
	struct sw_machine *m;
	const struct sw_wipe_plan *p;	/* borrowed */
	const struct sw_sink *sink;
	struct sw_io *io;		/* the disk, locked */
	struct sw_wipe_mark mark;	/* as on the disk */
	enum sw_wipe_state *regions;	/* of each of the plan's regions */
	enum sw_wipe_state first, content;
	uint64_t differs;		/* the first byte that did not read as erased */
	bool fell_back;
	bool changed;			/* something was written */
	int64_t started;
	unsigned int step;
};

/* New reference. r: how the run ended. */
json_object *sw_wipe_report(const struct sw_wipe_run *run, int r, const struct sw_error *err);
/* Text, or JSON for a name that ends in .json. */
int sw_wipe_report_save(const char *path, json_object *report);

/*
 * Reads [off, end) past the cache; 0 when all of it is zero, 1 when not, with the
 * first other byte in ret_at.
 */
int sw_wipe_read_zeros(struct sw_wipe_run *run, uint64_t off, uint64_t end, bool tell,
		       uint64_t *ret_at);
/* Tells how far a step is; sparingly. done and size in bytes. */
void sw_wipe_tell(struct sw_wipe_run *run, uint64_t done, uint64_t size, uint64_t *told);
