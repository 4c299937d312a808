/* SPDX-License-Identifier: Apache-2.0 */
/* UEFI's little-endian UTF-16 to and from UTF-8, bounded. */
#pragma once

#include "base/buf.h"

/*
 * Converts up to the first NUL or len bytes (an odd last byte is dropped). What
 * is not well-formed, and control characters (this text ends up on terminals),
 * become U+FFFD. malloc'd; NULL when out of memory.
 */
char *sw_utf16_to_utf8(const uint8_t *p, size_t len);

/* Adds text and a terminator; -EILSEQ when text is not valid UTF-8. */
int sw_utf16_add(struct sw_buf *b, const char *text);

/* Bytes up to and with the terminating NUL; 0 when there is none within len. */
size_t sw_utf16_size(const uint8_t *p, size_t len);

/* Adds one code point as UTF-8. */
int sw_utf8_add(struct sw_buf *b, uint32_t code);
