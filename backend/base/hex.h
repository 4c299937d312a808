/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as hex text: one writer and one reader of it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Lower-case hex; text has at least 2 * len + 1 bytes. Returns text. */
char *sw_hex(const uint8_t *data, size_t len, char *text);
/* The same, malloc'd; NULL when out of memory. */
char *sw_hex_encode(const uint8_t *data, size_t len);

/* The value of a hex digit of either case, -1 for any other character. */
int sw_hex_digit(char c);
/* Two digits; -1 when the first or the second is none. Nothing behind a NUL is read. */
int sw_hex_byte(const char *text);
/* Either case. -EINVAL for odd length or other characters; never NULL data on success. */
int sw_hex_decode(const char *text, uint8_t **ret_data, size_t *ret_len);
