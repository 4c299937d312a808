/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk's partitions before and after, side by side where the width allows it,
 * and in words what is lost and what stays.
 */
#include <string.h>

#include "base/size.h"
#include "base/text.h"
#include "plan/text.h"

#define SIDE_BY_SIDE 78U	/* columns that two tables need */
#define LEFT 37U		/* columns of the left one */

/* Text in exactly so many columns: cut between characters, or filled up with blanks. */
static int add_cell(struct sw_buf *b, const char *text, unsigned int cols, bool fill)
{
	unsigned int used = 0;
	size_t at = 0, len = strlen(text);

	while (used < cols && at < len) {
		uint32_t c;
		size_t n = sw_utf8_decode(text + at, len - at, &c);

		at += n ? n : 1;
		used++;
	}
	return sw_buf_addf(b, "%.*s%*s", (int)at, text, fill ? (int)(cols - used) : 0, "");
}

static const char *what_is_it(const struct sw_placed *n)
{
	return n->kept ? "kept"
	       : n->role == SW_ROLE_SLOT ? "boot slot"
	       : n->role == SW_ROLE_RESCUE ? "rescue"
	       : n->role == SW_ROLE_IPXE ? "iPXE"
	       : n->raid ? n->encrypt ? "RAID1, encrypted" : "RAID1 member"
	       : n->role == SW_ROLE_NODE_DATA ? "node data"
	       : n->encrypt ? "encrypted"
	       : n->format ? n->format : "empty";
}

static int add_old(struct sw_buf *b, const struct sw_part *o)
{
	char size[16];
	int r = sw_buf_addf(b, "%2u %6s ", o->number, sw_size_format(o->size, size, sizeof(size)));

	if (r == 0)
		r = add_cell(b, o->label && *o->label ? o->label : "-", 14, true);
	if (r == 0)
		r = sw_buf_adds(b, " ");
	return r == 0 ? add_cell(b, o->fs_type ? o->fs_type : "-", LEFT - 25, true) : r;
}

static int add_new(struct sw_buf *b, const struct sw_placed *n)
{
	char size[16];
	int r = sw_buf_addf(b, "  %2u %6s ", n->number,
			    sw_size_format(n->size, size, sizeof(size)));

	if (r == 0)
		r = add_cell(b, n->label ? n->label : "", 14, true);
	if (r == 0)
		r = sw_buf_adds(b, " ");
	return r == 0 ? add_cell(b, what_is_it(n), 12, false) : r;
}

/* The next placed partition of a disk, from `at` on. */
static const struct sw_placed *next_placed(const struct sw_plan *p, size_t disk, size_t *at)
{
	while (*at < p->n_parts && p->parts[*at].disk != disk)
		(*at)++;
	return *at < p->n_parts ? &p->parts[(*at)++] : NULL;
}

static int add_side_by_side(struct sw_buf *b, const struct sw_plan *p, size_t disk)
{
	const struct sw_plan_disk *d = &p->disks[disk];
	const struct sw_placed *n;
	size_t at = 0, i = 0;
	int r = sw_buf_addf(b, "%-*s  %s\n", (int)LEFT, "Before", "After");

	for (n = next_placed(p, disk, &at); r == 0 && (n || i < d->n_old_parts);
	     n = next_placed(p, disk, &at)) {
		if (i < d->n_old_parts)
			r = add_old(b, &d->old_parts[i++]);
		else
			r = sw_buf_addf(b, "%*s", (int)LEFT, "");
		if (r == 0 && n)
			r = add_new(b, n);
		if (r == 0)
			r = sw_buf_adds(b, "\n");
	}
	return r;
}

static int add_after(struct sw_buf *b, const struct sw_plan *p, size_t disk)
{
	const struct sw_placed *n;
	size_t at = 0;
	bool first = true;
	int r = 0;

	while (r == 0 && (n = next_placed(p, disk, &at))) {
		char size[16], start[16];

		r = sw_buf_addf(b, "%s partition %u  %6s at %-6s %-14s %s\n",
				first ? "After   " : "        ", n->number,
				sw_size_format(n->size, size, sizeof(size)),
				sw_size_format(n->start, start, sizeof(start)),
				n->label ? n->label : "",
				n->role == SW_ROLE_SLOT ? "boot slot (FAT32)" : what_is_it(n));
		first = false;
	}
	return r;
}

/* partition 2 "root" (ext4, 64G) */
static int name_old(struct sw_buf *b, const struct sw_part *o)
{
	const char *label = o->label && *o->label ? o->label : o->fs_label;
	char size[16];
	int r = sw_buf_addf(b, "partition %u", o->number);

	if (r == 0 && label && *label)
		r = sw_buf_addf(b, " \"%s\"", label);
	return r < 0 ? r : sw_buf_addf(b, " (%s%s%s)", o->fs_type ? o->fs_type : "",
				       o->fs_type ? ", " : "",
				       sw_size_format(o->size, size, sizeof(size)));
}

static bool is_kept(const struct sw_plan *p, size_t disk, const struct sw_part *o)
{
	for (size_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].kept && p->parts[i].disk == disk && p->parts[i].start == o->start)
			return true;
	return false;
}

/* What is lost, or what is kept, in words. */
static int add_fate(struct sw_buf *b, const struct sw_plan *p, size_t disk, bool kept,
		    unsigned int width)
{
	const struct sw_plan_disk *d = &p->disks[disk];
	_cleanup_buf_ struct sw_buf words = {};
	int r = 0;

	for (size_t i = 0; i < d->n_old_parts && r == 0; i++) {
		if (is_kept(p, disk, &d->old_parts[i]) != kept)
			continue;
		if (words.len)
			r = sw_buf_adds(&words, ", ");
		if (r == 0)
			r = name_old(&words, &d->old_parts[i]);
	}
	if (r < 0 || words.len == 0)
		return r;
	return sw_plan_wrap(b, kept ? "Kept     " : "Lost     ", sw_buf_text(&words), width);
}

int sw_plan_add_tables(struct sw_buf *b, const struct sw_plan *p, size_t disk, unsigned int width)
{
	bool old = p->disks[disk].n_old_parts > 0;
	int r = old && width >= SIDE_BY_SIDE ? add_side_by_side(b, p, disk) : add_after(b, p, disk);

	if (r == 0)
		r = add_fate(b, p, disk, true, width);
	return r == 0 ? add_fate(b, p, disk, false, width) : r;
}
