/* SPDX-License-Identifier: Apache-2.0 */
/* What hdparm and nvme print about a disk. */
#include <string.h>

#include "apply/secure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct sw_ata_security ata;
	enum sw_sanitize_state state;
	enum sw_secure_kind kind;
	unsigned int done;

	if (text)
		(void)sw_secure_parse_ata(text, &ata);
	(void)sw_secure_parse_nvme(data, size, &kind);
	if (sw_secure_parse_sanitize(data, size, &state, &done) == 0 && done > 65535)
		abort();
	return 0;
}
