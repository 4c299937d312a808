/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of the facts, once: the writer and the reader of their JSON walk
 * the same table, so what is written is what is read. Private to machine/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SW_SHAPE_LIST_MAX 4096
#define SW_SHAPE_DISKS_MAX 65536	/* one machine may see a whole fabric */

enum sw_kind {
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

struct sw_shape;

struct sw_field {
	const char *key;
	enum sw_kind kind;
	bool required;
	bool zero_unset;	/* ENUM: the first value is left out */
	size_t off;		/* of the value in its struct */
	size_t count;		/* of the count, for ARRAY and NUMBERS */
	uint64_t max;		/* largest value or count; 0: the type's own */
	const struct sw_shape *shape;
	const char *const *names;	/* ENUM: NULL-terminated */
};

struct sw_shape {
	size_t size;
	const struct sw_field *fields;
	size_t n_fields;
	const char *(*check)(const void *record);	/* words for what is wrong, or NULL */
};

extern const struct sw_shape sw_facts_shape;
