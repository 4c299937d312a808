/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table that is whole and is not the one that the install made: a partition of the node is gone
 * from it, or ends before what is in it does. The journal of the install says what there was.
 * What was added since, or made longer, is nobody's fault and stays.
 */
#include <inttypes.h>
#include <string.h>

#include "apply/journal.h"
#include "base/size.h"
#include "base/text.h"
#include "disk/gpt.h"
#include "disk/select.h"
#include "plan/plan.h"
#include "rescue/private.h"

#define NO_BLOCK_IO (1ULL << 1)	/* UEFI 5.3.3: firmware makes no device of it */

/* The disk as it is, and as the install made it. */
struct origin {
	const struct sw_disk *d;
	struct sw_io *io;
	const struct sw_plan *p;
	unsigned int disk;	/* which of the plan's it is */
	bool *wrong;		/* by partition of the plan: it is to be put back */
	bool *drop;		/* by partition of the table: it is in the way */
	size_t n_wrong;
	bool foreign;		/* one that is in the way is none of the plan's */
};

static bool is_here(const struct origin *o, const struct sw_placed *p)
{
	return p->disk == o->disk && p->start < o->io->size && p->size <= o->io->size - p->start;
}

static bool same_name(const struct sw_placed *p, const struct sw_part *c)
{
	return sw_guid_equal(&p->uuid, &c->uuid) ||
	       (p->label && *p->label && c->label && strcmp(p->label, c->label) == 0);
}

static bool overlap(const struct sw_placed *p, const struct sw_part *c)
{
	return c->start < p->start + p->size && p->start < c->start + c->size;
}

/*
 * Whether what is in it ends where it does; LUKS and arrays say nothing of their length. The second
 * copy of node data is found by the length of the partition.
 */
static bool fits(const struct origin *o, const struct sw_placed *p, const struct sw_part *c)
{
	if (p->role == SW_ROLE_NODE_DATA)
		return c->size == p->size;
	return c->size >= p->size ||
	       (!p->encrypt && !p->raid && sw_rescue_fs_size(o->io, c->start) <= c->size);
}

/* What is wrong with the one that has its place. */
enum trouble { FINE, SHORT, TWICE, HIDDEN, ANEW };

static enum trouble trouble(const struct origin *o, const struct sw_placed *p,
			    const struct sw_part *c)
{
	if (!fits(o, p, c))
		return SHORT;
	if ((c->attrs & ~p->attrs) & NO_BLOCK_IO)
		return HIDDEN;
	for (size_t i = 0; i < o->d->table.n_parts; i++) {
		const struct sw_part *t = &o->d->table.parts[i];

		if (t != c && sw_guid_equal(&t->uuid, &c->uuid) &&
		    !sw_guid_equal(&p->uuid, &c->uuid))
			return TWICE;
	}
	/* Promote goes by it, and one that was put out of the way has another name, too. */
	return p->role == SW_ROLE_SLOT && sw_part_is_slot(c) && !sw_guid_equal(&p->uuid, &c->uuid)
		       ? ANEW : FINE;
}

/*
 * The partition of the table that stands for one of the plan: at its place, or somewhere else
 * under its name with a file system in it, as a tool that moves partitions leaves it.
 */
static const struct sw_part *stands(const struct origin *o, const struct sw_placed *p)
{
	for (size_t i = 0; i < o->d->table.n_parts; i++) {
		const struct sw_part *c = &o->d->table.parts[i];

		if (!o->drop[i] && c->start == p->start && trouble(o, p, c) == FINE)
			return c;
	}
	for (size_t i = 0; i < o->d->table.n_parts; i++) {
		const struct sw_part *c = &o->d->table.parts[i];

		if (!o->drop[i] && c->start != p->start && c->fs_type && same_name(p, c))
			return c;
	}
	return NULL;
}

