/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What says where answers are: any bytes as a kernel command line, as the name of a source, as
 * lines of KEY=VALUE and as an SMBIOS structure. No crash; what is refused has a reason, and
 * what is taken can be merged and written.
 */
#include <stdlib.h>
#include <string.h>

#include "answers/source-private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int see(const char *text, void *arg)
{
	*(size_t *)arg += strlen(text) + 1;
	return 0;
}

static void try_set(const char *text)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_merge_ struct sw_merge *m = sw_merge_new();
	_cleanup_free_ char *yaml = NULL, *shown = NULL;
	struct sw_error err = {};

	if (!m)
		abort();
	if (sw_answers_from_set(text, "f", &a, &err) < 0) {
		if (!err.what[0] || !err.where[0])
			abort();
		return;
	}
	if (sw_merge_add(m, a, "one", &err) < 0 || sw_merge_add(m, a, "two", &err) < 0)
		abort();
	yaml = sw_answers_to_yaml(m->answers);
	shown = sw_merge_text(m);
	json_object_put(sw_merge_to_json(m));
	/* The same said twice is what was said once. */
	if (!yaml || !shown || (!a->sources && !sw_answers_same(a, m->answers)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_sources_ struct sw_sources s = {};
	_cleanup_answers_source_ struct sw_answers_source one = {};
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct sw_error err = {}, other = {};
	size_t seen = 0;

	if (!text)
		abort();
	if (sw_smbios_strings(data, size, see, &seen) < 0 || seen > size + 1)
		abort();
	if (sw_sources_from_cmdline(text, &s, &err) < 0 && !err.what[0])
		abort();
	if (sw_answers_source_parse(text, SW_SOURCE_CMDLINE, "f", &one, &other) < 0 &&
	    !other.what[0])
		abort();
	try_set(text);
	return 0;
}
