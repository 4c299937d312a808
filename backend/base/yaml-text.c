/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml-text.h"

#include <string.h>

#include "base/text.h"
#include "base/yaml.h"

static int fail_at(struct sw_error *err, const char *file, size_t line, size_t column,
		   const char *what, const char *why, const char *hint)
{
	int r = sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s", what);

	sw_error_where(err, "%s:%zu:%zu", file, line, column);
	if (why)
		sw_error_why(err, "%s", why);
	if (hint)
		sw_error_hint(err, "%s", hint);
	return r;
}

static bool starts(const char *text, size_t len, const char *mark, size_t n)
{
	return len >= n && memcmp(text, mark, n) == 0;
}

int sw_yaml_check_bytes(const char *text, size_t len, const char *file, size_t *ret_skip,
			struct sw_error *err)
{
	size_t line = 1, column = 1, skip = starts(text, len, "\xef\xbb\xbf", 3) ? 3 : 0;

	if (len > SW_YAML_MAX_BYTES)
		return fail_at(err, file, 1, 1, "the file is too large",
			       "at most 1 MiB is read", "is this the right file?");
	if (starts(text, len, "\xff\xfe", 2) || starts(text, len, "\xfe\xff", 2))
		return fail_at(err, file, 1, 1, "the file is UTF-16", "only UTF-8 is read",
			       "save it as UTF-8");
	for (size_t i = skip; i < len;) {
		uint32_t c;
		size_t n = sw_utf8_decode(text + i, len - i, &c);

		if (n == 0)
			return fail_at(err, file, line, column, "the file is not UTF-8",
				       "a byte here belongs to no character",
				       "save it as UTF-8, or remove the special character");
		if (c != '\t' && c != '\n' && c != '\r' && !sw_char_is_text(c))
			return fail_at(err, file, line, column, "a control character",
				       "it cannot be seen and has no place in an answer file",
				       "remove it");
		column++;
		if (c == '\n') {
			line++;
			column = 1;
		}
		i += n;
	}
	*ret_skip = skip;
	return 0;
}

/* True when line (0-based) is indented with a tab. */
static bool tab_indents(const char *text, size_t len, size_t line, size_t *ret_column)
{
	const char *p = text, *end = text + len;

	for (; line > 0; line--) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return false;
		p++;
	}
	for (size_t i = 0; p + i < end && (p[i] == ' ' || p[i] == '\t'); i++)
		if (p[i] == '\t') {
			*ret_column = i + 1;
			return true;
		}
	return false;
}

/* libyaml's words are for who wrote the parser; these are for who wrote the file. */
static const struct {
	const char *problem, *what, *why, *hint;
} sayings[] = {
	{ "mapping values are not allowed", "a ':' that does not fit here",
	  "the line before has a value already, or the indentation is off",
	  "check the indentation; put quotes around a value with a ': ' in it" },
	{ "could not find expected ':'", "a key without ':'",
	  "every line is a key, a colon and a blank, and a value",
	  "write it like key: value; a blank belongs behind the colon" },
	{ "did not find expected key", "a line that is no key",
	  "the indentation does not go with the lines above, or a quote was not closed",
	  "give keys of one group the same indentation, in blanks" },
	{ "did not find expected ',' or '}'", "a '{' that is not closed", NULL,
	  "close it with '}', put commas between the parts, and quotes around a part that has "
	  "one of [ ] { } in it" },
	{ "did not find expected ',' or ']'", "a '[' that is not closed", NULL,
	  "close it with ']', put commas between the parts, and quotes around a part that has "
	  "one of [ ] { } in it" },
	{ "found unexpected end of stream", "a quote that is not closed",
	  "the file ends inside a quoted value", "close the quote that starts here" },
	{ "did not find expected alphabetic or numeric character",
	  "a value that starts with * or &",
	  "YAML takes it for a reference", "put quotes around it" },
	{ "found unknown escape character", "an unknown escape",
	  "in double quotes a backslash starts an escape",
	  "use single quotes, or write the backslash twice" },
	{ "found character that cannot start any token", "a character that cannot start a value",
	  NULL, "put the value in quotes" },
	{ "did not find expected <document start>", "something after the end of the document",
	  "an answer file is one document", "remove what follows" },
};

int sw_yaml_explain(const yaml_parser_t *p, const char *text, size_t len, const char *file,
		    struct sw_error *err)
{
	const char *problem = p->problem ? p->problem : "it cannot be read";
	/* An unclosed quote or bracket is better shown where it was opened. */
	bool opened = p->context && (strstr(problem, "end of stream") || strstr(problem, "',' or"));
	yaml_mark_t mark = opened ? p->context_mark : p->problem_mark;
	size_t column;

	if (p->error == YAML_MEMORY_ERROR)
		return sw_fail_oom(err);
	if (tab_indents(text, len, p->problem_mark.line, &column))
		return fail_at(err, file, p->problem_mark.line + 1, column,
			       "a tab in the indentation", "YAML allows only blanks there",
			       "replace the tab by blanks");
	for (size_t i = 0; i < ARRAY_SIZE(sayings); i++)
		if (strstr(problem, sayings[i].problem))
			return fail_at(err, file, mark.line + 1, mark.column + 1, sayings[i].what,
				       sayings[i].why, sayings[i].hint);
	return fail_at(err, file, mark.line + 1, mark.column + 1, "not valid YAML", problem, NULL);
}
