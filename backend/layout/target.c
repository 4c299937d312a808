/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/target.h"

#include <string.h>

#include "base/file.h"
#include "base/strv.h"
#include "boot/slot.h"
#include "disk/disk.h"
#include "disk/gpt.h"
#include "disk/table-edit.h"
#include "layout/content.h"

#define HEAD (1ULL << 20)	/* before the first partition of a new table */
#define PARTS_MAX 256U

int sw_layout_empty_parse(const char *text, enum sw_layout_empty *ret_empty)
{
	static const char *const words[] = {
		[SW_EMPTY_REFUSE] = "refuse",	[SW_EMPTY_ALLOW] = "allow",
		[SW_EMPTY_REQUIRE] = "require", [SW_EMPTY_FORCE] = "force",
		[SW_EMPTY_CREATE] = "create",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(text, words[i])) {
			*ret_empty = (enum sw_layout_empty)i;
			return 0;
		}
	return -EINVAL;
}

void sw_layout_result_clear(struct sw_layout_result *t)
{
	sw_table_clear(&t->before);
	sw_strv_free(t->signatures);
	free(t->parts);
	sw_table_image_clear(&t->image);
	*t = (struct sw_layout_result){};
}

/* ---- may it be touched at all ---- */

static int refuse(const struct sw_layout_request *q, const char *what, const char *why,
		  const char *hint, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "%s", what);
	sw_error_where(err, "%s", q->target);
	if (why && *why)
		sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return -EPERM;
}

/* What is there is named, with what a DOS table does not reach of the disk. */
static int refuse_content(const struct sw_layout_request *q, const struct sw_layout_result *t,
			  const char *what, struct sw_error *err)
{
	struct sw_disk d = { .table = t->before, .signatures = t->signatures };
	_cleanup_free_ char *words = sw_disk_describe(&d);

	return refuse(q, what, words,
		      "--empty=force makes a new table and forgets what is there", err);
}

static int judge(const struct sw_layout_request *q, struct sw_layout_result *t,
		 struct sw_error *err)
{
	bool gpt = t->before.type == SW_TABLE_GPT;
	bool blank = t->before.type == SW_TABLE_NONE && !(t->signatures && t->signatures[0]);

	t->fresh = q->empty == SW_EMPTY_FORCE;
	if (t->fresh)
		return 0;
	if (t->before.type == SW_TABLE_DAMAGED_GPT)
		return refuse(q, "the partition table is damaged", t->before.damage,
			      "Repair it first, or forget it with --empty=force", err);
	if (q->empty == SW_EMPTY_REQUIRE || (q->empty == SW_EMPTY_ALLOW && !gpt)) {
		t->fresh = true;
		return blank ? 0 : refuse_content(q, t, "the disk is not empty", err);
	}
	if (!gpt && !blank)
		return refuse_content(q, t, t->before.type == SW_TABLE_DOS
				      ? "the disk has a DOS table and no GPT"
				      : "there is no GPT on the disk, but something else", err);
	if (!gpt)
		return refuse(q, "there is no GPT on the disk, and --empty=refuse", NULL,
			      "--empty=allow makes one on a disk with nothing on it", err);
	return 0;
}

/* ---- the table ---- */

static int place(const struct sw_layout_request *q, struct sw_io *scratch,
		 struct sw_layout_result *t, struct sw_error *err)
{
	struct sw_layout_ground g = { .table = &t->before, .where = q->target };
	int r;

	if (t->fresh)
		return sw_layout_solve(q->layout, t->size, t->sector, &q->seed, &t->parts,
				       &t->n_parts, &t->disk_id, err);
	t->disk_id = t->before.id;
	r = sw_table_usable(scratch, &g.start, &g.end, &g.numbers, err);
	if (r < 0)
		return r;
	return sw_layout_solve_on(q->layout, &g, &q->seed, &t->parts, &t->n_parts, err);
}

