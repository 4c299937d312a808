/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/kept.h"

#include <inttypes.h>
#include <strings.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "boot/devpath.h"
#include "boot/nodedata.h"

#define HEADER_LEN SW_KEPT_HEADER
#define VERSION 1
static const uint8_t magic[8] = { 'S', 'W', 'O', 'V', 'R', 'L', 'Y', '\n' };

/* Offsets within the header. */
enum { AT_MAGIC = 0, AT_VERSION = 8, AT_SEAL = 12, AT_SEQUENCE = 16, AT_LENGTH = 24, AT_HASH = 32,
       AT_UKI = 64, AT_SELF = 96 };

static uint64_t down(uint64_t v)
{
	return v / HEADER_LEN * HEADER_LEN;
}

/* Bytes of each copy's place, header included. */
static uint64_t place_size(const struct sw_kept_zone *z)
{
	uint64_t half = down(z->size / 2), used = HEADER_LEN + SW_NODEDATA_MAX;

	return half > used && z->n_slots > 0 ? down((half - used) / z->n_slots) : 0;
}

static uint64_t place(const struct sw_kept_zone *z, unsigned int copy)
{
	return z->offset + (copy ? down(z->size / 2) : 0) + HEADER_LEN + SW_NODEDATA_MAX +
	       place_size(z) * z->slot;
}

uint64_t sw_kept_max(const struct sw_kept_zone *z)
{
	uint64_t n = place_size(z);

	return n > HEADER_LEN && z->slot < z->n_slots ? n - HEADER_LEN : 0;
}

/* 0 with ret->data NULL for anything that is not a whole, untouched copy. */
static int read_copy(struct sw_io *io, const struct sw_kept_zone *z, unsigned int copy,
		     struct sw_kept *ret)
{
	uint8_t h[HEADER_LEN], md[SW_SHA256_LEN];
	_cleanup_free_ uint8_t *data = NULL;
	uint64_t len;
	int r = sw_io_read(io, place(z, copy), h, sizeof(h));

	if (r < 0)
		return r;
	sw_sha256_raw(h, AT_SELF, md);
	len = sw_le64(h + AT_LENGTH);
	if (memcmp(h + AT_MAGIC, magic, sizeof(magic)) != 0 || sw_le32(h + AT_VERSION) != VERSION ||
	    sw_le32(h + AT_SEAL) != SW_KEPT_PLAIN || memcmp(h + AT_SELF, md, sizeof(md)) != 0 ||
	    len == 0 || len > sw_kept_max(z))
		return 0;
	data = malloc((size_t)len);
	if (!data)
		return -ENOMEM;
	r = sw_io_read(io, place(z, copy) + HEADER_LEN, data, (size_t)len);
	if (r < 0)
		return r;
	sw_sha256_raw(data, (size_t)len, md);
	if (memcmp(h + AT_HASH, md, sizeof(md)) != 0)
		return 0;
	ret->data = TAKE_PTR(data);
	ret->len = (size_t)len;
	ret->sequence = sw_le64(h + AT_SEQUENCE);
	(void)sw_hex(md, sizeof(md), ret->sha256);
	(void)sw_hex(h + AT_UKI, SW_SHA256_LEN, ret->uki);
	return 0;
}

struct both {
	struct sw_kept c[2];
};

static void both_clear(struct both *b)
{
	sw_kept_clear(&b->c[0]);
	sw_kept_clear(&b->c[1]);
}

/* A copy that cannot be read counts as none, as long as the other one can. */
static int read_both(struct sw_io *io, const struct sw_kept_zone *z, struct both *b)
{
	int r0, r1;

	if (sw_kept_max(z) == 0)
		return -ENOENT;
	r0 = read_copy(io, z, 0, &b->c[0]);
	r1 = read_copy(io, z, 1, &b->c[1]);
	return r0 < 0 && r1 < 0 ? r0 : 0;
}

static bool belongs(const struct sw_kept *o, const char *uki)
{
	return o->data && uki && strcasecmp(o->uki, uki) == 0;
}

/* The copy for this UKI, -1: none. */
static int newest(const struct both *b, const char *uki)
{
	bool first = belongs(&b->c[0], uki), second = belongs(&b->c[1], uki);

	if (first && second)
		return b->c[1].sequence > b->c[0].sequence;
	return first ? 0 : second ? 1 : -1;
}

static int fail(struct sw_error *err, struct sw_io *io, const struct sw_kept_zone *z, int r,
		const char *what)
{
	sw_fail_errno(err, r == -EBADMSG ? SW_EXIT_VERIFY : SW_EXIT_FAILED, r, "%s", what);
	sw_error_where(err, "%s at byte %" PRIu64, io->path, z->offset);
	return r;
}

int sw_kept_read(struct sw_io *io, const struct sw_kept_zone *z, const char *uki,
		    struct sw_kept *ret_overlay, struct sw_error *err)
{
	_cleanup_(both_clear) struct both b = {};
	int r = read_both(io, z, &b), i;

	if (r < 0)
		return fail(err, io, z, r, "cannot read the overlay");
	i = newest(&b, uki);
	if (i < 0)
		return fail(err, io, z, -ENOENT, "there is no overlay for this image");
	*ret_overlay = b.c[i];
	b.c[i] = (struct sw_kept){};
	return 0;
}

