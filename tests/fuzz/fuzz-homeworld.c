/* SPDX-License-Identifier: Apache-2.0 */
/* A keyserver's answer: two texts, or an error that says what to do with the token. */
#include <string.h>

#include "admission/homeworld.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_homeworld_reply_ struct sw_homeworld_reply r = {};
	struct sw_error err = {};

	if (sw_homeworld_reply_read((const char *)data, size, &r, &err) < 0) {
		if (!err.why[0] || !strstr(err.hint, "issued") || r.cert || r.config)
			abort();
	} else if (!r.cert || !r.config || !strstr(r.cert, "BEGIN CERTIFICATE")) {
		abort();
	}
	return 0;
}
