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
/*
 * Hints at the one of the words, which NULL ends, that may have been meant. A hint that is there
 * stays, so that of what is said afterwards nothing counts.
 */
void sw_hint_nearest(const char *typed, const char *const *words, struct sw_error *err);
/* SW_FIELD_LIST: appends one item. */
int sw_value_add_item(const struct sw_field *f, void *base, const char *key, const char *text,
		      struct sw_error *err);
/* Frees what the field holds. */
void sw_value_clear(const struct sw_field *f, void *base);

/*
 * A group in whose place a list of such groups may stand; the first item has the keys of the
 * group alone. The answers always have at least one item, which may be empty.
 */
struct sw_list_group {
	const char *key;	/* "report.webhooks" */
	enum sw_field_home home;
	size_t max;
	const char *full;	/* what is said of one more */
	const char *empty;	/* what to write in place of an empty list; NULL: it is fine */
	size_t items, count, size;	/* where struct sw_answers has them; bytes of one */
};
#define SW_N_LIST_GROUPS 5
extern const struct sw_list_group sw_list_groups[SW_N_LIST_GROUPS];
/* By its key, or by its home; NULL: none. */
const struct sw_list_group *sw_list_group_find(const char *key);
const struct sw_list_group *sw_list_group_of(enum sw_field_home home);
size_t sw_items_count(const struct sw_list_group *g, const struct sw_answers *a);
const void *sw_items_at(const struct sw_list_group *g, const struct sw_answers *a, size_t i);
void *sw_items_edit(const struct sw_list_group *g, struct sw_answers *a, size_t i);
/* One more, empty; -E2BIG past its max. */
int sw_items_add(const struct sw_list_group *g, struct sw_answers *a);
/* Takes every item behind the first `keep` away. */
void sw_items_cut(const struct sw_list_group *g, struct sw_answers *a, size_t keep);
/* "report.webhooks[2].url" for i 1; the first has no ordinal. */
void sw_items_key(char key[static SW_KEY_MAX], const struct sw_list_group *g, size_t i,
		 const char *word);
/* Frees what the fields of a home hold in this structure. */
void sw_home_clear(enum sw_field_home home, void *base);
/* The field's key within the group of its structure: "match.mac" of network.links.match.mac. */
const char *sw_field_word(const struct sw_field *f);

/*
 * The field and structure of a key such as disk.more[1].match[2].serial. With
 * grow the next alternative or disk in turn is made. -EINVAL (unknown), -ENOMEM.
 */
int sw_key_locate(struct sw_answers *a, const char *key, bool grow,
		  const struct sw_field **ret_field, void **ret_base);

/* Says that the key cannot be left to ask. -EINVAL, exit 3. */
int sw_answers_fail_open(const char *key, struct sw_error *err);

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
