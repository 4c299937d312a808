/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that make the content count: the table, the boot entries, and reading it all back. */
#include <string.h>

#include "apply/run.h"
#include "base/json.h"
#include "base/strv.h"
#include "boot/nodedata.h"
#include "boot/nodevar.h"
#include "boot/switch.h"
#include "disk/disk.h"
#include "disk/mdraid.h"

/*
 * What a node without a disk kept in the firmware is nobody's once a disk holds one: the
 * disk is read first. Undo brings it back. What stays does no harm but to take up room.
 */
static void retire_node_variable(struct sw_run *run)
{
	_cleanup_free_ char *hex = NULL;
	struct sw_varstore *vars = NULL;
	struct sw_error e = {};
	int r = sw_machine_vars(run->m, &vars, &e);

	if (r < 0)
		return;
	hex = sw_own_variable_hex(vars, SW_NODE_VARIABLE);
	if (!hex)
		return;
	r = sw_own_variable_restore(vars, SW_NODE_VARIABLE, NULL, &e);
	if (r < 0)
		sw_event_log(run->sink, "warning: %s stays in the firmware: %s", SW_NODE_VARIABLE,
			     e.why[0] ? e.why : strerror(-r));
	else
		sw_event_log(run->sink, "the node data of a node without a disk are gone from the "
					"firmware");
}

int sw_step_table(struct sw_run *run, const struct sw_step *s, struct sw_error *err)
{
	struct sw_table_image t = {};
	int r = sw_plan_table(run->p, s->disk, &t, err);

	if (r == 0)
		r = sw_table_commit(sw_run_io(run, s), &t, err);
	sw_table_image_clear(&t);
	if (r == 0 && s->disk == 0)
		retire_node_variable(run);
	return r;
}

/*
 * On a resume the firmware may have touched the variables, so the writes are
 * computed from what is there.
 */
static int writes_now(struct sw_run *run, struct sw_varstore *vars, struct sw_entry_plan *ret_plan,
		      struct sw_error *err)
{
	_cleanup_json_ json_object *raw = NULL;
	int r = sw_entries_snapshot(vars, &raw, err);

	return r < 0 ? r : sw_plan_entries(run->p, raw, ret_plan, err);
}

static int write_entries(struct sw_run *run, struct sw_error *err)
{
	struct sw_varstore *vars = NULL;
	struct sw_entry_plan plan = {};
	int r = sw_machine_vars(run->m, &vars, err);

	if (r == 0)
		r = writes_now(run, vars, &plan, err);
	for (size_t i = 0; i < plan.n_writes && r == 0; i++) {
		sw_event_log(run->sink, "%s", plan.writes[i].text);
		r = sw_entry_write_apply(vars, &plan.writes[i], err);
	}
	sw_entry_plan_clear(&plan);
	return r;
}

/*
 * Our own variable: what was set, so that the node can compare it with what the
 * firmware made of it. Without it only that first comparison is missing.
 */
static void write_state(struct sw_run *run)
{
	_cleanup_json_ json_object *raw = NULL;
	struct sw_varstore *vars = NULL;
	struct sw_mode_state state, was;
	struct sw_error e = {};
	int r = sw_machine_vars(run->m, &vars, &e);

	if (r == 0)
		r = sw_entries_snapshot(vars, &raw, &e);
	if (r == 0)
		r = sw_plan_mode_state(run->p, raw, &state);
	if (r == 0 && (sw_mode_state_read(vars, &was) < 0 || !sw_mode_state_same(&was, &state)))
		r = sw_mode_state_write(vars, &state, &e);
	if (r == 0)
		r = sw_switch_mark(run->m, run->p->boot_id);
	if (r < 0)
		sw_event_log(run->sink, "warning: what was set is not kept in the firmware: %s",
			     e.what[0] ? e.what : strerror(-r));
}

/*
 * Firmware that refuses (full, locked, broken) must not fail an install whose
 * slot already boots by the fallback path; it is named instead.
 */
int sw_step_entries(struct sw_run *run, const struct sw_step *s SW_UNUSED,
		    struct sw_error *err)
{
	struct sw_error e = {};
	_cleanup_free_ char *text = NULL;