int sw_kept_look(struct sw_io *io, const struct sw_kept_zone *z, const char *uki,
		 const char *sha256, struct sw_kept_copy ret_copies[static 2])
{
	_cleanup_(both_clear) struct both b = {};
	int r = read_both(io, z, &b);

	for (unsigned int i = 0; i < 2 && r == 0; i++) {
		bool good = belongs(&b.c[i], uki) &&
			    (!sha256 || strcasecmp(b.c[i].sha256, sha256) == 0);

		ret_copies[i] = (struct sw_kept_copy){
			.good = good,
			.at = place(z, i),
			.len = good ? HEADER_LEN + down(b.c[i].len + HEADER_LEN - 1) : 0,
		};
	}
	return r;
}

/* Content first, header after a flush: what a cut leaves is no copy. */
static int write_copy(struct sw_io *io, const struct sw_kept_zone *z, unsigned int copy,
		      const void *data, size_t len, const char *uki, uint64_t sequence)
{
	uint8_t h[HEADER_LEN] = {};
	int r;

	if (!sw_sha256_from_hex(uki, h + AT_UKI))
		return -EINVAL;
	r = sw_io_zero(io, place(z, copy), HEADER_LEN);
	if (r == 0)
		r = sw_io_flush(io);
	if (r == 0)
		r = sw_io_write(io, place(z, copy) + HEADER_LEN, data, len);
	if (r == 0)
		r = sw_io_flush(io);
	if (r < 0)
		return r;
	memcpy(h + AT_MAGIC, magic, sizeof(magic));
	sw_put_le32(h + AT_VERSION, VERSION);
	sw_put_le32(h + AT_SEAL, SW_KEPT_PLAIN);
	sw_put_le64(h + AT_SEQUENCE, sequence);
	sw_put_le64(h + AT_LENGTH, len);
	sw_sha256_raw(data, len, h + AT_HASH);
	sw_sha256_raw(h, AT_SELF, h + AT_SELF);
	r = sw_io_write(io, place(z, copy), h, sizeof(h));
	return r < 0 ? r : sw_io_flush(io);
}

static int check_copy(struct sw_io *io, const struct sw_kept_zone *z, unsigned int copy,
		      const void *data, size_t len, const char *uki)
{
	_cleanup_kept_ struct sw_kept o = {};
	int r = sw_io_drop(io);

	if (r == 0)
		r = read_copy(io, z, copy, &o);
	if (r < 0)
		return r;
	return belongs(&o, uki) && o.len == len && memcmp(o.data, data, len) == 0 ? 0 : -EBADMSG;
}

static int too_large(struct sw_error *err, const struct sw_kept_zone *z, size_t len)
{
	uint64_t max = sw_kept_max(z);

	sw_fail(err, SW_EXIT_REFUSED, -EFBIG, "the overlay does not fit beside the node data");
	sw_error_why(err, "it has %zu bytes and there is room for %" PRIu64 " a slot", len, max);
	sw_error_hint(err, "keep less, or install with a larger partition slipway-node");
	return -EFBIG;
}

int sw_kept_write(struct sw_io *io, const struct sw_kept_zone *z, const void *data,
		     size_t len, const char *uki, const char *keep, struct sw_error *err)
{
	_cleanup_(both_clear) struct both b = {};
	uint64_t sequence;
	unsigned int copy;
	int r, kept;

	if (len == 0)
		return fail(err, io, z, -EINVAL, "the overlay is empty");
	if (len > sw_kept_max(z))
		return too_large(err, z, len);
	r = read_both(io, z, &b);
	if (r < 0)
		return fail(err, io, z, r, "cannot read what is kept beside the node data");
	kept = newest(&b, keep);
	copy = kept >= 0 ? (unsigned int)!kept
			 : b.c[0].data && (!b.c[1].data || b.c[0].sequence > b.c[1].sequence);
	sequence = b.c[0].sequence > b.c[1].sequence ? b.c[0].sequence : b.c[1].sequence;
	if (sequence == UINT64_MAX)
		return fail(err, io, z, -EOVERFLOW, "the sequence of overlays is used up");
	r = write_copy(io, z, copy, data, len, uki, sequence + 1);
	if (r == 0)
		r = check_copy(io, z, copy, data, len, uki);
	return r < 0 ? fail(err, io, z, r, "cannot write the overlay") : 0;
}

int sw_kept_mirror(struct sw_io *io, const struct sw_kept_zone *z, const char *uki,
		      struct sw_error *err)
{
	_cleanup_(both_clear) struct both b = {};
	int r = read_both(io, z, &b), i = newest(&b, uki);
	const struct sw_kept *from = i >= 0 ? &b.c[i] : NULL, *to = from ? &b.c[!i] : NULL;

	if (r == 0 && !from)
		r = -ENOENT;
	if (r < 0)
		return fail(err, io, z, r, "cannot read the overlay that was just written");
	if (belongs(to, uki) && strcmp(to->sha256, from->sha256) == 0)
		return 0;
	r = write_copy(io, z, (unsigned int)!i, from->data, from->len, uki, from->sequence);
	if (r == 0)
		r = check_copy(io, z, (unsigned int)!i, from->data, from->len, uki);
	return r < 0 ? fail(err, io, z, r, "cannot write the overlay's second copy") : 0;
}

void sw_kept_clear(struct sw_kept *o)
{
	if (o->data)
		explicit_bzero(o->data, o->len);
	free(o->data);
	*o = (struct sw_kept){};
}
