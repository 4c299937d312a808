/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed secret from a disk that anybody may have written: as bytes, as text, and what a TPM
 * opened. All that is read lies within it, and what was taken apart closes to the same start.
 */
#include <stdlib.h>
#include <string.h>

#include "tpm/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sw_credential *c, const uint8_t *data, size_t size)
{
	if (c->start != data || c->start_len > size || c->cipher != data + c->start_len ||
	    c->cipher + c->cipher_len + 16 != data + size || c->tag + 16 != data + size ||
	    c->iv < data || c->iv + 12 > c->cipher || c->sealed.len > SW_TPM_BLOB_MAX ||
	    c->sealed.pcrs >> 24)
		abort();
}

static void open_it(const uint8_t *data, size_t size)
{
	_cleanup_secret_ struct sw_secret *key = NULL, *plain = NULL;
	struct sw_credential c;

	if (sw_credential_parse(data, size, &c, NULL) < 0)
		return;
	check(&c, data, size);
	if (sw_secret_new(32, &key, NULL) == 0)
		(void)sw_credential_open(&c, key, "name", 1, &plain, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	_cleanup_buf_ struct sw_buf bytes = {};
	size_t at = 0;

	open_it(data, size);
	if (text && sw_credential_from_text(text, &bytes, NULL) == 0)
		open_it(bytes.data, bytes.len);
	if (sw_credential_content(data, size, "name", 1, &at, NULL) == 0 && at > size)
		abort();
	return 0;
}
