/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as hex text, for JSON. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Lower-case, malloc'd; NULL when out of memory. */
char *sw_hex_encode(const uint8_t *data, size_t len);

/* Either case. -EINVAL for odd length or other characters; never NULL data on success. */
int sw_hex_decode(const char *text, uint8_t **ret_data, size_t *ret_len);
