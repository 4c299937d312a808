/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small, strict reading of YAML into a tree where every node knows its line
 * and column. Scalars stay text: the reader of a key decides what it means, so
 * a serial number 0123 or a host called "no" cannot turn into something else.
 *
 * Refused, with the place: anchors, aliases and merge keys (a file that a
 * person must be able to check holds no references), tags, duplicate keys,
 * keys that are not plain text, more than one document, anything but UTF-8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define SW_YAML_MAX_BYTES ((size_t)1 << 20)
#define SW_YAML_MAX_NODES 10000
#define SW_YAML_MAX_DEPTH 16

enum sw_yaml_kind { SW_YAML_SCALAR, SW_YAML_MAP, SW_YAML_LIST };

struct sw_yaml_item;

struct sw_yaml {
	enum sw_yaml_kind kind;
	unsigned int line, column;	/* 1-based; columns count characters */
	char *text;			/* SW_YAML_SCALAR; never holds a NUL inside */
	bool plain;			/* written without quotes */
	struct sw_yaml_item *items;	/* SW_YAML_MAP and SW_YAML_LIST */
	size_t n;
};

struct sw_yaml_item {
	struct sw_yaml *key;		/* a scalar; NULL in a list */
	struct sw_yaml *value;
};

struct sw_yaml *sw_yaml_free(struct sw_yaml *y);
SW_DEFINE_CLEANUP(struct sw_yaml, sw_yaml_free)
#define _cleanup_yaml_ _cleanup_(sw_yaml_freep)

/*
 * Reads one document. -EINVAL with exit 3 and file:line:column. An empty
 * document is an error.
 */
int sw_yaml_parse(const char *text, size_t len, const char *file, struct sw_yaml **ret_yaml,
		  struct sw_error *err);

/* The item of a key in a map; NULL when y is no map or has no such key. Borrowed. */
const struct sw_yaml_item *sw_yaml_find(const struct sw_yaml *y, const char *key);

/* True for nothing, ~ and null without quotes: a key whose value was left out. */
bool sw_yaml_is_null(const struct sw_yaml *y);
