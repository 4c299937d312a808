/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, in one call or fed in pieces, and its hex form. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SW_SHA256_LEN 32
#define SW_SHA256_TEXT 65

struct sw_hash;			/* a running SHA-256 */

struct sw_hash *sw_hash_new(void);	/* NULL when out of memory */
struct sw_hash *sw_hash_free(struct sw_hash *h);
int sw_hash_update(struct sw_hash *h, const void *data, size_t len);
/* Ends the hash and writes 64 lower-case hex digits and a NUL. */
int sw_hash_final(struct sw_hash *h, char ret_hex[static SW_SHA256_TEXT]);
/* The same as 32 bytes. */
int sw_hash_final_raw(struct sw_hash *h, uint8_t ret_md[static SW_SHA256_LEN]);
SW_DEFINE_CLEANUP(struct sw_hash, sw_hash_free)
#define _cleanup_hash_ _cleanup_(sw_hash_freep)

/* In one call, for what is small: tables and records. Cannot fail; sw_sha256() returns 0. */
void sw_sha256_raw(const void *data, size_t len, uint8_t ret_md[static SW_SHA256_LEN]);
int sw_sha256(const void *data, size_t len, char ret_hex[static SW_SHA256_TEXT]);
/*
 * A hash within a structure on disk: the 64 digits alone, so that a hex dump can
 * be checked by hand. False when it cannot be computed, too.
 */
int sw_sha256_seal(const void *data, size_t len, char ret_hex[static SW_SHA256_TEXT - 1]);
_Bool sw_sha256_holds(const void *data, size_t len, const char want[static SW_SHA256_TEXT - 1]);
/* Hashes a whole file. -errno of open or read. */
int sw_sha256_file(const char *path, char ret_hex[static SW_SHA256_TEXT]);

/* CRC-32 (IEEE 802.3, as in GPT). */
uint32_t sw_crc32(const void *data, size_t len);

/* True for exactly 64 hex digits of either case. */
_Bool sw_sha256_is_hex(const char *text);
/* The hash that such a text stands for; false when it is none. */
_Bool sw_sha256_from_hex(const char *text, uint8_t ret_hash[static SW_SHA256_LEN]);
