/* SPDX-License-Identifier: Apache-2.0 */
/* What an apply will overwrite, in bytes and words, and putting it back. */
#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/size.h"
#include "disk/gpt.h"
#include "layout/content.h"
#include "layout/undo-private.h"

#define MIB (1ULL << 20)
#define JOURNAL_MAGIC "SLIPWAY-JOURNAL"

/* ---- the zone ---- */

uint64_t sw_layout_undo_zone(uint64_t size)
{
	uint64_t end = size / MIB * MIB;

	return end >= 6 * MIB ? end - MIB - SW_LAYOUT_UNDO_ROOM : 0;
}

static bool overlaps(uint64_t zone, uint64_t start, uint64_t size)
{
	return start < zone + SW_LAYOUT_UNDO_ROOM && start + size > zone;
}

bool sw_layout_undo_zone_free(struct sw_io *disk, const struct sw_layout_result *t, uint64_t need,
			      const char **ret_why)
{
	uint64_t zone = sw_layout_undo_zone(disk->size);
	char magic[sizeof(JOURNAL_MAGIC)];

	*ret_why = zone ? "there is more to save than goes into the disk's last 5M"
			: "the disk is too small";
	if (!zone || need > SW_LAYOUT_UNDO_ROOM || t->size != t->old_size)
		return false;
	*ret_why = "partitions lie in the disk's last 5M";
	for (size_t i = 0; i < t->before.n_parts; i++)
		if (overlaps(zone, t->before.parts[i].start, t->before.parts[i].size))
			return false;
	for (size_t i = 0; i < t->n_parts; i++)
		if (overlaps(zone, t->parts[i].start, t->parts[i].size))
			return false;
	*ret_why = "the journal of an install is there";
	return sw_io_read(disk, zone, magic, sizeof(magic)) == 0 &&
	       memcmp(magic, JOURNAL_MAGIC, sizeof(magic)) != 0;
}

/* ---- collecting ---- */

struct range {
	uint64_t from, to;
};

struct collector {
	struct sw_io *disk;
	const struct sw_layout_result *t;
	struct range *v;
	size_t n;
	json_object *pieces;
	uint64_t at;		/* where the next piece's data goes */
};

static void add_range(struct collector *c, uint64_t from, uint64_t len)
{
	uint64_t size = c->disk->size;
	uint64_t to = len > size || from > size - len ? size : from + len;

	if (from < to)
		c->v[c->n++] = (struct range){ from, to };
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static void merge(struct collector *c)
{
	size_t n = 0;

	qsort(c->v, c->n, sizeof(*c->v), by_start);
	for (size_t i = 0; i < c->n; i++)
		if (n > 0 && c->v[i].from <= c->v[n - 1].to) {
			if (c->v[i].to > c->v[n - 1].to)
				c->v[n - 1].to = c->v[i].to;
		} else {
			c->v[n++] = c->v[i];
		}
	c->n = n;
}

/* Both ends, every header that is found, the ends of new partitions that get no content. */
static int find_ranges(struct collector *c)
{
	const struct sw_layout_result *t = c->t;
	struct sw_gpt_scan scan;
	int r = sw_gpt_scan(c->disk, &scan);

	if (r < 0)
		return r;
	c->v = calloc(2 * t->n_parts + 2 * SW_GPT_COPIES_MAX + 3, sizeof(*c->v));
	if (!c->v)
		return -ENOMEM;
	add_range(c, 0, MIB);
	add_range(c, c->disk->size > MIB ? c->disk->size - MIB : 0, MIB);
	add_range(c, t->size - MIB, MIB);
	for (size_t i = 0; i < scan.n; i++) {
		const struct sw_gpt_copy *k = &scan.copies[i];

		add_range(c, k->off, k->sector);
		if (k->entries_ok)
			add_range(c, k->entries_lba * k->sector,
				  (uint64_t)k->n_entries * k->entry_len);
	}
	for (size_t i = 0; i < t->n_parts; i++) {
		const struct sw_placement *p = &t->parts[i];
		uint64_t n = p->size < MIB ? p->size : MIB;

		if (p->old || sw_layout_has_content(p->part))
			continue;
		add_range(c, p->start, n);
		add_range(c, p->start + p->size - n, n);
	}
	merge(c);
	return 0;
}

static int add_piece(struct collector *c, uint64_t off, uint64_t len, uint8_t *buf)
{
	json_object *o;
	char hex[SW_SHA256_TEXT];
	int r = sw_io_read(c->disk, off, buf, len);

	if (r == 0)
		r = sw_sha256(buf, len, hex);
	if (r < 0)
		return r;
	o = json_object_new_object();
	sw_json_add_u64(o, "off", off);
	sw_json_add_u64(o, "len", len);
	if (!sw_bytes_are_zero(buf, len)) {
		sw_json_add_u64(o, "at", c->at);
		sw_json_add_str(o, "sha256", hex);
		c->at += len;
	}
	json_object_array_add(c->pieces, o);
	return 0;
}

static int read_pieces(struct collector *c)
{
	_cleanup_free_ uint8_t *buf = malloc(SW_LAYOUT_UNDO_PIECE);
	int r = buf ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < c->n; i++)
		for (uint64_t at = c->v[i].from; r == 0 && at < c->v[i].to;) {
			uint64_t len = c->v[i].to - at;

			if (len > SW_LAYOUT_UNDO_PIECE)
				len = SW_LAYOUT_UNDO_PIECE;
			r = add_piece(c, at, len, buf);
			at += len;
		}
	return r;
}

