/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery keys in escrow. Node data are written anew by every install; a key of a
 * partition that this install keeps would be lost with them, so it is taken over.
 */
#include <string.h>

#include "apply/run.h"
#include "base/json.h"
#include "boot/nodedata.h"
#include "disk/recovery.h"

static bool opens_kept(const struct sw_plan *p, json_object *entry)
{
	for (size_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].kept && sw_escrow_entry_opens(entry, p->parts[i].label))
			return true;
	return false;
}

static void take(const struct sw_plan *p, json_object *entry, json_object *list)
{
	json_object *clean = entry ? sw_escrow_entry_clean(entry) : NULL;

	if (clean && opens_kept(p, clean) && json_object_array_length(list) < SW_ESCROW_KEPT_MAX)
		json_object_array_add(list, clean);
	else
		json_object_put(clean);
}

/* Copies of a mirrored node are several. */
json_object *sw_run_newest_node_data(const struct sw_run *run)
{
	json_object *newest = NULL;
	uint64_t highest = 0;

	for (size_t k = 0; k < run->p->n_disks; k++) {
		const struct sw_plan_disk *d = &run->p->disks[k];

		for (size_t i = 0; i < d->n_old_parts; i++) {
			json_object *o = NULL;
			uint64_t sequence = 0;

			if (sw_nodedata_read(run->disks[k].io, d->old_parts[i].start,
					     d->old_parts[i].size, &o, &sequence, NULL) < 0)
				continue;
			if (newest && sequence <= highest) {
				json_object_put(o);
				continue;
			}
			json_object_put(newest);
			newest = o;
			highest = sequence;
		}
	}
	return newest;
}

int sw_run_keep_escrow(struct sw_run *run, struct sw_error *err)
{
	_cleanup_json_ json_object *old = NULL, *list = NULL;
	json_object *more;
	bool any = false;

	for (size_t i = 0; i < run->p->n_parts; i++)
		any = any || run->p->parts[i].kept;
	/* A resume has it from the journal; the node data may be gone by then. */
	if (run->resumed || !any || !(old = sw_run_newest_node_data(run)))
		return 0;
	list = json_object_new_array();
	if (!list)
		return sw_fail_oom(err);
	take(run->p, sw_json_get(old, "recovery_escrow"), list);
	more = sw_json_array(old, "recovery_escrow_kept");
	for (size_t i = 0; more && i < json_object_array_length(more); i++)
		take(run->p, json_object_array_get_idx(more, i), list);
	json_object_put(run->p->kept_escrow);
	run->p->kept_escrow = json_object_array_length(list) ? TAKE_PTR(list) : NULL;
	return 0;
}

/* As the holder of the certificate can open it. */
static json_object *fresh_entry(const struct sw_run *run)
{
	_cleanup_free_ char *subject = NULL;
	json_object *o = json_object_new_object(), *opens = json_object_new_array();

	(void)sw_escrow_check(run->p->answers->escrow, &subject, NULL);
	sw_json_add_str(o, "certificate", subject);
	sw_json_add_str(o, "cms", run->escrow);
	sw_json_add(o, "opens", opens);
	for (size_t i = 0; i < run->p->n_parts; i++) {
		const struct sw_placed *part = &run->p->parts[i];

		if (part->encrypt == SW_ENCRYPT_TPM2 && sw_plan_leader(run->p, part) == part)
			json_object_array_add(opens, json_object_new_string(part->label));
	}
	return o;
}

int sw_run_escrow_to_json(const struct sw_run *run, json_object *node_data)
{
	_cleanup_json_ json_object *fresh = run->escrow ? fresh_entry(run) : NULL;

	return sw_escrow_to_node_data(node_data, fresh, run->p->kept_escrow);
}
