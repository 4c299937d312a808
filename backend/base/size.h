/* SPDX-License-Identifier: Apache-2.0 */
/* Byte sizes as people write them: "512M", "64G", "1.5G"; always powers of 1024. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Parses digits with an optional fraction and one of B, K, M, G, T, P (an "iB"
 * or "B" may follow). -EINVAL for anything else, -ERANGE past 2^63.
 */
int sw_size_parse(const char *text, uint64_t *ret_bytes);

/* At most four significant characters and a unit: "512M", "1.5G", "931G". */
const char *sw_size_format(uint64_t bytes, char *text, size_t size);
