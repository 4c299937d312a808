/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <string.h>

#include "base/file.h"

#define MAX_DEPTH 32

json_object *sw_json_get(json_object *o, const char *key)
{
	json_object *v;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v))
		return NULL;
	return v;
}

static json_object *typed(json_object *o, const char *key, json_type type)
{
	json_object *v = sw_json_get(o, key);

	return v && json_object_is_type(v, type) ? v : NULL;
}

const char *sw_json_str(json_object *o, const char *key, const char *dflt)
{
	json_object *v = typed(o, key, json_type_string);

	return v ? json_object_get_string(v) : dflt;
}

char *sw_json_dup(json_object *o, const char *key)
{
	const char *s = sw_json_str(o, key, NULL);

	return s ? strdup(s) : NULL;
}

int64_t sw_json_int(json_object *o, const char *key, int64_t dflt)
{
	json_object *v = typed(o, key, json_type_int);

	return v ? json_object_get_int64(v) : dflt;
}

uint64_t sw_json_u64(json_object *o, const char *key, uint64_t dflt)
{
	json_object *v = typed(o, key, json_type_int);

	return v ? json_object_get_uint64(v) : dflt;
}

bool sw_json_bool(json_object *o, const char *key, bool dflt)
{
	json_object *v = typed(o, key, json_type_boolean);

	return v ? json_object_get_boolean(v) : dflt;
}

json_object *sw_json_strv(char *const *list)
{
	json_object *o = json_object_new_array();

	for (; list && *list; list++)
		json_object_array_add(o, json_object_new_string(*list));
	return o;
}

json_object *sw_json_array(json_object *o, const char *key)
{
	return typed(o, key, json_type_array);
}

void sw_json_add(json_object *o, const char *key, json_object *value)
{
	json_object_object_add(o, key, value);
}

void sw_json_add_all(json_object *o, json_object *from)
{
	json_object_object_foreach(from, key, value)
		sw_json_add(o, key, json_object_get(value));
}

bool sw_json_array_has(json_object *array, const char *text)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const char *one = json_object_get_string(json_object_array_get_idx(array, i));

		if (one && strcmp(one, text) == 0)
			return true;
	}
	return false;
}

void sw_json_add_str(json_object *o, const char *key, const char *value)
{
	if (value)
		json_object_object_add(o, key, json_object_new_string(value));
}

void sw_json_add_u64(json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

void sw_json_add_bool(json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

static int fail_at(struct sw_error *err, const char *file, const char *text, size_t at,
		   const char *why)
{
	size_t line = 1, col = 1;

	for (size_t i = 0; i < at; i++) {
		col = text[i] == '\n' ? 1 : col + 1;
		line += text[i] == '\n';
	}
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "not valid JSON");
	sw_error_where(err, "%s:%zu:%zu", file, line, col);
	sw_error_why(err, "%s", why);
	return -EINVAL;
}

int sw_json_parse(const char *text, size_t len, const char *file, json_object **ret_json,
		  struct sw_error *err)
{
	json_tokener *t = json_tokener_new_ex(MAX_DEPTH);
	json_object *o;
	enum json_tokener_error e;
	size_t end;

	if (!t)
		return sw_fail_oom(err);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	if (len > INT32_MAX - 1)
		len = INT32_MAX - 1;
	o = json_tokener_parse_ex(t, text, (int)len);
	e = json_tokener_get_error(t);
	end = json_tokener_get_parse_end(t);
	json_tokener_free(t);
	if (e == json_tokener_continue)
		return fail_at(err, file, text, len, "the text ends too early");
	if (e != json_tokener_success)
		return fail_at(err, file, text, end, json_tokener_error_desc(e));
	while (end < len && strchr(" \t\r\n", text[end]))
		end++;
	if (end < len) {
		json_object_put(o);
		return fail_at(err, file, text, end, "something follows the end of the document");
	}
	*ret_json = o;
	return 0;
}

int sw_json_load(const char *path, json_object **ret_json, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = 16 << 20 };
	int r = sw_file_read(path, &b);

	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_INVALID, r, "cannot read the file");
		sw_error_where(err, "%s", path);
		return r;
	}
	return sw_json_parse(sw_buf_text(&b), b.len, path, ret_json, err);
}
