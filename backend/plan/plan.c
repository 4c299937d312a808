/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a plan. Nothing here touches the machine: the only inputs are
 * facts, the boot variables as captured, answers and a layout.
 */
#include "plan/plan.h"

#include <string.h>

#include "answers/sources.h"
#include "base/strv.h"
#include "plan/content.h"
#include "plan/extra.h"
#include "plan/network.h"
#include "plan/protect.h"
#include "plan/secrets.h"
#include "plan/steps.h"

static int refuse_firmware(const struct sw_facts *f, const struct sw_answers *a,
			   struct sw_error *err)
{
	if (f->firmware == SW_FIRMWARE_BIOS) {
		sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "this machine was not started by UEFI");
		sw_error_why(err, "a node boots through its UEFI firmware, and in BIOS (legacy, "
				  "CSM) mode slipway can neither write boot entries nor tell what "
				  "would boot");
		sw_error_hint(err, "switch the firmware setup to UEFI mode and start slipway "
				   "again");
		return -EOPNOTSUPP;
	}
	if (f->secure_boot && !a->uki && sw_answers_have_payload(a)) {
		sw_fail(err, SW_EXIT_REFUSED, -EPERM,
			"Secure Boot is on and this payload would be refused by the firmware");
		sw_error_why(err, "an image assembled here from kernel and initrd carries no "
				  "signature");
		sw_error_hint(err, "give a signed image as payload.uki, or turn Secure Boot off in "
				   "the firmware setup");
		return -EPERM;
	}
	return 0;
}

static int refuse_kexec(const struct sw_facts *f, const struct sw_answers *a, struct sw_error *err)
{
	if (a->finish != SW_FINISH_KEXEC || !f->no_kexec)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "finish: kexec cannot be done here");
	sw_error_why(err, "%s", f->no_kexec);
	sw_error_hint(err, "use finish: reboot");
	return -EPERM;
}

static int build(struct sw_plan *p, const struct sw_facts *f, json_object *raw, json_object *old,
		 const struct sw_layout *l, struct sw_error *err)
{
	int r = sw_content_check(l, err);

	if (r == 0)
		r = sw_plan_choose_disks(p, f, l, err);
	if (r == 0)
		r = sw_plan_place(p, l, err);
	if (r == 0)
		r = sw_plan_take_old(p, old, err);
	if (r == 0)
		r = sw_plan_check_protection(p, f, l, err);
	if (r == 0)
		r = raw ? sw_plan_entries(p, raw, &p->entries, err) : 0;
	if (r == 0)
		r = sw_plan_settle_conflicts(p, f, err);
	if (r == 0)
		r = sw_plan_add_warnings(p, f, raw != NULL, err);
	if (r == 0)
		r = sw_plan_add_steps(p, err);
	return r == 0 ? sw_plan_check_ranges(p, err) : r;
}

static int complete_and_build(struct sw_plan *p, const struct sw_facts *f, json_object *raw,
			      json_object *old, const struct sw_layout *l, struct sw_error *err)
{
	struct sw_layout own;
	int r;

	if (sw_plan_complete_layout(l, p->answers, &own) < 0)
		return sw_fail_oom(err);
	r = build(p, f, raw, old, &own, err);
	sw_plan_drop_layout(&own);
	return r;
}

int sw_plan_try(const struct sw_facts *f, json_object *raw_vars, json_object *old,
		const struct sw_answers *a, const struct sw_layout *l, struct sw_plan **ret_plan,
		struct sw_error *err)
{
	_cleanup_plan_ struct sw_plan *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return sw_fail_oom(err);
	r = sw_answers_validate(a, NULL, err);
	if (r == 0)
		r = sw_answers_refuse_open(a, err);
	if (r == 0)
		r = refuse_firmware(f, a, err);
	if (r == 0)
		r = refuse_kexec(f, a, err);
	if (r == 0)
		r = sw_answers_copy(a, &p->answers, err);
	if (r == 0)
		r = sw_answers_fill_name(NULL, f, p->answers, err);
	if (r == 0)
		r = sw_plan_network(a, f, &p->network, err);
	if (r == 0)
		r = sw_answers_diskless(a)
			    ? sw_plan_build_diskless(p, f, f->boot.writable ? raw_vars : NULL, err)
			    : complete_and_build(p, f, f->boot.writable ? raw_vars : NULL, old, l,
						 err);
	if (r < 0)
		return r;
	*ret_plan = TAKE_PTR(p);
	return 0;
}

int sw_plan_build(const struct sw_facts *f, json_object *raw_vars, json_object *old,
		  const struct sw_answers *a, const struct sw_layout *l, struct sw_plan **ret_plan,
		  struct sw_error *err)
{
	_cleanup_plan_ struct sw_plan *p = NULL;
	int r = sw_plan_try(f, raw_vars, old, a, l, &p, err);

	if (r == 0)
		r = sw_plan_digest_tables(p, err);
	if (r == 0)
		r = sw_plan_explain_disks(p, f, l, err);
	if (r < 0)
		return r;
	*ret_plan = TAKE_PTR(p);
	return 0;
}

void sw_plan_free_disk(struct sw_plan_disk *d)
{
	for (size_t i = 0; i < d->n_old_parts; i++) {
		free(d->old_parts[i].label);
		free(d->old_parts[i].fs_type);
		free(d->old_parts[i].fs_label);
		free(d->old_parts[i].fs_uuid);
	}
	free(d->old_parts);
	free(d->name);
	free(d->node);
	free(d->serial);
	free(d->wwn);
	free(d->model);
	free(d->old_table_text);
	free(d->confirm);
	free(d->chosen_by);
	free(d->rule);
	sw_disk_left_free(d->left, d->n_left);
}

struct sw_plan *sw_plan_free(struct sw_plan *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->n_disks; i++)
		sw_plan_free_disk(&p->disks[i]);
	free(p->disks);
	sw_plan_free_asides(p);
	for (size_t i = 0; i < p->n_parts; i++) {
		free(p->parts[i].label);
		sw_content_clear(&p->parts[i]);
		free(p->parts[i].entry);
		free(p->parts[i].fs_uuid);
	}
	free(p->parts);
	free(p->boot_id);
	sw_answers_free(p->answers);
	sw_entry_plan_clear(&p->entries);
	sw_plan_free_steps(p);
	sw_strv_free(p->warnings);
	sw_secret_free(p->recovery);
	json_object_put(p->kept_escrow);
	json_object_put(p->old_secrets);
	json_object_put(p->kept_secrets);
	json_object_put(p->network);
	free(p);
	return NULL;
}
