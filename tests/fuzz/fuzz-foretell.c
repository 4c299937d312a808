/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the firmware trusts and what an image shows: db out of a log, and a certificate table. */
#include <string.h>

#include "tpm/eventlog.h"
#include "tpm/siglist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_entry(const struct sw_signature *s, void *userdata SW_UNUSED)
{
	if (s->len <= SW_SIGNATURE_OWNER)
		abort();
	return 0;
}

/* A length in two bytes, a certificate table of that length, then the log. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size < 2 ? 0 : data[0] | (size_t)data[1] << 8, at = 0;
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	struct sw_pcr7 a = {}, b = {};
	struct sw_wincert c;

	if (size < 2 || len > size - 2)
		return 0;
	while (sw_wincert_next(data + 2, len, &at, &c))
		if (c.data < data + 2 || c.data + c.len > data + 2 + len)
			abort();
	(void)sw_siglist_each(data + 2, len, check_entry, NULL);
	if (sw_eventlog_parse(data + 2 + len, size - 2 - len, "fuzz", &l, NULL) < 0)
		return 0;
	if (sw_eventlog_pcr7(l, data + 2, len, &a) == 0 &&
	    (sw_eventlog_pcr7(l, data + 2, len, &b) < 0 || memcmp(&a, &b, sizeof(a)) != 0))
		abort();
	return 0;
}
