/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number in the TPM that only grows, for one owner: two NV indexes of the owner's range. One is a
 * counter (TPM 2.0 Library, part 1, 37.2.4), which begins anywhere above all that were before; the
 * other, written once and locked until it is removed, says for whom and from where it counts.
 */
#pragma once

#include "base/hash.h"
#include "base/error.h"

#define SW_COUNTER_INDEX 0x01815357U	/* the counter; what it counts from is the next one */
#define SW_COUNTER_STEPS 1024U		/* that it is raised by at once: NV memory wears */

struct sw_counter {
	bool there;
	uint64_t count;
	uint8_t owner[SW_SHA256_LEN];
};

/* there is false when it is not or was only begun. Exit 5 as for all of the TPM. */
int sw_counter_read(const char *tcti, struct sw_counter *ret_counter, struct sw_error *err);

/* Counts from this number for this owner, in place of an older one of ours. */
int sw_counter_begin(const char *tcti, const uint8_t owner[static SW_SHA256_LEN], uint64_t count,
		     struct sw_error *err);

/*
 * Raises it to count; nothing when it is there already. -ERANGE (exit 4): further than
 * SW_COUNTER_STEPS; -ENOENT: there is none.
 */
int sw_counter_raise(const char *tcti, uint64_t count, struct sw_error *err);
