/* SPDX-License-Identifier: Apache-2.0 */
/* A small disk in memory and small layouts for it, for tests of `layout apply` and its undo. */
#pragma once

#include "layout/target.h"
#include "layout/undo.h"

#define MIB ((uint64_t)1 << 20)
#define LAYOUT_DISK (8 * MIB)

extern const struct sw_guid layout_type_a, layout_type_b;

/* A definition of this type; borrowed texts. */
struct sw_layout_part layout_def(struct sw_guid type, uint64_t min, uint64_t max);

/* Solves for the disk; the test fails when it cannot be done. */
void layout_prepare(struct sw_io *io, struct sw_layout_part *parts, size_t n,
		    enum sw_layout_empty empty, struct sw_layout_result *ret);

/*
 * A disk of LAYOUT_DISK bytes with one partition of type A, made when the disk had
 * `made` bytes. malloc'd.
 */
uint8_t *layout_old_disk(uint64_t made, uint32_t sector, uint64_t part);

/*
 * A `layout apply` with its undo data in the disk's own zone: save, carry out,
 * mark. A partition is added (REFUSE: the old one grows) or the table is replaced
 * (FORCE). Returns what the first call that failed did, with its error.
 */
int layout_apply(struct sw_io *io, enum sw_layout_empty empty, struct sw_error *err);
/* The undo of it. -ENOENT: there is no undo data. */
int layout_undo(struct sw_io *io, struct sw_error *err);
/* Where its undo data is. */
struct sw_layout_undo layout_undo_at(struct sw_io *io);
