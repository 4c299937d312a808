/* SPDX-License-Identifier: Apache-2.0 */
/* What is judged about the bytes of a YAML file before and beside libyaml. Private to answers/. */
#pragma once

#include <yaml.h>

#include "base/error.h"

/*
 * Refuses what is too large or not UTF-8 text, with the place. ret_skip is the
 * length of a byte order mark to leave out.
 */
int sw_yaml_check_bytes(const char *text, size_t len, const char *file, size_t *ret_skip,
			struct sw_error *err);

/* libyaml's complaint as a sentence with a place and a next step. Returns -EINVAL. */
int sw_yaml_explain(const yaml_parser_t *p, const char *text, size_t len, const char *file,
		    struct sw_error *err);
