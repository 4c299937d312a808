/* SPDX-License-Identifier: Apache-2.0 */
/* Routes and resolv.conf: whatever stands there, lists of clean words and of bounded length. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "net/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(json_object *list)
{
	if (json_object_array_length(list) > 16)
		abort();
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!sw_text_is_clean(json_object_get_string(json_object_array_get_idx(list, i))))
			abort();
}

static void check_routes(json_object *list)
{
	if (json_object_array_length(list) > 256)
		abort();
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *r = json_object_array_get_idx(list, i);

		if (!sw_text_is_clean(sw_json_str(r, "link", "\n")) ||
		    !*sw_json_str(r, "to", ""))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	_cleanup_json_ json_object *four = json_object_new_array(), *six = json_object_new_array();
	_cleanup_json_ json_object *dns = json_object_new_array();
	_cleanup_json_ json_object *search = json_object_new_array();

	if (!text)
		return 0;
	sw_routes_parse4(text, four);
	sw_routes_parse6(text, six);
	sw_resolv_parse(text, dns, search);
	check_routes(four);
	check_routes(six);
	check_words(dns);
	check_words(search);
	return 0;
}
