/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log of any bytes: what was taken out of it once leaves nothing to take out, and a report in it
 * is read or refused.
 */
#include <string.h>

#include "bundle/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void redact_twice(const char *text)
{
	const struct sw_redact none = {};
	struct sw_redacted first = {}, second = {};
	_cleanup_buf_ struct sw_buf once = {}, twice = {};

	if (sw_redact_text(&none, text, &once, &first) < 0)
		return;
	if (sw_redact_text(&none, sw_buf_text(&once), &twice, &second) < 0)
		return;
	if (strcmp(sw_buf_text(&once), sw_buf_text(&twice)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sw_redact none = {};
	_cleanup_free_ char *text = malloc(size + 1);
	_cleanup_buf_ struct sw_buf report = {};
	struct sw_error err = {};

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	redact_twice(text);
	(void)sw_redact_finds(&none, data, size);
	if (sw_bundle_read((const char *)data, size, &report, &err) < 0 && !err.what[0])
		abort();
	return 0;
}
