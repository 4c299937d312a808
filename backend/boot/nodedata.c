/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two copies, one in each half of the range. A copy is a header of 4096 bytes
 * (magic, version, sequence, length, SHA-256 of the document, SHA-256 of the
 * header itself) and the JSON text. A write fills the copy that is not the
 * current one, document first, header after a flush: whatever a power cut leaves
 * there, the current copy is untouched.
 */
#include "boot/nodedata.h"

#include <inttypes.h>
#include <string.h>


#include "base/hash.h"
#include "base/json.h"
#include "boot/devpath.h"

#define HEADER_LEN 4096
#define VERSION 1
static const uint8_t magic[8] = { 'S', 'W', 'N', 'O', 'D', 'E', 'D', '\n' };

/* Offsets within the header. */
enum { AT_MAGIC = 0, AT_VERSION = 8, AT_SEQUENCE = 16, AT_LENGTH = 24, AT_HASH = 32, AT_SELF = 64 };

struct copy {
	bool valid;
	uint64_t sequence;
	char *text;
	size_t len;
};

static void copies_clear(struct copy (*c)[2])
{
	free((*c)[0].text);
	free((*c)[1].text);
}

static uint64_t place(uint64_t offset, uint64_t size, unsigned int i)
{
	return offset + (i ? size / 2 / HEADER_LEN * HEADER_LEN : 0);
}

static uint64_t room(uint64_t size)
{
	uint64_t half = size / 2 / HEADER_LEN * HEADER_LEN;
	uint64_t n = half > HEADER_LEN ? half - HEADER_LEN : 0;

	return n < SW_NODEDATA_MAX ? n : SW_NODEDATA_MAX;
}

/* Leaves ret->valid false for anything that is not a whole, untouched copy. */
static int read_copy(struct sw_io *io, uint64_t at, uint64_t max, struct copy *ret)
{
	uint8_t h[HEADER_LEN], md[SW_SHA256_LEN];
	_cleanup_free_ char *text = NULL;
	uint64_t len;
	int r = sw_io_read(io, at, h, sizeof(h));

	if (r < 0)
		return r;
	sw_sha256_raw(h, AT_SELF, md);
	if (memcmp(h + AT_MAGIC, magic, sizeof(magic)) != 0 || sw_le32(h + AT_VERSION) != VERSION ||
	    memcmp(h + AT_SELF, md, sizeof(md)) != 0)
		return 0;
	len = sw_le64(h + AT_LENGTH);
	if (len == 0 || len > max)
		return 0;
	text = calloc(1, len + 1);
	if (!text)
		return -ENOMEM;
	r = sw_io_read(io, at + HEADER_LEN, text, (size_t)len);
	if (r < 0)
		return r;
	sw_sha256_raw(text, (size_t)len, md);
	if (memcmp(h + AT_HASH, md, sizeof(md)) != 0)
		return 0;
	ret->valid = true;
	ret->sequence = sw_le64(h + AT_SEQUENCE);
	ret->text = TAKE_PTR(text);
	ret->len = (size_t)len;
	return 0;
}

/* A copy that cannot be read counts as invalid, as long as the other one can. */
static int read_both(struct sw_io *io, uint64_t offset, uint64_t size, struct copy (*c)[2])
{
	int r0, r1;

	if (room(size) == 0)
		return -ENOSPC;
	r0 = read_copy(io, place(offset, size, 0), room(size), &(*c)[0]);
	r1 = read_copy(io, place(offset, size, 1), room(size), &(*c)[1]);
	return r0 < 0 && r1 < 0 ? r0 : 0;
}

/* 0 or 1, -1 when none is valid. */
static int current(struct copy c[2])
{
	if (c[0].valid && c[1].valid)
		return c[1].sequence > c[0].sequence;
	return c[0].valid ? 0 : c[1].valid ? 1 : -1;
}

static int fail(struct sw_error *err, struct sw_io *io, uint64_t offset, int r, const char *what)
{
	sw_fail_errno(err, r == -EBADMSG ? SW_EXIT_VERIFY : SW_EXIT_FAILED, r, "%s", what);
	sw_error_where(err, "%s at byte %" PRIu64, io->path, offset);
	return r;
}

int sw_nodedata_read(struct sw_io *io, uint64_t offset, uint64_t size, json_object **ret_data,
		     uint64_t *ret_sequence, struct sw_error *err)
{
	_cleanup_(copies_clear) struct copy c[2] = {};
	json_object *o = NULL;
	int r = read_both(io, offset, size, &c), i;

	if (r < 0)
		return fail(err, io, offset, r, "cannot read the node data");
	i = current(c);
	if (i < 0)
		return fail(err, io, offset, -ENOENT, "there is no node data");
	r = sw_json_parse(c[i].text, c[i].len, "node data", &o, err);
	if (r < 0)
		return r;
	*ret_data = o;
	*ret_sequence = c[i].sequence;
	return 0;
}

int sw_nodedata_look(struct sw_io *io, uint64_t offset, uint64_t size,
		     struct sw_nodedata_copies *ret_copies)
{
	_cleanup_(copies_clear) struct copy c[2] = {};
	int r = read_both(io, offset, size, &c);

