/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/wipemark.h"

#include <endian.h>
#include <string.h>

#include "base/hash.h"

#define UNIT 512U
#define LEN_BITS 24U

static const char magic[16] = "SLIPWAY-WIPING";

struct disk_mark {
	char magic[16];
	uint32_t version, method;
	uint64_t disk_size, done, time;
	uint32_t n_regions, pad;
	uint64_t region[SW_WIPE_REGIONS];
	char self[64];
	uint8_t zero[72];
};

_Static_assert(sizeof(struct disk_mark) == UNIT, "one sector");

static const char *const names[] = {
	[SW_WIPE_METHOD_AUTO] = "auto",		    [SW_WIPE_METHOD_DISCARD] = "discard",
	[SW_WIPE_METHOD_ZERO] = "zero",		    [SW_WIPE_METHOD_SIGNATURES] = "signatures",
	[SW_WIPE_METHOD_SECURE] = "secure",
};

const char *sw_wipe_method_name(enum sw_wipe_method method)
{
	return (size_t)method < ARRAY_SIZE(names) ? names[method] : "unknown";
}

int sw_wipe_method_parse(const char *name, enum sw_wipe_method *ret_method)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret_method = (enum sw_wipe_method)i;
			return 0;
		}
	return -EINVAL;
}

int sw_wipe_mark_write(struct sw_io *io, const struct sw_wipe_mark *mark)
{
	uint8_t sector[4096] = {};
	struct disk_mark d = {
		.version = htole32(1),
		.method = htole32((uint32_t)mark->method),
		.disk_size = htole64(mark->disk_size),
		.done = htole64(mark->done),
		.time = htole64((uint64_t)mark->time),
		.n_regions = htole32((uint32_t)mark->n_regions),
	};
	char hex[SW_SHA256_TEXT];
	int r;

	if (mark->n_regions > SW_WIPE_REGIONS || io->sector > sizeof(sector))
		return -EINVAL;
	memcpy(d.magic, magic, sizeof(magic));
	for (size_t i = 0; i < mark->n_regions; i++)
		d.region[i] = htole64(mark->region[i].off / UNIT << LEN_BITS |
				      mark->region[i].len / UNIT);
	r = sw_sha256(&d, offsetof(struct disk_mark, self), hex);
	if (r < 0)
		return r;
	memcpy(d.self, hex, sizeof(d.self));
	memcpy(sector, &d, sizeof(d));
	r = sw_io_write(io, 0, sector, io->sector);
	return r == 0 ? sw_io_flush(io) : r;
}

static bool is_whole(const struct disk_mark *d)
{
	char hex[SW_SHA256_TEXT];

	return le32toh(d->version) == 1 && le32toh(d->n_regions) <= SW_WIPE_REGIONS &&
	       le32toh(d->method) < ARRAY_SIZE(names) &&
	       sw_sha256(d, offsetof(struct disk_mark, self), hex) == 0 &&
	       memcmp(hex, d->self, sizeof(d->self)) == 0;
}

int sw_wipe_mark_read(struct sw_io *io, struct sw_wipe_mark *ret_mark)
{
	uint8_t sector[4096];
	struct disk_mark d;
	struct sw_wipe_mark m;
	int r;

	if (io->sector > sizeof(sector) || io->size < io->sector)
		return -ENOENT;
	r = sw_io_read(io, 0, sector, io->sector);
	if (r < 0)
		return r;
	memcpy(&d, sector, sizeof(d));
	if (memcmp(d.magic, magic, sizeof(magic)) != 0 || !is_whole(&d) ||
	    le64toh(d.disk_size) != io->size)
		return -ENOENT;
	m = (struct sw_wipe_mark){ .method = (enum sw_wipe_method)le32toh(d.method),
				   .disk_size = io->size,
				   .done = le64toh(d.done),
				   .time = (int64_t)le64toh(d.time),
				   .n_regions = le32toh(d.n_regions) };
	for (size_t i = 0; i < m.n_regions; i++) {
		uint64_t v = le64toh(d.region[i]);
		struct sw_region *e = &m.region[i];

		e->off = (v >> LEN_BITS) * UNIT;
		e->len = (v & ((1U << LEN_BITS) - 1)) * UNIT;
		if (e->off > io->size || e->len > io->size - e->off)
			return -ENOENT;
		(void)snprintf(e->what, sizeof(e->what), "old table or signature");
	}
	*ret_mark = m;
	return 0;
}

unsigned int sw_wipe_mark_percent(const struct sw_wipe_mark *mark)
{
	if (mark->disk_size == 0 || mark->done >= mark->disk_size)
		return 100;
	return (unsigned int)(mark->done * 100.0 / mark->disk_size);
}
