/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts as JSON, both ways from one table of fields: a key exists once, so what
 * is written is what is read. The reader trusts nothing: every type, range,
 * length and count is checked and a refusal names the key by its path.
 */
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "machine/facts.h"
#include "base/text.h"

#define STRING_MAX 16384
#define LIST_MAX 4096

enum kind {
	KIND_STR,		/* char *; NULL is left out */
	KIND_LIST,		/* char **, NULL-terminated; NULL is left out */
	KIND_BOOL,
	KIND_U16,
	KIND_U32,
	KIND_U64,
	KIND_I64,
	KIND_INDEX,		/* int, -1 is left out */
	KIND_GUID,		/* all zero is left out */
	KIND_DIGEST,		/* char[65]; empty is left out */
	KIND_ENUM,		/* int-sized, by name */
	KIND_OBJECT,		/* embedded struct */
	KIND_ARRAY,		/* pointer and count to structs */
	KIND_NUMBERS,		/* pointer and count to uint16_t */
};

struct shape;

struct field {
	const char *key;
	enum kind kind;
	bool required;
	size_t off;		/* of the value in its struct */
	size_t count;		/* of the count, for ARRAY and NUMBERS */
	uint64_t max;		/* largest value or count; 0: the type's own */
	const struct shape *shape;
	const char *const *names;	/* ENUM: NULL-terminated */
};

struct shape {
	size_t size;
	const struct field *fields;
	size_t n_fields;
	const char *(*check)(const void *record);	/* words for what is wrong, or NULL */
};

#define F(type, member, kind_) \
	.key = #member, .kind = (kind_), .off = offsetof(struct type, member)
#define SHAPE(type, list) \
	.size = sizeof(struct type), .fields = (list), .n_fields = ARRAY_SIZE(list)

static const struct field part_fields[] = {
	{ F(sw_part, number, KIND_U32), .required = true, .max = 65535 },
	{ F(sw_part, start, KIND_U64), .required = true, .max = INT64_MAX },
	{ F(sw_part, size, KIND_U64), .required = true, .max = INT64_MAX },
	{ F(sw_part, type, KIND_GUID) },
	{ F(sw_part, uuid, KIND_GUID) },
	{ F(sw_part, attrs, KIND_U64) },
	{ F(sw_part, label, KIND_STR) },
	{ F(sw_part, fs_type, KIND_STR) },
	{ F(sw_part, fs_label, KIND_STR) },
	{ F(sw_part, fs_uuid, KIND_STR) },
};

static const struct shape part_shape = { SHAPE(sw_part, part_fields) };

static const char *const table_types[] = {
	[SW_TABLE_NONE] = "none",
	[SW_TABLE_GPT] = "gpt",
	[SW_TABLE_DOS] = "dos",
	[SW_TABLE_DAMAGED_GPT] = "damaged-gpt",
	NULL
};

static const struct field table_fields[] = {
	{ F(sw_table, type, KIND_ENUM), .required = true, .names = table_types },
	{ F(sw_table, id, KIND_GUID) },
	{ F(sw_table, parts, KIND_ARRAY), .count = offsetof(struct sw_table, n_parts),
	  .max = LIST_MAX, .shape = &part_shape },
	{ F(sw_table, damage, KIND_STR) },
	{ F(sw_table, digest, KIND_DIGEST) },
};

static const struct shape table_shape = { SHAPE(sw_table, table_fields) };

static const struct field disk_fields[] = {
	{ F(sw_disk, name, KIND_STR), .required = true },
	{ F(sw_disk, node, KIND_STR) },
	{ F(sw_disk, serial, KIND_STR) },
	{ F(sw_disk, wwn, KIND_STR) },
	{ F(sw_disk, model, KIND_STR) },
	{ F(sw_disk, vendor, KIND_STR) },
	{ F(sw_disk, transport, KIND_STR) },
	{ F(sw_disk, path, KIND_STR) },
	{ F(sw_disk, size, KIND_U64), .required = true, .max = INT64_MAX },
	{ F(sw_disk, sector, KIND_U32), .required = true, .max = 1 << 20 },
	{ F(sw_disk, diskseq, KIND_U64) },
	{ F(sw_disk, rotational, KIND_BOOL) },
	{ F(sw_disk, removable, KIND_BOOL) },
	{ F(sw_disk, read_only, KIND_BOOL) },
	{ F(sw_disk, medium, KIND_BOOL) },
	{ F(sw_disk, uses, KIND_LIST) },
	{ F(sw_disk, signatures, KIND_LIST) },
	{ F(sw_disk, table, KIND_OBJECT), .shape = &table_shape },
};

