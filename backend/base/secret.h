/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for keys: pages of their own that are locked (never swapped), left out
 * of core dumps, and overwritten before they are given back. What is in one never
 * goes into a buffer, an argument list, the environment, a log or an event.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

/*
 * For a process that comes to hold secrets, before it does: no core dump of it, and nobody but root
 * reads its memory; where it may, none of its memory is swapped either, which is for the copies
 * that libraries make (OpenSSL, libcurl, json-c, ncurses) and for what goes over sockets. Memory
 * that was never touched is not counted. A child starts without it. All below do it themselves.
 */
void sw_secret_guard(void);

struct sw_secret {
	uint8_t *data;
	size_t len;		/* bytes in use; one more behind them is always 0 */
	size_t room;		/* of the mapping */
};

/* len bytes of zeros. exit 5 when the memory cannot be locked. */
int sw_secret_new(size_t len, struct sw_secret **ret_secret, struct sw_error *err);
/* The same, filled by the kernel's random generator. */
int sw_secret_random(size_t len, struct sw_secret **ret_secret, struct sw_error *err);
int sw_secret_copy(const struct sw_secret *s, struct sw_secret **ret_secret, struct sw_error *err);
/* Whether both hold the same bytes. */
bool sw_secret_same(const struct sw_secret *a, const struct sw_secret *b);
/* Its base64, without line breaks, as a secret. */
int sw_secret_base64(const struct sw_secret *s, struct sw_secret **ret_text, struct sw_error *err);
/* A whole file of 1 to max bytes, byte for byte. exit 5 when it is missing, exit 3 for its size. */
int sw_secret_read(const char *path, size_t max, struct sw_secret **ret_secret,
		   struct sw_error *err);
/* The same from what is open already, a pipe for example; name is for messages. */
int sw_secret_read_fd(int fd, const char *name, size_t max, struct sw_secret **ret_secret,
		      struct sw_error *err);
/* Locks it again after a fork, which does not inherit locks. */
int sw_secret_relock(struct sw_secret *s, struct sw_error *err);
/* Wipes and frees; NULL is fine. */
struct sw_secret *sw_secret_free(struct sw_secret *s);
SW_DEFINE_CLEANUP(struct sw_secret, sw_secret_free)
#define _cleanup_secret_ _cleanup_(sw_secret_freep)
