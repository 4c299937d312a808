/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io-stack.h"

#include <string.h>

/* ---- a part of an io ---- */

struct window {
	struct sw_io io;
	struct sw_io *under;
	uint64_t off;
};

static int window_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct window *w = (struct window *)io;

	return sw_io_read(w->under, w->off + off, data, len);
}

static int window_write(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	struct window *w = (struct window *)io;

	return sw_io_write(w->under, w->off + off, data, len);
}

static int window_zero(struct sw_io *io, uint64_t off, uint64_t len)
{
	struct window *w = (struct window *)io;

	return sw_io_zero(w->under, w->off + off, len);
}

static int window_flush(struct sw_io *io)
{
	return sw_io_flush(((struct window *)io)->under);
}

static int window_drop(struct sw_io *io)
{
	return sw_io_drop(((struct window *)io)->under);
}

static void window_close(struct sw_io *io SW_UNUSED)
{
}

static const struct sw_io_ops window_ops = {
	.read = window_read, .write = window_write, .flush = window_flush,
	.drop = window_drop, .zero = window_zero,   .close = window_close,
};

int sw_io_new_window(struct sw_io *under, uint64_t off, uint64_t len, struct sw_io **ret_io)
{
	struct window *w;

	if (off > under->size || len > under->size - off)
		return -ERANGE;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->io = *under;
	w->io.ops = &window_ops;
	w->io.size = len;
	w->under = under;
	w->off = off;
	*ret_io = &w->io;
	return 0;
}

/* ---- copies ---- */

#define CHUNK 65536U

struct copies {
	struct sw_io io;
	struct sw_io **ios;
	size_t n;
	uint8_t *other;		/* CHUNK bytes to compare with */
};

static int same_on(struct copies *c, struct sw_io *from, uint64_t off, const uint8_t *data,
		   size_t len)
{
	while (len > 0) {
		size_t n = len < CHUNK ? len : CHUNK;
		int r = sw_io_read(from, off, c->other, n);

		if (r < 0)
			return r;
		if (memcmp(c->other, data, n) != 0)
			return -EBADMSG;
		off += n;
		data += n;
		len -= n;
	}
	return 0;
}

static int copies_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct copies *c = (struct copies *)io;
	int r = sw_io_read(c->ios[0], off, data, len);

	for (size_t i = 1; i < c->n && r == 0; i++)
		r = same_on(c, c->ios[i], off, data, len);
	return r;
}

static int copies_write(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	struct copies *c = (struct copies *)io;
	int r = 0;

	for (size_t i = 0; i < c->n && r == 0; i++)
		r = sw_io_write(c->ios[i], off, data, len);
	return r;
}

static int copies_zero(struct sw_io *io, uint64_t off, uint64_t len)
{
	struct copies *c = (struct copies *)io;
	int r = 0;

	for (size_t i = 0; i < c->n && r == 0; i++)
		r = sw_io_zero(c->ios[i], off, len);
	return r;
}

static int copies_flush(struct sw_io *io)
{
	struct copies *c = (struct copies *)io;
	int r = 0;

	for (size_t i = 0; i < c->n && r == 0; i++)
		r = sw_io_flush(c->ios[i]);
	return r;
}

static int copies_drop(struct sw_io *io)
{
	struct copies *c = (struct copies *)io;
	int r = 0;

	for (size_t i = 0; i < c->n && r == 0; i++)
		r = sw_io_drop(c->ios[i]);
	return r;
}

static void copies_close(struct sw_io *io)
{
	struct copies *c = (struct copies *)io;

	for (size_t i = 0; i < c->n; i++)
		sw_io_close(c->ios[i]);
	free(c->ios);
	free(c->other);
}

static const struct sw_io_ops copies_ops = {
	.read = copies_read, .write = copies_write, .flush = copies_flush,
	.drop = copies_drop, .zero = copies_zero,   .close = copies_close,
};

int sw_io_new_copies(struct sw_io **ios, size_t n, struct sw_io **ret_io)
{
	struct copies *c = calloc(1, sizeof(*c));

	if (c) {
		c->ios = calloc(n + 1, sizeof(*c->ios));
		c->other = malloc(CHUNK);
	}
	if (!c || !c->ios || !c->other || n == 0) {
		for (size_t i = 0; i < n; i++)
			sw_io_close(ios[i]);
		if (c) {
			free(c->ios);
			free(c->other);
		}
		free(c);
		return -ENOMEM;
	}
	memcpy(c->ios, ios, n * sizeof(*ios));
	c->n = n;
	c->io = *ios[0];
	c->io.ops = &copies_ops;
	for (size_t i = 1; i < n; i++) {
		if (ios[i]->size < c->io.size)
			c->io.size = ios[i]->size;
		if (ios[i]->sector > c->io.sector)
			c->io.sector = ios[i]->sector;
	}
	*ret_io = &c->io;
	return 0;
}
