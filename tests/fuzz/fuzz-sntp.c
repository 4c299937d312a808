/* SPDX-License-Identifier: Apache-2.0 */
/* An NTP server's answer: a time within 68 years of the pivot, or a reason. */
#include <stdlib.h>
#include <string.h>

#include "net/sntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIVOT_S 1800000000LL
#define HALF_ERA_MS ((1LL << 31) * 1000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nonce[8] = "nonce 42";
	const char *why = NULL;
	int64_t ms = 0;
	int r = sw_sntp_parse(data, size, nonce, PIVOT_S, &ms, &why);

	if (r < 0 && !why)
		abort();
	if (r == 0 && (ms < PIVOT_S * 1000 - HALF_ERA_MS || ms > PIVOT_S * 1000 + HALF_ERA_MS))
		abort();
	return 0;
}
