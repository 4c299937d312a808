/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a partition image so that a power cut at any moment leaves it either
 * unreadable or complete. What makes it readable (the first sector of a FAT, the
 * first MiB of anything else) is destroyed first and written last, each with a
 * flush of its own around it, so no order in which a disk's cache is written can
 * put a valid head before a complete body.
 */
#include <inttypes.h>
#include <string.h>

#include "boot/fat32.h"
#include "boot/slot-private.h"

#define CHUNK (1u << 20)
#define HEAD (1ull << 20)
#define EMIT_EVERY (4ull << 20)

struct writer {
	struct sw_io *io, *image;	/* both borrowed */
	uint64_t offset;
	struct sw_extents extents;
	uint8_t *a, *b;		/* two chunks */
	unsigned int step;
	const struct sw_sink *sink;
	uint64_t done, total, told;
	struct sw_error *err;
};

static void writer_clear(struct writer *w)
{
	sw_extents_clear(&w->extents);
	free(w->a);
	free(w->b);
}

static int fail(struct writer *w, int r, const char *what)
{
	if (r == -ECANCELED)
		sw_fail(w->err, SW_EXIT_CANCELLED, r,
			"stopped while writing; the partition is unreadable now");
	else
		sw_fail_errno(w->err, SW_EXIT_DIRTY, r, "%s", what);
	sw_error_where(w->err, "%s at byte %" PRIu64, w->io->path, w->offset);
	return r;
}

static void progress(struct writer *w, uint64_t len)
{
	struct sw_event ev = { .type = SW_EVENT_PROGRESS, .step = w->step };

	w->done += len;
	if (w->done - w->told < EMIT_EVERY && w->done < w->total)
		return;
	w->told = w->done;
	ev.done = w->done;
	ev.size = w->total;
	sw_event_emit(w->sink, &ev);
}

static int copy_range(struct writer *w, uint64_t off, uint64_t end)
{
	while (off < end) {
		size_t n = end - off < CHUNK ? (size_t)(end - off) : CHUNK;
		int r = sw_io_read(w->image, off, w->a, n);

		if (r == 0)
			r = sw_io_write(w->io, w->offset + off, w->a, n);
		if (r < 0)
			return r;
		progress(w, n);
		off += n;
	}
	return 0;
}

static int same_range(struct writer *w, uint64_t off, uint64_t end)
{
	while (off < end) {
		size_t n = end - off < CHUNK ? (size_t)(end - off) : CHUNK;
		int r = sw_io_read(w->image, off, w->a, n);

		if (r == 0)
			r = sw_io_read(w->io, w->offset + off, w->b, n);
		if (r < 0)
			return r;
		if (memcmp(w->a, w->b, n) != 0)
			return -EBADMSG;
		progress(w, n);
		off += n;
	}
	return 0;
}

/* What lies in [from, to) of the extents; asks about cancelling between chunks when it may. */
static int copy_part(struct writer *w, uint64_t from, uint64_t to, bool may_cancel)
{
	for (size_t i = 0; i < w->extents.n; i++) {
		uint64_t off = w->extents.v[i].off, end = off + w->extents.v[i].len;

		off = off > from ? off : from;
		end = end < to ? end : to;
		while (off < end) {
			uint64_t stop = end - off < CHUNK ? end : off + CHUNK;
			int r = may_cancel ? sw_event_poll(w->sink) : 0;

			if (r == 0)
				r = copy_range(w, off, stop);
			if (r < 0)
				return r;
			off = stop;
		}
	}
	return 0;
}

static int verify(struct writer *w)
{
	int r = sw_io_drop(w->io);

	for (size_t i = 0; r == 0 && i < w->extents.n; i++)
		r = same_range(w, w->extents.v[i].off, w->extents.v[i].off + w->extents.v[i].len);
	if (r == -EBADMSG) {
		sw_fail(w->err, SW_EXIT_VERIFY, r, "the disk does not give back what was written");
		sw_error_where(w->err, "%s at byte %" PRIu64, w->io->path, w->offset);
		sw_error_hint(w->err, "the disk or its cabling is faulty; use another disk");
		return r;
	}
	return r < 0 ? fail(w, r, "cannot read back what was written") : 0;
}

static int prepare(struct writer *w, uint64_t size)
{
	w->a = malloc(CHUNK);
	w->b = malloc(CHUNK);
	if (!w->a || !w->b)
		return sw_fail_oom(w->err);
	if (w->image->size <= size)
		return 0;
	sw_fail(w->err, SW_EXIT_INTERNAL, -ENOSPC, "the image is larger than its partition");
	sw_error_where(w->err, "%s", w->image->path);
	return -ENOSPC;
}

/* Structure whole, free entries included: the disk holds old bytes. Then the clusters in use. */
static int slot_extents(struct sw_fat *f, struct sw_extents *l)
{
	int r = sw_extents_add(l, 0, f->data, f->total);

	for (uint32_t c = 2; r == 0 && c < f->n_clusters + 2; c++) {
		uint64_t off = f->data + (uint64_t)(c - 2) * f->cluster;
		uint32_t v;

		r = sw_fat_entry(f, c, &v);
		if (r == 0 && v != 0)
			r = sw_extents_add(l, off, off + f->cluster, f->total);
	}
	return r;
}

