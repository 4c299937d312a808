/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/journal-zone.h"

#include <endian.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"

#define BLOCK 4096U
#define RECORDS 255U
#define OFF_RECORDS BLOCK
#define OFF_FIRST (1ULL << 20)
#define OFF_LAST (2ULL << 20)
#define OFF_DOC (3ULL << 20)
#define DOC_MAX (1U << 20)

static const char magic[16] = "SLIPWAY-JOURNAL";
static const char record_magic[8] = "SWRECORD";

/* On disk, little endian. Hashes are hex text so that a hex dump can be checked by hand. */
struct header {
	char magic[16];
	uint32_t version, doc_len;
	uint64_t disk_size;
	char id[64];		/* SHA-256 of the document: binds records to this journal */
	char first[64], last[64];
	char self[64];		/* SHA-256 of all before */
};

struct record {
	char magic[8];
	uint32_t index, kind, step;
	uint32_t step_high;	/* a step never needs it, a set of disks does */
	int64_t time;
	char id[64];		/* the header's id */
	char self[64];
};

_Static_assert(sizeof(struct header) <= BLOCK && sizeof(struct record) <= BLOCK, "one block each");

static int write_body(struct sw_io *io, uint64_t off, const struct sw_journal_zone *z,
		      struct header *h)
{
	size_t len = strlen(z->doc);
	int r;

	memcpy(h->magic, magic, sizeof(magic));
	h->version = htole32(1);
	h->doc_len = htole32((uint32_t)len);
	h->disk_size = htole64(z->disk_size);
	r = sw_sha256_seal(z->doc, len, h->id);
	if (r == 0)
		r = sw_sha256_seal(z->area[0], SW_JOURNAL_SAVED, h->first);
	if (r == 0)
		r = sw_sha256_seal(z->area[1], SW_JOURNAL_SAVED, h->last);
	if (r == 0)
		r = sw_io_write(io, off + OFF_DOC, z->doc, len);
	if (r == 0)
		r = sw_io_write(io, off + OFF_FIRST, z->area[0], SW_JOURNAL_SAVED);
	if (r == 0)
		r = sw_io_write(io, off + OFF_LAST, z->area[1], SW_JOURNAL_SAVED);
	if (r == 0)
		r = sw_io_zero(io, off + OFF_RECORDS, (uint64_t)RECORDS * BLOCK);
	if (r == 0)
		r = sw_sha256_seal(h, offsetof(struct header, self), h->self);
	return r == 0 ? sw_io_flush(io) : r;
}

/* The header goes last: until it stands, there is no journal and nothing else was written. */
int sw_journal_write_zone(struct sw_io *io, uint64_t off, const struct sw_journal_zone *z)
{
	struct header h = {};
	int r = sw_io_write_block(io, off, NULL, 0);

	if (r == 0)
		r = sw_io_flush(io);
	if (r == 0)
		r = write_body(io, off, z, &h);
	if (r == 0)
		r = sw_io_write_block(io, off, &h, sizeof(h));
	return r == 0 ? sw_io_flush(io) : r;
}

void sw_journal_zone_clear(struct sw_journal_zone *z)
{
	if (z->json)
		json_object_put(z->json);
	free(z->area[0]);
	free(z->area[1]);
	*z = (struct sw_journal_zone){};
}

int sw_journal_zone_read(struct sw_io *disk, struct sw_journal_zone *z)
{
	int r = 0;

	z->disk_size = disk->size;
	for (size_t i = 0; i < 2 && r == 0; i++) {
		z->area[i] = malloc(SW_JOURNAL_SAVED);
		r = !z->area[i] ? -ENOMEM
				: sw_io_read(disk, i ? disk->size - SW_JOURNAL_SAVED : 0,
					     z->area[i], SW_JOURNAL_SAVED);
	}
	return r;
}

int sw_journal_zone_document(const struct sw_plan *p, size_t disk, json_object *vars,
			     json_object *left_out, struct sw_journal_zone *z,
			     struct sw_error *err)
{
	z->json = json_object_new_object();
	sw_json_add(z->json, "plan", sw_plan_to_json(p));
	sw_json_add_u64(z->json, "disk", disk);
	if (vars)
		sw_json_add(z->json, "vars", json_object_get(vars));
	if (left_out)
		sw_json_add(z->json, "left_out", json_object_get(left_out));
	z->doc = json_object_to_json_string_ext(z->json, JSON_C_TO_STRING_PLAIN);
	if (!z->doc || strlen(z->doc) > DOC_MAX) {
		sw_fail(err, SW_EXIT_INTERNAL, -E2BIG, "the plan does not fit into the journal");
		return -E2BIG;
	}
	return 0;
}

