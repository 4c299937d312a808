/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a ceiling. Everything that comes from outside is
 * read into one of these, so no input can make us allocate without bound.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct sw_buf {
	uint8_t *data;		/* always NUL-terminated when not NULL */
	size_t len;
	size_t cap;
	size_t max;		/* 0: SW_BUF_MAX */
};

#define SW_BUF_MAX ((size_t)64 << 20)

/* All return 0, -ENOMEM, or -E2BIG when the ceiling would be passed. */
int sw_buf_reserve(struct sw_buf *b, size_t more);
int sw_buf_add(struct sw_buf *b, const void *data, size_t len);
int sw_buf_adds(struct sw_buf *b, const char *s);
int sw_buf_addf(struct sw_buf *b, const char *fmt, ...) SW_PRINTF(2, 3);

/* Frees the content and makes the buffer empty again. */
void sw_buf_clear(struct sw_buf *b);

/* The text, never NULL; valid until the buffer changes. */
const char *sw_buf_text(const struct sw_buf *b);

/* Takes the content out as a malloc'd, NUL-terminated string (NULL when out of memory). */
char *sw_buf_steal(struct sw_buf *b);

#define _cleanup_buf_ _cleanup_(sw_buf_clear)
