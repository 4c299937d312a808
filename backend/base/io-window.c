/* SPDX-License-Identifier: Apache-2.0 */
/* A part of a disk as a disk of its own, for formats that know nothing of what is around them. */
#include <stdlib.h>

#include "base/io.h"

struct window {
	struct sw_io io;
	struct sw_io *whole;	/* borrowed */
	uint64_t off;
};

static int window_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct window *w = (struct window *)io;

	return sw_io_read(w->whole, w->off + off, data, len);
}

static int window_write(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	struct window *w = (struct window *)io;

	return sw_io_write(w->whole, w->off + off, data, len);
}

static int window_flush(struct sw_io *io)
{
	return sw_io_flush(((struct window *)io)->whole);
}

static int window_drop(struct sw_io *io)
{
	return sw_io_drop(((struct window *)io)->whole);
}

static void window_close(struct sw_io *io SW_UNUSED)
{
}

static const struct sw_io_ops window_ops = {
	.read = window_read,
	.write = window_write,
	.flush = window_flush,
	.drop = window_drop,
	.close = window_close,
};

int sw_io_window(struct sw_io *whole, uint64_t off, uint64_t len, struct sw_io **ret_io)
{
	struct window *w;

	if (off > whole->size || len > whole->size - off)
		return -ERANGE;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->io = *whole;
	w->io.ops = &window_ops;
	w->io.size = len;
	w->whole = whole;
	w->off = off;
	*ret_io = &w->io;
	return 0;
}
