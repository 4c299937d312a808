/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan read back from JSON: from a file that somebody may have edited, or from
 * a journal. Whatever it says, no range may lie outside its disk.
 */
#include <string.h>

#include <json-c/json_visit.h>

#include "base/json.h"
#include "base/text.h"
#include "disk/recovery.h"
#include "plan/content.h"
#include "plan/network.h"
#include "plan/secrets.h"
#include "plan/steps.h"

#define MAX_ITEMS 1024

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

/* Reads one array: allocates *items for all of it (when it is one) and hands each element to fn. */
static int read_array(json_object *o, const char *key, void **items, size_t item_size, size_t max,
		      void *into, struct sw_error *err,
		      int (*fn)(json_object *, void *, struct sw_error *))
{
	json_object *a = sw_json_array(o, key);
	size_t n = a ? json_object_array_length(a) : 0;

	if (!a || n > max)
		return bad(err, key);
	if (items) {
		*items = calloc(n + 1, item_size);
		if (!*items)
			return sw_fail_oom(err);
	}
	for (size_t i = 0; i < n; i++) {
		int r = fn(json_object_array_get_idx(a, i), into, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int old_part_from_json(json_object *o, void *into, struct sw_error *err)
{
	struct sw_plan_disk *d = into;
	struct sw_part *part = &d->old_parts[d->n_old_parts];

	if (!json_object_is_type(o, json_type_object))
		return bad(err, "old_partitions");
	d->n_old_parts++;
	part->number = (unsigned int)sw_json_u64(o, "number", 0);
	part->start = sw_json_u64(o, "start", 0);
	part->size = sw_json_u64(o, "size", 0);
	part->label = sw_json_dup(o, "label");
	part->fs_type = sw_json_dup(o, "fs_type");
	part->fs_label = sw_json_dup(o, "fs_label");
	return 0;
}

static int check_disk(const struct sw_plan_disk *d, struct sw_error *err)
{
	if (!d->name || !d->old_table_text)
		return bad(err, "disks");
	if (d->sector != 512 && d->sector != 4096)
		return bad(err, "disks.sector");
	if (d->size < 64ULL << 20 || d->size % d->sector)
		return bad(err, "disks.size");
	if (d->journal_off != sw_plan_journal_offset(d->size) || d->journal_len != SW_JOURNAL_LEN)
		return bad(err, "disks.journal_offset");
	return 0;
}

static void identity_from_json(json_object *o, struct sw_plan_disk *d)
{
	d->name = sw_json_dup(o, "name");
	d->node = sw_json_dup(o, "node");
	d->serial = sw_json_dup(o, "serial");
	d->wwn = sw_json_dup(o, "wwn");
	d->model = sw_json_dup(o, "model");
	d->old_table_text = sw_json_dup(o, "before");
	d->confirm = sw_json_dup(o, "confirm");
	d->size = sw_json_u64(o, "size", 0);
	d->sector = (uint32_t)sw_json_u64(o, "sector", 0);
	d->seq = sw_json_u64(o, "diskseq", 0);
}

static int disk_from_json(json_object *o, void *into, struct sw_error *err)
{
	struct sw_plan *p = into;
	struct sw_plan_disk *d = &p->disks[p->n_disks++];

	identity_from_json(o, d);
	d->journal_off = sw_json_u64(o, "journal_offset", 0);
	d->journal_len = sw_json_u64(o, "journal_length", 0);
	if (check_disk(d, err) < 0 || get_guid(o, "new_table_id", &d->id, err) < 0 ||
	    get_digest(o, "table_digest", d->table_digest, err) < 0 ||
	    get_digest(o, "new_table_digest", d->new_table_digest, err) < 0)
		return -EINVAL;
	if (sw_plan_chosen_from_json(o, d) < 0)
		return bad(err, "disks.others");
	return read_array(o, "old_partitions", (void **)&d->old_parts, sizeof(*d->old_parts),
			  MAX_ITEMS, d, err, old_part_from_json);
}

static int rename_from_json(json_object *o, void *into, struct sw_error *err)
{
	struct sw_aside *s = into;
	struct sw_rename *n = &s->parts[s->n_parts];

	if (!json_object_is_type(o, json_type_object))
		return bad(err, "asides.renames");
	s->n_parts++;
	n->number = (unsigned int)sw_json_u64(o, "number", 0);
	n->old_label = sw_json_dup(o, "old_label");
	n->new_label = sw_json_dup(o, "new_label");
	if (n->number == 0 || n->number > 128 || !n->old_label || !n->new_label ||
	    strlen(n->old_label) > 108 || strlen(n->new_label) > 108)
		return bad(err, "asides.renames");
	return get_guid(o, "old_uuid", &n->old_uuid, err) < 0 ||
	       get_guid(o, "new_uuid", &n->new_uuid, err) < 0 ? -EINVAL : 0;
}

static int aside_from_json(json_object *o, void *into, struct sw_error *err)
{
	struct sw_plan *p = into;
	struct sw_aside *s = &p->asides[p->n_asides];

	if (!json_object_is_type(o, json_type_object))
		return bad(err, "asides");
	p->n_asides++;
	identity_from_json(o, &s->disk);
	if (!s->disk.name || s->disk.size == 0 ||
	    (s->disk.sector != 512 && s->disk.sector != 4096))
		return bad(err, "asides");
	if (get_digest(o, "table_digest", s->disk.table_digest, err) < 0)
		return -EINVAL;
	return read_array(o, "renames", (void **)&s->parts, sizeof(*s->parts), 128, s, err,
			  rename_from_json);
}

static int answers_from_json(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	if (!json_object_is_type(o, json_type_object))
		return bad(err, "answers");
	p->answers = sw_answers_new();
	if (!p->answers)
		return sw_fail_oom(err);
	json_object_object_foreach(o, key, value) {
		int r;

		if (!json_object_is_type(value, json_type_string))
			return bad(err, key);
		r = sw_answers_set(p->answers, key, json_object_get_string(value), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool on_disk(const struct sw_plan *p, size_t disk, uint64_t off, uint64_t len)
{
	const struct sw_plan_disk *d = &p->disks[disk];

	if (p->n_disks == 0)
		return off == 0 && len == 0;
	return off <= d->size && len <= d->size - off && off % d->sector == 0 &&
	       len % d->sector == 0;
}

static int part_from_json(json_object *o, void *into, struct sw_error *err)
{
	struct sw_plan *p = into;
	struct sw_placed *part = &p->parts[p->n_parts];
	uint64_t role = sw_json_u64(o, "role", 0), disk = sw_json_u64(o, "disk", 0);
	const char *key;

	if (role > SW_ROLE_IPXE || disk >= p->n_disks)
		return bad(err, role > SW_ROLE_IPXE ? "partitions.role" : "partitions.disk");
	if (sw_encrypt_parse(sw_json_str(o, "encrypt", "off"), &part->encrypt) < 0)
		return bad(err, "partitions.encrypt");
	p->n_parts++;
	part->disk = (unsigned int)disk;
	part->number = (unsigned int)sw_json_u64(o, "number", 0);
	part->label = sw_json_dup(o, "label");
	part->entry = sw_json_dup(o, "entry");
	part->role = (enum sw_role)role;
	part->raid = sw_json_bool(o, "raid", false);
	part->kept = sw_json_bool(o, "kept", false);
	part->fs_uuid = sw_json_dup(o, "fs_uuid");
	part->start = sw_json_u64(o, "start", 0);
	part->size = sw_json_u64(o, "size", 0);
	part->attrs = sw_json_u64(o, "attrs", 0);
	if (!on_disk(p, disk, part->start, part->size) || part->start < 1U << 20 || part->size == 0)
		return bad(err, "partitions.start");
	if (sw_content_from_json(o, part, &key) < 0)
		return bad(err, key);
	if (get_guid(o, "type", &part->type, err) < 0 || get_guid(o, "uuid", &part->uuid, err) < 0)
		return -EINVAL;
	return 0;
}

static bool needs_no_disk(enum sw_step_kind kind)
{
	return kind == SW_STEP_JOURNAL || kind == SW_STEP_NODE_DATA || kind == SW_STEP_ENTRIES ||
	       kind == SW_STEP_VERIFY;
}

static int step_from_json(json_object *o, void *into, struct sw_error *err)
{
	struct sw_plan *p = into;
	struct sw_step *s = &p->steps[p->n_steps];
	const char *kind = sw_json_str(o, "kind", "");
	uint64_t disk = sw_json_u64(o, "disk", 0);
	int k = 0;

	while (k <= SW_STEP_VERIFY && strcmp(sw_step_kind_name((enum sw_step_kind)k), kind) != 0)
		k++;
	if (k > SW_STEP_VERIFY || disk >= sw_plan_journals(p) ||
	    (p->n_disks == 0 && !needs_no_disk((enum sw_step_kind)k)))
		return bad(err, k > SW_STEP_VERIFY ? "steps.kind" : "steps.disk");
	p->n_steps++;
	s->disk = (unsigned int)disk;
	s->kind = (enum sw_step_kind)k;
	s->title = sw_json_dup(o, "title");
	s->part_label = sw_json_dup(o, "partition");
	s->destroys = sw_json_dup(o, "destroys");
	s->undo = sw_json_dup(o, "undo");
	s->format = sw_json_dup(o, "format");
	s->off = sw_json_u64(o, "offset", 0);
	s->len = sw_json_u64(o, "length", 0);
	s->weight = (unsigned int)sw_json_u64(o, "weight", 1);
	if (!s->title || !on_disk(p, disk, s->off, s->len))
		return bad(err, "steps");
	return 0;
}

static int write_from_json(json_object *o, void *into, struct sw_error *err)
{
	struct sw_plan *p = into;

	if (sw_entry_write_from_json(o, &p->entries.writes[p->entries.n_writes]) < 0)
		return bad(err, "boot_writes");
	p->entries.n_writes++;
	return 0;
}

static int warning_from_json(json_object *o, void *into, struct sw_error *err)
{
	if (!json_object_is_type(o, json_type_string))
		return bad(err, "warnings");
	return sw_plan_warn(into, strdup(json_object_get_string(o)));
}

static int read_arrays(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	int r = read_array(o, "disks", (void **)&p->disks, sizeof(*p->disks), SW_PLAN_MAX_DISKS, p,
			   err, disk_from_json);

	if (r == 0 && (p->n_disks == 0) != sw_answers_diskless(p->answers))
		r = bad(err, "disks");
	if (r == 0)
		r = read_array(o, "partitions", (void **)&p->parts, sizeof(*p->parts), MAX_ITEMS, p,
			       err, part_from_json);
	if (r == 0 && sw_json_get(o, "asides"))
		r = read_array(o, "asides", (void **)&p->asides, sizeof(*p->asides), MAX_ITEMS, p,
			       err, aside_from_json);
	if (r == 0)
		r = read_array(o, "steps", (void **)&p->steps, sizeof(*p->steps), MAX_ITEMS, p, err,
			       step_from_json);
	if (r == 0)
		r = read_array(o, "boot_writes", (void **)&p->entries.writes,
			       sizeof(*p->entries.writes), MAX_ITEMS, p, err, write_from_json);
	if (r == 0)
		r = read_array(o, "warnings", NULL, 0, MAX_ITEMS, p, err, warning_from_json);
	return r;
}

/* The tables are not stored but built again; a plan whose digest differs was edited. */
static int check_tables(struct sw_plan *p, struct sw_error *err)
{
	for (size_t k = 0; k < p->n_disks; k++) {
		struct sw_table_image t = {};
		struct sw_error ignored = {};
		int r = sw_plan_table(p, k, &t, &ignored);
		bool same = r == 0 && strcmp(t.digest, p->disks[k].new_table_digest) == 0;

		sw_table_image_clear(&t);
		if (!same)
			return bad(err, "new_table_digest");
	}
	return 0;
}

/* ---- words ---- */

struct words {
	json_object *files;	/* networkd's, by their names; NULL: none */
	const char *wrong;	/* the key of what is no text; NULL: none */
};

/*
 * All that a plan says may be shown to a person, on a terminal. The answers have rules of their
 * own; "before" has several lines, and so have networkd's files.
 */
static int look_at_words(json_object *o, int flags, json_object *parent, const char *key,
			 size_t *at SW_UNUSED, void *arg)
{
	struct words *w = arg;
	const char *text;
	bool lines = key && (strcmp(key, "before") == 0 || (w->files && parent == w->files));

	if (flags == JSON_C_VISIT_SECOND)
		return JSON_C_VISIT_RETURN_CONTINUE;
	if (key && strcmp(key, "answers") == 0)
		return JSON_C_VISIT_RETURN_SKIP;
	if (!json_object_is_type(o, json_type_string))
		return JSON_C_VISIT_RETURN_CONTINUE;
	text = json_object_get_string(o);
	if (strlen(text) == (size_t)json_object_get_string_len(o) &&
	    (lines ? sw_text_lines_are_clean(text) : sw_text_is_clean(text)))
		return JSON_C_VISIT_RETURN_CONTINUE;
	w->wrong = key ? key : "a list";
	return JSON_C_VISIT_RETURN_STOP;
}

static int check_words(json_object *o, struct sw_error *err)
{
	struct words w = { .files = sw_json_get(sw_json_get(o, "network_config"), "files") };

	(void)json_c_visit(o, 0, look_at_words, &w);
	if (!w.wrong)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "not a usable plan");
	sw_error_why(err, "the value of \"%s\" is not plain text in UTF-8", w.wrong);
	sw_error_hint(err, "make the plan again: slipway plan --answers FILE -o plan.json");
	return -EINVAL;
}

static int check_digest(json_object *o, struct sw_error *err)
{
	const char *want = sw_json_str(o, SW_PLAN_DIGEST, NULL);
	char got[65];

	if (!want || sw_plan_digest(o, got) < 0)
		return bad(err, SW_PLAN_DIGEST);
	if (strcmp(got, want) == 0)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EBADMSG, "the plan was changed after it was made");
	sw_error_why(err, "its digest is not that of what it says");
	sw_error_hint(err, "change the answers instead and plan again: slipway plan --answers FILE "
			   "-o plan.json");
	return -EBADMSG;
}

static int get_network(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	json_object *network = sw_json_get(o, "network_config");

	if (network && !sw_plan_network_is_sound(network))
		return bad(err, "network_config");
	p->network = json_object_get(network);
	return 0;
}

static int get_secrets(json_object *o, struct sw_plan *p, struct sw_error *err)
{
	json_object *old = sw_json_get(o, "secrets"), *kept = sw_json_get(o, "kept_secrets");

	if (old && !sw_plan_secrets_are_sound(old))
		return bad(err, "secrets");
	if (kept && !sw_plan_kept_secrets_are_sound(kept))
		return bad(err, "kept_secrets");
	p->old_secrets = json_object_get(old);
	p->kept_secrets = json_object_get(kept);
	return 0;
}

int sw_plan_from_json(json_object *o, struct sw_plan **ret_plan, struct sw_error *err)
{
	_cleanup_plan_ struct sw_plan *p = calloc(1, sizeof(*p));
	json_object *kept;
	int r;

	if (!p)
		return sw_fail_oom(err);
	if (sw_json_int(o, "slipway_plan", 0) != SW_PLAN_VERSION)
		return bad(err, "slipway_plan");
	r = check_digest(o, err);
	if (r == 0)
		r = check_words(o, err);
	if (r < 0)
		return r;
	p->time = sw_json_int(o, "time", 0);
	p->boot_id = sw_json_dup(o, "boot_id");
	r = get_digest(o, "boot_digest", p->boot_digest, err);
	if (r == 0)
		r = answers_from_json(sw_json_get(o, "answers"), p, err);
	if (r == 0)
		r = get_guid(o, "seed", &p->seed, err);
	if (r == 0)
		r = read_arrays(o, p, err);
	if (r == 0 && (kept = sw_json_get(o, "kept_escrow"))) {
		p->kept_escrow = sw_escrow_list_clean(kept);
		r = p->kept_escrow ? 0 : bad(err, "kept_escrow");
	}
	if (r == 0)
		r = get_network(o, p, err);
	if (r == 0)
		r = get_secrets(o, p, err);
	if (r == 0)
		r = check_tables(p, err);
	if (r == 0)
		r = sw_plan_check_ranges(p, err);
	if (r < 0)
		return r;
	*ret_plan = TAKE_PTR(p);
	return 0;
}