int sw_journal_create(struct sw_io *io, const struct sw_plan *p, size_t disk, json_object *vars,
		      struct sw_journal *ret_journal, struct sw_error *err)
{
	_cleanup_(sw_journal_zone_clear) struct sw_journal_zone z = {};
	struct sw_journal_head head = {};
	int r = sw_journal_zone_document(p, disk, vars, NULL, &z, err);

	if (r < 0)
		return r;
	r = sw_journal_zone_read(io, &z);
	if (r == 0)
		r = sw_journal_write_zone(io, sw_plan_journal_place(p, disk), &z);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the journal cannot be written");
		sw_error_where(err, "%s", io->path);
		sw_error_hint(err, "nothing else was written; check the disk's health and its log");
		return r;
	}
	(void)sw_io_drop(io);
	r = sw_journal_open(io, ret_journal, &head);
	sw_journal_head_clear(&head);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_VERIFY, r, "the journal does not read back as written");
		sw_error_where(err, "%s", io->path);
		sw_error_hint(err, "the disk loses writes; replace it");
	}
	return r;
}

static int read_header(struct sw_io *io, uint64_t off, uint64_t disk_size,
		       struct header *ret_h)
{
	uint8_t block[BLOCK];
	int r = sw_io_read(io, off, block, sizeof(block));

	if (r < 0)
		return r;
	memcpy(ret_h, block, sizeof(*ret_h));
	if (memcmp(ret_h->magic, magic, sizeof(magic)) != 0)
		return -ENOENT;
	if (le32toh(ret_h->version) != 1 || le32toh(ret_h->doc_len) > DOC_MAX ||
	    (disk_size && le64toh(ret_h->disk_size) != disk_size) ||
	    !sw_sha256_holds(ret_h, offsetof(struct header, self), ret_h->self))
		return -EBADMSG;
	return 0;
}

static int plan_id(json_object *plan, char ret_id[static 65])
{
	const char *text = json_object_to_json_string_ext(plan, JSON_C_TO_STRING_PLAIN);

	return text ? sw_sha256(text, strlen(text), ret_id) : -ENOMEM;
}

static int64_t number_at(json_object *list, size_t i)
{
	return json_object_get_int64(json_object_array_get_idx(list, i));
}

/* For each disk: from where to where its first and its last MiB have a hole. */
static int read_left_out(json_object *list, struct sw_journal_head *head)
{
	for (size_t k = 0; list && k < json_object_array_length(list); k++) {
		json_object *disk = json_object_array_get_idx(list, k);

		if (k >= SW_PLAN_MAX_DISKS || !json_object_is_type(disk, json_type_array) ||
		    json_object_array_length(disk) != 4)
			return -EBADMSG;
		for (size_t i = 0; i < 2; i++) {
			int64_t from = number_at(disk, 2 * i), to = number_at(disk, 2 * i + 1);

			if (from < 0 || to < from || to > SW_JOURNAL_SAVED)
				return -EBADMSG;
			head->left_out[k][i] = (struct sw_left_out){ (uint32_t)from,
								     (uint32_t)to };
		}
	}
	return 0;
}