/* Somebody has given the place of what is no part of the node to something else. */
static bool given_up(const struct origin *o, const struct sw_placed *p)
{
	for (size_t i = 0; p->role == SW_ROLE_NONE && i < o->d->table.n_parts; i++)
		if (overlap(p, &o->d->table.parts[i]))
			return true;
	return false;
}

/* One more round: what is wrong now, and what is in its way. True when something came to it. */
static bool mark(struct origin *o)
{
	bool more = false;

	for (size_t k = 0; k < o->p->n_parts; k++) {
		const struct sw_placed *p = &o->p->parts[k];

		if (o->wrong[k] || !is_here(o, p) || stands(o, p) || given_up(o, p))
			continue;
		o->wrong[k] = more = true;
		o->n_wrong++;
	}
	for (size_t i = 0; i < o->d->table.n_parts; i++)
		for (size_t k = 0; !o->drop[i] && k < o->p->n_parts; k++) {
			const struct sw_part *c = &o->d->table.parts[i];

			if (o->wrong[k] && (overlap(&o->p->parts[k], c) ||
					    same_name(&o->p->parts[k], c)))
				o->drop[i] = more = true;
		}
	return more;
}

static bool in_plan(const struct origin *o, const struct sw_part *c)
{
	for (size_t k = 0; k < o->p->n_parts; k++)
		if (o->p->parts[k].disk == o->disk && same_name(&o->p->parts[k], c))
			return true;
	return false;
}

/* ---- the table as it was ---- */

static bool taken(const struct sw_part *parts, size_t n, unsigned int number)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].number == number)
			return true;
	return false;
}

/* Its size; a larger one that it has now stays, where it is in nobody's way. */
static uint64_t size_of(const struct origin *o, const struct sw_placed *p)
{
	uint64_t size = p->size;

	for (size_t i = 0; p->role != SW_ROLE_NODE_DATA && i < o->d->table.n_parts; i++)
		if (o->d->table.parts[i].start == p->start && o->d->table.parts[i].size > size)
			size = o->d->table.parts[i].size;
	for (size_t k = 0; k < o->p->n_parts; k++) {
		const struct sw_placed *q = &o->p->parts[k];

		if (q->disk == o->disk && q->start > p->start && q->start < p->start + size)
			return p->size;
	}
	return size;
}

static int put_back(const struct origin *o, const struct sw_placed *p, struct sw_part **parts,
		    size_t *n)
{
	struct sw_part *v = reallocarray(*parts, *n + 1, sizeof(*v));
	unsigned int number = p->number;

	if (!v)
		return -ENOMEM;
	*parts = v;
	for (unsigned int i = 1; taken(v, *n, number); i++)
		number = i;
	v[*n] = (struct sw_part){ .number = number, .start = p->start,
				  .size = size_of(o, p), .type = p->type,
				  .uuid = p->uuid, .attrs = p->attrs,
				  .label = strdup(p->label ? p->label : "") };
	return v[*n].label ? (++*n, 0) : -ENOMEM;
}

static int as_it_was(struct sw_part **parts, size_t *n, const void *arg)
{
	const struct origin *o = arg;
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < *n; i++) {
		bool drop = false;

		for (size_t k = 0; k < o->d->table.n_parts; k++)
			drop |= o->drop[k] && o->d->table.parts[k].number == (*parts)[i].number;
		if (drop)
			free((*parts)[i].label);
		else
			(*parts)[kept++] = (*parts)[i];
	}
	*n = kept;
	for (size_t k = 0; r == 0 && k < o->p->n_parts; k++)
		if (o->wrong[k])
			r = put_back(o, &o->p->parts[k], parts, n);
	return r;
}

/* ---- the finding ---- */

static const struct sw_placed *first_wrong(const struct origin *o)
{
	for (size_t k = 0; k < o->p->n_parts; k++)
		if (o->wrong[k])
			return &o->p->parts[k];
	return NULL;
}

