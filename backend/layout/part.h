/* SPDX-License-Identifier: Apache-2.0 */
/* One definition file as text. Private to backend/layout and its tests. */
#pragma once

#include "layout/layout.h"

/*
 * Parses the text of one definition. path is for errors, file is kept in the
 * part. *ret_description is set to malloc'd text or left alone.
 */
int sw_layout_part_parse(const char *text, size_t len, const char *path, const char *file,
			 struct sw_layout_part *ret_part, char **ret_description,
			 struct sw_error *err);

/* The definition's own text, then that of each drop-in: a later key replaces an earlier one. */
struct sw_layout_source {
	const char *text, *path;
	size_t len;
};

int sw_layout_part_parse_all(const struct sw_layout_source *sources, size_t n, const char *file,
			     const struct sw_layout_machine *m, struct sw_layout_part *ret_part,
			     char **ret_description,
			     struct sw_error *err);
void sw_layout_part_clear(struct sw_layout_part *p);

/* Fills in the layout's disks from its parts; exit 3 when they do not go together. */
int sw_layout_collect_disks(struct sw_layout *l, struct sw_error *err);
void sw_layout_disks_free(struct sw_layout *l);
