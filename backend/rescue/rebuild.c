/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for a disk that has lost both copies. The journal of the install near the disk's end
 * says what it was, to the byte; what lies on the disk has to agree. Where that is gone, too,
 * the disk is read: slots, node data and state each say how long they are.
 */
#include <inttypes.h>
#include <string.h>

#include "apply/journal.h"
#include "base/json.h"
#include "base/le.h"
#include "base/text.h"
#include "boot/nodedata.h"
#include "boot/slot.h"
#include "disk/select.h"
#include "plan/plan.h"
#include "rescue/private.h"

#define MIB (1ULL << 20)
#define FAR (8ULL << 30)	/* slots stand at a disk's beginning */
#define DATA_FAR (64 * MIB)	/* node data stand right behind them */
#define FIRST 34U		/* sectors of the table */
#define ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define LINUX "0fc63daf-8483-4772-8e79-3d69d8477de4"

bool sw_rescue_is_slot(struct sw_io *io, uint64_t at, uint64_t size)
{
	struct sw_slot_manifest m = {};
	struct sw_error e = {};
	bool whole = false;
	int r = size ? sw_slot_read(io, at, size, &m, &whole, &e) : -ENOENT;

	sw_slot_manifest_clear(&m);
	return r == 0;
}

bool sw_rescue_is_data(struct sw_io *io, uint64_t at, uint64_t size)
{
	struct sw_nodedata_copies c = {};

	return sw_nodedata_look(io, at, size, &c) == 0 && (c.valid[0] || c.valid[1]);
}

static int add_table(struct sw_finding *fi, const struct sw_disk *d, struct sw_io *io,
		     const struct sw_table_image *t)
{
	struct sw_repair *rep = sw_finding_repair(fi, d);
	int r = rep ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(t->piece); i++)
		r = sw_repair_add_bytes(rep, io, t->piece[i].off, t->piece[i].data,
					t->piece[i].len, t->piece[i].name);
	return r;
}

/* ---- from the journal ---- */

size_t sw_rescue_plan_agrees(struct sw_io *io, const struct sw_plan *p, unsigned int disk)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_parts; i++) {
		const struct sw_placed *part = &p->parts[i];

		if (part->disk != disk || part->start > io->size ||
		    part->size > io->size - part->start)
			continue;
		n += (part->role == SW_ROLE_SLOT &&
		      sw_rescue_is_slot(io, part->start, part->size)) ||
		     (part->role == SW_ROLE_NODE_DATA &&
		      sw_rescue_is_data(io, part->start, part->size));
	}
	return n;
}

static int from_plan(const struct sw_disk *d, struct sw_io *io, const struct sw_plan *p,
		     const struct sw_journal_head *h, struct sw_finding *fi)
{
	struct sw_table_image image = {};
	char when[SW_TIME_TEXT];
	int r;

	if (sw_rescue_plan_agrees(io, p, h->disk) == 0)
		return -ENOENT;
	r = sw_plan_table(p, h->disk, &image, NULL);
	if (r == 0)
		r = add_table(fi, d, io, &image);
	sw_table_image_clear(&image);
	if (r == 0)
		(void)snprintf(fi->repair->text, sizeof(fi->repair->text),
			       "write the table that the install of %s made on %.30s; what was "
			       "added or moved since is not in it", sw_time_text(p->time, when),
			       d->name);
	return r;
}

int sw_rescue_journal(const struct sw_disk *d, struct sw_io *io, uint64_t size,
		      struct sw_journal_head *ret_head, struct sw_plan **ret_plan)
{
	uint64_t off = sw_plan_journal_offset(size);
	struct sw_error e = {};
	struct sw_journal j;
	int r = off ? sw_journal_open_at(io, off, size, &j, ret_head) : -ENOENT;