static bool same(const struct sw_placement *p)
{
	return p->old && p->size == p->old->size && sw_guid_equal(&p->uuid, &p->old->uuid) &&
	       !strcmp(p->label, p->old->label ? p->old->label : "");
}

static size_t list_changes(const struct sw_layout_result *t, struct sw_table_change *c)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_parts; i++) {
		const struct sw_placement *p = &t->parts[i];

		if (same(p))
			continue;
		c[n++] = (struct sw_table_change){
			.number = p->number,
			.add = !p->old,
			.part = { .start = p->start, .size = p->size, .uuid = p->uuid,
				  .type = p->old ? p->old->type : p->part->type,
				  .attrs = p->old ? p->old->attrs : p->part->attrs,
				  .label = p->label },
		};
	}
	return n;
}

/* As repart: a label or UUID that is missing is no reason of its own to write a table. */
static void leave_names(struct sw_layout_result *t)
{
	for (size_t i = 0; i < t->n_parts; i++)
		if (!t->parts[i].old || t->parts[i].size != t->parts[i].old->size)
			return;
	for (size_t i = 0; i < t->n_parts; i++) {
		struct sw_placement *p = &t->parts[i];
		const char *label = p->old->label;

		p->uuid = p->old->uuid;
		(void)snprintf(p->label, sizeof(p->label), "%s", label ? label : "");
	}
}

/* In the order of their numbers, as libfdisk wants to add them. */
static int by_number(const void *a, const void *b)
{
	const struct sw_table_change *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* Whether only libfdisk knows: a gap of one sector is none to it (backend/disk/table-edit.c). */
static bool may_not_grow(const struct sw_layout_result *t)
{
	for (size_t i = 0; i < t->n_parts; i++)
		if (t->parts[i].old && t->parts[i].size == t->parts[i].old->size + t->sector)
			return true;
	return false;
}

static int build(const struct sw_layout_request *q, struct sw_io *scratch,
		 struct sw_layout_result *t, struct sw_error *err)
{
	_cleanup_free_ struct sw_table_change *c = calloc(t->n_parts + 1, sizeof(*c));
	size_t n;

	if (!c)
		return sw_fail_oom(err);
	leave_names(t);
	n = list_changes(t, c);
	qsort(c, n, sizeof(*c), by_number);
	/* A file that is made larger has its backup table moved, whatever else happens. */
	t->changed = t->fresh || n > 0 || t->size > t->old_size || t->repair;
	if (t->changed && t->hybrid && !t->fresh)
		return refuse(q, "the disk has a hybrid MBR",
			      "sector 0 has DOS partitions beside the GPT; a system that boots or "
			      "reads by them would lose them, or see other places than the GPT",
			      "Make a protective MBR first (gdisk: x, n, w), or start anew with "
			      "--empty=force", err);
	if (!t->changed || (q->look_only && !may_not_grow(t)))
		return 0;
	return sw_table_edit(scratch, t->fresh ? &t->disk_id : NULL, c, n, &t->image, err);
}

/* ---- sizes ---- */

static int choose_size(const struct sw_layout_request *q, struct sw_layout_result *t,
		       struct sw_error *err)
{
	uint64_t want = q->size;

	if (want == SW_LAYOUT_SIZE_AUTO)
		want = sw_layout_least_size(q->layout, t->fresh ? NULL : &t->before);
	if (want > INT64_MAX - 4096)
		return sw_fail(err, SW_EXIT_INVALID, -ERANGE, "this layout has no size that a file "
							      "could have");
	want += (4096 - want % 4096) % 4096;
	t->size = want > t->old_size ? want : t->old_size;
	if (t->size >= 2 * HEAD)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -ENOSPC, "the disk is too small for a partition table");
	sw_error_where(err, "%s", q->target);
	sw_error_hint(err, "--size=auto takes what the layout needs");
	return -ENOSPC;
}

/* A file says nothing about its sectors; the table in it does. */
static int guess_sector(struct sw_io *io)
{
	struct sw_gpt_scan scan;
	int r = sw_gpt_scan(io, &scan);

	for (size_t i = 0; r >= 0 && i < scan.n; i++)
		if (scan.copies[i].entries_ok) {
			io->sector = scan.copies[i].sector;
			break;
		}
	return r < 0 ? r : 0;
}

