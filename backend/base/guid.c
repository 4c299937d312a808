/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <nettle/hmac.h>

#include "base/hex.h"

/* Where the RFC 4122 byte i is stored: the first three fields are swapped. */
static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

void sw_guid_to_rfc(const struct sw_guid *g, uint8_t ret_rfc[static 16])
{
	for (size_t i = 0; i < 16; i++)
		ret_rfc[i] = g->b[order[i]];
}

void sw_guid_from_rfc(const uint8_t rfc[static 16], struct sw_guid *ret_guid)
{
	for (size_t i = 0; i < 16; i++)
		ret_guid->b[order[i]] = rfc[i];
}

const char *sw_guid_format(const struct sw_guid *g, char text[static SW_GUID_TEXT])
{
	uint8_t r[16];

	sw_guid_to_rfc(g, r);
	(void)snprintf(text, SW_GUID_TEXT,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
		       r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12],
		       r[13], r[14], r[15]);
	return text;
}

int sw_guid_parse(const char *text, struct sw_guid *ret_guid)
{
	size_t len = strlen(text), n = 0;
	uint8_t r[16];

	if (len != 36 && len != 32)
		return -EINVAL;
	for (size_t i = 0; i < len;) {
		if (len == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) {
			if (text[i++] != '-')
				return -EINVAL;
			continue;
		}
		int byte = sw_hex_byte(text + i);

		if (byte < 0)
			return -EINVAL;
		r[n++] = (uint8_t)byte;
		i += 2;
	}
	sw_guid_from_rfc(r, ret_guid);
	return 0;
}

bool sw_guid_equal(const struct sw_guid *a, const struct sw_guid *b)
{
	return memcmp(a->b, b->b, 16) == 0;
}

bool sw_guid_is_zero(const struct sw_guid *g)
{
	static const struct sw_guid zero;

	return sw_guid_equal(g, &zero);
}

int sw_guid_derive(const struct sw_guid *seed, const void *token, size_t len,
		   struct sw_guid *ret_guid)
{
	uint8_t key[16], mac[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx ctx;

	sw_guid_to_rfc(seed, key);
	hmac_sha256_set_key(&ctx, sizeof(key), key);
	hmac_sha256_update(&ctx, len, token);
	hmac_sha256_digest(&ctx, sizeof(mac), mac);
	mac[6] = (uint8_t)((mac[6] & 0x0f) | 0x40);
	mac[8] = (uint8_t)((mac[8] & 0x3f) | 0x80);
	sw_guid_from_rfc(mac, ret_guid);
	return 0;
}
