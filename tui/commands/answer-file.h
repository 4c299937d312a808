/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answer files as commands take them: by their path, or `-` for standard input, which is read once
 * and named "stdin" in every message. All that is wrong with one is told at once.
 */
#pragma once

#include <stdbool.h>

#include "answers/answers.h"
#include "answers/rest.h"

#define SW_ERRORS_SHOWN 32u

/* What is wrong with one file, in its order. */
struct sw_file_errors {
	struct sw_error v[SW_ERRORS_SHOWN];
	size_t n;
};

/* What the file is called in messages. */
const char *sw_answer_file_name(const char *file);
/* What was read from standard input so far, or NULL; it stays. */
const char *sw_answer_file_stdin(void);
/* The first error alone. rest: takes what bad answers still say, or NULL. */
int sw_answer_file_read(const char *file, struct sw_answers **ret_answers, struct sw_rest *rest,
			struct sw_error *err);
/* Every error of what is written there; whole: of what is missing, too. */
int sw_answer_file_check(const char *file, bool whole, struct sw_answers **ret_answers,
			 struct sw_file_errors *ret_errors);
/* On standard error, each with its line. */
void sw_answer_file_tell(const char *file, const struct sw_file_errors *errors);
/* Adds `file`, `valid` and `errors` to the object. */
void sw_answer_file_add_json(json_object *o, const char *file,
			     const struct sw_file_errors *errors);
