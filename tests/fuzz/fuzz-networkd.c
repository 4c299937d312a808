/* SPDX-License-Identifier: Apache-2.0 */
/* networkd's state files and leases: whatever stands there, clean words and of bounded number. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "base/text.h"
#include "net/networkd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	_cleanup_strv_ char **ntp = NULL;
	struct sw_networkd_state s = {};

	if (!text)
		return 0;
	sw_networkd_parse(text, "10-slipway-01-lan0.network", 1, &s);
	if (s.links > 1 || (s.links == 0 && (s.configured || s.carrier || s.failed)))
		abort();
	if (memchr(s.link, '\0', sizeof(s.link)) == NULL)
		abort();
	if (sw_networkd_parse_ntp(text, &ntp) < 0)
		return 0;
	if (sw_strv_len(ntp) > SW_NETWORKD_NTP_MAX)
		abort();
	for (size_t i = 0; ntp && ntp[i]; i++)
		if (!ntp[i][0] || !sw_text_is_clean(ntp[i]))
			abort();
	return 0;
}
