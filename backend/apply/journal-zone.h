/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the journal: a zone in memory, on its way to a disk or into a copy. */
#pragma once

#include "apply/journal.h"

struct sw_journal_zone {
	json_object *json;	/* owns doc, or NULL */
	const char *doc;
	uint8_t *area[2];	/* the first and the last MiB; malloc'd */
	uint64_t disk_size;
};

/* The areas as they are on the disk now. */
int sw_journal_zone_read(struct sw_io *disk, struct sw_journal_zone *z);
/* The document; left_out may be NULL. */
int sw_journal_zone_document(const struct sw_plan *p, size_t disk, json_object *vars,
			     json_object *left_out, struct sw_journal_zone *z,
			     struct sw_error *err);
/* Writes the zone without records, its header last, and flushes. */
int sw_journal_write_zone(struct sw_io *io, uint64_t off, const struct sw_journal_zone *z);
/* The document of a journal as it is stored; malloc'd. */
int sw_journal_document(struct sw_journal *j, char **ret_text);
void sw_journal_zone_clear(struct sw_journal_zone *z);
