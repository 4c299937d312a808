/* SPDX-License-Identifier: Apache-2.0 */
/* Undo data as bytes: header, states, document, data. */
#include "layout/undo.h"

#include <endian.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "layout/undo-private.h"

#define BLOCK 4096U
#define OFF_STATE BLOCK
#define OFF_DOC (3ULL * BLOCK)
#define DOC_MAX ((uint32_t)(SW_LAYOUT_UNDO_DATA - OFF_DOC))

static const char magic[16] = "SLIPWAY-LAYOUT";
static const char state_magic[8] = "SWLSTATE";

/* On disk, little endian; hashes as hex text. */
struct header {
	char magic[16];
	uint32_t version, doc_len;
	char id[64];	/* SHA-256 of the document; binds the states to it */
	char self[64];	/* SHA-256 of all before */
};

struct state {
	char magic[8];
	uint32_t count, kind;
	int64_t time;
	char id[64];
	char self[64];
};

static int read_block(const struct sw_layout_undo *u, uint64_t at, void *data, size_t len)
{
	uint8_t block[BLOCK];
	int r = sw_io_read(u->io, u->off + at, block, sizeof(block));

	memcpy(data, block, len);
	return r;
}

static int read_header(const struct sw_layout_undo *u, struct header *h)
{
	int r = -ENOENT;

	if (u->off + SW_LAYOUT_UNDO_DATA <= u->io->size)
		r = read_block(u, 0, h, sizeof(*h));
	if (r < 0)
		return r;
	if (memcmp(h->magic, magic, sizeof(magic)) != 0)
		return -ENOENT;
	return le32toh(h->version) == 1 && le32toh(h->doc_len) <= DOC_MAX &&
			       sw_sha256_holds(h, offsetof(struct header, self), h->self)
		       ? 0 : -EBADMSG;
}

/* The state that holds, and the count for the next one. -ENODATA: neither block is whole. */
static int read_state(const struct sw_layout_undo *u, const struct header *h, struct state *ret)
{
	int found = -ENODATA;

	for (unsigned int i = 0; i < 2; i++) {
		struct state s;
		int r = read_block(u, OFF_STATE + (uint64_t)i * BLOCK, &s, sizeof(s));

		if (r < 0)
			return r;
		if (memcmp(s.magic, state_magic, sizeof(state_magic)) != 0 ||
		    memcmp(s.id, h->id, 64) != 0 ||
		    !sw_sha256_holds(&s, offsetof(struct state, self), s.self))
			continue;
		if (found < 0 || le32toh(s.count) > le32toh(ret->count))
			*ret = s;
		found = 0;
	}
	return found;
}

static int write_state(const struct sw_layout_undo *u, const struct header *h, uint32_t count,
		       enum sw_layout_undo_state kind)
{
	struct state s = { .count = htole32(count), .kind = htole32((uint32_t)kind),
			   .time = (int64_t)htole64((uint64_t)sw_wall_s()) };
	int r;

	memcpy(s.magic, state_magic, sizeof(state_magic));
	memcpy(s.id, h->id, 64);
	r = sw_sha256_seal(&s, offsetof(struct state, self), s.self);
	if (r == 0)
		r = sw_io_write_block(u->io, u->off + OFF_STATE + (uint64_t)(count % 2) * BLOCK,
				      &s, sizeof(s));
	return r == 0 ? sw_io_flush(u->io) : r;
}

int sw_layout_undo_mark(const struct sw_layout_undo *u, enum sw_layout_undo_state state)
{
	struct state s = {};
	struct header h;
	int r = read_header(u, &h);

	if (r == 0)
		r = read_state(u, &h, &s);
	return r == 0 ? write_state(u, &h, le32toh(s.count) + 1, state) : r;
}

/* ---- saving ---- */

static int save_pieces(const struct sw_layout_undo *u, struct sw_io *disk, json_object *doc)
{
	_cleanup_free_ uint8_t *buf = malloc(SW_LAYOUT_UNDO_PIECE);
	json_object *list = sw_json_array(doc, "pieces");
	int r = buf && list ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		uint64_t len = sw_json_u64(o, "len", 0), at = sw_json_u64(o, "at", 0);

		if (at == 0)
			continue;
		r = sw_io_read(disk, sw_json_u64(o, "off", 0), buf, len);
		if (r == 0)
			r = sw_io_write(u->io, u->off + at, buf, len);
	}
	return r;
}

/* The header goes last: until it stands there is no undo data, and nothing else was written. */
static int save_all(const struct sw_layout_undo *u, struct sw_io *disk, json_object *doc,
		    const char *text)
{
	struct header h = { .version = htole32(1), .doc_len = htole32((uint32_t)strlen(text)) };
	int r = sw_io_write_block(u->io, u->off, NULL, 0);

	memcpy(h.magic, magic, sizeof(magic));
	if (r == 0)
		r = sw_io_flush(u->io);
	if (r == 0)
		r = sw_sha256_seal(text, strlen(text), h.id);
	if (r == 0)
		r = sw_sha256_seal(&h, offsetof(struct header, self), h.self);
	if (r == 0)
		r = sw_io_write(u->io, u->off + OFF_DOC, text, strlen(text));
	if (r == 0)
		r = save_pieces(u, disk, doc);
	if (r == 0)
		r = sw_io_write_block(u->io, u->off + OFF_STATE, NULL, 0);
	if (r == 0)
		r = write_state(u, &h, 1, SW_LAYOUT_UNDO_RUNNING);
	if (r == 0)
		r = sw_io_write_block(u->io, u->off, &h, sizeof(h));
	return r == 0 ? sw_io_flush(u->io) : r;
}

