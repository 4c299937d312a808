/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Journal zones that leave their disk. They may lie on a stick or a server for
 * years, so they hold no LUKS header: with a known passphrase, an old header
 * opens a disk whose owner has long changed it.
 */
#include <string.h>

#include "apply/journal-zone.h"
#include "apply/run.h"
#include "base/json.h"

#define ALIGNED 512U
#define GPT_TAIL 16384U	/* entries before the backup header, at the very end of the disk */

/* LUKS1 and the first header of LUKS2, and LUKS2's second header. */
static bool is_luks(const uint8_t *p)
{
	return memcmp(p, "LUKS\xba\xbe", 6) == 0 || memcmp(p, "SKUL\xba\xbe", 6) == 0;
}

/* From the first header to the end; but the table at the disk's very end is no keyslot. */
static struct sw_left_out blank_luks(uint8_t *area, bool last, uint32_t sector)
{
	uint32_t end = SW_JOURNAL_SAVED - (last ? GPT_TAIL + sector : 0);

	for (uint32_t at = 0; at < end; at += ALIGNED)
		if (is_luks(area + at)) {
			memset(area + at, 0, end - at);
			return (struct sw_left_out){ at, end };
		}
	return (struct sw_left_out){};
}

static void add_holes(json_object *list, const struct sw_left_out hole[2])
{
	json_object *disk = json_object_new_array();

	for (size_t i = 0; i < 2; i++) {
		json_object_array_add(disk, json_object_new_int64(hole[i].from));
		json_object_array_add(disk, json_object_new_int64(hole[i].to));
	}
	json_object_array_add(list, disk);
}

/* Every zone tells of every disk what is missing, so that one of them is enough to say it. */
static int write_zones(struct sw_journal_zone *z, const struct sw_plan *p, json_object *vars,
		       struct sw_io *to, struct sw_error *err)
{
	_cleanup_json_ json_object *left_out = json_object_new_array();
	int r = 0;

	for (size_t k = 0; k < sw_plan_journals(p); k++) {
		struct sw_left_out hole[2];

		for (size_t i = 0; i < 2; i++)
			hole[i] = blank_luks(z[k].area[i], i,
					     p->n_disks ? p->disks[k].sector : 512);
		add_holes(left_out, hole);
	}
	for (size_t k = 0; k < sw_plan_journals(p) && r == 0; k++) {
		r = sw_journal_zone_document(p, k, vars, left_out, &z[k], err);
		if (r < 0)
			return r;
		r = sw_journal_write_zone(to, k * SW_JOURNAL_LEN, &z[k]);
		if (r < 0)
			sw_fail_errno(err, SW_EXIT_FAILED, r, "the undo copy cannot be written");
	}
	return r;
}

static void free_zones(struct sw_journal_zone *z, size_t n)
{
	for (size_t k = 0; z && k < n; k++)
		sw_journal_zone_clear(&z[k]);
	free(z);
}

int sw_journal_copy(const struct sw_run_disk *disks, const struct sw_plan *p, json_object *vars,
		    struct sw_io *to, struct sw_error *err)
{
	struct sw_journal_zone *z = calloc(sw_plan_journals(p), sizeof(*z));
	int r = z ? 0 : sw_fail_oom(err);

	for (size_t k = 0; k < sw_plan_journals(p) && r == 0; k++) {
		r = sw_journal_zone_read(disks[k].io, &z[k]);
		if (r < 0) {
			sw_fail_errno(err, SW_EXIT_FAILED, r, "the disk cannot be read");
			sw_error_where(err, "%s", disks[k].io->path);
		}
	}
	if (r == 0)
		r = write_zones(z, p, vars, to, err);
	free_zones(z, sw_plan_journals(p));
	return r;
}

/* The areas that a journal saved, wherever it lies. */
static int read_saved(struct sw_journal *j, uint64_t disk_size, struct sw_journal_zone *z)
{
	int r = sw_journal_saved(j, false, &z->area[0]);

	z->disk_size = disk_size;
	return r == 0 ? sw_journal_saved(j, true, &z->area[1]) : r;
}

int sw_journal_export(struct sw_io *const *disks, const struct sw_plan *p, struct sw_io *to,
		      struct sw_error *err)
{
	struct sw_journal_zone *z = calloc(sw_plan_journals(p), sizeof(*z));
	_cleanup_json_ json_object *vars = NULL;
	int r = z ? 0 : sw_fail_oom(err);

	for (size_t k = 0; k < sw_plan_journals(p) && r == 0; k++) {
		struct sw_journal_head h = {};
		struct sw_journal j;

		r = sw_journal_open(disks[k], &j, &h);
		if (r == 0)
			r = read_saved(&j, disks[k]->size, &z[k]);
		if (r == 0 && k == 0)
			vars = h.vars ? json_object_get(h.vars) : NULL;
		sw_journal_head_clear(&h);
		if (r < 0) {
			sw_fail_errno(err, SW_EXIT_FAILED, r, "the journal cannot be read");
			sw_error_where(err, "%s", disks[k]->path);
		}
	}
	if (r == 0)
		r = write_zones(z, p, vars, to, err);
	free_zones(z, sw_plan_journals(p));
	return r;
}

int sw_journal_import(struct sw_io *from, uint64_t from_off, struct sw_io *disk, uint64_t off,
		      unsigned int step, struct sw_error *err)
{
	_cleanup_(sw_journal_zone_clear) struct sw_journal_zone z = {};
	_cleanup_free_ char *doc = NULL;
	struct sw_journal_head h = {};
	struct sw_journal j;
	int r = sw_journal_open_at(from, from_off, disk->size, &j, &h);

	sw_journal_head_clear(&h);
	if (r == 0)
		r = read_saved(&j, disk->size, &z);
	if (r == 0)
		r = sw_journal_document(&j, &doc);
	z.doc = doc;
	if (r == 0)
		r = sw_journal_write_zone(disk, off, &z);
	if (r == 0)
		r = sw_journal_open(disk, &j, &h);
	sw_journal_head_clear(&h);
	if (r == 0)
		r = sw_journal_record(&j, SW_RECORD_START, step);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the journal cannot be put back");
		sw_error_where(err, "%s", disk->path);
		sw_error_hint(err, "nothing else was written; check the disk's health and its log");
	}
	return r;
}
