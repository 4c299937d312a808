/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's disks: which they are, and what has to be true of them when it is applied. */
#include <string.h>

#include "base/file.h"
#include "disk/disk.h"
#include "plan/steps.h"

#define MIB (1ULL << 20)

uint64_t sw_plan_journal_offset(uint64_t disk_size)
{
	uint64_t end = disk_size & ~(MIB - 1);

	return end >= 6 * MIB ? end - MIB - SW_JOURNAL_LEN : 0;
}

size_t sw_plan_layout_disk(const struct sw_layout *l, size_t disk)
{
	return disk < l->n_disks ? disk : l->n_disks - 1;
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

static int copy_old_parts(struct sw_plan_disk *pd, const struct sw_disk *d)
{
	pd->old_parts = calloc(d->table.n_parts + 1, sizeof(*pd->old_parts));
	if (!pd->old_parts)
		return -ENOMEM;
	for (size_t i = 0; i < d->table.n_parts; i++) {
		const struct sw_part *o = &d->table.parts[i];

		pd->old_parts[i] = *o;
		pd->old_parts[i].label = dup_or_null(o->label);
		pd->old_parts[i].fs_type = dup_or_null(o->fs_type);
		pd->old_parts[i].fs_label = dup_or_null(o->fs_label);
		pd->old_parts[i].fs_uuid = NULL;
		pd->old_parts[i].group = NULL;
		pd->n_old_parts++;
	}
	return 0;
}

static bool is_blank(const struct sw_disk *d)
{
	return d->table.type == SW_TABLE_NONE && d->table.n_parts == 0 &&
	       !(d->signatures && d->signatures[0]);
}

/* The system disk is always confirmed; another only when something on it can be lost. */
static int bind_disk(struct sw_plan *p, const struct sw_facts *f, const struct sw_disk *d,
		     const char *name)
{
	struct sw_plan_disk *pd = &p->disks[p->n_disks++];

	pd->name = strdup(name);
	pd->node = dup_or_null(d->node);
	pd->serial = dup_or_null(d->serial);
	pd->wwn = dup_or_null(d->wwn);
	pd->model = dup_or_null(d->model);
	pd->size = d->size;
	pd->seq = d->diskseq;
	pd->sector = d->sector;
	pd->journal_off = sw_plan_journal_offset(d->size);
	pd->journal_len = SW_JOURNAL_LEN;
	memcpy(pd->table_digest, d->table.digest, sizeof(pd->table_digest));
	pd->old_table_text = sw_disk_describe(d);
	if (!pd->name || !pd->node || !pd->old_table_text || copy_old_parts(pd, d) < 0)
		return -ENOMEM;
	if (p->n_disks > 1 && is_blank(d))
		return 0;
	pd->confirm = sw_disk_confirm_text(f, d);
	return pd->confirm ? 0 : -ENOMEM;
}

static int choose_system(const struct sw_facts *f, const struct sw_answers *a,
			 const struct sw_layout *l, const struct sw_disk **ret_disk,
			 struct sw_error *err)
{
	int r = sw_disk_choose(f, &a->disk, l->min_size, NULL, 0, ret_disk, NULL, err);

	return r < 0 ? r : sw_disk_choice_allows(*ret_disk, &a->disk, err);
}

int sw_plan_choose_disks(struct sw_plan *p, const struct sw_facts *f, const struct sw_layout *l,
			 struct sw_error *err)
{
	const struct sw_disk *d = NULL;
	int r = choose_system(f, p->answers, l, &d, err);

	if (r < 0)
		return r;
	p->disks = calloc(SW_PLAN_MAX_DISKS, sizeof(*p->disks));
	p->boot_id = dup_or_null(f->boot_id);
	p->time = f->time;
	memcpy(p->boot_digest, f->boot.digest, sizeof(p->boot_digest));
	if (!p->disks || bind_disk(p, f, d, SW_LAYOUT_SYSTEM) < 0)
		return sw_fail_oom(err);
	r = choose_seed(p->answers, d, &p->seed);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_INVALID, r, "the seed is not usable") : 0;
}
