/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading many pieces of a device at once, past the page cache: one wait for
 * all of them instead of one each, and no pages that are thrown away again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SW_GATHER_MAX 40U
#define SW_GATHER_ALIGN 4096U

#define SW_GATHER_BYTES ((size_t)288 << 10)	/* of all pieces together */

struct sw_gather_piece {
	uint64_t off;
	size_t len;
	uint8_t *data;
	size_t got;	/* bytes read; less than len at the device's end or after an error */
};

/*
 * Memory for the pieces, SW_GATHER_BYTES of it, aligned; NULL when out of
 * memory. The thread keeps what it frees for the next time: fresh pages from the
 * kernel for each disk would cost more than the reading. To be freed by the thread
 * that got it.
 */
uint8_t *sw_gather_memory(void);
void sw_gather_memory_free(uint8_t *data);

/*
 * fd is open with O_DIRECT; offsets, lengths and data are multiples of
 * SW_GATHER_ALIGN; at most SW_GATHER_MAX pieces. -EOPNOTSUPP when it cannot be
 * done here (no io_uring, no memory for it): then they have to be read the usual
 * way. An error of a single piece only leaves its got short.
 */
int sw_gather(int fd, struct sw_gather_piece *pieces, size_t n);
