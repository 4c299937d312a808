/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON to facts. The file may come from anywhere: every type, range, length and
 * count is checked and a refusal names the key by its path.
 */
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "machine/facts-shape.h"
#include "machine/facts.h"
#include "base/text.h"

#define STRING_MAX 16384

struct reader {
	const char *file;
	struct sw_error *err;
	char path[200];		/* of the key being read: "disks[3].table.type" */
	size_t len;		/* of the path */
};

static int refuse(struct reader *rd, const char *why)
{
	int r = sw_fail(rd->err, SW_EXIT_INVALID, -EINVAL, "these facts cannot be used: %s",
			rd->path[0] ? rd->path : "the document");

	sw_error_where(rd->err, "%s", rd->file);
	sw_error_why(rd->err, "%s", why);
	sw_error_hint(rd->err, "write the file again with `slipway facts --json`");
	return r;
}

/* Once for each value of each machine of a rack, so without a format; what has no room is cut. */
static void append(struct reader *rd, const char *text, size_t n)
{
	size_t room = sizeof(rd->path) - 1 - rd->len;

	if (n > room)
		n = room;
	memcpy(rd->path + rd->len, text, n);
	rd->len += n;
	rd->path[rd->len] = '\0';
}

static size_t push(struct reader *rd, const char *key)
{
	size_t was = rd->len;

	if (was)
		append(rd, ".", 1);
	append(rd, key, strnlen(key, 60));
	return was;
}

static size_t push_index(struct reader *rd, size_t i)
{
	char text[24];
	size_t was = rd->len;

	(void)snprintf(text, sizeof(text), "[%zu]", i);
	append(rd, text, strlen(text));
	return was;
}

static void pop(struct reader *rd, size_t was)
{
	rd->len = was;
	rd->path[was] = '\0';
}

static int shape_from_json(struct reader *rd, json_object *o, const struct sw_shape *shape,
			   void *record, const char *also);

static int read_str(struct reader *rd, json_object *v, char **ret)
{
	const char *s;
	size_t n;

	if (!json_object_is_type(v, json_type_string))
		return refuse(rd, "a string is expected");
	s = json_object_get_string(v);
	n = (size_t)json_object_get_string_len(v);
	if (n > STRING_MAX)
		return refuse(rd, "the string is too long");
	if (strlen(s) != n || !sw_text_is_clean(s))
		return refuse(rd, "the string has control characters or is not UTF-8");
	*ret = strdup(s);
	return *ret ? 0 : sw_fail_oom(rd->err);
}

static int read_u64(struct reader *rd, json_object *v, uint64_t max, uint64_t *ret)
{
	uint64_t n;

	if (!json_object_is_type(v, json_type_int))
		return refuse(rd, "a whole number is expected");
	if (json_object_get_int64(v) < 0)
		return refuse(rd, "the number is negative");
	n = json_object_get_uint64(v);
	if (n > max)
		return refuse(rd, "the number is too large");
	*ret = n;
	return 0;
}

static int read_list(struct reader *rd, json_object *v, char ***ret)
{
	size_t n;
	char **list;

	if (!json_object_is_type(v, json_type_array))
		return refuse(rd, "a list of strings is expected");
	n = json_object_array_length(v);
	if (n > SW_SHAPE_LIST_MAX)
		return refuse(rd, "the list is too long");
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return sw_fail_oom(rd->err);
	*ret = list;
	for (size_t i = 0; i < n; i++) {
		size_t was = push_index(rd, i);
		int r = read_str(rd, json_object_array_get_idx(v, i), &list[i]);

		if (r < 0)
			return r;
		pop(rd, was);
	}
	return 0;
}

static int read_text(struct reader *rd, const struct sw_field *f, json_object *v, void *to)
{
	const char *s = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;

	if (!s)
		return refuse(rd, "a string is expected");
	if (f->kind == KIND_GUID)
		return sw_guid_parse(s, to) < 0 ? refuse(rd, "this is not a UUID") : 0;
	if (f->kind == KIND_DIGEST) {
		if (!sw_sha256_is_hex(s) || s[strspn(s, "0123456789abcdef")])
			return refuse(rd, "64 lower-case hex digits are expected");
		memcpy(to, s, SW_SHA256_TEXT);
		return 0;
	}
	for (unsigned int i = 0; f->names[i]; i++)
		if (strcmp(f->names[i], s) == 0) {
			memcpy(to, &i, sizeof(i));
			return 0;
		}
	return refuse(rd, "the word is not known here");
}

static int read_number(struct reader *rd, const struct sw_field *f, json_object *v, void *to)
{
	uint64_t most = f->kind == KIND_U32 ? UINT32_MAX
		      : f->kind == KIND_U64 ? UINT64_MAX
		      : f->kind == KIND_I64 ? INT64_MAX : UINT16_MAX;
	uint64_t n = 0;
	int r;

	if (f->kind == KIND_I64 && json_object_is_type(v, json_type_int)) {
		*(int64_t *)to = json_object_get_int64(v);
		return 0;
	}
	r = read_u64(rd, v, f->max ? f->max : most, &n);
	if (r < 0)
		return r;
	if (f->kind == KIND_U16)
		*(uint16_t *)to = (uint16_t)n;
	else if (f->kind == KIND_U32)
		*(uint32_t *)to = (uint32_t)n;
	else if (f->kind == KIND_INDEX)
		*(int *)to = (int)n;
	else
		*(uint64_t *)to = n;
	return 0;
}