/*
 * Whether both copies stand where the table says; after a power cut one may not.
 * repart leaves a damaged one; a copy in force that has no twin is one bad sector
 * away from no table.
 */
static bool is_whole(struct sw_io *io, bool *ret_hybrid)
{
	const struct sw_gpt_copy *one = NULL;
	struct sw_gpt_scan scan;

	if (sw_gpt_scan(io, &scan) < 0 || !scan.pmbr)
		return false;
	*ret_hybrid = scan.dos;
	for (size_t i = 0; i < scan.n; i++)
		if (scan.copies[i].my_lba == 1 && scan.copies[i].entries_ok)
			one = &scan.copies[i];
	for (size_t i = 0; one && i < scan.n; i++)
		if (scan.copies[i].my_lba == one->other_lba && scan.copies[i].entries_ok &&
		    scan.copies[i].entries_crc == one->entries_crc)
			return true;
	return false;
}

static int look(const struct sw_layout_request *q, struct sw_io *io, struct sw_layout_result *t,
		struct sw_error *err)
{
	int r;

	t->sector = q->sector ? q->sector : 512;
	t->fresh = true;
	if (!io)
		return 0;
	t->old_size = io->size;
	/* Too small even for what is looked at: as good as empty. */
	if (io->size < 512)
		return 0;
	r = q->sector ? 0 : guess_sector(io);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the disk");
	t->sector = io->sector;
	r = sw_disk_probe(io, &t->before, &t->signatures, err);
	if (r >= 0)
		r = judge(q, t, err);
	t->repair = r >= 0 && !t->fresh && !is_whole(io, &t->hybrid);
	return r;
}

static int check_contents(const struct sw_layout_request *q, struct sw_layout_result *t,
			  struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < t->n_parts; i++) {
		const struct sw_layout_part *p = t->parts[i].part;
		uint64_t size = t->parts[i].size;

		if (t->parts[i].old || !sw_layout_has_content(p))
			continue;
		r = sw_layout_check_content(p, p->encrypt ? size - SW_LUKS_HEADER : size, err);
	}
	t->keys = q->keys;
	return r;
}

int sw_layout_prepare(const struct sw_layout_request *q, struct sw_io *io,
		      struct sw_layout_result *ret_result, struct sw_error *err)
{
	_cleanup_(sw_layout_result_clear) struct sw_layout_result t = {};
	_cleanup_io_ struct sw_io *scratch = NULL;
	int r = look(q, io, &t, err);

	if (r >= 0)
		r = choose_size(q, &t, err);
	/* libfdisk works on a copy: to read the old table, and to make the new one. */
	if (r >= 0 && !(q->look_only && t.fresh))
		r = sw_table_scratch(io, t.size, t.sector, &scratch, err);
	if (r >= 0)
		r = place(q, scratch, &t, err);
	if (r >= 0)
		r = check_contents(q, &t, err);
	if (r >= 0)
		r = build(q, scratch, &t, err);
	if (r < 0) {
		sw_error_where(err, "%s", q->target);
		return r;
	}
	*ret_result = t;
	t = (struct sw_layout_result){};
	return 0;
}

/* ---- carrying out ---- */

/* Old headers where the new partitions come: of a table made when the disk was smaller. */
static int wipe_strays(struct sw_io *io)
{
	struct sw_gpt_scan scan;
	int r = sw_gpt_scan(io, &scan);

	for (size_t i = 0; r >= 0 && i < scan.n; i++) {
		const struct sw_gpt_copy *c = &scan.copies[i];

		if (c->my_lba != 1 && c->off + c->sector < io->size / c->sector * c->sector)
			r = sw_io_zero(io, c->off, c->sector);
	}
	return r < 0 ? r : sw_io_flush(io);
}

