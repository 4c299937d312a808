/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk: none. The plan writes boot variables only: node data, the network's entry,
 * order and BootNext. What such a node does without is told in its warnings.
 */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "boot/bootlist.h"
#include "boot/nodevar.h"
#include "plan/steps.h"

size_t sw_plan_journals(const struct sw_plan *p)
{
	return p->n_disks ? p->n_disks : 1;
}

uint64_t sw_plan_journal_size(const struct sw_plan *p, size_t disk)
{
	return p->n_disks ? p->disks[disk].size : SW_PLAN_FILE_SIZE;
}

uint64_t sw_plan_journal_place(const struct sw_plan *p, size_t disk)
{
	return p->n_disks ? p->disks[disk].journal_off
			  : sw_plan_journal_offset(SW_PLAN_FILE_SIZE);
}

static int refuse_variables(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -EROFS, "EFI variables cannot be written here");
	sw_error_why(err, "a node without a disk consists of boot variables alone");
	sw_error_hint(err, "start by UEFI with its variables writable, or choose a disk");
	return -EROFS;
}

/* Whoever reads node data looks at the disks first, and would never come to the variable. */
static int refuse_node(const struct sw_facts *f, struct sw_error *err)
{
	for (size_t i = 0; i < f->n_disks; i++) {
		if (!sw_disk_slot(&f->disks[i]))
			continue;
		sw_fail(err, SW_EXIT_REFUSED, -EEXIST, "a disk here holds a node");
		sw_error_where(err, "%s", f->disks[i].node);
		sw_error_why(err, "what is on it counts, and disk: none writes to no disk");
		sw_error_hint(err, "`slipway mode network` makes that node start from the network; "
				   "`slipway wipe` takes it away");
		return -EEXIST;
	}
	return 0;
}

static int take_seed(struct sw_plan *p, const struct sw_facts *f, struct sw_error *err)
{
	const struct sw_disk machine = { .serial = f->serial, .wwn = f->uuid };
	int r = sw_plan_choose_seed(p->answers, &machine, &p->seed);

	return r < 0 ? sw_fail_errno(err, SW_EXIT_INVALID, r, "the seed is not usable") : 0;
}

static int bind(struct sw_plan *p, const struct sw_facts *f, struct sw_error *err)
{
	p->time = f->time;
	memcpy(p->boot_digest, f->boot.digest, sizeof(p->boot_digest));
	p->boot_id = f->boot_id ? strdup(f->boot_id) : NULL;
	return f->boot_id && !p->boot_id ? sw_fail_oom(err) : take_seed(p, f, err);
}

static int check_room(const struct sw_plan *p, struct sw_error *err)
{
	_cleanup_json_ json_object *data = sw_plan_node_data(p);
	_cleanup_free_ char *text = NULL;

	return data ? sw_nodevar_text(data, &text, err) : sw_fail_oom(err);
}

static char *where_undo_is(const char *copy)
{
	if (copy && *copy)
		return sw_fmt("undo data are in this system's memory until it restarts, and then "
			      "only at disk.undo-copy: %s", copy);
	return strdup("undo data are in this system's memory only and are lost when it restarts; "
		      "disk.undo-copy or --undo-copy names a place for a copy");
}

static int warn(struct sw_plan *p)
{
	int r = sw_plan_warn(p, strdup("no disk is written, so there is no last-known-good image: "
				       "when the network is away, nothing of this node starts; "
				       "the firmware goes on with its other entries"));

	if (r == 0)
		r = sw_plan_warn(p, strdup("the node data are in the firmware (" SW_NODE_VARIABLE
					   "), where everybody on the node can read them: no "
					   "secret can be kept for it"));
	return r < 0 ? r : sw_plan_warn(p, where_undo_is(p->answers->undo_copy));
}

int sw_plan_build_diskless(struct sw_plan *p, const struct sw_facts *f, json_object *raw,
			   struct sw_error *err)
{
	int r = raw ? refuse_node(f, err) : refuse_variables(err);

	if (r == 0)
		r = bind(p, f, err);
	if (r == 0)
		r = check_room(p, err);
	if (r == 0)
		r = sw_plan_entries(p, raw, &p->entries, err);
	if (r == 0 && warn(p) < 0)
		r = sw_fail_oom(err);
	if (r == 0)
		r = sw_plan_add_warnings(p, f, true, err);
	if (r == 0 && sw_plan_add_diskless_steps(p) < 0)
		r = sw_fail_oom(err);
	return r;
}
