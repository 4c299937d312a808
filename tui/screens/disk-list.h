/* SPDX-License-Identifier: Apache-2.0 */
/* The list of disks to choose one from, for an install and for a wipe. */
#pragma once

#include "tui/session/list.h"
#include "tui/session/state.h"

/* Disk i of the facts, its index as the row's id. off: why it cannot be chosen; NULL: it can. */
void sw_disk_list_add(struct sw_list *l, const struct sw_facts *f, size_t i, const char *off);
/* The name of what is selected; malloc'd, NULL when nothing is. */
char *sw_disk_list_name(const struct sw_list *l);
/* The selection stays on the disk of this name, or goes (NULL) to the first that can be chosen. */
void sw_disk_list_select(struct sw_list *l, const char *name);
/* NULL also on a row that is no disk (of an id below 0). */
const struct sw_disk *sw_disk_list_selected(const struct sw_list *l, const struct sw_state *s);

/* Moves, searches, shows details, looks again; false for anything else. */
bool sw_disk_list_request(struct sw_list *l, struct sw_state *s, enum sw_request req, uint32_t ch);
void sw_disk_list_draw(struct sw_list *l, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a);
