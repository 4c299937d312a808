/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The INI dialect of systemd's configuration files: [Section], Key=Value,
 * comments from # or ; at the start of a line, a backslash at the end joins the
 * next line. Every item carries its place. Private to backend/layout.
 */
#pragma once

#include "base/error.h"

struct sw_ini_item {
	const char *section;	/* NULL before the first one */
	const char *key, *value;	/* NULL key: the section itself starts here */
	unsigned int line, key_column, value_column;	/* 1-based, columns in bytes */
};

typedef int (*sw_ini_fn)(const struct sw_ini_item *item, void *userdata, struct sw_error *err);

/*
 * Calls fn for every section start and assignment, in order; stops at the first
 * negative return. file is for the error's place.
 */
int sw_ini_parse(const char *text, size_t len, const char *file, sw_ini_fn fn, void *userdata,
		 struct sw_error *err);
