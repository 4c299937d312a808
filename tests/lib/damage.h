/* SPDX-License-Identifier: Apache-2.0 */
/* A node of the install world with two good slots, and what can be wrong with it. */
#pragma once

#include "rescue/visit.h"
#include "tests/lib/install-world.h"

struct damage {
	const char *id;		/* of the finding; "DISK/..." is without its disk */
	enum sw_severity severity;
	void (*make)(struct world *w);
	bool no_repair;
	bool image;		/* repaired from damage_image() in place of the other slot */
	bool dead;		/* nothing starts until it is repaired */
	const char *leaves;	/* the finding that is left after the repair, or NULL */
	unsigned int every;	/* each nth torn write of its repair is looked at; 0: all */
};

extern const struct damage damages[];
extern const size_t n_damages;

/* The partition with this label on the first disk; the test fails without it. */
const struct sw_part *damage_part(const struct sw_facts *f, const char *label);
/* The image of both slots as a file, for a repair from there; malloc'd. */
char *damage_image(const struct world *w);
/* Installs, and fills slot B with the image of slot A. */
void damage_world(struct world *w);
/* As visit_look(); the test fails when it cannot look. The machine is the world's. */
void damage_look(struct world *w, struct sw_visit *v);
/* The finding of this damage, NULL when it is not there. */
const struct sw_finding *damage_found(const struct sw_visit *v, const struct damage *d);