/* ---- words ---- */

static void say(json_object *list, char *text)
{
	if (text)
		json_object_array_add(list, json_object_new_string(text));
	free(text);
}

static void say_back(json_object *list, const struct sw_layout_result *t)
{
	char size[16];

	if (t->before.type == SW_TABLE_NONE)
		say(list, strdup("no partition table, as before"));
	else
		say(list, sw_fmt("the old partition table (%zu partition%s)", t->before.n_parts,
				 t->before.n_parts == 1 ? "" : "s"));
	say(list, strdup("the first and the last MiB as they were"));
	for (size_t i = 0; i < t->n_parts; i++)
		if (!t->parts[i].old && !sw_layout_has_content(t->parts[i].part))
			say(list, sw_fmt("what was where partition %u (%s) came",
					 t->parts[i].number, t->parts[i].label));
	if (t->size != t->old_size)
		say(list, sw_fmt("the file's size of %s",
				 sw_size_format(t->old_size, size, sizeof(size))));
}

static void say_lost(json_object *list, const struct sw_layout_result *t)
{
	char size[16];

	for (size_t i = 0; i < t->n_parts; i++) {
		const struct sw_placement *p = &t->parts[i];

		if (p->old && p->size > p->old->size)
			say(list, sw_fmt("partition %u (%s) has %s again: a file system that was "
					 "grown since would be cut off",
					 p->number, p->label,
					 sw_size_format(p->old->size, size, sizeof(size))));
		if (!p->old && sw_layout_has_content(p->part))
			say(list, sw_fmt("what was on the %s from byte %" PRIu64 ", where "
					 "partition %u (%s) was filled",
					 sw_size_format(p->size, size, sizeof(size)), p->start,
					 p->number, p->label));
		if (!p->old)
			say(list, sw_fmt("what was put into partition %u (%s) since", p->number,
					 p->label));
	}
}

static void add_words(json_object *doc, const struct sw_layout_result *t)
{
	json_object *back = json_object_new_array(), *lost = json_object_new_array();

	say_back(back, t);
	say_lost(lost, t);
	sw_json_add(doc, "comes_back", back);
	sw_json_add(doc, "does_not", lost);
}

/* ---- which tables are expected ---- */

/* The checksum of a table's entries and its id: what both of its copies have in common. */
static void add_table(json_object *list, uint32_t crc, const struct sw_guid *id)
{
	char uuid[SW_GUID_TEXT];

	say(list, sw_fmt("%08x %s", crc, sw_guid_format(id, uuid)));
}

