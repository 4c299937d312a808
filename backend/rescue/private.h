/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an examination; each adds its findings. Private to backend/rescue. */
#pragma once

#include "rescue/rescue.h"

struct sw_examine {
	struct sw_machine *m;
	const struct sw_facts *f;
	struct sw_varstore *vars;
	json_object *raw;
	const char *disk;
	struct sw_findings *out;
	struct sw_error *err;
};

/* A new finding to be filled; NULL when out of memory. id may begin with "DISK/". */
struct sw_finding *sw_finding_add(struct sw_examine *x, const char *disk, const char *id,
				  enum sw_severity severity, enum sw_sure sure);
/* A repair for it; owned by the finding. */
struct sw_repair *sw_finding_repair(struct sw_finding *fi, const struct sw_disk *d);
/* Adds len bytes that become `now`; the old ones are read from io. Equal ones are left out. */
int sw_repair_add_bytes(struct sw_repair *r, struct sw_io *io, uint64_t off, const void *now,
			size_t len, const char *text);

int sw_examine_table(struct sw_examine *x, const struct sw_disk *d);
int sw_examine_node(struct sw_examine *x, const struct sw_node *n);
int sw_examine_boot(struct sw_examine *x, const struct sw_switch *s);
