/* SPDX-License-Identifier: Apache-2.0 */
/* A LUKS2 header that anybody may have written: its JSON, and a token as such. */
#include <stdlib.h>
#include <string.h>

#include "disk/luks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(json_object *token)
{
	struct sw_luks_seal s;

	if (sw_luks_seal_parse(token, &s) < 0)
		return;
	if (s.sealed.len == 0 || s.sealed.len > SW_TPM_BLOB_MAX || s.sealed.pcrs >> 24 ||
	    s.sealed.signer.pcrs >> 24)
		abort();
	sw_luks_seal_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_object *all = NULL, *token = NULL;

	if (sw_luks_metadata(data, size, &all) == 0 && !json_object_is_type(all, json_type_object))
		abort();
	if (sw_json_parse((const char *)data, size, "token", &token, NULL) == 0 &&
	    json_object_is_type(token, json_type_object))
		take(token);
	return 0;
}