/* Of the new table as bytes: UEFI 2.10, 5.3.2, the header's fields at 56 and 88. */
static void add_new_table(json_object *list, const struct sw_table_image *image)
{
	const uint8_t *header = image->piece[4].data;
	struct sw_guid id;
	uint32_t crc;

	memcpy(id.b, header + 56, sizeof(id.b));
	memcpy(&crc, header + 88, sizeof(crc));
	add_table(list, le32toh(crc), &id);
}

static int add_tables(json_object *doc, struct sw_io *disk, const struct sw_layout_result *t)
{
	json_object *new = json_object_new_array(), *old = json_object_new_array();
	struct sw_gpt_scan scan;
	char digest[SW_SHA256_TEXT];
	int r = sw_gpt_scan(disk, &scan);

	for (size_t i = 0; r == 0 && i < scan.n; i++)
		if (scan.copies[i].entries_ok)
			add_table(old, scan.copies[i].entries_crc, &scan.copies[i].id);
	add_new_table(new, &t->image);
	sw_json_add(doc, "old_tables", old);
	sw_json_add(doc, "new_tables", new);
	sw_json_add_str(doc, "new_digest", t->image.digest);
	if (r == 0)
		r = sw_gpt_digest(disk, digest);
	if (r == 0)
		sw_json_add_str(doc, "old_digest", digest);
	return r;
}

int sw_layout_undo_collect(struct sw_io *disk, const struct sw_layout_result *t,
			   json_object **ret_doc, uint64_t *ret_need, struct sw_error *err)
{
	_cleanup_json_ json_object *doc = json_object_new_object();
	struct collector c = { .disk = disk, .t = t, .pieces = json_object_new_array(),
			       .at = SW_LAYOUT_UNDO_DATA };
	int r = find_ranges(&c);

	if (r == 0)
		r = read_pieces(&c);
	free(c.v);
	sw_json_add(doc, "pieces", c.pieces);
	sw_json_add_u64(doc, "old_size", t->old_size);
	sw_json_add_u64(doc, "new_size", t->size);
	sw_json_add_u64(doc, "sector", t->sector);
	sw_json_add_bool(doc, "had_table", t->before.type != SW_TABLE_NONE);
	add_words(doc, t);
	if (r == 0)
		r = add_tables(doc, disk, t);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read what undo needs");
		sw_error_where(err, "%s", disk->path);
		return r;
	}
	*ret_need = c.at;
	*ret_doc = TAKE_PTR(doc);
	return 0;
}

bool sw_layout_undo_nothing(json_object *doc)
{
	json_object *list = sw_json_array(doc, "pieces");

	if (sw_json_bool(doc, "had_table", true))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (sw_json_u64(json_object_array_get_idx(list, i), "at", 0))
			return false;
	return true;
}

/* ---- is it still what was left ---- */

static bool listed(json_object *doc, const char *key, const struct sw_gpt_copy *c)
{
	json_object *list = sw_json_array(doc, key);
	char uuid[SW_GUID_TEXT], text[64];

	(void)snprintf(text, sizeof(text), "%08x %s", c->entries_crc, sw_guid_format(&c->id, uuid));
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (!strcmp(text, json_object_get_string(json_object_array_get_idx(list, i))))
			return true;
	return false;
}

/* The primary copy when it is whole, else any that is. */
bool sw_layout_undo_is_new(struct sw_io *disk, const struct sw_layout_undo_head *h)
{
	const struct sw_gpt_copy *force = NULL;
	struct sw_gpt_scan scan;

	if (sw_gpt_scan(disk, &scan) < 0 || !scan.pmbr)
		return false;
	for (size_t i = 0; i < scan.n; i++)
		if (scan.copies[i].entries_ok && (!force || scan.copies[i].my_lba == 1))
			force = &scan.copies[i];
	return force && listed(h->doc, "new_tables", force);
}

static int changed_since(struct sw_io *disk, const char *why, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "somebody else has changed this disk since");
	sw_error_where(err, "%s", disk->path);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "Nothing was written; --no-undo goes on without undo data");
	return -ESTALE;
}

static bool size_fits(struct sw_io *disk, const struct sw_layout_undo_head *h)
{
	return disk->size == h->new_size || disk->size == h->old_size;
}

