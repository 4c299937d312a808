/* SPDX-License-Identifier: Apache-2.0 */
/* Short forms over json-c: typed look-ups with defaults, and additions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Each yields the default when the key is missing or of another type. Strings are borrowed. */
const char *sw_json_str(json_object *o, const char *key, const char *dflt);
int64_t sw_json_int(json_object *o, const char *key, int64_t dflt);
uint64_t sw_json_u64(json_object *o, const char *key, uint64_t dflt);
bool sw_json_bool(json_object *o, const char *key, bool dflt);
json_object *sw_json_get(json_object *o, const char *key);	/* borrowed; NULL when missing */
/* A new array of these; empty for NULL. */
json_object *sw_json_strv(char *const *list);
json_object *sw_json_array(json_object *o, const char *key);	/* NULL unless an array */

/* A malloc'd copy of the string, NULL when missing. */
char *sw_json_dup(json_object *o, const char *key);

/* Nothing is added for a NULL string. */
void sw_json_add_str(json_object *o, const char *key, const char *value);
void sw_json_add_u64(json_object *o, const char *key, uint64_t value);
void sw_json_add_bool(json_object *o, const char *key, bool value);
void sw_json_add(json_object *o, const char *key, json_object *value);	/* takes the reference */
void sw_json_add_all(json_object *o, json_object *from);	/* every key of from */
/* Whether this string is in an array. */
bool sw_json_array_has(json_object *array, const char *text);

/* Parses one document with a depth limit of 32. file is for the error's place. */
int sw_json_parse(const char *text, size_t len, const char *file, json_object **ret_json,
		  struct sw_error *err);

/* Reads and parses a file of at most 16 MiB. */
int sw_json_load(const char *path, json_object **ret_json, struct sw_error *err);
