/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in the structures they live in, the keys that name each of them, and
 * their places in the answer file. Private to answers/.
 */
#pragma once

#include "answers/answers.h"

#define SW_KEY_MAX 96		/* longer than any key, with its ordinals */

/* Where something stands in the answer file; for a missing value, where it would belong. */
struct sw_place {
	unsigned int line, column;	/* 1-based; 0: not from a file */
	const char *file;	/* which; NULL: the one that is being judged */
};

/* As sw_field_get(), sw_field_set() and sw_field_check(); base is what f->home names. */
char *sw_value_get(const struct sw_field *f, const void *base);
int sw_value_set(const struct sw_field *f, void *base, const char *key, const char *text,
		 struct sw_error *err);
int sw_value_check(const struct sw_field *f, const char *key, const char *text,
		   struct sw_error *err);
/* SW_FIELD_LIST: appends one item. */
int sw_value_add_item(const struct sw_field *f, void *base, const char *key, const char *text,
		      struct sw_error *err);
/* Frees what the field holds. */
void sw_value_clear(const struct sw_field *f, void *base);

/*
 * The field and structure of a key such as disk.more[1].match[2].serial. With
 * grow the next alternative or disk in turn is made. -EINVAL (unknown), -ENOMEM.
 */
int sw_key_locate(struct sw_answers *a, const char *key, bool grow,
		  const struct sw_field **ret_field, void **ret_base);

/* True for what every disk of the answers has a value of. */
bool sw_field_of_disk(const struct sw_field *f);

/* Why this value does not go with disk: none; NULL: it does. */
const char *sw_answers_why_disk(const char *key, const struct sw_field *f, const char *text);

/*
 * Remembers a place; its file's name is copied. The last one of a key counts.
 * Nothing when the answers have no places.
 */
int sw_places_put(struct sw_answers *a, const char *key, struct sw_place at);
/* The place of a key, else of the deepest group around it that has one; {} without any. */
struct sw_place sw_places_find(const struct sw_answers *a, const char *key);
/* The places of groups alone: where what is missing in them would belong. */
int sw_places_copy_groups(struct sw_answers *to, const struct sw_answers *from);
/* Whether anything was said about a key or what is below it. */
bool sw_places_has(const struct sw_answers *a, const char *unit);
/* Defaults that remember places; NULL when out of memory. */
struct sw_answers *sw_answers_new_placed(void);
struct sw_places *sw_places_new(void);
struct sw_places *sw_places_free(struct sw_places *p);