	if (r == 0 && ret_head->state != SW_JOURNAL_DONE && ret_head->state != SW_JOURNAL_ALONE)
		r = -ENOENT;
	if (r == 0)
		r = sw_plan_from_json(ret_head->plan, ret_plan, &e);
	if (r == 0 && (ret_head->disk >= (*ret_plan)->n_disks ||
		       (*ret_plan)->disks[ret_head->disk].sector != d->sector))
		r = -ENOENT;
	return r;
}

static int from_journal(const struct sw_disk *d, struct sw_io *io, struct sw_finding *fi)
{
	struct sw_journal_head h = {};
	_cleanup_plan_ struct sw_plan *p = NULL;
	int r = sw_rescue_journal(d, io, io->size, &h, &p);

	if (r == 0)
		r = from_plan(d, io, p, &h, fi);
	sw_journal_head_clear(&h);
	return r;
}

/* ---- from what lies on the disk ---- */

struct piece {
	uint64_t at, size;
	const char *label, *type;
};

struct pieces {
	struct piece v[4];	/* two slots, node data, state */
	size_t n;
};

/* How long the FAT file system says that it is; 0: there is none. */
static uint64_t fat_size(struct sw_io *io, uint64_t at)
{
	uint8_t b[512];

	if (sw_io_read(io, at, b, sizeof(b)) < 0 || b[510] != 0x55 || b[511] != 0xaa)
		return 0;
	return (uint64_t)sw_le16(b + 11) * sw_le32(b + 32);
}

static uint64_t ext_size(struct sw_io *io, uint64_t at)
{
	struct sw_ext e;

	return sw_ext_read(io, at + SW_EXT_AT, &e) == 0 && e.log_block <= 6
		       ? e.blocks << (10 + e.log_block) : 0;
}

uint64_t sw_rescue_fs_size(struct sw_io *io, uint64_t at)
{
	static const char *const others[] = { "xfs", "btrfs" };
	uint64_t size = ext_size(io, at);
	struct sw_fs_space space = {};

	for (size_t i = 0; size == 0 && i < ARRAY_SIZE(others); i++)
		if (sw_fs_space(io, at, others[i], &space) == 0)
			size = space.size;
	return size ? size : fat_size(io, at);
}

/* LUKS says nothing of its length: it goes to where an install lets the last partition end. */
static uint64_t state_size(struct sw_io *io, uint64_t at)
{
	uint64_t size = ext_size(io, at), end = sw_plan_journal_offset(io->size) - MIB;
	uint8_t s[8];

	if (size || sw_io_read(io, at, s, sizeof(s)) < 0 || end <= at)
		return size;
	return memcmp(s, "LUKS\xba\xbe\0\2", 8) == 0 ? end - at : 0;
}

static bool put(struct pieces *p, uint64_t at, uint64_t size, const char *label, const char *type)
{
	if (p->n >= ARRAY_SIZE(p->v))
		return false;
	p->v[p->n++] = (struct piece){ .at = at, .size = size, .label = label, .type = type };
	return true;
}

/* Both slots and nothing like them behind: what has more is of another layout. */
static bool find_slots(struct sw_io *io, struct pieces *p, uint64_t *ret_end)
{
	static const char *const labels[] = { "slipway-a", "slipway-b" };
	uint64_t end = io->size < FAR ? io->size : FAR, at = MIB;

	while (at + MIB < end) {
		uint64_t size = fat_size(io, at);

		if (size < MIB || size > io->size - at || !sw_rescue_is_slot(io, at, size)) {
			at += MIB;
			continue;
		}
		if (p->n == 2 || !put(p, at, size, labels[p->n], ESP))
			return false;
		at += (size + MIB - 1) / MIB * MIB;
		*ret_end = at;
	}
	return p->n == 2;
}

