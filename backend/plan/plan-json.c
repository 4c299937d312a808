/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as JSON: for `slipway plan -o`, and for the journal on the disk. */
#include <string.h>

#include "base/json.h"
#include "plan/content.h"
#include "plan/steps.h"

static void add_guid(json_object *o, const char *key, const struct sw_guid *g)
{
	char t[SW_GUID_TEXT];

	sw_json_add_str(o, key, sw_guid_format(g, t));
}

static json_object *part_to_json(const struct sw_placed *part)
{
	json_object *o = json_object_new_object();

	sw_json_add_u64(o, "disk", part->disk);
	sw_json_add_u64(o, "number", part->number);
	sw_json_add_str(o, "label", part->label);
	sw_content_to_json(o, part);
	sw_json_add_str(o, "entry", part->entry);
	sw_json_add_u64(o, "role", part->role);
	if (part->encrypt)
		sw_json_add_str(o, "encrypt", sw_encrypt_name(part->encrypt));
	sw_json_add_bool(o, "raid", part->raid);
	sw_json_add_bool(o, "kept", part->kept);
	sw_json_add_str(o, "fs_uuid", part->fs_uuid);
	sw_json_add_u64(o, "start", part->start);
	sw_json_add_u64(o, "size", part->size);
	sw_json_add_u64(o, "attrs", part->attrs);
	add_guid(o, "type", &part->type);
	add_guid(o, "uuid", &part->uuid);
	return o;
}

static json_object *old_part_to_json(const struct sw_part *part)
{
	json_object *o = json_object_new_object();

	sw_json_add_u64(o, "number", part->number);
	sw_json_add_u64(o, "start", part->start);
	sw_json_add_u64(o, "size", part->size);
	sw_json_add_str(o, "label", part->label);
	sw_json_add_str(o, "fs_type", part->fs_type);
	sw_json_add_str(o, "fs_label", part->fs_label);
	return o;
}

static json_object *step_to_json(const struct sw_step *s)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "kind", sw_step_kind_name(s->kind));
	sw_json_add_str(o, "title", s->title);
	sw_json_add_u64(o, "disk", s->disk);
	sw_json_add_str(o, "partition", s->part_label);
	if (s->len) {
		sw_json_add_u64(o, "offset", s->off);
		sw_json_add_u64(o, "length", s->len);
	}
	sw_json_add_u64(o, "weight", s->weight);
	sw_json_add_str(o, "destroys", s->destroys);
	sw_json_add_str(o, "undo", s->undo);
	sw_json_add_str(o, "format", s->format);
	return o;
}

static int add_answer(const char *key, const struct sw_field *f, const char *text, void *arg)
{
	if (!f->secret)
		sw_json_add_str(arg, key, text);
	return 0;
}

static json_object *answers_to_json(const struct sw_answers *a)
{
	json_object *o = json_object_new_object();

	(void)sw_answers_each(a, add_answer, o);
	return o;
}

json_object *sw_plan_disk_names(const struct sw_plan_disk *d)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "name", d->name);
	sw_json_add_str(o, "node", d->node);
	sw_json_add_str(o, "serial", d->serial);
	sw_json_add_str(o, "wwn", d->wwn);
	sw_json_add_str(o, "model", d->model);
	sw_json_add_u64(o, "size", d->size);
	return o;
}

static json_object *identity_to_json(const struct sw_plan_disk *d)
{
	json_object *o = sw_plan_disk_names(d);

	sw_json_add_u64(o, "sector", d->sector);
	sw_json_add_u64(o, "diskseq", d->seq);
	sw_json_add_str(o, "table_digest", d->table_digest);
	return o;
}

static json_object *disk_to_json(const struct sw_plan_disk *d)
{
	json_object *o = identity_to_json(d), *a;

	sw_json_add_str(o, "new_table_digest", d->new_table_digest);
	add_guid(o, "new_table_id", &d->id);
	sw_json_add_u64(o, "journal_offset", d->journal_off);
	sw_json_add_u64(o, "journal_length", d->journal_len);
	sw_json_add_str(o, "before", d->old_table_text);
	sw_json_add_str(o, "confirm", d->confirm);
	sw_plan_chosen_to_json(o, d);
	sw_json_add(o, "old_partitions", a = json_object_new_array());
	for (size_t i = 0; i < d->n_old_parts; i++)
		json_object_array_add(a, old_part_to_json(&d->old_parts[i]));
	return o;
}

static json_object *aside_to_json(const struct sw_aside *s)
{
	json_object *o = identity_to_json(&s->disk), *a = json_object_new_array();

	sw_json_add(o, "renames", a);
	for (size_t i = 0; i < s->n_parts; i++) {
		json_object *part = json_object_new_object();

		sw_json_add_u64(part, "number", s->parts[i].number);
		sw_json_add_str(part, "old_label", s->parts[i].old_label);
		sw_json_add_str(part, "new_label", s->parts[i].new_label);
		add_guid(part, "old_uuid", &s->parts[i].old_uuid);
		add_guid(part, "new_uuid", &s->parts[i].new_uuid);
		json_object_array_add(a, part);
	}
	return o;
}

json_object *sw_plan_to_json(const struct sw_plan *p)
{
	json_object *o = json_object_new_object(), *a;
	char digest[65];

	sw_json_add_u64(o, "slipway_plan", SW_PLAN_VERSION);
	json_object_object_add(o, "time", json_object_new_int64(p->time));
	sw_json_add_str(o, "boot_id", p->boot_id);
	sw_json_add_str(o, "boot_digest", p->boot_digest);
	sw_json_add(o, "answers", answers_to_json(p->answers));
	add_guid(o, "seed", &p->seed);
	sw_json_add(o, "disks", a = json_object_new_array());
	for (size_t i = 0; i < p->n_disks; i++)
		json_object_array_add(a, disk_to_json(&p->disks[i]));
	sw_json_add(o, "partitions", a = json_object_new_array());
	for (size_t i = 0; i < p->n_parts; i++)
		json_object_array_add(a, part_to_json(&p->parts[i]));
	sw_json_add(o, "asides", a = json_object_new_array());
	for (size_t i = 0; i < p->n_asides; i++)
		json_object_array_add(a, aside_to_json(&p->asides[i]));
	sw_json_add(o, "boot_writes", a = json_object_new_array());
	for (size_t i = 0; i < p->entries.n_writes; i++)
		json_object_array_add(a, sw_entry_write_to_json(&p->entries.writes[i]));
	sw_json_add(o, "steps", a = json_object_new_array());
	for (size_t i = 0; i < p->n_steps; i++)
		json_object_array_add(a, step_to_json(&p->steps[i]));
	sw_json_add(o, "warnings", sw_json_strv(p->warnings));
	if (p->network)
		sw_json_add(o, "network_config", json_object_get(p->network));
	if (p->kept_escrow)
		sw_json_add(o, "kept_escrow", json_object_get(p->kept_escrow));
	if (p->old_secrets)
		sw_json_add(o, "secrets", json_object_get(p->old_secrets));
	if (p->kept_secrets)
		sw_json_add(o, "kept_secrets", json_object_get(p->kept_secrets));
	if (sw_plan_digest(o, digest) == 0)
		sw_json_add_str(o, SW_PLAN_DIGEST, digest);
	return o;
}
