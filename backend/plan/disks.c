/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's disks: which they are, and what has to be true of them when it is applied. */
#include <string.h>

#include "base/file.h"
#include "disk/disk.h"
#include "plan/steps.h"

#define MIB (1ULL << 20)

_Static_assert(SW_MORE_MAX < SW_PLAN_MAX_DISKS, "every disk that answers can name");

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
int sw_plan_choose_seed(const struct sw_answers *a, const struct sw_disk *d,
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
		pd->old_parts[i].fs_uuid = dup_or_null(o->fs_uuid);
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

/* Named for the layout's disk; of several "data" disks the second is "data-2". */
static char *disk_name(const struct sw_layout *l, size_t k)
{
	size_t at = sw_plan_layout_disk(l, k);

	return at == k ? strdup(l->disks[at].name)
		       : sw_fmt("%s-%zu", l->disks[at].name, k - at + 1);
}

static int check_count(const struct sw_answers *a, const struct sw_layout *l, struct sw_error *err)
{
	size_t have = a->n_more + 1;
	bool many = l->disks[l->n_disks - 1].many;

	if (have == l->n_disks || (many && have > l->n_disks))
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL,
		"the layout \"%s\" is for %zu disk%s%s and the answers name %zu", l->name,
		l->n_disks, l->n_disks > 1 ? "s" : "", many ? " or more" : "", have);
	if (have < l->n_disks)
		sw_error_hint(err, "name the next disk (%s) below disk.more, with its own match",
			      l->disks[have].name);
	else
		sw_error_hint(err, "take disks away from disk.more, or choose another layout "
				   "(`slipway layout list`)");
	return -EINVAL;
}

static int choose(const struct sw_facts *f, const struct sw_answers *a, const struct sw_layout *l,
		  const struct sw_disk **disks, struct sw_error *err)
{
	for (size_t k = 0; k <= a->n_more; k++) {
		const struct sw_disk_choice *c = k ? &a->more[k - 1] : &a->disk;
		uint64_t least = l->disks[sw_plan_layout_disk(l, k)].min_size;
		char key[48] = "disk.match";
		int r;

		if (k)
			(void)snprintf(key, sizeof(key), "disk.more[%zu].match", k);
		r = sw_disk_choose_for(key, f, c, least, disks, k, &disks[k], NULL, err);

		if (k && r < 0)
			sw_error_where(err, "%s", key);
		if (r == 0)
			r = sw_disk_choice_allows(disks[k], c, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int sw_plan_choose_disks(struct sw_plan *p, const struct sw_facts *f, const struct sw_layout *l,
			 struct sw_error *err)
{
	const struct sw_disk *disks[SW_PLAN_MAX_DISKS] = {};
	const struct sw_answers *a = p->answers;
	int r = check_count(a, l, err);

	if (r == 0)
		r = choose(f, a, l, disks, err);
	for (size_t k = 0; r == 0 && k <= a->n_more; k++)
		r = sw_plan_judge_health(p, disks[k], err);
	if (r < 0)
		return r;
	p->disks = calloc(a->n_more + 1, sizeof(*p->disks));
	p->boot_id = dup_or_null(f->boot_id);
	p->time = f->time;
	memcpy(p->boot_digest, f->boot.digest, sizeof(p->boot_digest));
	for (size_t k = 0; k <= a->n_more; k++) {
		_cleanup_free_ char *name = disk_name(l, k);

		if (!name || !p->disks || bind_disk(p, f, disks[k], name) < 0)
			return sw_fail_oom(err);
	}
	r = sw_plan_check_kept(p, disks, l, err);
	if (r < 0)
		return r;
	r = sw_plan_choose_seed(a, disks[0], &p->seed);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_INVALID, r, "the seed is not usable") : 0;
}

/* As answers call it: the first alternative has the name of the group itself. */
static char *rule_key(size_t disk, size_t alternative)
{
	char more[32] = "", at[32] = "";

	if (disk)
		(void)snprintf(more, sizeof(more), "more[%zu].", disk);
	if (alternative)
		(void)snprintf(at, sizeof(at), "[%zu]", alternative + 1);
	return sw_fmt("disk.%smatch%s", more, at);
}

static int explain(struct sw_plan *p, size_t k, const struct sw_facts *f, uint64_t least,
		   const struct sw_disk *const *disks)
{
	const struct sw_disk_choice *c = k ? &p->answers->more[k - 1] : &p->answers->disk;
	_cleanup_(sw_disk_reasons_clear) struct sw_disk_reasons why = {};
	struct sw_plan_disk *pd = &p->disks[k];

	if (sw_disk_choice_reasons(f, c, least, disks, p->n_disks, k,
				   SW_PLAN_MAX_LEFT / p->n_disks, &why) < 0)
		return -ENOMEM;
	pd->chosen_by = rule_key(k, why.alternative);
	pd->rule = TAKE_PTR(why.rule);
	pd->left = TAKE_PTR(why.left);
	pd->n_left = why.n_left;
	pd->n_more = why.n_more;
	why.n_left = 0;
	return pd->chosen_by ? 0 : -ENOMEM;
}

int sw_plan_explain_disks(struct sw_plan *p, const struct sw_facts *f, const struct sw_layout *l,
			  struct sw_error *err)
{
	const struct sw_disk *disks[SW_PLAN_MAX_DISKS] = {};
	int r = p->n_disks ? choose(f, p->answers, l, disks, err) : 0;

	for (size_t k = 0; k < p->n_disks && r == 0; k++)
		if (explain(p, k, f, l->disks[sw_plan_layout_disk(l, k)].min_size, disks) < 0)
			r = sw_fail_oom(err);
	return r;
}
