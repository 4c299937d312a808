/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layout on a disk or an image file: what is there, what would be there, and
 * the bytes of the table in between. Working it out writes nothing; carrying it
 * out writes content first and the table last.
 */
#pragma once

#include "base/event.h"
#include "disk/table.h"
#include "layout/encrypted.h"

/* --empty= of systemd-repart(8). */
enum sw_layout_empty {
	SW_EMPTY_REFUSE,	/* a GPT must be there */
	SW_EMPTY_ALLOW,		/* a GPT, or nothing at all */
	SW_EMPTY_REQUIRE,	/* nothing at all */
	SW_EMPTY_FORCE,		/* whatever is there is forgotten */
	SW_EMPTY_CREATE,	/* the file is made */
};

#define SW_LAYOUT_SIZE_AUTO UINT64_MAX

struct sw_layout_request {
	const struct sw_layout *layout;
	const char *target;		/* for messages */
	enum sw_layout_empty empty;
	uint64_t size;		/* bytes that a file shall have at least; 0: as it is */
	uint32_t sector;	/* with SW_EMPTY_CREATE; 0: 512 */
	struct sw_guid seed;
	bool look_only;		/* the bytes of the table are not needed */
	const struct sw_layout_keys *keys;	/* for Encrypt=; NULL: none are given */
};

struct sw_layout_result {
	bool fresh;			/* a new table */
	bool changed;			/* the table, or the place of its backup */
	bool hybrid;			/* sector 0 has DOS partitions beside the GPT */
	bool repair;			/* one of its copies is damaged and is made anew */
	uint64_t old_size, size;	/* bytes, of the disk or file */
	uint32_t sector;
	struct sw_guid disk_id;
	struct sw_table before;		/* as it was found; zero for a file to be made */
	char **signatures;		/* of the whole disk, found before */
	struct sw_placement *parts;	/* what will be there */
	size_t n_parts;
	struct sw_table_image image;	/* when changed; empty when it was only looked at */
	const struct sw_layout_keys *keys;	/* of the request; borrowed */
};

/* "refuse" "allow" ...; -EINVAL */
int sw_layout_empty_parse(const char *text, enum sw_layout_empty *ret_empty);

/*
 * Works it out; writes nothing. io may be read-only, and is NULL with
 * SW_EMPTY_CREATE. exit 4 when what is on the disk is not what `empty` allows,
 * exit 3 when the layout does not fit.
 */
int sw_layout_prepare(const struct sw_layout_request *q, struct sw_io *io,
		      struct sw_layout_result *ret_result, struct sw_error *err);
void sw_layout_result_clear(struct sw_layout_result *t);

/*
 * Carries it out on an io of the size that the result names: old signatures
 * where new partitions come, then the table. Nothing happens when nothing
 * changes.
 */
int sw_layout_carry_out(struct sw_io *io, const struct sw_layout_result *t,
			const struct sw_sink *sink, struct sw_error *err);
