/* SPDX-License-Identifier: Apache-2.0 */
/* Facts to JSON, by the table of fields. What is unknown or absent is left out. */
#include "base/json.h"
#include "machine/facts-shape.h"
#include "machine/facts.h"

/* Keys are those of the table, each of which comes once in an object. */
#define ONCE (JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY)

static json_object *shape_to_json(const struct sw_shape *shape, const void *record);

static json_object *array_to_json(const struct sw_field *f, const void *record)
{
	const char *items = *(char *const *)((const char *)record + f->off);
	size_t n = *(const size_t *)((const char *)record + f->count);
	json_object *a = json_object_new_array();

	for (size_t i = 0; a && i < n; i++)
		json_object_array_add(a, f->kind == KIND_ARRAY
			? shape_to_json(f->shape, items + i * f->shape->size)
			: json_object_new_int(((const uint16_t *)(const void *)items)[i]));
	return a;
}

/* Scalars; NULL leaves the key out. */
static json_object *scalar_to_json(const struct sw_field *f, const void *v)
{
	char guid[SW_GUID_TEXT];

	switch (f->kind) {
	case KIND_BOOL:
		return json_object_new_boolean(*(const bool *)v);
	case KIND_U16:
		return json_object_new_int(*(const uint16_t *)v);
	case KIND_U32:
		return json_object_new_int64(*(const uint32_t *)v);
	case KIND_U64:
		return json_object_new_uint64(*(const uint64_t *)v);
	case KIND_I64:
		return json_object_new_int64(*(const int64_t *)v);
	case KIND_INDEX:
		return *(const int *)v < 0 ? NULL : json_object_new_int(*(const int *)v);
	case KIND_ENUM:
		if (f->zero_unset && *(const unsigned int *)v == 0)
			return NULL;
		return json_object_new_string(f->names[*(const unsigned int *)v]);
	case KIND_GUID:
		return sw_guid_is_zero(v) ? NULL : json_object_new_string(sw_guid_format(v, guid));
	default:
		return NULL;
	}
}

static json_object *field_to_json(const struct sw_field *f, const void *record)
{
	const void *v = (const char *)record + f->off;
	const char *s;

	switch (f->kind) {
	case KIND_STR:
		s = *(char *const *)v;
		return s ? json_object_new_string(s) : NULL;
	case KIND_DIGEST:
		s = v;
		return *s ? json_object_new_string(s) : NULL;
	case KIND_LIST:
		return *(char **const *)v ? sw_json_strv(*(char **const *)v) : NULL;
	case KIND_OBJECT:
		return shape_to_json(f->shape, v);
	case KIND_ARRAY:
	case KIND_NUMBERS:
		return array_to_json(f, record);
	default:
		return scalar_to_json(f, v);
	}
}

static json_object *shape_to_json(const struct sw_shape *shape, const void *record)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; o && i < shape->n_fields; i++) {
		json_object *v = field_to_json(&shape->fields[i], record);

		if (v && json_object_object_add_ex(o, shape->fields[i].key, v, ONCE) < 0)
			json_object_put(v);
	}
	return o;
}

json_object *sw_facts_to_json(const struct sw_facts *f)
{
	json_object *o = json_object_new_object(), *body = shape_to_json(&sw_facts_shape, f);

	if (!o || !body) {
		json_object_put(o);
		json_object_put(body);
		return NULL;
	}
	sw_json_add_u64(o, "version", SW_FACTS_VERSION);
	sw_json_add_all(o, body);
	json_object_put(body);
	return o;
}