int sw_layout_undo_check(struct sw_io *disk, const struct sw_layout_undo_head *h,
			 struct sw_error *err)
{
	char digest[SW_SHA256_TEXT];
	struct sw_gpt_scan scan;
	int r = sw_gpt_scan(disk, &scan);

	if (r == 0)
		r = sw_gpt_digest(disk, digest);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the disk");
	if (!size_fits(disk, h))
		return changed_since(disk, "its size is another", err);
	if (!strcmp(digest, sw_json_str(h->doc, "new_digest", "")))
		return 0;
	if (h->state == SW_LAYOUT_UNDO_DONE)
		return changed_since(disk, "its partition table is not the one that was made", err);
	if (!strcmp(digest, sw_json_str(h->doc, "old_digest", "")))
		return 0;
	for (size_t i = 0; i < scan.n; i++)
		if (scan.copies[i].entries_ok && !listed(h->doc, "old_tables", &scan.copies[i]) &&
		    !listed(h->doc, "new_tables", &scan.copies[i]))
			return changed_since(disk, "its partition table is neither the old nor "
						   "the new one", err);
	return 0;
}

/* ---- putting back ---- */

static int put_back(const struct sw_layout_undo *u, struct sw_io *disk, json_object *o,
		    uint64_t skip)
{
	_cleanup_free_ uint8_t *data = NULL;
	uint64_t off = sw_json_u64(o, "off", 0), len = sw_json_u64(o, "len", 0);
	int r = sw_layout_undo_piece(u, o, &data);

	if (r < 0 || len <= skip)
		return r;
	return sw_io_write(disk, off + skip, data + skip, len - skip);
}

/* Sector 0, flushed, then the sector of the primary header: the commit point. */
static int put_back_head(const struct sw_layout_undo *u, struct sw_io *disk, json_object *o)
{
	_cleanup_free_ uint8_t *data = NULL;
	uint32_t ss = disk->sector;
	int r = sw_json_u64(o, "len", 0) < 2ULL * ss ? -EBADMSG : 0;

	if (r == 0)
		r = sw_layout_undo_piece(u, o, &data);
	if (r == 0)
		r = sw_io_write(disk, 0, data, ss);
	if (r == 0)
		r = sw_io_flush(disk);
	if (r == 0)
		r = sw_io_write(disk, ss, data + ss, ss);
	return r == 0 ? sw_io_flush(disk) : r;
}

static int put_all_back(const struct sw_layout_undo *u, struct sw_io *disk, json_object *doc)
{
	json_object *list = sw_json_array(doc, "pieces"), *first = NULL;
	int r = 0;

	for (size_t i = json_object_array_length(list); r == 0 && i-- > 0;) {
		json_object *o = json_object_array_get_idx(list, i);
		bool head = sw_json_u64(o, "off", 1) == 0;

		if (head)
			first = o;
		r = put_back(u, disk, o, head ? 2ULL * disk->sector : 0);
	}
	if (r == 0)
		r = sw_io_flush(disk);
	return r == 0 && first ? put_back_head(u, disk, first) : r < 0 ? r : -EBADMSG;
}

int sw_layout_undo_run(const struct sw_layout_undo *u, struct sw_io *disk,
		       const struct sw_layout_undo_head *h, const struct sw_sink *sink,
		       struct sw_error *err)
{
	int r = sw_layout_undo_check(disk, h, err);

	if (r < 0)
		return r;
	r = sw_layout_undo_mark(u, SW_LAYOUT_UNDO_UNDOING);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the undo data cannot be continued");
		sw_error_where(err, "%s", u->io->path);
		return r;
	}
	sw_event_log(sink, "putting back what was there");
	r = put_all_back(u, disk, h->doc);
	if (r == 0)
		r = sw_layout_undo_mark(u, SW_LAYOUT_UNDO_UNDONE);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "the old bytes cannot be written back");
		sw_error_where(err, "%s", disk->path);
		sw_error_hint(err, "`slipway layout undo` can be repeated");
	}
	return r;
}
