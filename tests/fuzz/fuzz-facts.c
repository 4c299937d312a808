/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a facts file: what is accepted must survive being written and read again. */
#include <string.h>

#include "base/json.h"
#include "machine/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_object *in = NULL, *one = NULL, *two = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL, *g = NULL;
	struct sw_error err = {};

	if (size > 1 << 20 || sw_json_parse((const char *)data, size, "fuzz", &in, &err) < 0)
		return 0;
	if (sw_facts_from_json(in, "fuzz", &f, &err) < 0) {
		if (!err.what[0] || !err.why[0])
			abort();
		return 0;
	}
	one = sw_facts_to_json(f);
	if (!one || sw_facts_from_json(one, "again", &g, NULL) < 0)
		abort();
	two = sw_facts_to_json(g);
	if (!two || strcmp(json_object_to_json_string(one), json_object_to_json_string(two)) != 0)
		abort();
	return 0;
}
