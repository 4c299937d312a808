/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slot written from the other one, or what else a node has twice, perhaps on two
 * disks; and back. What was there is kept in a sparse file beside the undo file, at the
 * same offsets as in the place.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "rescue/private.h"

#define CHUNK 65536u
#define PLACES_MAX 65536u

struct copying {
	struct sw_io *from, *to;	/* windows of their disks */
	struct sw_slot_places places;
	struct sw_io *old;		/* the file beside the undo file */
	struct sw_io *image;		/* another one there: what was copied, when it was a file */
	const struct sw_sink *sink;	/* polled while it is kept; or NULL */
	char sha256[SW_SHA256_TEXT];	/* of what is in it */
	char image_sha256[SW_SHA256_TEXT];	/* of what is in the image, or "" */
	uint64_t from_at, to_at, len;
};

static void copying_clear(struct copying *s)
{
	sw_io_close(s->from);
	sw_io_close(s->to);
	sw_io_close(s->old);
	sw_io_close(s->image);
	sw_slot_places_clear(&s->places);
}

static int windows(struct sw_io *disk, struct sw_io *from, struct copying *s)
{
	int r = sw_io_window(from, s->from_at, s->len, &s->from);

	return r < 0 ? r : sw_io_window(disk, s->to_at, s->len, &s->to);
}

static char *old_path(const char *undo_path)
{
	return sw_fmt("%s.slot", undo_path);
}

static char *image_path(const char *undo_path)
{
	return sw_fmt("%s.image", undo_path);
}

/* All of it, the header last and its first sector very last. */
static int whole(struct copying *s, uint32_t header)
{
	s->places.v = calloc(1, sizeof(*s->places.v));
	if (!s->places.v)
		return -ENOMEM;
	s->places.v[0].len = s->len;
	s->places.n = 1;
	s->places.boot = header;
	s->places.first = 512;
	return 0;
}

static int start(struct sw_io *disk, struct sw_io *from, const struct sw_rescue_copy *c,
		 struct copying *s, struct sw_error *err)
{
	int k;

	s->from_at = c->from;
	s->to_at = c->to;
	s->len = c->len;
	k = windows(disk, from, s);
	if (k == 0 && c->header)
		k = whole(s, c->header);
	if (k < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, k, "what is copied cannot be read");
	return c->header ? 0 : sw_slot_places(s->from, &s->places, err);
}

/* ---- keeping what is there ---- */

static int keep_piece(int fd, const uint8_t *d, size_t n, uint64_t off)
{
	if (sw_bytes_are_zero(d, n))
		return 0;
	errno = 0;
	return pwrite(fd, d, n, (off_t)off) == (ssize_t)n ? 0 : errno ? -errno : -EIO;
}

/* Runs over all places of what io holds, in pieces; fd -1: only hashed. */
static int walk(struct sw_io *io, const struct sw_slot_places *p, int fd,
		const struct sw_sink *sink, char sha256[static SW_SHA256_TEXT])
{
	_cleanup_(sw_hash_freep) struct sw_hash *h = sw_hash_new();
	_cleanup_free_ uint8_t *d = malloc(CHUNK);
	int r = h && d ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < p->n; i++) {
		uint64_t off = p->v[i].off, end = off + p->v[i].len;

		while (r == 0 && off < end) {
			size_t n = end - off < CHUNK ? (size_t)(end - off) : CHUNK;

			r = sw_event_poll(sink);
			if (r == 0)
				r = sw_io_read(io, off, d, n);
			if (r == 0)
				r = sw_hash_update(h, d, n);
			if (r == 0 && fd >= 0)
				r = keep_piece(fd, d, n, off);
			off += n;
		}
	}
	return r < 0 ? r : sw_hash_final(h, sha256);
}

static int keep(struct copying *s, struct sw_io *io, const char *path,
		char sha256[static SW_SHA256_TEXT])
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && ftruncate(fd, (off_t)s->len) < 0)
		r = -errno;
	if (r == 0)
		r = walk(io, &s->places, fd, s->sink, sha256);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)unlink(path);
	return r;
}

