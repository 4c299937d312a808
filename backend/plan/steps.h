/* SPDX-License-Identifier: Apache-2.0 */
/* Private to plan/: the disks, the partitions, the ordered steps and the warnings of a plan. */
#pragma once

#include "plan/plan.h"

/* Chooses every disk that the layout wants, binds the plan to them and takes the seed. */
int sw_plan_choose_disks(struct sw_plan *p, const struct sw_facts *f, const struct sw_layout *l,
			 struct sw_error *err);
/* Takes the digests of the tables that the disks get; libfdisk makes each. */
int sw_plan_digest_tables(struct sw_plan *p, struct sw_error *err);
/* Says of each of its disks by which rule it was chosen, and why the others were not. */
int sw_plan_explain_disks(struct sw_plan *p, const struct sw_facts *f, const struct sw_layout *l,
			  struct sw_error *err);
/* What a disk is called, and its size: the beginning of its JSON; new reference. */
json_object *sw_plan_disk_names(const struct sw_plan_disk *d);
/* These words in a disk's JSON, and from there; -EINVAL for what is none. */
void sw_plan_chosen_to_json(json_object *o, const struct sw_plan_disk *d);
int sw_plan_chosen_from_json(json_object *o, struct sw_plan_disk *d);
/* Places the layout's partitions on the plan's disks. */
int sw_plan_place(struct sw_plan *p, const struct sw_layout *l, struct sw_error *err);
/*
 * Whether what disk.preserve names is there and is what the layout says: type, least size,
 * label, file system. exit 4 when not, exit 3 for a name that the layout does not have.
 */
int sw_plan_check_kept(const struct sw_plan *p, const struct sw_disk *const *disks,
		       const struct sw_layout *l, struct sw_error *err);
/* Whether disk.preserve names this label. */
bool sw_plan_keeps(const struct sw_plan *p, const char *label);
/* What a definition's partition is called on a disk of the plan; malloc'd. */
char *sw_plan_label(const struct sw_layout *l, size_t disk, const struct sw_layout_part *part);
/* The disk of the layout that the plan's disk stands for: the last may be several. */
size_t sw_plan_layout_disk(const struct sw_layout *l, size_t disk);
/* UUIDs come from the answers' seed, else from the name and what this disk says of itself. */
int sw_plan_choose_seed(const struct sw_answers *a, const struct sw_disk *d,
			struct sw_guid *ret_seed);
/* A plan for disk: none; everything but p->answers is still to be done. */
int sw_plan_build_diskless(struct sw_plan *p, const struct sw_facts *f, json_object *raw,
			   struct sw_error *err);
/* Its steps: boot variables only. */
int sw_plan_add_diskless_steps(struct sw_plan *p);
int sw_plan_add_steps(struct sw_plan *p, struct sw_error *err);
int sw_plan_add_warnings(struct sw_plan *p, const struct sw_facts *f, bool have_vars,
			 struct sw_error *err);
/*
 * Names what on other disks would be taken for the node's, and refuses, plans
 * other names for it or only warns, as disk.conflicts says.
 */
int sw_plan_settle_conflicts(struct sw_plan *p, const struct sw_facts *f, struct sw_error *err);
/* Warns of a worn disk of the plan; refuses a failing one unless disk.failing says use. */
int sw_plan_judge_health(struct sw_plan *p, const struct sw_disk *d, struct sw_error *err);
void sw_plan_free_asides(struct sw_plan *p);
/* What it owns, not itself. */
void sw_plan_free_disk(struct sw_plan_disk *d);
/* Takes ownership of text; -ENOMEM when it is NULL. */
int sw_plan_warn(struct sw_plan *p, char *text);
void sw_plan_free_steps(struct sw_plan *p);
