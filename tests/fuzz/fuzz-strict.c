/* SPDX-License-Identifier: Apache-2.0 */
/* The strict exchange's answer: its parts lie within it, and nothing comes out but by its tag. */
#include <string.h>

#include "admission/strict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the corpus; see tests/unit/test-strict.c. */
static bool is_ours(const struct sw_buf *plain)
{
	return plain->len == 0 || (plain->len == 8 && memcmp(plain->data, "overlay\n", 8) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct sw_buf plain = { .max = 1U << 20 };
	uint8_t bytes[SW_STRICT_SECRET];
	struct sw_secret secret = { .data = bytes, .len = sizeof(bytes), .room = sizeof(bytes) };
	struct sw_offer offer;
	struct sw_error err = {};
	struct sw_strict_reply r;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)i;
		offer.nonce[i] = (uint8_t)(0x40 + i);
	}
	if (sw_strict_parse(data, size, &r, &err) < 0) {
		if (!err.why[0] || !err.hint[0])
			abort();
		return 0;
	}
	/* One behind the other from the first byte to the last. */
	if (r.head != data || r.id != data + 16 || r.seed != r.id + r.id_len ||
	    r.iv != r.seed + r.seed_len || r.cipher != r.iv + 12 ||
	    r.cipher != data + r.head_len || r.tag != r.cipher + r.cipher_len ||
	    r.tag + 16 != data + size)
		abort();
	if (sw_strict_open(&r, &secret, &offer, "ak", 2, &plain, NULL) < 0 ? plain.len != 0
									   : !is_ours(&plain))
		abort();
	return 0;
}