static const char *check_disk(const void *record)
{
	const struct sw_disk *d = record;

	if (d->name[0] == '\0' || strchr(d->name, '/'))
		return "the name is not a kernel name";
	if (d->sector < 512 || (d->sector & (d->sector - 1)))
		return "the sector size is not a power of two of at least 512";
	for (size_t i = 0; i < d->table.n_parts; i++) {
		const struct sw_part *p = &d->table.parts[i];

		if (p->number == 0)
			return "a partition has the number 0";
		if (p->start > INT64_MAX - p->size)
			return "a partition ends past every possible disk";
	}
	return NULL;
}

static const struct shape disk_shape = { SHAPE(sw_disk, disk_fields), .check = check_disk };

static const struct field entry_fields[] = {
	{ F(sw_bootvar, number, KIND_U16), .required = true },
	{ F(sw_bootvar, attrs, KIND_U32) },
	{ F(sw_bootvar, label, KIND_STR) },
	{ F(sw_bootvar, path, KIND_STR) },
	{ F(sw_bootvar, owner, KIND_STR) },
};

static const struct shape entry_shape = { SHAPE(sw_bootvar, entry_fields) };

static const struct field boot_fields[] = {
	{ F(sw_bootvars, supported, KIND_BOOL) },
	{ F(sw_bootvars, writable, KIND_BOOL) },
	{ F(sw_bootvars, current, KIND_INDEX) },
	{ F(sw_bootvars, next, KIND_INDEX) },
	{ F(sw_bootvars, order, KIND_NUMBERS), .count = offsetof(struct sw_bootvars, n_order),
	  .max = 65536 },
	{ F(sw_bootvars, entries, KIND_ARRAY), .count = offsetof(struct sw_bootvars, n_entries),
	  .max = 65536, .shape = &entry_shape },
	{ F(sw_bootvars, digest, KIND_DIGEST) },
};

static const struct shape boot_shape = { SHAPE(sw_bootvars, boot_fields) };

static const struct field link_fields[] = {
	{ F(sw_link, name, KIND_STR), .required = true },
	{ F(sw_link, mac, KIND_STR) },
	{ F(sw_link, driver, KIND_STR) },
	{ F(sw_link, carrier, KIND_BOOL) },
	{ F(sw_link, addresses, KIND_LIST) },
};

static const struct shape link_shape = { SHAPE(sw_link, link_fields) };

static const char *const firmware_names[] = {
	[SW_FIRMWARE_UEFI] = "uefi",
	[SW_FIRMWARE_BIOS] = "bios",
	NULL
};

static const struct field facts_fields[] = {
	{ F(sw_facts, machine_name, KIND_STR) },
	{ F(sw_facts, vendor, KIND_STR) },
	{ F(sw_facts, product, KIND_STR) },
	{ F(sw_facts, serial, KIND_STR) },
	{ F(sw_facts, uuid, KIND_STR) },
	{ F(sw_facts, firmware, KIND_ENUM), .required = true, .names = firmware_names },
	{ F(sw_facts, secure_boot, KIND_BOOL) },
	{ F(sw_facts, setup_mode, KIND_BOOL) },
	{ F(sw_facts, tpm_present, KIND_BOOL) },
	{ F(sw_facts, tpm_version, KIND_STR) },
	{ F(sw_facts, tpm_vendor, KIND_STR) },
	{ F(sw_facts, boot_id, KIND_STR) },
	{ F(sw_facts, time, KIND_I64) },
	{ F(sw_facts, memory, KIND_U64) },
	{ F(sw_facts, boot, KIND_OBJECT), .shape = &boot_shape },
	{ F(sw_facts, disks, KIND_ARRAY), .required = true,
	  .count = offsetof(struct sw_facts, n_disks), .max = LIST_MAX, .shape = &disk_shape },
	{ F(sw_facts, links, KIND_ARRAY), .count = offsetof(struct sw_facts, n_links),
	  .max = LIST_MAX, .shape = &link_shape },
	{ F(sw_facts, notes, KIND_LIST) },
};

