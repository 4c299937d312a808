/* SPDX-License-Identifier: Apache-2.0 */
/* What `slipway layout plan`, `apply` and `undo` share about their target. */
#pragma once

#include "layout/undo.h"
#include "tui/commands/common.h"

/* Refuses what is not there, is no disk or file, or must not be touched. */
int sw_layout_cli_check(const struct sw_cli *cli, const struct sw_layout_request *q,
			struct sw_error *err);
/* Has the kernel read the new table; the disk must not be locked any more. */
int sw_layout_cli_settle(const struct sw_cli *cli, const char *target, struct sw_error *err);

/* Where undo data is, or will be. */
struct sw_layout_place {
	char *path;		/* of the file; NULL: not in one */
	bool zone;		/* in the disk's reserved zone */
	struct sw_io *file;
	struct sw_layout_undo u;
	json_object *doc;	/* to be saved; owned */
	uint64_t need;
};
void sw_layout_place_clear(struct sw_layout_place *p);

/* Undo data that is there: of --undo, TARGET.undo, or on the disk. -ENOENT: none, no error set. */
int sw_layout_place_find(const struct sw_cli *cli, const char *target, struct sw_io *disk,
			 bool writable, struct sw_layout_place *ret_place,
			 struct sw_layout_undo_head *ret_head, struct sw_error *err);
/* Where it will be for this apply; nowhere with --no-undo or when there is nothing to save. */
int sw_layout_place_choose(const struct sw_cli *cli, const char *target, struct sw_io *disk,
			   const struct sw_layout_result *t, struct sw_layout_place *p,
			   struct sw_error *err);
/* A file that apply made larger has its old size again. */
int sw_layout_cli_cut(struct sw_io *io, const struct sw_layout_undo_head *h, struct sw_error *err);
int sw_layout_place_save(struct sw_layout_place *p, struct sw_io *disk, struct sw_error *err);

/* Words for what undo brings back and what it does not, on stdout. */
void sw_layout_undo_print(json_object *doc);
