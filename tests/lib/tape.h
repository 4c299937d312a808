/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tape of everything that a stand-in machine is told by one operation: every
 * block write, flush and discard on every disk, and every variable, in order. It
 * can make any of them fail, and it can be played onto a copy of the machine, as
 * any power cut would have left it: each prefix, torn at 512 bytes, and random
 * subsets of what was in flight since each disk's last flush.
 */
#pragma once

#include "boot/varstore.h"
#include "machine/machine.h"

#define TAPE_DISKS 4

struct tape_op {
	enum { TAPE_WRITE, TAPE_FLUSH, TAPE_VAR } kind;
	unsigned int disk;
	uint64_t off;
	size_t len;
	uint8_t *data;		/* NULL: zeros (writes), deleted (variables) */
	uint8_t *before;	/* while played and not flushed: what was there */
	char *name;		/* variable */
	struct sw_guid guid;
	uint32_t attrs;
};

struct tape {
	struct tape_op *ops;
	size_t n;
	char *node[TAPE_DISKS];	/* of each disk seen, as in the recorded machine */
	unsigned int n_disks;
	bool silent;		/* count and fail, but keep nothing */
	size_t count;		/* writes, flushes, discards and variables so far */
	size_t fail_at;		/* the number of the one that fails; SIZE_MAX: none */
	int fail_errno;
	bool pulled;		/* everything after it fails as well */
	bool lies;		/* it says that it worked, and did not */
	struct sw_varstore *real_vars;
};

/* Stands between the machine and its disks and variables until it is freed. */
void tape_attach(struct tape *t, struct sw_machine *m);
void tape_clear(struct tape *t);

/* ---- playing ---- */

struct tape_play {
	const struct tape *tape;
	struct sw_machine *m;	/* a machine as the recorded one was before */
	struct sw_io *disk[TAPE_DISKS];
	uint64_t seed;
	unsigned int every;	/* each nth prefix is a state */
	unsigned int random;	/* states made of subsets, spread over the tape */
	unsigned int per_epoch;	/* … and as many of what each flush waits for */
	void (*judge)(struct tape_play *p, void *userdata);
	void *userdata;
	size_t at;		/* ops that have begun */
	bool ordered;		/* this state is a prefix */
	unsigned int prefixes, subsets;	/* states judged */
	unsigned int epochs;	/* flushes that had anything to wait for */
};

/* Plays all of it, with a call of judge for each state; the disks are then as after the run. */
void tape_play(struct tape_play *p);

/* A seed from the clock, or from SLIPWAY_SEED to see a failure again; printed. */
uint64_t tape_seed(void);
