/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as JSON and back: for `slipway plan -o`, and for the journal on the disk. */
#include <string.h>

#include "base/json.h"
#include "plan/steps.h"

#define MAX_ITEMS 1024

static void add_guid(json_object *o, const char *key, const struct sw_guid *g)
{
	char t[SW_GUID_TEXT];

	sw_json_add_str(o, key, sw_guid_format(g, t));
}

static json_object *part_to_json(const struct sw_placed *part)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "label", part->label);
	sw_json_add_str(o, "format", part->format);
	sw_json_add_u64(o, "role", part->role);
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

static json_object *answers_to_json(const struct sw_answers *a)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < sw_n_fields; i++) {
		_cleanup_free_ char *v = NULL;

		if (sw_fields[i].secret)
			continue;
		v = sw_field_get(&sw_fields[i], a);
		if (v && *v)
			sw_json_add_str(o, sw_fields[i].key, v);
	}
	return o;
}

static json_object *binding_to_json(const struct sw_plan *p)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "node", p->disk_node);
	sw_json_add_str(o, "serial", p->disk_serial);
	sw_json_add_str(o, "wwn", p->disk_wwn);
	sw_json_add_str(o, "model", p->disk_model);
	sw_json_add_u64(o, "size", p->disk_size);
	sw_json_add_u64(o, "sector", p->sector);
	sw_json_add_u64(o, "diskseq", p->disk_seq);
	sw_json_add_str(o, "boot_id", p->boot_id);
	sw_json_add_str(o, "table_digest", p->table_digest);
	sw_json_add_str(o, "boot_digest", p->boot_digest);
	return o;
}

json_object *sw_plan_to_json(const struct sw_plan *p)
{
	json_object *o = json_object_new_object(), *a;

	sw_json_add_u64(o, "slipway_plan", SW_PLAN_VERSION);
	json_object_object_add(o, "time", json_object_new_int64(p->time));
	sw_json_add(o, "disk", binding_to_json(p));
	sw_json_add(o, "answers", answers_to_json(p->answers));
	add_guid(o, "seed", &p->seed);
	add_guid(o, "disk_id", &p->disk_id);
	sw_json_add_str(o, "new_table_digest", p->new_table_digest);
	sw_json_add_u64(o, "journal_offset", p->journal_off);
	sw_json_add_u64(o, "journal_length", p->journal_len);
	sw_json_add_str(o, "before", p->old_table_text);
	sw_json_add_str(o, "confirm", p->confirm);
	sw_json_add(o, "old_partitions", a = json_object_new_array());
	for (size_t i = 0; i < p->n_old_parts; i++)
		json_object_array_add(a, old_part_to_json(&p->old_parts[i]));
	sw_json_add(o, "partitions", a = json_object_new_array());
	for (size_t i = 0; i < p->n_parts; i++)
		json_object_array_add(a, part_to_json(&p->parts[i]));
	sw_json_add(o, "boot_writes", a = json_object_new_array());
	for (size_t i = 0; i < p->entries.n_writes; i++)
		json_object_array_add(a, sw_entry_write_to_json(&p->entries.writes[i]));
	sw_json_add(o, "steps", a = json_object_new_array());
	for (size_t i = 0; i < p->n_steps; i++)
		json_object_array_add(a, step_to_json(&p->steps[i]));
	sw_json_add(o, "warnings", a = json_object_new_array());
	for (char **w = p->warnings; w && *w; w++)
		json_object_array_add(a, json_object_new_string(*w));
	return o;
}

/* ---- reading ---- */

static int bad(struct sw_error *err, const char *key)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "not a usable plan");
	sw_error_why(err, "the value of \"%s\" is missing or wrong", key);
	sw_error_hint(err, "make the plan again: slipway plan --answers FILE -o plan.json");
	return -EINVAL;
}

static int get_guid(json_object *o, const char *key, struct sw_guid *g, struct sw_error *err)
{
	return sw_guid_parse(sw_json_str(o, key, ""), g) < 0 ? bad(err, key) : 0;
}

