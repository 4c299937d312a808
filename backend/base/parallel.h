/* SPDX-License-Identifier: Apache-2.0 */
/* The same small work on many things, side by side. */
#pragma once

#include <stddef.h>

/* Some of this work waits for a device or for the kernel, so there may be more than processors. */
#define SW_PARALLEL_MAX 16U

/*
 * Calls one(i, arg) for each i below n, in no order, from as many threads as there
 * are processors and, where they are seen to wait, from up to SW_PARALLEL_MAX; from
 * this one when there is no more than one thing or no thread can be started. Stops
 * at the first that returns a negative errno and returns that, else 0. What one()
 * touches besides its own thing must be safe to share.
 */
int sw_parallel(size_t n, int (*one)(size_t i, void *arg), void *arg);