static const struct shape facts_shape = { SHAPE(sw_facts, facts_fields) };

/* ---- writing ---- */

static json_object *shape_to_json(const struct shape *shape, const void *record);

static json_object *list_to_json(char *const *list)
{
	json_object *a = list ? json_object_new_array() : NULL;

	for (size_t i = 0; a && list[i]; i++)
		json_object_array_add(a, json_object_new_string(list[i]));
	return a;
}

static json_object *array_to_json(const struct field *f, const void *record)
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
static json_object *scalar_to_json(const struct field *f, const void *v)
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
		return json_object_new_string(f->names[*(const unsigned int *)v]);
	case KIND_GUID:
		return sw_guid_is_zero(v) ? NULL : json_object_new_string(sw_guid_format(v, guid));
	default:
		return NULL;
	}
}

static json_object *field_to_json(const struct field *f, const void *record)
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
		return list_to_json(*(char **const *)v);
	case KIND_OBJECT:
		return shape_to_json(f->shape, v);
	case KIND_ARRAY:
	case KIND_NUMBERS:
		return array_to_json(f, record);
	default:
		return scalar_to_json(f, v);
	}
}

static json_object *shape_to_json(const struct shape *shape, const void *record)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; o && i < shape->n_fields; i++) {
		json_object *v = field_to_json(&shape->fields[i], record);

		if (v)
			sw_json_add(o, shape->fields[i].key, v);
	}
	return o;
}

json_object *sw_facts_to_json(const struct sw_facts *f)
{
	json_object *o = json_object_new_object(), *body = shape_to_json(&facts_shape, f);

	if (!o || !body) {
		json_object_put(o);
		json_object_put(body);
		return NULL;
	}
	sw_json_add_u64(o, "version", SW_FACTS_VERSION);
	json_object_object_foreach(body, key, value)
		sw_json_add(o, key, json_object_get(value));
	json_object_put(body);
	return o;
}

/* ---- reading ---- */

struct reader {
	const char *file;
	struct sw_error *err;
	char path[200];		/* of the key being read: "disks[3].table.type" */
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

static size_t push(struct reader *rd, const char *key)
{
	size_t was = strlen(rd->path);

	(void)snprintf(rd->path + was, sizeof(rd->path) - was, "%s%.60s", was ? "." : "", key);
	return was;
}

static size_t push_index(struct reader *rd, size_t i)
{
	size_t was = strlen(rd->path);

	(void)snprintf(rd->path + was, sizeof(rd->path) - was, "[%zu]", i);
	return was;
}

static void pop(struct reader *rd, size_t was)
{
	rd->path[was] = '\0';
}

static int shape_from_json(struct reader *rd, json_object *o, const struct shape *shape,
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
	if (n > LIST_MAX)
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

static int read_text(struct reader *rd, const struct field *f, json_object *v, void *to)
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

static int read_number(struct reader *rd, const struct field *f, json_object *v, void *to)
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

static int read_array(struct reader *rd, const struct field *f, json_object *v, void *record)
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

static int read_field(struct reader *rd, const struct field *f, json_object *v, void *record)
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
static int refuse_unknown(struct reader *rd, json_object *o, const struct shape *shape,
			  const char *also)
{
	json_object_object_foreach(o, key, value) {
		bool known = also && strcmp(key, also) == 0;

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

static int shape_from_json(struct reader *rd, json_object *o, const struct shape *shape,
			   void *record, const char *also)
{
	const char *wrong;
	int r;

	if (!json_object_is_type(o, json_type_object))
		return refuse(rd, "an object is expected");
	r = refuse_unknown(rd, o, shape, also);
	for (size_t i = 0; r == 0 && i < shape->n_fields; i++) {
		const struct field *f = &shape->fields[i];
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
	r = shape_from_json(&rd, o, &facts_shape, f, "version");
	if (r == 0)
		r = order_disks(&rd, f);
	if (r < 0)
		return r;
	*ret_facts = TAKE_PTR(f);
	return 0;
}
