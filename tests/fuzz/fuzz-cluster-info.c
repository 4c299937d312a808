/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster-info ConfigMap: believed only with the token's signature, and then whole. */
#include <string.h>

#include "admission/ca.h"
#include "admission/cluster-info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_cluster_info_ struct sw_cluster_info i = {};
	struct sw_error err = {};
	char hex[65];

	if (sw_cluster_info_read((const char *)data, size, "abcdef.0123456789abcdef", &i,
				 &err) < 0) {
		if (!err.why[0] || !err.hint[0] || i.server || i.ca)
			abort();
	} else if (strncmp(i.server, "https://", 8) != 0 || !i.ca || !i.ca_base64) {
		abort();
	}
	(void)sw_ca_hash((const char *)data, size, hex);
	(void)sw_ca_has_key((const char *)data, size, NULL, hex);
	return 0;
}
