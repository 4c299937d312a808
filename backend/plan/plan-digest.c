/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A digest over everything that a plan says, whatever the order and spacing of
 * its JSON: a plan that somebody edited is not the one that was shown. It guards
 * against mistakes, not against somebody who computes a new one.
 */
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "plan/steps.h"

#define DEPTH_MAX 32U

static int add_value(struct sw_buf *b, json_object *o, unsigned int depth);

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_text(struct sw_buf *b, const char *text)
{
	json_object *s = json_object_new_string(text);
	int r = s ? sw_buf_adds(b, json_object_to_json_string_ext(s, JSON_C_TO_STRING_PLAIN))
		  : -ENOMEM;

	json_object_put(s);
	return r;
}

static int add_object(struct sw_buf *b, json_object *o, unsigned int depth)
{
	const char **keys = calloc((size_t)json_object_object_length(o) + 1, sizeof(*keys));
	size_t n = 0;
	int r = keys ? sw_buf_adds(b, "{") : -ENOMEM;

	if (r < 0)
		return r;
	json_object_object_foreach(o, key, value) {
		(void)value;
		if (depth > 0 || strcmp(key, SW_PLAN_DIGEST) != 0)
			keys[n++] = key;
	}
	qsort(keys, n, sizeof(*keys), by_text);
	for (size_t i = 0; i < n && r == 0; i++) {
		r = add_text(b, keys[i]);
		if (r == 0)
			r = sw_buf_adds(b, ":");
		if (r == 0)
			r = add_value(b, json_object_object_get(o, keys[i]), depth + 1);
		if (r == 0)
			r = sw_buf_adds(b, ",");
	}
	free(keys);
	return r < 0 ? r : sw_buf_adds(b, "}");
}

static int add_value(struct sw_buf *b, json_object *o, unsigned int depth)
{
	int r;

	if (depth > DEPTH_MAX)
		return -ELOOP;
	if (json_object_is_type(o, json_type_object))
		return add_object(b, o, depth);
	if (!json_object_is_type(o, json_type_array))
		return sw_buf_adds(b, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	r = sw_buf_adds(b, "[");
	for (size_t i = 0; i < json_object_array_length(o) && r == 0; i++) {
		r = add_value(b, json_object_array_get_idx(o, i), depth + 1);
		if (r == 0)
			r = sw_buf_adds(b, ",");
	}
	return r < 0 ? r : sw_buf_adds(b, "]");
}

int sw_plan_digest(json_object *o, char ret_hex[static 65])
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = json_object_is_type(o, json_type_object) ? add_value(&b, o, 0) : -EINVAL;

	return r < 0 ? r : sw_sha256(sw_buf_text(&b), b.len, ret_hex);
}