/* What the table has under the place or the name of one of the plan, or NULL. */
static const struct sw_part *instead(const struct origin *o, const struct sw_placed *p)
{
	for (size_t i = 0; i < o->d->table.n_parts; i++)
		if (o->d->table.parts[i].start == p->start || same_name(p, &o->d->table.parts[i]))
			return &o->d->table.parts[i];
	return NULL;
}

static const char *what_is(const struct origin *o, const struct sw_placed *p)
{
	const struct sw_part *c = instead(o, p);

	if (!c)
		return "is gone from the table";
	if (c->start != p->start)
		return "begins elsewhere than what is in it";
	switch (trouble(o, p, c)) {
	case TWICE:
		return "has the UUID of another partition";
	case HIDDEN:
		return "is hidden from the firmware";
	case ANEW:
		return "has another UUID than the install gave it";
	default:
		return c->size > p->size ? "is longer than it was"
					 : "ends before what is in it does";
	}
}

static void say_what(const struct origin *o, struct sw_finding *fi)
{
	const struct sw_placed *p = first_wrong(o);

	if (o->n_wrong > 1)
		(void)snprintf(fi->what, sizeof(fi->what),
			       "%zu partitions of the node are not in the table of %.30s as they "
			       "were", o->n_wrong, o->d->name);
	else
		(void)snprintf(fi->what, sizeof(fi->what), "partition %u, %.40s, %s", p->number,
			       p->label, what_is(o, p));
}

/* What is there now in its place. */
static void say_now(const struct origin *o, const struct sw_placed *p, const struct sw_part *c,
		    char *text, size_t size)
{
	char len[32], uuid[SW_GUID_TEXT];

	switch (c->start == p->start ? trouble(o, p, c) : SHORT) {
	case TWICE:
		(void)snprintf(text, size, "another one has its UUID %s, too",
			       sw_guid_format(&c->uuid, uuid));
		break;
	case ANEW:
		(void)snprintf(text, size, "its UUID is %s now", sw_guid_format(&c->uuid, uuid));
		break;
	case HIDDEN:
		(void)snprintf(text, size, "it has the attribute \"no block io\" (bit 1)");
		break;
	default:
		(void)snprintf(text, size, "now it is %s from %" PRIu64 " on",
			       sw_size_format(c->size, len, sizeof(len)), c->start / o->d->sector);
	}
}

/* Where it was, and that. */
static void say_place(const struct origin *o, const struct sw_placed *p, char *text, size_t size)
{
	const struct sw_part *c = instead(o, p);
	char len[32];
	size_t n = (size_t)snprintf(text, size, " %.20s, %s from sector %" PRIu64 " on; ", p->label,
				    sw_size_format(p->size, len, sizeof(len)),
				    p->start / o->d->sector);

	if (c)
		say_now(o, p, c, text + n, size - n);
	else
		(void)snprintf(text + n, size - n, "it is not there");
}

static void say_evidence(const struct origin *o, struct sw_finding *fi)
{
	const size_t size = sizeof(fi->evidence);
	char when[SW_TIME_TEXT];

	(void)snprintf(fi->evidence, size, "the install of %s made",
		       sw_time_text(o->p->time, when));
	for (size_t k = 0; k < o->p->n_parts; k++) {
		size_t n = strlen(fi->evidence);

		if (!o->wrong[k] || n + 130 > size)
			continue;
		if (&o->p->parts[k] != first_wrong(o))
			fi->evidence[n++] = '.';
		say_place(o, &o->p->parts[k], fi->evidence + n, size - n);
	}
}