/* The copies are half of the partition apart. */
static bool find_data(struct sw_io *io, struct pieces *p, uint64_t from, uint64_t *ret_end)
{
	for (uint64_t at = from; at < from + DATA_FAR && at + MIB < io->size; at += MIB)
		for (uint64_t half = MIB / 2; half <= DATA_FAR / 2 && at + 2 * half <= io->size;
		     half *= 2) {
			struct sw_nodedata_copies c = {};

			if (sw_nodedata_look(io, at, 2 * half, &c) < 0 || !c.valid[0] ||
			    !c.valid[1])
				continue;
			*ret_end = at + 2 * half;
			return put(p, at, 2 * half, "slipway-node", LINUX);
		}
	return false;
}

/* The UUIDs that node data say the slots have; those that they do not name stay. */
static void named_uuids(struct sw_io *io, const struct pieces *p, struct sw_new_part *parts)
{
	for (size_t i = 0; i < p->n; i++) {
		_cleanup_json_ json_object *data = NULL;
		json_object *list;
		uint64_t sequence;

		if (strcmp(p->v[i].label, SW_NODE_DATA_LABEL) != 0 ||
		    sw_nodedata_read(io, p->v[i].at, p->v[i].size, &data, &sequence, NULL) < 0)
			continue;
		list = sw_json_array(data, "slots");
		for (size_t k = 0; list && k < i && k < json_object_array_length(list); k++) {
			const char *text =
				json_object_get_string(json_object_array_get_idx(list, k));
			struct sw_guid uuid;

			if (text && sw_guid_parse(text, &uuid) == 0)
				parts[k].uuid = uuid;
		}
	}
}

static int build(const struct sw_disk *d, struct sw_io *io, const struct pieces *p,
		 struct sw_table_image *ret)
{
	struct sw_new_part parts[ARRAY_SIZE(p->v)] = {};
	struct sw_guid zero = {}, id;
	const char *seed = d->serial ? d->serial : d->name;
	int r = sw_guid_derive(&zero, seed, strlen(seed), &id);

	for (size_t i = 0; r == 0 && i < p->n; i++) {
		parts[i] = (struct sw_new_part){ .start = p->v[i].at, .size = p->v[i].size,
						 .label = p->v[i].label };
		r = sw_guid_parse(p->v[i].type, &parts[i].type);
		if (r == 0)
			r = sw_guid_derive(&id, p->v[i].label, strlen(p->v[i].label),
					   &parts[i].uuid);
	}
	named_uuids(io, p, parts);
	return r < 0 ? r : sw_table_build(io->size, d->sector, &id, parts, p->n, ret, NULL);
}

static int from_content(const struct sw_disk *d, struct sw_io *io, struct sw_finding *fi)
{
	struct sw_table_image image = {};
	struct pieces p = {};
	uint64_t at = 0, size;
	int r;

	if (!find_slots(io, &p, &at) || !find_data(io, &p, at, &at))
		return -ENOENT;
	size = state_size(io, at);
	if (size == 0 || size > io->size - at - FIRST * (uint64_t)d->sector ||
	    !put(&p, at, size, "state", LINUX))
		return -ENOENT;
	r = build(d, io, &p, &image);
	if (r == 0)
		r = add_table(fi, d, io, &image);
	sw_table_image_clear(&image);
	if (r < 0)
		return r;
	fi->sure = SW_SURE_LIKELY;
	(void)snprintf(fi->repair->text, sizeof(fi->repair->text),
		       "write a table with what lies on %.30s: two slots, node data and state, "
		       "each as long as it says; UUIDs that nothing names are new",
		       d->name);
	return 0;
}

int sw_rescue_rebuild(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io,
		      struct sw_finding *fi)
{
	int r = from_journal(d, io, fi);

	if (r < 0 && r != -ENOMEM && !fi->repair)
		r = from_content(d, io, fi);
	if (r == 0) {
		fi->repair->loses = "what was made since under another table is not found with "
				    "this one";
		fi->repair->confirm = sw_disk_confirm_text(x->f, d);
		return fi->repair->confirm ? 0 : -ENOMEM;
	}
	return r == -ENOMEM ? r : 0;
}
