/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where what is encrypted lies when it is written without the md driver. On a mirror that is once
 * on each member: what all of them get alike is there whichever of them md reads, or copies from.
 */
#pragma once

#include "machine/machine.h"

#define SW_MIRROR_MAX 8U

struct sw_mirror {
	/* disk: borrowed from the facts; start: of the content, bytes. The first one counts. */
	struct {
		const struct sw_disk *disk;
		uint64_t start;
	} v[SW_MIRROR_MAX];
	size_t n;
	uint64_t size;	/* of the content, bytes */
};

/*
 * The places of what p, a partition of d, holds: its own, or those on all members that its array
 * counts, in their order, from the first of which md would copy. Refused (exit 4) when that cannot
 * be written safely: -EBUSY the kernel runs the array; -ENODEV a member is not here; -ESTALE the
 * members do not agree on which of them count; -EOPNOTSUPP an array that slipway does not write.
 */
int sw_mirror_find(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
		   const struct sw_part *p, struct sw_mirror *ret_mirror, struct sw_error *err);

/* The same of p alone, whatever its array is like: to be read. The errors of sw_md_read(). */
int sw_mirror_own(struct sw_machine *m, const struct sw_disk *d, const struct sw_part *p,
		  struct sw_mirror *ret_place);

/* Whether both partitions are members of one array. */
bool sw_mirror_same(struct sw_machine *m, const struct sw_disk *d, const struct sw_part *p,
		    const struct sw_disk *other_d, const struct sw_part *other_p);
