/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GUIDs in the byte order that GPT and UEFI store (first three fields little
 * endian), and UUIDs derived from a seed so that a plan is reproducible.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sw_guid {
	uint8_t b[16];		/* as stored on disk and in variables */
};

#define SW_GUID_TEXT 37		/* 36 characters and the NUL */

/* Lower-case text, as libblkid and /dev/disk/by-partuuid use. */
const char *sw_guid_format(const struct sw_guid *g, char text[static SW_GUID_TEXT]);

/* Either case, with the four dashes or, as systemd prints ids, without any; else -EINVAL. */
int sw_guid_parse(const char *text, struct sw_guid *ret_guid);

bool sw_guid_equal(const struct sw_guid *a, const struct sw_guid *b);
bool sw_guid_is_zero(const struct sw_guid *g);

/*
 * The UUID that repart.d(5) semantics derive from a seed: HMAC-SHA256 keyed
 * with the seed (big-endian UUID bytes) over a token, truncated and marked as a
 * version 4 UUID. -EIO when libcrypto fails.
 */
int sw_guid_derive(const struct sw_guid *seed, const void *token, size_t len,
		   struct sw_guid *ret_guid);

/* Big-endian (RFC 4122) bytes to and from the stored order. */
void sw_guid_to_rfc(const struct sw_guid *g, uint8_t ret_rfc[static 16]);
void sw_guid_from_rfc(const uint8_t rfc[static 16], struct sw_guid *ret_guid);