static int check_pieces(const struct sw_layout_undo *u, json_object *doc)
{
	json_object *list = sw_json_array(doc, "pieces");
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++) {
		_cleanup_free_ uint8_t *data = NULL;

		r = sw_layout_undo_piece(u, json_object_array_get_idx(list, i), &data);
	}
	return r;
}

int sw_layout_undo_save(const struct sw_layout_undo *u, struct sw_io *disk, json_object *doc,
			struct sw_error *err)
{
	const char *text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN);
	struct sw_layout_undo_head head = {};
	int r = text && strlen(text) <= DOC_MAX ? save_all(u, disk, doc, text) : -E2BIG;

	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the undo data cannot be written");
		sw_error_where(err, "%s", u->io->path);
		sw_error_hint(err, "nothing else was written; --undo FILE names another place");
		return r;
	}
	(void)sw_io_drop(u->io);
	r = sw_layout_undo_open(u, &head);
	if (r == 0)
		r = check_pieces(u, head.doc);
	sw_layout_undo_head_clear(&head);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_VERIFY, r, "the undo data does not read back");
		sw_error_where(err, "%s", u->io->path);
	}
	return r;
}

/* ---- reading ---- */

int sw_layout_undo_piece(const struct sw_layout_undo *u, json_object *o, uint8_t **ret_data)
{
	uint64_t len = sw_json_u64(o, "len", 0), at = sw_json_u64(o, "at", 0);
	_cleanup_free_ uint8_t *data = NULL;
	char hex[SW_SHA256_TEXT];
	int r = 0;

	if (len == 0 || len > SW_LAYOUT_UNDO_PIECE)
		return -EBADMSG;
	data = calloc(1, len);
	if (!data)
		return -ENOMEM;
	if (at)
		r = sw_io_read(u->io, u->off + at, data, len);
	if (r == 0 && at)
		r = sw_sha256(data, len, hex);
	if (r == 0 && at && strcmp(hex, sw_json_str(o, "sha256", "")) != 0)
		r = -EBADMSG;
	if (r < 0)
		return r;
	*ret_data = TAKE_PTR(data);
	return 0;
}

/* The document's own hash says only that it is whole, not who wrote it. */
static bool piece_is_sound(json_object *o, uint64_t size)
{
	uint64_t off = sw_json_u64(o, "off", UINT64_MAX), len = sw_json_u64(o, "len", 0);

	return len > 0 && len <= SW_LAYOUT_UNDO_PIECE && off <= size && len <= size - off &&
	       sw_json_u64(o, "at", 0) <= UINT64_MAX / 2;
}

static bool are_texts(json_object *doc, const char *key)
{
	json_object *list = sw_json_array(doc, key);

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (!json_object_is_type(json_object_array_get_idx(list, i), json_type_string))
			return false;
	return list != NULL;
}

static bool doc_is_sound(json_object *doc)
{
	uint64_t old = sw_json_u64(doc, "old_size", 0), new = sw_json_u64(doc, "new_size", 0);
	uint64_t sector = sw_json_u64(doc, "sector", 512);
	json_object *list = sw_json_array(doc, "pieces");

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (!piece_is_sound(json_object_array_get_idx(list, i), old > new ? old : new))
			return false;
	return list && sector >= 512 && sector <= 4096 && (sector & (sector - 1)) == 0 &&
	       are_texts(doc, "old_tables") && are_texts(doc, "new_tables") &&
	       are_texts(doc, "comes_back") && are_texts(doc, "does_not");
}

static int read_doc(const struct sw_layout_undo *u, const struct header *h, json_object **ret_doc)
{
	size_t len = le32toh(h->doc_len);
	_cleanup_free_ char *text = malloc(len + 1);
	int r = text ? sw_io_read(u->io, u->off + OFF_DOC, text, len) : -ENOMEM;

	if (r < 0)
		return r;
	text[len] = '\0';
	if (!sw_sha256_holds(text, len, h->id) ||
	    sw_json_parse(text, len, "undo", ret_doc, NULL) < 0)
		return -EBADMSG;
	return doc_is_sound(*ret_doc) ? 0 : -EBADMSG;
}

int sw_layout_undo_open(const struct sw_layout_undo *u, struct sw_layout_undo_head *ret_head)
{
	struct sw_layout_undo_head head = {};
	struct state s = {};
	struct header h;
	int r = read_header(u, &h);

	if (r == 0)
		r = read_state(u, &h, &s);
	if (r == 0)
		r = read_doc(u, &h, &head.doc);
	if (r < 0) {
		sw_layout_undo_head_clear(&head);
		return r == -ENODATA ? -EBADMSG : r;
	}
	head.state = (enum sw_layout_undo_state)le32toh(s.kind);
	head.time = (int64_t)le64toh((uint64_t)s.time);
	head.old_size = sw_json_u64(head.doc, "old_size", 0);
	head.new_size = sw_json_u64(head.doc, "new_size", 0);
	head.sector = (uint32_t)sw_json_u64(head.doc, "sector", 512);
	*ret_head = head;
	return 0;
}

void sw_layout_undo_head_clear(struct sw_layout_undo_head *h)
{
	if (h->doc)
		json_object_put(h->doc);
	*h = (struct sw_layout_undo_head){};
}
