/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is typed or pasted as a token: judged without reading past it or showing its secret. */
#include <string.h>

#include "admission/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *exact = malloc(size ? size : 1);
	struct sw_token_info i;
	json_object *o;

	if (!exact)
		return 0;
	memcpy(exact, data, size);
	sw_token_inspect(exact, size, &i);
	if (i.length > size || i.doubt > size + 1 || (i.state == SW_TOKEN_WRONG && !i.why[0]))
		abort();
	if (i.pinned != (strlen(i.ca_sha256) == 64) || (i.check_ok && !i.has_check))
		abort();
	o = sw_token_info_to_json(&i);
	if (!json_object_to_json_string(o))
		abort();
	json_object_put(o);
	return 0;
}