static int read_text(struct sw_io *io, uint64_t off, const struct header *h, char **ret_text)
{
	size_t len = le32toh(h->doc_len);
	_cleanup_free_ char *text = malloc(len + 1);
	int r = text ? sw_io_read(io, off + OFF_DOC, text, len) : -ENOMEM;

	if (r < 0)
		return r;
	text[len] = '\0';
	if (!sw_sha256_holds(text, len, h->id))
		return -EBADMSG;
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int read_doc(struct sw_io *io, uint64_t off, const struct header *h,
		    struct sw_journal_head *head)
{
	_cleanup_json_ json_object *doc = NULL;
	_cleanup_free_ char *text = NULL;
	json_object *plan, *vars;
	int r = read_text(io, off, h, &text);

	if (r < 0)
		return r;
	if (sw_json_parse(text, strlen(text), "journal", &doc, NULL) < 0)
		return -EBADMSG;
	plan = sw_json_get(doc, "plan");
	vars = sw_json_get(doc, "vars");
	if (!plan)
		return -EBADMSG;
	head->plan = json_object_get(plan);
	head->disk = (unsigned int)sw_json_u64(doc, "disk", 0);
	r = plan_id(plan, head->id);
	if (r < 0)
		return r;
	head->vars = vars ? json_object_get(vars) : NULL;
	return read_left_out(sw_json_array(doc, "left_out"), head);
}

static void note_record(struct sw_journal_head *head, const struct record *rec)
{
	switch (le32toh(rec->kind)) {
	case SW_RECORD_START:
		head->step = le32toh(rec->step);
		head->state = SW_JOURNAL_RUNNING;
		break;
	case SW_RECORD_DONE:
		head->state = SW_JOURNAL_DONE;
		break;
	case SW_RECORD_UNDO:
		head->undoing = true;
		head->state = SW_JOURNAL_RUNNING;
		break;
	case SW_RECORD_UNDONE:
		head->state = SW_JOURNAL_UNDONE;
		break;
	case SW_RECORD_OWED:
		head->state = SW_JOURNAL_OWED;
		head->partly = true;
		head->owed = le32toh(rec->step) | (uint64_t)le32toh(rec->step_high) << 32;
		break;
	default:
		break;
	}
	head->noted = true;
	head->time = (int64_t)le64toh((uint64_t)rec->time);
}

/* Records end at the first that is not whole: a torn one was never acted upon. */
static int read_records(struct sw_io *io, uint64_t off, const struct header *h,
			struct sw_journal_head *head, uint32_t *ret_next)
{
	uint32_t i;

	for (i = 0; i < RECORDS; i++) {
		uint8_t block[BLOCK];
		struct record rec;
		int r = sw_io_read(io, off + OFF_RECORDS + (uint64_t)i * BLOCK, block, BLOCK);

		if (r < 0)
			return r;
		memcpy(&rec, block, sizeof(rec));
		if (memcmp(rec.magic, record_magic, sizeof(record_magic)) != 0 ||
		    le32toh(rec.index) != i || memcmp(rec.id, h->id, 64) != 0 ||
		    !sw_sha256_holds(&rec, offsetof(struct record, self), rec.self))
			break;
		note_record(head, &rec);
	}
	*ret_next = i;
	return 0;
}

int sw_journal_open(struct sw_io *io, struct sw_journal *ret_journal,
		    struct sw_journal_head *ret_head)
{
	uint64_t off = sw_plan_journal_offset(io->size);

	return off ? sw_journal_open_at(io, off, io->size, ret_journal, ret_head) : -ENOENT;
}

int sw_journal_open_at(struct sw_io *io, uint64_t off, uint64_t disk_size,
		       struct sw_journal *ret_journal, struct sw_journal_head *ret_head)
{
	struct sw_journal j = { .io = io, .off = off, .disk_size = disk_size };
	struct sw_journal_head head = { .state = SW_JOURNAL_RUNNING };
	struct header h;
	int r;

	r = read_header(io, j.off, disk_size, &h);
	if (r == 0)
		r = read_doc(io, j.off, &h, &head);
	if (r == 0)
		r = read_records(io, j.off, &h, &head, &j.next);
	if (r < 0) {
		sw_journal_head_clear(&head);
		return r;
	}
	if (head.disk < SW_PLAN_MAX_DISKS)
		memcpy(j.left_out, head.left_out[head.disk], sizeof(j.left_out));
	*ret_journal = j;
	*ret_head = head;
	return 0;
}

void sw_journal_head_clear(struct sw_journal_head *h)
{
	if (h->plan)
		json_object_put(h->plan);
	if (h->vars)
		json_object_put(h->vars);
	*h = (struct sw_journal_head){};
}

int sw_journal_record(struct sw_journal *j, enum sw_record_kind kind, uint64_t step)
{
	struct record rec = {};
	struct header h;
	int r;

	if (j->next >= RECORDS)
		return -ENOSPC;
	r = read_header(j->io, j->off, j->disk_size, &h);
	if (r < 0)
		return r;
	memcpy(rec.magic, record_magic, sizeof(record_magic));
	rec.index = htole32(j->next);
	rec.kind = htole32(kind);
	rec.step = htole32((uint32_t)step);
	rec.step_high = htole32((uint32_t)(step >> 32));
	rec.time = (int64_t)htole64((uint64_t)sw_wall_s());
	memcpy(rec.id, h.id, 64);
	r = sw_sha256_seal(&rec, offsetof(struct record, self), rec.self);
	if (r == 0)
		r = sw_io_write_block(j->io, j->off + OFF_RECORDS + (uint64_t)j->next * BLOCK,
				      &rec, sizeof(rec));
	if (r == 0)
		r = sw_io_flush(j->io);
	if (r == 0)
		j->next++;
	return r;
}

int sw_journal_saved(struct sw_journal *j, bool last, uint8_t **ret_data)
{
	_cleanup_free_ uint8_t *buf = malloc(SW_JOURNAL_SAVED);
	struct header h;
	int r;

	if (!buf)
		return -ENOMEM;
	r = read_header(j->io, j->off, j->disk_size, &h);
	if (r == 0)
		r = sw_io_read(j->io, j->off + (last ? OFF_LAST : OFF_FIRST), buf,
			       SW_JOURNAL_SAVED);
	if (r == 0 && !sw_sha256_holds(buf, SW_JOURNAL_SAVED, last ? h.last : h.first))
		r = -EBADMSG;
	if (r < 0)
		return r;
	*ret_data = TAKE_PTR(buf);
	return 0;
}

int sw_journal_document(struct sw_journal *j, char **ret_text)
{
	struct header h;
	int r = read_header(j->io, j->off, j->disk_size, &h);

	return r == 0 ? read_text(j->io, j->off, &h, ret_text) : r;
}