/* What an old file system left outside the new partitions and the new table's own bytes. */
static int wipe_ends(struct sw_io *io, const struct sw_layout_result *t)
{
	uint64_t head = 2ULL * t->sector + SW_GPT_ENTRIES_LEN, from = io->size - HEAD;
	uint64_t to = io->size / t->sector * t->sector - t->sector - SW_GPT_ENTRIES_LEN;
	int r = sw_io_zero(io, head, HEAD - head);

	for (size_t i = 0; i < t->n_parts; i++)
		if (t->parts[i].start + t->parts[i].size > from)
			from = t->parts[i].start + t->parts[i].size;
	if (r >= 0 && from < to)
		r = sw_io_zero(io, from, to - from);
	return r < 0 ? r : sw_io_flush(io);
}

static int wipe_error(struct sw_io *io, int r, struct sw_error *err)
{
	sw_fail_errno(err, SW_EXIT_DIRTY, r, "cannot clear the disk");
	sw_error_where(err, "%s", io->path);
	return r;
}

/* Keys and header in the scratch directory first, then data, the header last. */
static int fill_encrypted(struct sw_io *io, const struct sw_layout_result *t,
			  const struct sw_placement *p, const char *work,
			  const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_free_ char *header = sw_fmt("%s/luks-header", work);
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_io_ struct sw_io *part = NULL;
	struct sw_placement inner = *p;
	struct sw_encrypt_note note = {};
	int r;

	inner.start = 0;
	inner.size -= SW_LUKS_HEADER;
	if (!header || sw_io_window(io, p->start, p->size, &part) < 0)
		return sw_fail_oom(err);
	sw_event_log(sink, "making the keys of partition %u", p->number);
	r = sw_encrypt_make(p->part->encrypt, &p->uuid, t->keys, NULL, header, &note, &key,
			    err);
	if (r == 0 && !note.measured)
		sw_event_log(sink, "warning: " SW_TPM_NOT_MEASURED);
	if (r == 0)
		r = sw_slot_invalidate(io, p->start, p->size, err);
	if (r == 0)
		r = sw_encrypt_fill(part, key, header, &inner, 0, work, p->number, sink, err);
	(void)unlink(header);
	return r;
}

static int fill_part(struct sw_io *io, const struct sw_layout_result *t,
		     const struct sw_placement *p, const char *work, const struct sw_sink *sink,
		     struct sw_error *err)
{
	if (!sw_layout_has_content(p->part))
		return sw_slot_invalidate(io, p->start, p->size, err);
	if (p->part->encrypt)
		return fill_encrypted(io, t, p, work, sink, err);
	sw_event_log(sink, "making the content of partition %u", p->number);
	return sw_layout_fill(io, p, 0, work, p->number, sink, err);
}

static int fill_parts(struct sw_io *io, const struct sw_layout_result *t,
		      const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_free_ char *work = NULL;
	int r = sw_scratch_new("slipway-layout", &work);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make a scratch directory");
	for (size_t i = 0; r >= 0 && i < t->n_parts; i++)
		if (!t->parts[i].old)
			r = fill_part(io, t, &t->parts[i], work, sink, err);
	sw_remove_tree(work);
	return r;
}

int sw_layout_carry_out(struct sw_io *io, const struct sw_layout_result *t,
			const struct sw_sink *sink, struct sw_error *err)
{
	int r = 0;

	if (!t->changed)
		return 0;
	for (size_t i = 0; i < t->n_parts && r == 0; i++)
		if (!t->parts[i].old)
			r = sw_layout_check_keys(t->parts[i].part, t->keys, err);
	if (r < 0)
		return r;
	if (t->fresh)
		r = wipe_strays(io);
	if (r < 0)
		return wipe_error(io, r, err);
	r = fill_parts(io, t, sink, err);
	if (r < 0)
		return r;
	if (t->fresh)
		r = wipe_ends(io, t);
	if (r < 0)
		return wipe_error(io, r, err);
	sw_event_log(sink, "writing the partition table");
	return sw_table_commit(io, &t->image, err);
}
