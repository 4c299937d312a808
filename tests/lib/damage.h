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
	/* What its repair asks for, read from this file in the healthy world; or NULL. */
	const char *given;
	bool anew;		/* its repair makes keys, and never the same bytes twice */
	/* Holds in every state that a cut of its repair or of the undo leaves; or NULL. */
	void (*holds)(const struct world *healthy, const struct world *w);
	unsigned int holds_every;	/* in each nth state, unless all are looked at; 0: in all */
	unsigned int every;	/* each nth torn write of its repair is looked at; 0: all */
};

extern const struct damage damages[];
extern const size_t n_damages;

/* The partition with this label on the first disk; the test fails without it. */
const struct sw_part *damage_part(const struct sw_facts *f, const char *label);
const struct sw_part *damage_part_of(const struct sw_disk *d, const char *label);
/* The image of both slots as a file, for a repair from there; malloc'd. */
char *damage_image(const struct world *w);
/* Installs, and fills slot B with the image of slot A. */
void damage_world(struct world *w);
/* The same in a world that was made otherwise, on each of its disks. */
void damage_world_fill(struct world *w);
/* Len bytes on a disk of the world. */
void damage_bytes(struct world *w, unsigned int disk, uint64_t off, uint8_t byte, size_t len);
/* Where the partition with this label begins on a disk. */
uint64_t damage_start(struct world *w, unsigned int disk, const char *label);
/* As visit_look(); the test fails when it cannot look. The machine is the world's. */
void damage_look(struct world *w, struct sw_visit *v);
/* The finding of this damage, NULL when it is not there. */
const struct sw_finding *damage_found(const struct sw_visit *v, const struct damage *d);