	for (unsigned int i = 0; r == 0 && i < 2; i++) {
		ret_copies->valid[i] = c[i].valid;
		ret_copies->at[i] = place(offset, size, i);
		ret_copies->len[i] = c[i].valid ? HEADER_LEN + c[i].len : 0;
	}
	return r;
}

static void make_header(uint8_t h[static HEADER_LEN], const char *text, size_t len,
			uint64_t sequence)
{
	memset(h, 0, HEADER_LEN);
	memcpy(h + AT_MAGIC, magic, sizeof(magic));
	sw_put_le32(h + AT_VERSION, VERSION);
	sw_put_le64(h + AT_SEQUENCE, sequence);
	sw_put_le64(h + AT_LENGTH, len);
	sw_sha256_raw(text, len, h + AT_HASH);
	sw_sha256_raw(h, AT_SELF, h + AT_SELF);
}

static int write_copy(struct sw_io *io, uint64_t at, const char *text, size_t len,
		      uint64_t sequence)
{
	uint8_t h[HEADER_LEN];
	int r;

	make_header(h, text, len, sequence);
	r = sw_io_write(io, at + HEADER_LEN, text, len);
	if (r == 0)
		r = sw_io_flush(io);
	if (r == 0)
		r = sw_io_write(io, at, h, sizeof(h));
	return r < 0 ? r : sw_io_flush(io);
}

static int check_copy(struct sw_io *io, uint64_t at, const char *text, size_t len,
		      uint64_t sequence)
{
	_cleanup_(copies_clear) struct copy c[2] = {};
	int r = read_copy(io, at, len, &c[0]);

	if (r < 0)
		return r;
	return c[0].valid && c[0].sequence == sequence && c[0].len == len &&
			       memcmp(c[0].text, text, len) == 0
		       ? 0
		       : -EBADMSG;
}

/* An earlier owner's copies, whatever their sequence, must not win over the new ones. */
static int forget(struct sw_io *io, uint64_t offset, uint64_t size)
{
	int r = sw_io_zero(io, place(offset, size, 0), HEADER_LEN);

	if (r == 0)
		r = sw_io_zero(io, place(offset, size, 1), HEADER_LEN);
	return r < 0 ? r : sw_io_flush(io);
}

static int write_copies(struct sw_io *io, uint64_t offset, uint64_t size, const char *text,
			size_t len, bool fresh)
{
	_cleanup_(copies_clear) struct copy c[2] = {};
	uint64_t sequence = 1;
	unsigned int first = 0, last = 1;
	int r = fresh ? forget(io, offset, size) : read_both(io, offset, size, &c);

	if (r < 0)
		return r;
	if (!fresh) {
		int now = current(c);

		sequence = now < 0 ? 1 : c[now].sequence + 1;
		first = last = now == 0 ? 1 : 0;
		if (sequence == 0)
			return -EOVERFLOW;
	}
	for (unsigned int i = first; r == 0 && i <= last; i++)
		r = write_copy(io, place(offset, size, i), text, len, sequence);
	if (r == 0)
		r = sw_io_drop(io);
	for (unsigned int i = first; r == 0 && i <= last; i++)
		r = check_copy(io, place(offset, size, i), text, len, sequence);
	return r;
}

int sw_nodedata_write(struct sw_io *io, uint64_t offset, uint64_t size, json_object *data,
		      bool fresh, struct sw_error *err)
{
	size_t len = 0;
	const char *text = json_object_to_json_string_length(data, JSON_C_TO_STRING_PLAIN, &len);
	int r;

	if (!text)
		return sw_fail_oom(err);
	if (len > room(size))
		return fail(err, io, offset, -E2BIG, "the node data does not fit");
	r = write_copies(io, offset, size, text, len, fresh);
	return r < 0 ? fail(err, io, offset, r, "cannot write the node data") : 0;
}

int sw_nodedata_next(struct sw_io *io, uint64_t offset, uint64_t size, json_object *data,
		     struct sw_buf *ret_copy, uint64_t *ret_at, struct sw_error *err)
{
	_cleanup_(copies_clear) struct copy c[2] = {};
	uint8_t h[HEADER_LEN];
	size_t len = 0;
	const char *text = json_object_to_json_string_length(data, JSON_C_TO_STRING_PLAIN, &len);
	int r = text ? read_both(io, offset, size, &c) : -ENOMEM, now;

	if (r == 0 && len > room(size))
		r = -E2BIG;
	if (r < 0)
		return fail(err, io, offset, r, "the node data cannot be written");
	now = current(c);
	make_header(h, text, len, now < 0 ? 1 : c[now].sequence + 1);
	*ret_at = place(offset, size, now == 0 ? 1 : 0);
	r = sw_buf_add(ret_copy, h, sizeof(h));
	if (r == 0)
		r = sw_buf_add(ret_copy, text, len);
	return r < 0 ? sw_fail_oom(err) : 0;
}

json_object *sw_nodedata_admission(json_object *data, const char *kind)
{
	json_object *list = sw_json_array(data, "admission");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(sw_json_str(o, "kind", ""), kind) == 0)
			return o;
	}
	return NULL;
}