static const char *effect_of(const struct origin *o)
{
	const struct sw_placed *p = first_wrong(o);
	const struct sw_part *c = instead(o, p);

	if (o->n_wrong > 1)
		return "the node is not found, or only a part of it, or does not start";
	if (c && c->start == p->start && trouble(o, p, c) == ANEW)
		return "its boot entry leads nowhere, and no image is promoted into it";
	if (c && c->start == p->start && trouble(o, p, c) == TWICE)
		return "which of the two the firmware takes, or the kernel mounts, is chance";
	switch (p->role) {
	case SW_ROLE_SLOT:
		return "the slot is not found: its image does not start, and no other takes its "
		       "place";
	case SW_ROLE_NODE_DATA:
		return "host name, admission and mode of the node are not found";
	case SW_ROLE_STATE:
		return "what the node has stored is not found, or cannot be mounted";
	default:
		return "what is in it is not found";
	}
}

static int finding(struct sw_examine *x, const struct origin *o)
{
	const struct sw_placed *p = first_wrong(o);
	bool node = o->n_wrong > 1 || p->role != SW_ROLE_NONE;
	struct sw_finding *fi = sw_finding_add(x, o->d->name, "table-changed",
					       node ? SW_FINDING_ERROR : SW_FINDING_WARNING,
					       SW_SURE_CERTAIN);
	char when[SW_TIME_TEXT];
	int r;

	if (!fi)
		return -ENOMEM;
	say_what(o, fi);
	say_evidence(o, fi);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", effect_of(o));
	r = sw_rescue_table_change(x, o->d, fi, as_it_was, o);
	if (r < 0 || !fi->repair)
		return r;
	(void)snprintf(fi->repair->text, sizeof(fi->repair->text),
		       "give the table of %.30s the node's partition%s%.30s as the install of "
		       "%s made %s; the content stays", o->d->name, o->n_wrong > 1 ? "s" : " ",
		       o->n_wrong > 1 ? "" : p->label, sw_time_text(o->p->time, when),
		       o->n_wrong > 1 ? "them" : "it");
	if (!o->foreign)
		return 0;
	fi->repair->loses = "partitions that were made in its place since are not in the table "
			    "any more";
	fi->repair->confirm = sw_disk_confirm_text(x->f, o->d);
	return fi->repair->confirm ? 0 : -ENOMEM;
}

/*
 * With nothing of it left in the table the node has to lie there all the same, and be nowhere
 * else: a disk that was given to something else is none of its any more.
 */
static bool is_node(struct sw_examine *x, const struct origin *o)
{
	size_t here = 0;

	for (size_t k = 0; k < o->p->n_parts; k++)
		here += o->p->parts[k].disk == o->disk;
	if (o->n_wrong < here)
		return true;
	for (size_t i = 0; i < x->f->n_disks; i++)
		if (sw_disk_node_data(&x->f->disks[i]) && sw_disk_slot(&x->f->disks[i]))
			return false;
	return sw_rescue_plan_agrees(o->io, o->p, o->disk) > 0;
}

static int compare(struct sw_examine *x, struct origin *o)
{
	while (mark(o))
		;
	for (size_t i = 0; i < o->d->table.n_parts; i++)
		o->foreign |= o->drop[i] && !in_plan(o, &o->d->table.parts[i]);
	return o->n_wrong > 0 && is_node(x, o) ? finding(x, o) : 0;
}

int sw_examine_origin(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io,
		      uint64_t size)
{
	_cleanup_free_ bool *wrong = NULL, *drop = NULL;
	_cleanup_plan_ struct sw_plan *p = NULL;
	struct sw_journal_head h = {};
	struct origin o = { .d = d, .io = io };
	int r;

	if (d->table.type != SW_TABLE_GPT)
		return 0;
	r = sw_rescue_journal(d, io, size, &h, &p);
	if (r == 0) {
		wrong = calloc(p->n_parts + 1, sizeof(*wrong));
		drop = calloc(d->table.n_parts + 1, sizeof(*drop));
		o.p = p;
		o.disk = h.disk;
		o.wrong = wrong;
		o.drop = drop;
		r = wrong && drop ? compare(x, &o) : -ENOMEM;
	} else if (r != -ENOMEM) {
		r = 0;
	}
	sw_journal_head_clear(&h);
	return r;
}