	if (write_entries(run, &e) == 0) {
		write_state(run);
		return 0;
	}
	/* Without a disk there is no fallback path, and nothing else was asked for. */
	if (run->p->n_disks == 0) {
		if (err)
			*err = e;
		return e.r < 0 ? e.r : -EIO;
	}
	run->degraded = true;
	text = sw_error_text(&e);
	sw_event_log(run->sink, "warning: the firmware refused the boot entries: %s",
		     text ? text : "");
	sw_event_log(run->sink, "warning: the node boots by the firmware's fallback path instead");
	return 0;
}

static int verify_failed(const struct sw_io *io, struct sw_error *err, const char *what)
{
	sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "%s does not read back as written", what);
	sw_error_where(err, "%s", io->path);
	sw_error_hint(err, "the disk loses or changes data; look at its health and replace it");
	return -EBADMSG;
}

static int verify_table(struct sw_io *io, const struct sw_plan_disk *d, struct sw_error *err)
{
	struct sw_table t = {};
	_cleanup_strv_ char **signatures = NULL;
	int r = sw_disk_probe(io, &t, &signatures, err);
	bool ok = r == 0 && strcmp(t.digest, d->new_table_digest) == 0;

	sw_table_clear(&t);
	if (r < 0)
		return r;
	return ok ? 0 : verify_failed(io, err, "the partition table");
}

static int verify_slot(struct sw_io *io, const struct sw_placed *part, struct sw_error *err)
{
	struct sw_slot_manifest m = {};
	bool ok = false;
	int r = sw_slot_read(io, part->start, part->size, &m, &ok, err);

	sw_slot_manifest_clear(&m);
	if (r < 0)
		return r;
	return ok ? 0 : verify_failed(io, err, "the boot image");
}

static int verify_data(struct sw_io *io, const struct sw_placed *part, struct sw_error *err)
{
	_cleanup_json_ json_object *o = NULL;
	uint64_t sequence;

	return sw_nodedata_read(io, part->start, part->size, &o, &sequence, err);
}

static int verify_part(struct sw_run *run, const struct sw_placed *part, struct sw_error *err)
{
	struct sw_io *io = run->disks[part->disk].io;

	if (part->kept)
		return 0;
	if (part->role == SW_ROLE_NODE_DATA)
		return verify_data(io, part, err);
	/* What iPXE lies on was read back by its own step. */
	if (part->role != SW_ROLE_IPXE && sw_plan_fills(run->p, part))
		return verify_slot(io, part, err);
	if (part->format && (part->raid || part->encrypt))
		return sw_verify_layers(run, part, err);
	return 0;
}

static int verify_variable(struct sw_run *run, struct sw_error *err)
{
	_cleanup_json_ json_object *is = NULL, *wanted = sw_plan_node_data(run->p);
	struct sw_varstore *vars = NULL;
	int r = sw_machine_vars(run->m, &vars, err);

	if (r == 0 && (sw_nodevar_read(vars, &is) < 0 || !json_object_equal(is, wanted))) {
		r = -EBADMSG;
		sw_fail(err, SW_EXIT_VERIFY, r, "the node data do not read back as written");
		sw_error_where(err, "EFI variable " SW_NODE_VARIABLE);
		sw_error_hint(err, "the firmware loses or changes variables; see its log");
	}
	return r;
}

int sw_step_verify(struct sw_run *run, const struct sw_step *s SW_UNUSED, struct sw_error *err)
{
	int r = run->p->n_disks ? 0 : verify_variable(run, err);

	for (size_t k = 0; k < run->p->n_disks && r == 0; k++) {
		r = sw_io_drop(run->disks[k].io);
		if (r < 0)
			return sw_fail_errno(err, SW_EXIT_VERIFY, r,
					     "the disk's cache cannot be dropped");
		r = verify_table(run->disks[k].io, &run->p->disks[k], err);
	}
	for (size_t i = 0; i < run->p->n_parts && r == 0; i++)
		r = verify_part(run, &run->p->parts[i], err);
	return r;
}
