/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wiping a whole disk. The first write puts the wipe's mark over the first
 * sector (disk/wipemark.h); what else is erased comes after it, and the mark
 * goes last. So at every moment the disk either has its old table and all of
 * its content, or says that it is being wiped, or is wiped.
 */
#pragma once

#include "apply/secure.h"
#include "base/event.h"
#include "disk/regions.h"
#include "machine/machine.h"

enum sw_wipe_verify {
	SW_WIPE_VERIFY_ALL,	/* every byte of what the method claims to have erased */
	SW_WIPE_VERIFY_EDGES,	/* tables and signatures only */
};

struct sw_wipe_options {
	enum sw_wipe_method method;
	enum sw_wipe_verify verify;
	bool restart;		/* begin anew where an earlier wipe stopped half-way */
	const char *report;	/* file for the report, or NULL; JSON when it ends in .json */
};

struct sw_wipe_plan {
	char *name, *node, *serial, *wwn, *model;
	uint64_t size;		/* bytes */
	uint32_t sector;
	uint64_t diskseq;	/* 0: unknown */
	char digest[65];	/* of the table as planned on */
	char *content;		/* words for what is lost, NULL: nothing was found */
	char *confirm;		/* what a person types */
	struct sw_wipe_mark mark;	/* method, progress, and the regions when they fit */
	struct sw_regions regions;	/* tables and signatures to erase */
	bool resumed;		/* a wipe of this disk had begun */
	bool fall_back;		/* zeros are written when the disk refuses to discard */
	enum sw_wipe_verify verify;
	enum sw_secure_kind secure;
	char *report;
};

/*
 * Reads the disk and decides what will be done; writes nothing. exit 4 for a
 * disk that must not be touched, exit 5 when it cannot do what the method needs.
 */
int sw_wipe_plan(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
		 const struct sw_wipe_options *o, struct sw_wipe_plan **ret_plan,
		 struct sw_error *err);
struct sw_wipe_plan *sw_wipe_plan_free(struct sw_wipe_plan *p);
SW_DEFINE_CLEANUP(struct sw_wipe_plan, sw_wipe_plan_free)
#define _cleanup_wipe_plan_ _cleanup_(sw_wipe_plan_freep)

/* What will be done and what will be lost, lines for a person; malloc'd. */
char *sw_wipe_plan_text(const struct sw_wipe_plan *p);
json_object *sw_wipe_plan_to_json(const struct sw_wipe_plan *p);

/*
 * Carries it out under the disk's lock. exit 6: failed before the first write;
 * 7: failed or stopped later, the same wipe again goes on; 8: it does not read
 * back as erased. ret_report (may be NULL) is filled in every case, and written
 * to the plan's file.
 */
int sw_wipe_run(struct sw_machine *m, const struct sw_wipe_plan *p, const struct sw_sink *sink,
		json_object **ret_report, struct sw_error *err);

/*
 * The same in a child of its own session, as sw_apply_spawn(). It leaves its
 * report, as JSON, in the file that sw_wipe_report_path() names.
 */
int sw_wipe_spawn(struct sw_machine *m, const struct sw_wipe_plan *p, pid_t *ret_pid, int *ret_fd,
		  struct sw_error *err);
/*
 * The same for a disk of these facts, which a person saw and confirmed: the plan is
 * made in the child, so that a disk that hangs holds nobody up. A disk whose table
 * is another by now is refused.
 */
int sw_wipe_spawn_disk(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
		       const struct sw_wipe_options *o, pid_t *ret_pid, int *ret_fd,
		       struct sw_error *err);
/* name: the disk's, as the kernel has it; malloc'd. */
char *sw_wipe_report_path(const struct sw_machine *m, const char *name);

/* ---- the report ---- */

/*
 * What is known about a region: "commanded" means that the disk took the order
 * and reported success, "verified by reading" that zeros came back afterwards,
 * past the page cache. A report never says more.
 */
enum sw_wipe_state {
	SW_WIPE_NOT_DONE,
	SW_WIPE_COMMANDED,
	SW_WIPE_VERIFIED,
	SW_WIPE_DIFFERS,
};

/* Lines for a person from the JSON report; malloc'd. */
char *sw_wipe_report_text(json_object *report);