static json_object *to_json(const struct copying *s, const struct sw_repair *r)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	if (r->copy.from_disk != r->disk)
		sw_json_add(o, "from_disk", sw_rescue_disk_json(r->copy.from_disk));
	sw_json_add_u64(o, "from", s->from_at);
	sw_json_add_u64(o, "to", s->to_at);
	sw_json_add_u64(o, "length", s->len);
	sw_json_add_u64(o, "boot", s->places.boot);
	sw_json_add_u64(o, "first", s->places.first);
	sw_json_add_str(o, "old_sha256", s->sha256);
	if (s->image_sha256[0])
		sw_json_add_str(o, "image_sha256", s->image_sha256);
	for (size_t i = 0; i < s->places.n; i++) {
		json_object_array_add(list, json_object_new_uint64(s->places.v[i].off));
		json_object_array_add(list, json_object_new_uint64(s->places.v[i].len));
	}
	sw_json_add(o, "places", list);
	return o;
}

int sw_rescue_copy_keep(struct sw_io *disk, struct sw_io *from, const struct sw_repair *r,
			const char *undo_path, const struct sw_sink *sink, json_object **ret_slot,
			struct sw_error *err)
{
	_cleanup_(copying_clear) struct copying s = { .sink = sink };
	_cleanup_free_ char *path = old_path(undo_path);
	int k = path ? start(disk, from, &r->copy, &s, err) : sw_fail_oom(err);

	if (k < 0)
		return k;
	k = keep(&s, s.to, path, s.sha256);
	/* The undo has to know each sector that was written, and the scratch file goes. */
	if (k == 0 && r->copy.file) {
		_cleanup_free_ char *image = image_path(undo_path);

		k = image ? keep(&s, s.from, image, s.image_sha256) : -ENOMEM;
		if (k < 0)
			sw_rescue_copy_forget(undo_path);
	}
	if (k == 0) {
		*ret_slot = to_json(&s, r);
		return 0;
	}
	if (k == -ECANCELED)
		return sw_rescue_stopped(err);
	sw_fail_errno(err, SW_EXIT_FAILED, k, "cannot save what undo needs");
	sw_error_where(err, "%s", path);
	sw_error_hint(err, "nothing was changed; name a place with room for what is overwritten "
			   "with --save FILE, or give --no-undo");
	return k;
}

void sw_rescue_copy_forget(const char *undo_path)
{
	_cleanup_free_ char *path = old_path(undo_path), *image = image_path(undo_path);

	if (path)
		(void)unlink(path);
	if (image)
		(void)unlink(image);
}

int sw_rescue_copy_write(struct sw_io *disk, struct sw_io *from, const struct sw_repair *r,
			 const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_(copying_clear) struct copying s = {};
	int k = start(disk, from, &r->copy, &s, err);

	return k < 0 ? k : sw_slot_put(disk, s.to_at, s.from, &s.places, 1, sink, err);
}

/* ---- taking it back ---- */

static int bad(struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this is not an undo file of slipway doctor");
	sw_error_why(err, "%s", why);
	return -EINVAL;
}

static int read_places(json_object *list, struct copying *s)
{
	size_t n = list ? json_object_array_length(list) : 0;
	uint64_t end = 0;

	if (n == 0 || n % 2 || n / 2 > PLACES_MAX)
		return -EINVAL;
	s->places.v = calloc(n / 2, sizeof(*s->places.v));
	if (!s->places.v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i += 2) {
		uint64_t off = json_object_get_uint64(json_object_array_get_idx(list, i));
		uint64_t len = json_object_get_uint64(json_object_array_get_idx(list, i + 1));

		if (off < end || off > s->len || len == 0 || len > s->len - off ||
		    off % 512 || len % 512)
			return -EINVAL;
		end = off + len;
		s->places.v[s->places.n++] = (struct sw_extent){ .off = off, .len = len };
	}
	return s->places.v[0].off == 0 ? 0 : -EINVAL;
}

/* The two places must be on their disks, and apart where it is one disk. */
static bool places_fit(const struct copying *s, uint64_t disk, uint64_t from, bool one)
{
	return s->len <= disk && s->len <= from && s->from_at <= from - s->len &&
	       s->to_at <= disk - s->len &&
	       !(one && s->from_at < s->to_at + s->len && s->to_at < s->from_at + s->len);
}

static int from_json(json_object *o, uint64_t disk, uint64_t from, struct copying *s)
{
	const char *hash = sw_json_str(o, "old_sha256", "");
	uint64_t first = sw_json_u64(o, "first", 0);

	s->from_at = sw_json_u64(o, "from", UINT64_MAX);
	s->to_at = sw_json_u64(o, "to", UINT64_MAX);
	s->len = sw_json_u64(o, "length", 0);
	s->places.boot = sw_json_u64(o, "boot", 0);
	if (!sw_sha256_is_hex(hash) || first == 0 || first > s->places.boot ||
	    s->places.boot > s->len || first > 4096 || s->places.boot % 512 ||
	    !places_fit(s, disk, from, !sw_json_get(o, "from_disk") && !s->image))
		return -EINVAL;
	s->places.first = (uint32_t)first;
	memcpy(s->sha256, hash, sizeof(s->sha256));
	return read_places(sw_json_array(o, "places"), s);
}