static int get_digest(json_object *o, const char *key, char digest[static 65], struct sw_error *err)
{
	const char *s = sw_json_str(o, key, "");

	if (strlen(s) != 64 && *s)
		return bad(err, key);
	(void)snprintf(digest, 65, "%s", s);
	return 0;
}

static int binding_from_json(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	p->disk_node = sw_json_dup(o, "node");
	p->disk_serial = sw_json_dup(o, "serial");
	p->disk_wwn = sw_json_dup(o, "wwn");
	p->disk_model = sw_json_dup(o, "model");
	p->boot_id = sw_json_dup(o, "boot_id");
	p->disk_size = sw_json_u64(o, "size", 0);
	p->sector = (uint32_t)sw_json_u64(o, "sector", 0);
	p->disk_seq = sw_json_u64(o, "diskseq", 0);
	if (p->sector != 512 && p->sector != 4096)
		return bad(err, "disk.sector");
	if (p->disk_size < 64ULL << 20 || p->disk_size % p->sector)
		return bad(err, "disk.size");
	if (get_digest(o, "table_digest", p->table_digest, err) < 0 ||
	    get_digest(o, "boot_digest", p->boot_digest, err) < 0)
		return -EINVAL;
	return 0;
}

static int answers_from_json(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	if (!json_object_is_type(o, json_type_object))
		return bad(err, "answers");
	p->answers = sw_answers_new();
	if (!p->answers)
		return sw_fail_oom(err);
	json_object_object_foreach(o, key, value) {
		const struct sw_field *f = sw_field_find(key);
		int r;

		if (!f || !json_object_is_type(value, json_type_string))
			return bad(err, key);
		r = sw_field_set(f, p->answers, json_object_get_string(value), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A plan may come from a file that somebody edited: every range must lie on the disk. */
static bool on_disk(const struct sw_plan *p, uint64_t off, uint64_t len)
{
	return off <= p->disk_size && len <= p->disk_size - off && off % p->sector == 0 &&
	       len % p->sector == 0;
}

static int part_from_json(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	struct sw_placed *part = &p->parts[p->n_parts];
	uint64_t role = sw_json_u64(o, "role", 0);

	if (role > SW_ROLE_RESCUE)
		return bad(err, "partitions.role");
	p->n_parts++;
	part->label = sw_json_dup(o, "label");
	part->format = sw_json_dup(o, "format");
	part->role = (enum sw_role)role;
	part->start = sw_json_u64(o, "start", 0);
	part->size = sw_json_u64(o, "size", 0);
	part->attrs = sw_json_u64(o, "attrs", 0);
	if (!on_disk(p, part->start, part->size) || part->start < 1U << 20 || part->size == 0)
		return bad(err, "partitions.start");
	if (get_guid(o, "type", &part->type, err) < 0 || get_guid(o, "uuid", &part->uuid, err) < 0)
		return -EINVAL;
	return 0;
}

static int old_part_from_json(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	struct sw_part *part = &p->old_parts[p->n_old_parts];

	if (!json_object_is_type(o, json_type_object))
		return bad(err, "old_partitions");
	p->n_old_parts++;
	part->number = (unsigned int)sw_json_u64(o, "number", 0);
	part->start = sw_json_u64(o, "start", 0);
	part->size = sw_json_u64(o, "size", 0);
	part->label = sw_json_dup(o, "label");
	part->fs_type = sw_json_dup(o, "fs_type");
	part->fs_label = sw_json_dup(o, "fs_label");
	return 0;
}

static int step_from_json(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	struct sw_step *s = &p->steps[p->n_steps];
	const char *kind = sw_json_str(o, "kind", "");
	int k = 0;

	while (k <= SW_STEP_VERIFY && strcmp(sw_step_kind_name((enum sw_step_kind)k), kind) != 0)
		k++;
	if (k > SW_STEP_VERIFY)
		return bad(err, "steps.kind");
	p->n_steps++;
	s->kind = (enum sw_step_kind)k;
	s->title = sw_json_dup(o, "title");
	s->part_label = sw_json_dup(o, "partition");
	s->destroys = sw_json_dup(o, "destroys");
	s->undo = sw_json_dup(o, "undo");
	s->format = sw_json_dup(o, "format");
	s->off = sw_json_u64(o, "offset", 0);
	s->len = sw_json_u64(o, "length", 0);
	s->weight = (unsigned int)sw_json_u64(o, "weight", 1);
	if (!s->title || !on_disk(p, s->off, s->len))
		return bad(err, "steps");
	return 0;
}

static int write_from_json(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	if (sw_entry_write_from_json(o, &p->entries.writes[p->entries.n_writes]) < 0)
		return bad(err, "boot_writes");
	p->entries.n_writes++;
	return 0;
}

static int warning_from_json(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	if (!json_object_is_type(o, json_type_string))
		return bad(err, "warnings");
	return sw_plan_warn(p, strdup(json_object_get_string(o)));
}

/* Reads one array: allocates *items for all of it (when it is one) and hands each element to fn. */
static int read_array(json_object *o, const char *key, void **items, size_t item_size,
		      struct sw_plan *p, struct sw_error *err,
		      int (*fn)(json_object *, struct sw_plan *, struct sw_error *))
{
	json_object *a = sw_json_array(o, key);
	size_t n = a ? json_object_array_length(a) : 0;

	if (!a || n > MAX_ITEMS)
		return bad(err, key);
	if (items) {
		*items = calloc(n + 1, item_size);
		if (!*items)
			return sw_fail_oom(err);
	}
	for (size_t i = 0; i < n; i++) {
		int r = fn(json_object_array_get_idx(a, i), p, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_arrays(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	int r = read_array(o, "partitions", (void **)&p->parts, sizeof(*p->parts), p, err,
			   part_from_json);

	if (r == 0)
		r = read_array(o, "old_partitions", (void **)&p->old_parts, sizeof(*p->old_parts),
			       p, err, old_part_from_json);
	if (r == 0)
		r = read_array(o, "steps", (void **)&p->steps, sizeof(*p->steps), p, err,
			       step_from_json);
	if (r == 0)
		r = read_array(o, "boot_writes", (void **)&p->entries.writes,
			       sizeof(*p->entries.writes), p, err, write_from_json);
	if (r == 0)
		r = read_array(o, "warnings", NULL, 0, p, err, warning_from_json);
	return r;
}

/* The table is not stored but built again; a plan whose digest differs was edited. */
static int check_table(struct sw_plan *p, struct sw_error *err)
{
	struct sw_table_image t = {};
	struct sw_error ignored = {};
	int r = sw_plan_table(p, &t, &ignored);
	bool same = r == 0 && strcmp(t.digest, p->new_table_digest) == 0;

	sw_table_image_clear(&t);
	return same ? 0 : bad(err, "new_table_digest");
}

int sw_plan_from_json(json_object *o, struct sw_plan **ret_plan, struct sw_error *err)
{
	_cleanup_plan_ struct sw_plan *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return sw_fail_oom(err);
	if (sw_json_int(o, "slipway_plan", 0) != SW_PLAN_VERSION)
		return bad(err, "slipway_plan");
	p->time = sw_json_int(o, "time", 0);
	p->old_table_text = sw_json_dup(o, "before");
	p->confirm = sw_json_dup(o, "confirm");
	if (!p->confirm || !p->old_table_text)
		return bad(err, "confirm");
	r = binding_from_json(sw_json_get(o, "disk"), p, err);
	if (r == 0)
		r = answers_from_json(sw_json_get(o, "answers"), p, err);
	if (r == 0)
		r = get_guid(o, "seed", &p->seed, err);
	if (r == 0)
		r = get_guid(o, "disk_id", &p->disk_id, err);
	if (r == 0)
		r = get_digest(o, "new_table_digest", p->new_table_digest, err);
	p->journal_off = sw_json_u64(o, "journal_offset", 0);
	p->journal_len = sw_json_u64(o, "journal_length", 0);
	if (r == 0 && (p->journal_off != sw_plan_journal_offset(p->disk_size) ||
		       p->journal_len != SW_JOURNAL_LEN))
		r = bad(err, "journal_offset");
	if (r == 0)
		r = read_arrays(o, p, err);
	if (r == 0)
		r = check_table(p, err);
	if (r < 0)
		return r;
	*ret_plan = TAKE_PTR(p);
	return 0;
}
