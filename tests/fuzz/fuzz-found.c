/* SPDX-License-Identifier: Apache-2.0 */
/* A DNS answer and a DHCP lease from anybody: no crash, what is found is a clean URL or name. */
#include <string.h>

#include "answers/source-private.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *found)
{
	if (found && (!sw_text_is_clean(found) || !strstr(found, "://")))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *dns = NULL, *dhcp = NULL, *name = NULL;
	_cleanup_free_ char *lease = strndup((const char *)data, size);

	if (!lease)
		return 0;
	if (sw_dns_txt(data, size, &dns) == 0)
		check(dns);
	if (sw_dns_ptr(data, size, &name) == 0 && !sw_text_is_clean(name))
		abort();
	if (sw_lease_option(lease, SW_DHCP_OPTION, &dhcp) == 0)
		check(dhcp);
	return 0;
}
