/* SPDX-License-Identifier: Apache-2.0 */
/* The same small work on many things, side by side. */
#pragma once

#include <stddef.h>

/* Some of this work waits for a device or for the kernel, so there may be more than processors. */
#define SW_PARALLEL_MAX 16U

/*
 * Calls one(i, arg) for each i below n, in no order, from this many threads for each
 * processor: 1 for what computes, 2 for what waits for devices, so that one thread goes
 * on while another waits. Where they are seen to wait longer there are more, up to
 * SW_PARALLEL_MAX; it is this thread when there is no more than one thing or no other
 * can be started. Stops at the first that returns a negative errno and returns that,
 * else 0. What one() touches besides its own thing must be safe to share.
 */
int sw_parallel(size_t n, size_t per_processor, int (*one)(size_t i, void *arg), void *arg);
