/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a plan. Nothing here touches the machine: the only inputs are
 * facts, the boot variables as captured, answers and a layout.
 */
#include "plan/plan.h"

#include <string.h>

#include "base/file.h"
#include "boot/slot.h"
#include "disk/disk.h"
#include "plan/steps.h"

#define MIB (1ULL << 20)

uint64_t sw_plan_journal_offset(uint64_t disk_size)
{
	uint64_t end = disk_size & ~(MIB - 1);

	return end >= 6 * MIB ? end - MIB - SW_JOURNAL_LEN : 0;
}

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
	if (f->secure_boot && !a->uki) {
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

/*
 * A node's UUIDs come from its name and its disk, so that the same install twice
 * gives the same bytes.
 */
static int choose_seed(const struct sw_answers *a, const struct sw_disk *d,
		       struct sw_guid *ret_seed)
{
	static const uint8_t space[16] = { 0x9e, 0x1f, 0x4c, 0x02, 0x7a, 0x35, 0x4d, 0x61,
					   0x8b, 0x0e, 0x55, 0x1a, 0x90, 0xc3, 0x2d, 0x74 };
	_cleanup_free_ char *token = NULL;
	struct sw_guid ns;

	if (a->seed && *a->seed)
		return sw_guid_parse(a->seed, ret_seed);
	sw_guid_from_rfc(space, &ns);
	token = sw_fmt("%s\n%s\n%s\n%llu", a->hostname ? a->hostname : "",
		       d->serial ? d->serial : "", d->wwn ? d->wwn : "",
		       (unsigned long long)d->size);
	if (!token)
		return -ENOMEM;
	return sw_guid_derive(&ns, token, strlen(token), ret_seed);
}

static char *dup_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

static int bind_to_disk(struct sw_plan *p, const struct sw_facts *f, const struct sw_disk *d)
{
	p->disk_node = dup_or_null(d->node);
	p->disk_serial = dup_or_null(d->serial);
	p->disk_wwn = dup_or_null(d->wwn);
	p->disk_model = dup_or_null(d->model);
	p->boot_id = dup_or_null(f->boot_id);
	p->disk_size = d->size;
	p->disk_seq = d->diskseq;
	p->sector = d->sector;
	p->time = f->time;
	memcpy(p->table_digest, d->table.digest, sizeof(p->table_digest));
	memcpy(p->boot_digest, f->boot.digest, sizeof(p->boot_digest));
	p->old_table_text = sw_disk_describe(d);
	p->confirm = sw_disk_confirm_text(f, d);
	return p->disk_node && p->confirm && p->old_table_text ? 0 : -ENOMEM;
}

static int copy_old_parts(struct sw_plan *p, const struct sw_disk *d)
{
	p->old_parts = calloc(d->table.n_parts + 1, sizeof(*p->old_parts));
	if (!p->old_parts)
		return -ENOMEM;
	for (size_t i = 0; i < d->table.n_parts; i++) {
		const struct sw_part *o = &d->table.parts[i];

		p->old_parts[i] = *o;
		p->old_parts[i].label = dup_or_null(o->label);
		p->old_parts[i].fs_type = dup_or_null(o->fs_type);
		p->old_parts[i].fs_label = dup_or_null(o->fs_label);
		p->old_parts[i].fs_uuid = NULL;
		p->n_old_parts++;
	}
	return 0;
}

static int place(struct sw_plan *p, const struct sw_layout *l, struct sw_error *err)
{
	_cleanup_free_ struct sw_placement *pl = NULL;
	size_t n = 0;
	int r = sw_layout_solve(l, p->disk_size, p->sector, &p->seed, &pl, &n, &p->disk_id, err);

	if (r < 0)
		return r;
	p->parts = calloc(n + 1, sizeof(*p->parts));
	if (!p->parts)
		return sw_fail_oom(err);
	for (size_t i = 0; i < n; i++) {
		p->parts[i] = (struct sw_placed){
			.label = dup_or_null(pl[i].part->label),
			.format = dup_or_null(pl[i].part->format),
			.role = pl[i].part->role,
			.start = pl[i].start,
			.size = pl[i].size,
			.attrs = pl[i].part->attrs,
			.type = pl[i].part->type,
			.uuid = pl[i].uuid,
		};
		p->n_parts++;
	}
	return 0;
}

/* What an install cannot fill in yet is refused here, long before the first write. */
static int check_content(const struct sw_layout *l, struct sw_error *err)
{
	for (size_t i = 0; i < l->n_parts; i++) {
		const struct sw_layout_part *part = &l->parts[i];
		const char *key = part->copy_blocks ? "CopyBlocks="
				  : part->copy_files ? "CopyFiles="
				  : part->make_directories ? "MakeDirectories=" : NULL;
		bool format_ok = !part->format || part->role == SW_ROLE_SLOT ||
				 strcmp(part->format, "ext4") == 0 ||
				 strcmp(part->format, "swap") == 0;

		if (!key && format_ok)
			continue;
		sw_fail(err, SW_EXIT_INVALID, -EOPNOTSUPP,
			"an install cannot do %s%s in this version", key ? key : "Format=",
			key ? "" : part->format);
		sw_error_where(err, "%s/%s", l->name, part->file);
		sw_error_hint(err, "use Format=ext4 or Format=swap; `slipway layout apply` fills "
				   "partitions from files");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int check_roles(const struct sw_plan *p, const struct sw_layout *l, struct sw_error *err)
{
	size_t slots = 0, data = 0;

	for (size_t i = 0; i < p->n_parts; i++) {
		slots += p->parts[i].role == SW_ROLE_SLOT;
		data += p->parts[i].role == SW_ROLE_NODE_DATA;
		if (p->parts[i].start + p->parts[i].size > p->journal_off) {
			sw_fail(err, SW_EXIT_INVALID, -ENOSPC,
				"the layout leaves no room for the journal");
			sw_error_where(err, "%s", l->name);
			sw_error_why(err, "partition %s ends inside the last 5M of the disk",
				     p->parts[i].label);
			sw_error_hint(err, "give the last partition PaddingMinBytes=6M and "
					   "PaddingMaxBytes=6M");
			return -ENOSPC;
		}
	}
	if (slots > 0 && data > 0)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the layout has no %s",
		slots ? "node data" : "slot");
	sw_error_where(err, "%s", l->name);
	sw_error_why(err, "a node needs at least one partition with X-Slipway-Role=%s",
		     slots ? "node-data" : "slot");
	return -EINVAL;
}

int sw_plan_table(const struct sw_plan *p, struct sw_table_image *ret_image, struct sw_error *err)
{
	_cleanup_free_ struct sw_new_part *np = calloc(p->n_parts + 1, sizeof(*np));

	if (!np)
		return sw_fail_oom(err);
	for (size_t i = 0; i < p->n_parts; i++)
		np[i] = (struct sw_new_part){
			.start = p->parts[i].start,
			.size = p->parts[i].size,
			.type = p->parts[i].type,
			.uuid = p->parts[i].uuid,
			.attrs = p->parts[i].attrs,
			.label = p->parts[i].label ? p->parts[i].label : "",
		};
	return sw_table_build(p->disk_size, p->sector, &p->disk_id, np, p->n_parts, ret_image, err);
}

static int digest_table(struct sw_plan *p, struct sw_error *err)
{
	struct sw_table_image t = {};
	int r = sw_plan_table(p, &t, err);

	if (r < 0)
		return r;
	memcpy(p->new_table_digest, t.digest, sizeof(p->new_table_digest));
	sw_table_image_clear(&t);
	return 0;
}

int sw_plan_wanted_entries(const struct sw_plan *p, struct sw_entry_wanted **ret_wanted,
			   size_t *ret_n)
{
	static const char *const labels[] = { "Slipway A", "Slipway B", "Slipway C", "Slipway D" };
	struct sw_entry_wanted *w = calloc(ARRAY_SIZE(labels), sizeof(*w));
	size_t n = 0;

	if (!w)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_parts && n < ARRAY_SIZE(labels); i++) {
		if (p->parts[i].role != SW_ROLE_SLOT)
			continue;
		w[n] = (struct sw_entry_wanted){
			.label = labels[n],
			.part_number = (unsigned int)i + 1,
			.part_start = p->parts[i].start / p->sector,
			.part_size = p->parts[i].size / p->sector,
			.part_uuid = p->parts[i].uuid,
			.path = SW_SLOT_BOOT_PATH,
		};
		n++;
	}
	*ret_wanted = w;
	*ret_n = n;
	return 0;
}

static int plan_entries(struct sw_plan *p, json_object *raw, struct sw_error *err)
{
	_cleanup_free_ struct sw_entry_wanted *w = NULL;
	size_t n = 0;

	if (!raw || p->answers->boot_mode == SW_MODE_HANDS_OFF)
		return 0;
	if (sw_plan_wanted_entries(p, &w, &n) < 0)
		return sw_fail_oom(err);
	return sw_entries_plan(raw, w, n, -1, &p->entries, err);
}

/* A private copy, by way of the field table, so that no key can be forgotten. */
static int copy_answers(const struct sw_answers *a, struct sw_answers **ret, struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *c = sw_answers_new();

	if (!c)
		return sw_fail_oom(err);
	c->version = a->version;
	for (size_t i = 0; i < sw_n_fields; i++) {
		_cleanup_free_ char *v = sw_field_get(&sw_fields[i], a);
		int r;

		if (!v)
			return sw_fail_oom(err);
		if (!*v)
			continue;
		r = sw_field_set(&sw_fields[i], c, v, err);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(c);
	return 0;
}

static int choose_disk(const struct sw_facts *f, const struct sw_answers *a,
		       const struct sw_layout *l, const struct sw_disk **ret_disk,
		       struct sw_error *err)
{
	int r = sw_disk_select(f, &a->match, l->min_size, ret_disk, NULL, err);

	if (r < 0)
		return r;
	return sw_disk_wipe_allowed(*ret_disk, a->wipe, &a->match, err);
}

static int build(struct sw_plan *p, const struct sw_facts *f, json_object *raw,
		 const struct sw_disk *d, const struct sw_layout *l, struct sw_error *err)
{
	int r;

	if (bind_to_disk(p, f, d) < 0 || copy_old_parts(p, d) < 0)
		return sw_fail_oom(err);
	r = choose_seed(p->answers, d, &p->seed);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INVALID, r, "the seed is not usable");
	p->journal_off = sw_plan_journal_offset(d->size);
	p->journal_len = SW_JOURNAL_LEN;
	r = check_content(l, err);
	if (r == 0)
		r = place(p, l, err);
	if (r == 0)
		r = check_roles(p, l, err);
	if (r == 0)
		r = digest_table(p, err);
	if (r == 0)
		r = plan_entries(p, raw, err);
	if (r == 0)
		r = sw_plan_add_warnings(p, f, raw != NULL, err);
	return r == 0 ? sw_plan_add_steps(p, err) : r;
}

int sw_plan_build(const struct sw_facts *f, json_object *raw_vars, const struct sw_answers *a,
		  const struct sw_layout *l, struct sw_plan **ret_plan, struct sw_error *err)
{
	_cleanup_plan_ struct sw_plan *p = calloc(1, sizeof(*p));
	const struct sw_disk *d = NULL;
	int r;

	if (!p)
		return sw_fail_oom(err);
	r = sw_answers_validate(a, NULL, err);
	if (r == 0)
		r = refuse_firmware(f, a, err);
	if (r == 0)
		r = choose_disk(f, a, l, &d, err);
	if (r == 0)
		r = copy_answers(a, &p->answers, err);
	if (r == 0)
		r = build(p, f, f->boot.writable ? raw_vars : NULL, d, l, err);
	if (r < 0)
		return r;
	*ret_plan = TAKE_PTR(p);
	return 0;
}

static void free_parts(struct sw_plan *p)
{
	for (size_t i = 0; i < p->n_parts; i++) {
		free(p->parts[i].label);
		free(p->parts[i].format);
	}
	free(p->parts);
	for (size_t i = 0; i < p->n_old_parts; i++) {
		free(p->old_parts[i].label);
		free(p->old_parts[i].fs_type);
		free(p->old_parts[i].fs_label);
	}
	free(p->old_parts);
}

struct sw_plan *sw_plan_free(struct sw_plan *p)
{
	if (!p)
		return NULL;
	free(p->disk_node);
	free(p->disk_serial);
	free(p->disk_wwn);
	free(p->disk_model);
	free(p->boot_id);
	sw_answers_free(p->answers);
	free_parts(p);
	sw_entry_plan_clear(&p->entries);
	sw_plan_free_steps(p);
	free(p->old_table_text);
	free(p->confirm);
	for (char **w = p->warnings; w && *w; w++)
		free(*w);
	free(p->warnings);
	free(p);
	return NULL;
}
