/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/crash.h"

#include <string.h>

#define TEAR 512u

static int mem_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	memcpy(data, ((struct mem_io *)io)->data + off, len);
	return 0;
}

static int mem_write(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	memcpy(((struct mem_io *)io)->data + off, data, len);
	return 0;
}

static int mem_flush(struct sw_io *io SW_UNUSED)
{
	return 0;
}

static void mem_close(struct sw_io *io SW_UNUSED)
{
}

static const struct sw_io_ops mem_ops = {
	.read = mem_read, .write = mem_write, .flush = mem_flush, .close = mem_close,
};

void mem_io_init(struct mem_io *m, uint8_t *data, uint64_t size, uint32_t sector)
{
	*m = (struct mem_io){ .io = { .ops = &mem_ops, .size = size, .sector = sector },
			      .data = data };
}

struct run {
	uint8_t *disk;
	struct mem_io io;
	const struct sw_io_log *log;
	uint64_t seed;
	unsigned int flushes, every;
	void (*judge)(struct sw_io *io, unsigned int flushes, void *userdata);
	void *userdata;
	struct crash_stats *stats;
};

/* xorshift: the same states in every run. */
static uint64_t next_random(struct run *r)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 7;
	r->seed ^= r->seed << 17;
	return r->seed;
}

static void look(struct run *r)
{
	r->stats->states++;
	r->judge(&r->io.io, r->flushes, r->userdata);
}

/* keep of 256: the share of sectors that reach the disk in this state. */
static void scatter(struct run *r, size_t from, size_t to, unsigned int keep)
{
	for (size_t i = from; i < to; i++) {
		const struct sw_io_op *op = &r->log->ops[i];

		for (size_t at = 0; at < op->len; at += TEAR) {
			size_t n = op->len - at < TEAR ? op->len - at : TEAR;

			if ((next_random(r) >> 20 & 0xff) < keep)
				memcpy(r->disk + op->off + at, op->data + at, n);
		}
	}
}

static void random_states(struct run *r, size_t from, size_t to, unsigned int count)
{
	static const unsigned int keep[] = { 128, 250, 6, 200, 60, 254 };
	uint64_t lo = UINT64_MAX, hi = 0;
	uint8_t *saved;

	for (size_t i = from; i < to; i++) {
		const struct sw_io_op *op = &r->log->ops[i];

		lo = op->off < lo ? op->off : lo;
		hi = op->off + op->len > hi ? op->off + op->len : hi;
	}
	if (lo >= hi)
		return;
	saved = malloc(hi - lo);
	if (!saved)
		abort();
	memcpy(saved, r->disk + lo, hi - lo);
	for (unsigned int k = 0; k < count; k++) {
		scatter(r, from, to, keep[k % ARRAY_SIZE(keep)]);
		look(r);
		memcpy(r->disk + lo, saved, hi - lo);
	}
	free(saved);
}

static void prefixes(struct run *r, size_t from, size_t to)
{
	unsigned int n = 0;

	for (size_t i = from; i < to; i++) {
		const struct sw_io_op *op = &r->log->ops[i];

		for (size_t at = 0; at < op->len; at += TEAR) {
			size_t len = op->len - at < TEAR ? op->len - at : TEAR;

			memcpy(r->disk + op->off + at, op->data + at, len);
			if (++n % r->every == 0)
				look(r);
		}
	}
	look(r);
}

void crash_enumerate(uint8_t *disk, uint64_t size, uint32_t sector, const struct sw_io_log *log,
		     unsigned int every, unsigned int random_per_epoch,
		     void (*judge)(struct sw_io *io, unsigned int flushes, void *userdata),
		     void *userdata, struct crash_stats *ret_stats)
{
	struct run r = { .disk = disk, .log = log, .seed = 0x9e3779b97f4a7c15, .every = every,
			 .judge = judge, .userdata = userdata, .stats = ret_stats };
	size_t from = 0;

	*ret_stats = (struct crash_stats){};
	mem_io_init(&r.io, disk, size, sector);
	for (size_t i = 0; i <= log->n; i++) {
		if (i < log->n && log->ops[i].kind != SW_IO_FLUSH)
			continue;
		random_states(&r, from, i, random_per_epoch);
		prefixes(&r, from, i);
		r.stats->epochs++;
		r.flushes++;
		from = i + 1;
	}
	look(&r);
}
