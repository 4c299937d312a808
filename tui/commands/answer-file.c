/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/commands/answer-file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/yaml.h"
#include "tui/commands/command.h"

#define STDIN_NAME "stdin"

/* A second `-` means the same text. */
static struct {
	struct sw_buf text;
	bool done;
} from_stdin;

static bool is_stdin(const char *file)
{
	return strcmp(file, "-") == 0;
}

const char *sw_answer_file_name(const char *file)
{
	return is_stdin(file) ? STDIN_NAME : file;
}

const char *sw_answer_file_stdin(void)
{
	return from_stdin.done ? sw_buf_text(&from_stdin.text) : NULL;
}

static int read_stdin(struct sw_error *err)
{
	int r;

	if (from_stdin.done)
		return 0;
	from_stdin.text.max = SW_YAML_MAX_BYTES;
	r = sw_fd_read(STDIN_FILENO, &from_stdin.text);
	if (r == -E2BIG)
		(void)sw_fail(err, SW_EXIT_INVALID, r, "the answers are larger than 1 MiB");
	else if (r < 0)
		(void)sw_fail_errno(err, SW_EXIT_FAILED, r, "the answers cannot be read");
	if (r < 0)
		sw_error_where(err, STDIN_NAME);
	from_stdin.done = r == 0;
	return r;
}

static int read_all(const char *file, struct sw_answers **ret_answers, struct sw_file_errors *e)
{
	int r;

	if (!is_stdin(file))
		return sw_answers_read_all(file, e->v, SW_ERRORS_SHOWN, &e->n, ret_answers);
	r = read_stdin(&e->v[0]);
	e->n = r < 0;
	return r < 0 ? r : sw_answers_parse_whole(sw_buf_text(&from_stdin.text),
						  from_stdin.text.len, STDIN_NAME, e->v,
						  SW_ERRORS_SHOWN, &e->n, ret_answers);
}

int sw_answer_file_read(const char *file, struct sw_answers **ret_answers, struct sw_rest *rest,
			struct sw_error *err)
{
	struct sw_error first;
	int r;

	if (!is_stdin(file)) {
		r = sw_answers_read(file, ret_answers, err);
		if (r < 0 && rest)
			sw_rest_of_file(file, rest);
		return r;
	}
	r = read_stdin(err);
	if (r < 0)
		return r;
	r = sw_answers_parse_whole(sw_buf_text(&from_stdin.text), from_stdin.text.len, STDIN_NAME,
				   &first, 1, NULL, ret_answers);
	if (r < 0)
		*err = first;
	if (r < 0 && rest)
		sw_rest_of_text(sw_buf_text(&from_stdin.text), from_stdin.text.len, STDIN_NAME,
				rest);
	return r;
}

/* Line and column, behind the file's name. */
static unsigned long long place_of(const struct sw_error *err)
{
	unsigned int line = 0, column = 0;
	const char *colon = strrchr(err->where, ':');

	while (colon && colon > err->where && *--colon != ':')
		;
	if (colon && sscanf(colon, ":%u:%u", &line, &column) != 2)
		line = column = 0;
	return (unsigned long long)line << 32 | column;
}

static int by_place(const void *a, const void *b)
{
	unsigned long long x = place_of(a), y = place_of(b);

	return x < y ? -1 : x > y;
}

int sw_answer_file_check(const char *file, bool whole, struct sw_answers **ret_answers,
			 struct sw_file_errors *ret_errors)
{
	struct sw_file_errors *e = ret_errors;
	int r;

	*e = (struct sw_file_errors){};
	r = read_all(file, ret_answers, e);
	if (r == 0 && whole)
		r = sw_answers_validate_all(*ret_answers, sw_answer_file_name(file), e->v,
					    SW_ERRORS_SHOWN, &e->n);
	qsort(e->v, e->n, sizeof(e->v[0]), by_place);
	return r;
}

void sw_answer_file_tell(const char *file, const struct sw_file_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		sw_report(&errors->v[i], false);
	if (errors->n == SW_ERRORS_SHOWN)
		printf("%s: only the first %u errors are shown\n", sw_answer_file_name(file),
		       SW_ERRORS_SHOWN);
}

void sw_answer_file_add_json(json_object *o, const char *file, const struct sw_file_errors *errors)
{
	json_object *list = json_object_new_array();

	sw_json_add_str(o, "file", sw_answer_file_name(file));
	sw_json_add_bool(o, "valid", errors->n == 0);
	for (size_t i = 0; i < errors->n; i++)
		json_object_array_add(list, sw_error_to_json(&errors->v[i]));
	sw_json_add(o, "errors", list);
}
