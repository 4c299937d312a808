/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk for a fuzz target: the input is a list of sectors (number in three bytes, then 512 bytes)
 * of one that is zero elsewhere, so that large formats fit into small inputs.
 */
#pragma once

#include <errno.h>
#include <string.h>

#include "base/io.h"

#define PATCH 515U	/* bytes of a sector in the input */

struct patched {
	struct sw_io io;
	const uint8_t *data;
	size_t n;		/* sectors in it */
	uint64_t budget;	/* bytes that may be read: a long chain is fine, but slow */
};

static int patched_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct patched *p = (struct patched *)io;

	if (len > p->budget)
		return -EIO;
	p->budget -= len;
	memset(data, 0, len);
	for (size_t i = 0; i < p->n; i++) {
		const uint8_t *r = p->data + i * PATCH;
		uint64_t at = ((uint64_t)r[0] | (uint64_t)r[1] << 8 | (uint64_t)r[2] << 16) * 512;
		uint64_t from = at > off ? at : off;
		uint64_t to = at + 512 < off + len ? at + 512 : off + len;

		if (from < to)
			memcpy((uint8_t *)data + (from - off), r + 3 + (from - at), to - from);
	}
	return 0;
}

static const struct sw_io_ops patched_ops = { .read = patched_read };

/* size: of the disk; of the input at most max sectors count. */
static inline struct patched patched_new(const uint8_t *data, size_t len, size_t max,
					 uint64_t size, uint64_t budget)
{
	size_t n = len / PATCH;

	return (struct patched){ .io = { .ops = &patched_ops, .size = size, .sector = 512 },
				 .data = data, .n = n < max ? n : max, .budget = budget };
}