/* A sector is as the repair left it, or as it was: an undo that was cut off is repeated. */
static int check_piece(struct copying *s, uint64_t off, size_t n, uint8_t *d)
{
	uint8_t *old = d + CHUNK, *now = d + 2 * (size_t)CHUNK;
	int r = sw_io_read(s->to, off, d, n);

	if (r == 0)
		r = sw_io_read(s->old, off, old, n);
	if (r == 0)
		r = sw_io_read(s->from, off, now, n);
	for (size_t i = 0; r == 0 && i < n; i += 512)
		if (memcmp(d + i, now + i, 512) != 0 && memcmp(d + i, old + i, 512) != 0 &&
		    !(off + i < s->places.boot && sw_bytes_are_zero(d + i, 512)))
			return -ESTALE;
	return r;
}

static int check(struct copying *s, struct sw_error *err)
{
	_cleanup_free_ uint8_t *d = malloc(3 * (size_t)CHUNK);
	int r = d ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < s->places.n; i++) {
		uint64_t off = s->places.v[i].off, end = off + s->places.v[i].len;

		for (; r == 0 && off < end; off += CHUNK)
			r = check_piece(s, off, end - off < CHUNK ? (size_t)(end - off) : CHUNK, d);
	}
	if (r == -ESTALE)
		sw_fail(err, SW_EXIT_REFUSED, r, "what was repaired was changed since");
	else if (r < 0)
		sw_fail_errno(err, SW_EXIT_FAILED, r, "what was copied cannot be read");
	return r;
}

/* Whether a file beside the undo file still holds what was put into it. */
static int check_kept(struct copying *s, struct sw_io *io, const char *wanted,
		      struct sw_error *err)
{
	char sha256[SW_SHA256_TEXT];
	int r = io->size == s->len ? walk(io, &s->places, -1, NULL, sha256) : -EBADMSG;

	if (r == 0 && strcasecmp(sha256, wanted) == 0)
		return 0;
	r = r < 0 ? r : -EBADMSG;
	sw_fail_errno(err, SW_EXIT_VERIFY, r, "what was there before is not kept whole");
	sw_error_where(err, "%s", io->path);
	return r;
}

static int open_old(struct copying *s, const char *undo_path, struct sw_error *err)
{
	_cleanup_free_ char *path = old_path(undo_path);
	int r = path ? sw_io_open(path, false, false, 0, &s->old, err) : sw_fail_oom(err);

	if (r == 0)
		r = check_kept(s, s->old, s->sha256, err);
	return r < 0 || !s->image ? r : check_kept(s, s->image, s->image_sha256, err);
}

/* What was copied out of a file is compared with the copy of it that was kept. */
static int open_image(json_object *slot, struct copying *s, const char *undo_path,
		      struct sw_error *err)
{
	_cleanup_free_ char *path = image_path(undo_path);
	const char *hash = sw_json_str(slot, "image_sha256", NULL);

	if (!hash)
		return 0;
	if (!sw_sha256_is_hex(hash))
		return bad(err, "the hash of the image is none");
	memcpy(s->image_sha256, hash, sizeof(s->image_sha256));
	return path ? sw_io_open(path, false, false, 0, &s->image, err) : sw_fail_oom(err);
}

int sw_rescue_copy_undo(struct sw_io *disk, struct sw_io *from, json_object *slot,
			const char *undo_path, bool write, struct sw_error *err)
{
	_cleanup_(copying_clear) struct copying s = {};
	int r = open_image(slot, &s, undo_path, err);

	if (r < 0)
		return r;
	from = s.image ? s.image : from;
	r = from_json(slot, disk->size, from->size, &s);
	if (r < 0)
		return r == -ENOMEM ? sw_fail_oom(err) : bad(err, "a copy is not described whole");
	r = windows(disk, from, &s);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "what was copied cannot be read");
	r = open_old(&s, undo_path, err);
	if (r == 0)
		r = check(&s, err);
	return r < 0 || !write ? r : sw_slot_put(disk, s.to_at, s.old, &s.places, 1, NULL, err);
}
