/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: a zone of the target disk that tells, after a power cut, which
 * plan was running and how far it came, and that holds what undo needs. It is
 * written and flushed before any other write.
 *
 * Zone (SW_JOURNAL_LEN bytes at sw_plan_journal_offset()):
 *   0        header, 4096 bytes: magic, version, lengths, SHA-256 of each area
 *   4096     up to 255 records of 4096 bytes, appended, each with its own SHA-256
 *   1 MiB    the disk's first MiB as it was
 *   2 MiB    the disk's last MiB as it was
 *   3 MiB    JSON: {"plan": …, "disk": …, "vars": …}
 *
 * A plan for several disks has a journal on each, all with the whole plan and
 * each with its own disk's undo data. The system disk's (disk 0) is written last,
 * counts as the beginning, and keeps the records of the steps; the others get
 * only the records that end or reverse a run.
 */
#pragma once

#include "apply/apply.h"

enum sw_record_kind {
	SW_RECORD_START = 1,	/* step started */
	SW_RECORD_FINISH,	/* step finished */
	SW_RECORD_DONE,		/* plan finished */
	SW_RECORD_UNDO,		/* undo started */
	SW_RECORD_UNDONE,	/* undo finished */
	SW_RECORD_OWED,		/* undo finished but on these disks: step is a set of them */
};

struct sw_journal {
	struct sw_io *io;	/* borrowed */
	uint64_t off, disk_size;
	uint32_t next;		/* index of the next record */
	struct sw_left_out left_out[2];	/* of the first and the last MiB */
};

struct sw_journal_head {
	json_object *plan;	/* as stored; owned */
	json_object *vars;	/* boot variables as they were; owned, may be NULL */
	unsigned int disk;	/* which of the plan's disks it is on */
	char id[65];		/* digest of the plan as stored: the same on all its disks */
	enum sw_journal_state state;
	bool noted;		/* there is a record */
	unsigned int step;	/* last started */
	bool undoing;		/* an undo was started */
	bool partly;		/* one was finished but on some disks, */
	uint64_t owed;		/* these: bit k for disks[k] of the plan */
	int64_t time;		/* of the last record */
	struct sw_left_out left_out[SW_PLAN_MAX_DISKS][2];
};

/* Writes everything to a disk of the plan and flushes; afterwards records can be added. */
int sw_journal_create(struct sw_io *io, const struct sw_plan *p, size_t disk, json_object *vars,
		      struct sw_journal *ret_journal, struct sw_error *err);

/* -ENOENT when there is no journal, -EBADMSG when there is one that is damaged. */
int sw_journal_open(struct sw_io *io, struct sw_journal *ret_journal,
		    struct sw_journal_head *ret_head);
/*
 * The same for a zone that lies elsewhere, such as in a copy; disk_size 0: of any
 * disk.
 */
int sw_journal_open_at(struct sw_io *io, uint64_t off, uint64_t disk_size,
		       struct sw_journal *ret_journal, struct sw_journal_head *ret_head);
void sw_journal_head_clear(struct sw_journal_head *h);

/* Appends a record and flushes. -ENOSPC when 255 are used up. */
int sw_journal_record(struct sw_journal *j, enum sw_record_kind kind, uint64_t step);

#define SW_JOURNAL_SAVED (1U << 20)
/* What was saved of the disk's first (or last) MiB; malloc'd, SW_JOURNAL_SAVED bytes. */
int sw_journal_saved(struct sw_journal *j, bool last, uint8_t **ret_data);

/* ---- copies, see apply/undo-copy.h ---- */

struct sw_run_disk;
/*
 * Writes what would be the journals of all the plan's disks to another io, one
 * after the other. From the first LUKS header in a saved MiB to its end
 * nothing is kept: its keyslots follow.
 */
int sw_journal_copy(const struct sw_run_disk *disks, const struct sw_plan *p, json_object *vars,
		    struct sw_io *to, struct sw_error *err);
/* The same from journals that exist. Their records stay behind. */
int sw_journal_export(struct sw_io *const *disks, const struct sw_plan *p, struct sw_io *to,
		      struct sw_error *err);
/* Writes a copied zone to its disk, with a record that this step had been started. */
int sw_journal_import(struct sw_io *from, uint64_t from_off, struct sw_io *disk, uint64_t off,
		      unsigned int step, struct sw_error *err);
/* What a scan would tell of a journal whose records are not known; for one _free(…, 1). */
int sw_journal_info_from_copy(const struct sw_journal_head *h, struct sw_journal_info **ret_info);