int sw_slot_places(struct sw_io *image, struct sw_slot_places *ret_places, struct sw_error *err)
{
	_cleanup_extents_ struct sw_extents l = {};
	_cleanup_fat_ struct sw_fat fat = {};
	int r = sw_fat_open(image, 0, image->size, &fat);

	if (r == 0)
		r = slot_extents(&fat, &l);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_INTERNAL, r, "the slot image is no FAT32");
		sw_error_where(err, "%s", image->path);
		return r;
	}
	*ret_places = (struct sw_slot_places){ .v = TAKE_PTR(l.v), .n = l.n,
					       .boot = fat.reserved, .first = fat.sector };
	return 0;
}

void sw_slot_places_clear(struct sw_slot_places *p)
{
	free(p->v);
	*p = (struct sw_slot_places){};
}

int sw_slot_payload(const char *image, uint64_t *ret_bytes, struct sw_error *err)
{
	_cleanup_slot_places_ struct sw_slot_places p = {};
	_cleanup_io_ struct sw_io *io = NULL;
	int r = sw_io_open(image, false, false, 0, &io, err);

	if (r == 0)
		r = sw_slot_places(io, &p, err);
	if (r < 0)
		return r;
	*ret_bytes = 0;
	for (size_t i = 0; i < p.n; i++)
		*ret_bytes += p.v[i].len;
	return 0;
}

static int write_slot(struct writer *w, const struct sw_slot_places *p)
{
	int r = sw_io_zero(w->io, w->offset, p->boot);

	if (r == 0)
		r = sw_io_flush(w->io);
	if (r == 0)
		r = copy_part(w, p->boot, UINT64_MAX, true);
	if (r == 0)
		r = sw_io_flush(w->io);
	if (r == 0)
		r = sw_event_poll(w->sink);
	if (r == 0)
		r = copy_part(w, p->first, p->boot, false);
	if (r == 0)
		r = sw_io_flush(w->io);
	if (r == 0)
		r = copy_part(w, 0, p->first, false);
	return r < 0 ? r : sw_io_flush(w->io);
}

int sw_slot_put(struct sw_io *io, uint64_t offset, struct sw_io *image,
		const struct sw_slot_places *p, unsigned int step, const struct sw_sink *sink,
		struct sw_error *err)
{
	_cleanup_(writer_clear) struct writer w = { .io = io, .image = image, .offset = offset,
						    .step = step, .sink = sink, .err = err };
	int r = prepare(&w, offset < io->size ? io->size - offset : 0);

	for (size_t i = 0; r == 0 && i < p->n; i++)
		r = sw_extents_add(&w.extents, p->v[i].off, p->v[i].off + p->v[i].len,
				   image->size);
	if (r < 0)
		return r;
	w.total = 2 * sw_extents_sum(&w.extents);
	r = write_slot(&w, p);
	return r < 0 ? fail(&w, r, "cannot write the slot") : verify(&w);
}

int sw_slot_write(struct sw_io *io, uint64_t offset, const char *image, unsigned int step,
		  const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_slot_places_ struct sw_slot_places p = {};
	_cleanup_io_ struct sw_io *from = NULL;
	int r = sw_io_open(image, false, false, 0, &from, err);

	if (r == 0)
		r = sw_slot_places(from, &p, err);
	return r < 0 ? r : sw_slot_put(io, offset, from, &p, step, sink, err);
}

int sw_image_write(struct sw_io *io, uint64_t offset, uint64_t size, const char *image,
		   unsigned int step, const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_(writer_clear) struct writer w = { .io = io, .offset = offset, .step = step,
						    .sink = sink, .err = err };
	_cleanup_io_ struct sw_io *from = NULL;
	int r = sw_io_open(image, false, false, 0, &from, err);

	w.image = from;
	if (r == 0)
		r = prepare(&w, size);
	if (r == 0)
		r = sw_image_extents(image, &w.extents.v, &w.extents.n, err);
	if (r == 0)
		r = sw_slot_invalidate(io, offset, size, err);
	if (r < 0)
		return r;
	w.total = 2 * sw_extents_sum(&w.extents);
	r = copy_part(&w, HEAD, UINT64_MAX, true);
	if (r == 0)
		r = sw_io_flush(io);
	if (r == 0)
		r = sw_event_poll(sink);
	if (r == 0)
		r = copy_part(&w, 0, HEAD, false);
	if (r == 0)
		r = sw_io_flush(io);
	return r < 0 ? fail(&w, r, "cannot write the file system") : verify(&w);
}

static int is_zero(struct sw_io *io, uint64_t off, uint64_t end, uint8_t *buf)
{
	while (off < end) {
		size_t n = end - off < 65536 ? (size_t)(end - off) : 65536;
		int r = sw_io_read(io, off, buf, n);

		if (r < 0)
			return r;
		if (!sw_bytes_are_zero(buf, n))
			return -EBADMSG;
		off += n;
	}
	return 0;
}

int sw_slot_invalidate(struct sw_io *io, uint64_t offset, uint64_t size, struct sw_error *err)
{
	_cleanup_free_ uint8_t *buf = malloc(65536);
	uint64_t n = size < HEAD ? size : HEAD, tail = offset + size - n;
	int r = buf ? sw_io_zero(io, offset, n) : -ENOMEM;

	if (r == 0)
		r = sw_io_zero(io, tail, n);
	if (r == 0)
		r = sw_io_flush(io);
	if (r == 0)
		r = sw_io_drop(io);
	if (r == 0)
		r = is_zero(io, offset, offset + n, buf);
	if (r == 0)
		r = is_zero(io, tail, tail + n, buf);
	if (r == 0)
		return 0;
	if (r == -EBADMSG)
		sw_fail(err, SW_EXIT_VERIFY, r, "the disk does not give back the zeros written");
	else
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "cannot clear the partition");
	sw_error_where(err, "%s at byte %" PRIu64, io->path, offset);
	return r;
}