static int read_array(struct reader *rd, const struct sw_field *f, json_object *v, void *record)
{
	size_t size = f->kind == KIND_ARRAY ? f->shape->size : sizeof(uint16_t);
	size_t n, *count = (size_t *)(void *)((char *)record + f->count);
	char *items;

	if (!json_object_is_type(v, json_type_array))
		return refuse(rd, "a list is expected");
	n = json_object_array_length(v);
	if (n > f->max)
		return refuse(rd, "the list is too long");
	if (n == 0)
		return 0;
	items = calloc(n, size);
	if (!items)
		return sw_fail_oom(rd->err);
	*(char **)(void *)((char *)record + f->off) = items;
	*count = n;
	for (size_t i = 0; i < n; i++) {
		json_object *item = json_object_array_get_idx(v, i);
		size_t was = push_index(rd, i);
		uint64_t num = 0;
		int r;

		if (f->kind == KIND_ARRAY)
			r = shape_from_json(rd, item, f->shape, items + i * size, NULL);
		else
			r = read_u64(rd, item, UINT16_MAX, &num);
		if (r < 0)
			return r;
		if (f->kind == KIND_NUMBERS)
			((uint16_t *)(void *)items)[i] = (uint16_t)num;
		pop(rd, was);
	}
	return 0;
}

static int read_field(struct reader *rd, const struct sw_field *f, json_object *v, void *record)
{
	void *to = (char *)record + f->off;

	switch (f->kind) {
	case KIND_STR:
		return read_str(rd, v, to);
	case KIND_LIST:
		return read_list(rd, v, to);
	case KIND_BOOL:
		if (!json_object_is_type(v, json_type_boolean))
			return refuse(rd, "true or false is expected");
		*(bool *)to = json_object_get_boolean(v);
		return 0;
	case KIND_GUID:
	case KIND_DIGEST:
	case KIND_ENUM:
		return read_text(rd, f, v, to);
	case KIND_OBJECT:
		return shape_from_json(rd, v, f->shape, to, NULL);
	case KIND_ARRAY:
	case KIND_NUMBERS:
		return read_array(rd, f, v, record);
	default:
		return read_number(rd, f, v, to);
	}
}

/* A misspelt key would otherwise be a fact that silently is not there. */
static int refuse_unknown(struct reader *rd, json_object *o, const struct sw_shape *shape,
			  const char *also)
{
	json_object_object_foreach(o, key, value) {
		bool known = also && (strcmp(key, also) == 0 ||
				      strcmp(key, SW_FACTS_VARIABLES) == 0 ||
				      strcmp(key, SW_FACTS_NODES) == 0);

		(void)value;
		for (size_t i = 0; !known && i < shape->n_fields; i++)
			known = strcmp(key, shape->fields[i].key) == 0;
		if (!known) {
			push(rd, strlen(key) <= 60 && sw_text_is_clean(key) ? key : "?");
			return refuse(rd, "there is no such key");
		}
	}
	return 0;
}

static int shape_from_json(struct reader *rd, json_object *o, const struct sw_shape *shape,
			   void *record, const char *also)
{
	const char *wrong;
	int r;

	if (!json_object_is_type(o, json_type_object))
		return refuse(rd, "an object is expected");
	r = refuse_unknown(rd, o, shape, also);
	for (size_t i = 0; r == 0 && i < shape->n_fields; i++) {
		const struct sw_field *f = &shape->fields[i];
		json_object *v = sw_json_get(o, f->key);
		size_t was = push(rd, f->key);

		if (f->kind == KIND_INDEX)
			*(int *)(void *)((char *)record + f->off) = -1;
		if (!v && f->required)
			return refuse(rd, "the key is missing");
		if (v)
			r = read_field(rd, f, v, record);
		if (r < 0)
			return r;
		pop(rd, was);
	}
	if (r < 0)
		return r;
	wrong = shape->check ? shape->check(record) : NULL;
	return wrong ? refuse(rd, wrong) : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct sw_disk *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

/* Everything downstream looks disks up by name in a sorted array. */
static int order_disks(struct reader *rd, struct sw_facts *f)
{
	if (f->n_disks > 1)
		qsort(f->disks, f->n_disks, sizeof(*f->disks), by_name);
	for (size_t i = 1; i < f->n_disks; i++)
		if (strcmp(f->disks[i - 1].name, f->disks[i].name) == 0) {
			push(rd, "disks");
			return refuse(rd, "two disks have the same name");
		}
	return 0;
}

int sw_facts_from_json(json_object *o, const char *file, struct sw_facts **ret_facts,
		       struct sw_error *err)
{
	struct reader rd = { .file = file, .err = err };
	_cleanup_facts_ struct sw_facts *f = NULL;
	uint64_t version = 0;
	size_t was;
	int r;

	if (!json_object_is_type(o, json_type_object))
		return refuse(&rd, "an object is expected");
	was = push(&rd, "version");
	if (!sw_json_get(o, "version"))
		return refuse(&rd, "the key is missing");
	r = read_u64(&rd, sw_json_get(o, "version"), UINT64_MAX, &version);
	if (r < 0)
		return r;
	if (version != SW_FACTS_VERSION)
		return refuse(&rd, "this slipway reads version 1 only");
	pop(&rd, was);
	f = sw_facts_new();
	if (!f)
		return sw_fail_oom(err);
	r = shape_from_json(&rd, o, &sw_facts_shape, f, "version");
	if (r == 0)
		r = order_disks(&rd, f);
	if (r < 0)
		return r;
	*ret_facts = TAKE_PTR(f);
	return 0;
}
