/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in machine for crash and fault tests: one or two small disks with an
 * old table and content on them, boot variables, a payload on its medium, and a
 * plan for a layout that is small enough to be installed a thousand times.
 */
#pragma once

#include "apply/apply.h"
#include "base/hash.h"
#include "machine/machine.h"
#include "plan/plan.h"

#define WORLD_DISK (128ULL << 20)
#define WORLD_DISK_EXTRAS (224ULL << 20)	/* … with rescue image and iPXE beside the slots */

struct world {
	char *dir;
	struct sw_machine *m;
	struct sw_plan *plan;
	unsigned int n_disks;
	bool sealed;		/* state is encrypted: tests/lib/sealed-world.h */
	bool extras;		/* rescue image and iPXE on each disk */
	uint64_t disk_size;
	char old_table[2][65];
	char old_vars[SW_SHA256_TEXT];
};

void world_make(struct world *w, unsigned int n_disks);
/* One disk; state is sealed to the stand-in's TPM, its recovery key in escrow. */
void world_make_sealed(struct world *w);
/* The same on a mirror of two disks. */
void world_make_sealed_mirror(struct world *w);
/* Mode network by iPXE, and a rescue image; on two disks each has its own. */
void world_make_extras(struct world *w, unsigned int n_disks);
/* What is in a file of that state. */
#define WORLD_SECRET "the-plain-text-of-a-secret-file"
void world_free(struct world *w);
/* Copies the whole machine to another directory; *ret is opened there, with the same plan. */
void world_copy(const struct world *w, const char *to, struct world *ret);
/* Closes the machine and opens it again: nothing stands between it and its disks any more. */
void world_reopen(struct world *w);
/* Runs a shell script with up to two arguments; fails the test when it fails. */
void world_sh(const char *script, const char *a, const char *b);
/* The image of a disk; malloc'd. */
char *world_image(const struct world *w, unsigned int disk);

/*
 * Of the content of all disks outside the journals, and of what is encrypted. ends: the
 * first and last MiB of each only.
 */
void world_digest(const struct world *w, bool ends, char ret[static SW_SHA256_TEXT]);
void world_vars(const struct world *w, char ret[static SW_SHA256_TEXT]);

/* The journal that counts; the test fails unless there is just one. */
struct sw_journal_info *world_journal(const struct world *w);

/* Installs; stopped after so many finished steps, 0: not. */
int world_install(struct world *w, unsigned int stop, struct sw_error *err);
int world_resume(struct world *w, struct sw_error *err);
int world_undo(struct world *w, struct sw_error *err);
/* One that leaves out disks: bit k for disk k. */
int world_undo_without(struct world *w, uint64_t without, struct sw_error *err);
