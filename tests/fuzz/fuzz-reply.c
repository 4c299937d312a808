/* SPDX-License-Identifier: Apache-2.0 */
/* What a server sends back: its parts lie within it, and nothing opens without the right HMAC. */
#include <string.h>

#include "admission/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(const uint8_t *p, size_t n, const uint8_t *data, size_t size)
{
	if (p < data || n > size || p + n > data + size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct sw_buf plain = { .max = 1U << 20 };
	uint8_t bytes[64];
	struct sw_secret key = { .data = bytes, .len = sizeof(bytes), .room = sizeof(bytes) };
	struct sw_error err = {};
	struct sw_reply r;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	if (sw_reply_parse(data, size, &r, &err) < 0) {
		if (!err.why[0] || !err.hint[0])
			abort();
		return 0;
	}
	check_within(r.id, r.id_len, data, size);
	check_within(r.seed, r.seed_len, data, size);
	check_within(r.mac, 32, data, size);
	check_within(r.cipher, r.cipher_len, data, size);
	if (r.id_len + r.seed_len + r.cipher_len + 32 + 8 != size)
		abort();
	(void)sw_reply_open(&r, &key, &plain, NULL);
	return 0;
}
