/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File systems: built in a file, then copied into their partition; encrypted on the way where
 * the plan says so. A member of an array gets the same bytes as the others and the array's
 * superblock last.
 */
#include <string.h>

#include "apply/run.h"
#include "disk/mdraid.h"
#include "layout/content.h"
#include "layout/encrypted.h"

/* The bytes that a partition's content may take. */
static uint64_t content_size(const struct sw_plan *p, const struct sw_placed *part)
{
	unsigned int members, number;
	uint64_t size = part->size;

	if (part->raid && !sw_plan_array(p, part, &members, &number, &size))
		return 0;
	if (part->encrypt)
		size = size > SW_LUKS_HEADER ? size - SW_LUKS_HEADER : 0;
	return size;
}

/* The partition as the layout's content maker wants it; borrows from the plan. */
static struct sw_placement placement_of(const struct sw_placed *part, struct sw_layout_part *def)
{
	struct sw_placement p = { .part = def, .start = part->start, .size = part->size,
				  .uuid = part->uuid, .number = part->number };

	*def = (struct sw_layout_part){ .file = part->label,
					.format = part->format,
					.copy_blocks = part->copy_blocks,
					.copy_blocks_size = part->copy_blocks_size,
					.copy_files = part->copy_files,
					.make_directories = part->make_directories };
	(void)snprintf(p.label, sizeof(p.label), "%s", part->label ? part->label : "");
	return p;
}

int sw_formats_check(struct sw_run *run, struct sw_error *err)
{
	for (size_t i = 0; i < run->p->n_steps; i++) {
		const struct sw_step *s = &run->p->steps[i];
		const struct sw_placed *part = sw_run_part(run, s);
		struct sw_layout_part def;
		int r;

		if (s->kind != SW_STEP_FORMAT || !part)
			continue;
		(void)placement_of(part, &def);
		r = sw_layout_check_content(&def, content_size(run->p, part), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A partition as layers: itself, and what of it holds the content. */
struct target {
	const struct sw_placed *part;
	struct sw_io *whole, *content;
	unsigned int members, number;	/* of the array, when it is in one */
	struct sw_error *err;
};

static void target_clear(struct target *t)
{
	sw_io_close(t->content);
	sw_io_close(t->whole);
}

static int target_open(struct sw_run *run, const struct sw_step *s, struct target *t)
{
	uint64_t off = t->part->raid ? SW_MD_DATA_OFFSET : 0, len = s->len;
	int r = sw_io_window(sw_run_io(run, s), s->off, s->len, &t->whole);

	if (r == 0 && t->part->raid &&
	    !sw_plan_array(run->p, t->part, &t->members, &t->number, &len))
		r = -ENOSPC;
	if (r == 0)
		r = sw_io_window(t->whole, off, len, &t->content);
	if (r == 0 && content_size(run->p, t->part) == 0)
		r = -ENOSPC;
	return r < 0 ? sw_fail_errno(t->err, SW_EXIT_INVALID, r, "there is no room for %s",
				     s->title) : 0;
}

/*
 * A file system's UUID comes from its partition's, so that a plan gives the same
 * bytes each time; one file system for all members of an array.
 */
static int write_content(struct sw_run *run, const struct sw_step *s, struct target *t)
{
	const struct sw_run_key *k = sw_run_key(run, t->part);
	struct sw_layout_part def;
	struct sw_placement p = placement_of(t->part, &def);

	p.start = 0;
	p.size = content_size(run->p, t->part);
	p.uuid = sw_plan_leader(run->p, t->part)->uuid;
	if (!t->part->encrypt)
		return sw_layout_fill(t->content, &p, run->p->time, run->work, run->step,
				      run->sink, t->err);
	if (!k || !k->key)
		return sw_fail(t->err, SW_EXIT_INTERNAL, -ENOKEY, "there is no key for %s",
			       s->title);
	return sw_encrypt_fill(t->content, k->key, k->header, &p, run->p->time, run->work,
			       run->step, run->sink, t->err);
}

/*
 * Blocks that the file system does not use differ between the members, so the array is
 * marked as still to be synchronised.
 */
static int write_superblock(struct sw_run *run, const struct sw_step *s, struct target *t)
{
	struct sw_md md = {}, back = {};
	int r = sw_md_new(&run->p->seed, t->part->label, t->members, t->number, t->content->size,
			  run->p->time, &md);

	md.in_sync = false;
	if (r == 0)
		r = sw_md_write(t->whole, &md);
	if (r == 0)
		r = sw_io_drop(t->whole);
	if (r == 0)
		r = sw_md_read(t->whole, &back);
	if (r == 0 && memcmp(back.member_uuid, md.member_uuid, sizeof(md.member_uuid)) != 0)
		r = -EBADMSG;
	return r < 0 ? sw_fail_errno(t->err, SW_EXIT_DIRTY, r, "cannot make the array: %s",
				     s->title) : 0;
}

int sw_step_format(struct sw_run *run, const struct sw_step *s, struct sw_error *err)
{
	_cleanup_(target_clear) struct target t = { .part = sw_run_part(run, s), .err = err };
	int r;

	if (!t.part || (!t.part->format && !t.part->copy_blocks))
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "nothing to format: %s", s->title);
	r = target_open(run, s, &t);
	if (r == 0 && (t.part->raid || t.part->encrypt))
		r = sw_slot_invalidate(sw_run_io(run, s), s->off, s->len, err);
	if (r == 0)
		r = write_content(run, s, &t);
	if (r == 0 && t.part->raid)
		r = write_superblock(run, s, &t);
	return r;
}

static int verify_failed(struct sw_io *io, const struct sw_placed *part, const char *what,
			 struct sw_error *err)
{
	sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "%s of %s does not read back as written", what,
		part->label);
	sw_error_where(err, "%s", io->path);
	sw_error_hint(err, "the disk loses or changes data; look at its health and replace it");
	return -EBADMSG;
}

int sw_verify_layers(struct sw_run *run, const struct sw_placed *part, struct sw_error *err)
{
	struct sw_io *io = run->disks[part->disk].io;
	_cleanup_io_ struct sw_io *whole = NULL;
	unsigned int members = 0, number = 0;
	struct sw_md md = {};
	char magic[6] = "";
	uint64_t size = 0;

	if (sw_io_window(io, part->start, part->size, &whole) < 0)
		return sw_fail_oom(err);
	if (part->raid && (!sw_plan_array(run->p, part, &members, &number, &size) ||
			   sw_md_read(whole, &md) < 0 || md.members != members ||
			   md.number != number || md.size != size))
		return verify_failed(io, part, "the superblock of the array", err);
	if (part->encrypt &&
	    (sw_io_read(whole, part->raid ? SW_MD_DATA_OFFSET : 0, magic, sizeof(magic)) < 0 ||
	     memcmp(magic, "LUKS\xba\xbe", sizeof(magic)) != 0))
		return verify_failed(io, part, "the LUKS2 header", err);
	return 0;
}
