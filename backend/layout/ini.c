/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/ini.h"

#include <string.h>

#include "base/buf.h"

#define SPACE " \t\r"

struct reader {
	const char *file;
	unsigned int line;
	char *section;
	sw_ini_fn fn;
	void *userdata;
	struct sw_error *err;
};

static int fail_at(struct reader *rd, size_t column, const char *what, const char *hint)
{
	sw_fail(rd->err, SW_EXIT_INVALID, -EINVAL, "%s", what);
	sw_error_where(rd->err, "%s:%u:%zu", rd->file, rd->line, column);
	sw_error_hint(rd->err, "%s", hint);
	return -EINVAL;
}

static void trim_end(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && strchr(SPACE, s[n - 1]))
		s[--n] = '\0';
}

static int read_section(struct reader *rd, char *line, char *start)
{
	size_t n = strlen(start);
	struct sw_ini_item item = { .line = rd->line, .key_column = (unsigned)(start - line) + 1 };

	if (n < 3 || start[n - 1] != ']')
		return fail_at(rd, item.key_column, "this section header has no end",
			       "Write [Partition]");
	start[n - 1] = '\0';
	free(rd->section);
	rd->section = strdup(start + 1);
	if (!rd->section)
		return sw_fail_oom(rd->err);
	item.section = rd->section;
	return rd->fn(&item, rd->userdata, rd->err);
}

static int read_line(struct reader *rd, char *line)
{
	char *start = line + strspn(line, SPACE), *eq, *value;
	struct sw_ini_item item = { .section = rd->section, .line = rd->line };

	trim_end(start);
	if (*start == '\0' || *start == '#' || *start == ';')
		return 0;
	if (*start == '[')
		return read_section(rd, line, start);
	eq = strchr(start, '=');
	if (!eq || eq == start)
		return fail_at(rd, (size_t)(start - line) + 1,
			       "this line is neither a section nor an assignment",
			       "Write Key=Value, or start the line with # for a comment");
	value = eq + 1 + strspn(eq + 1, SPACE);
	item.key_column = (unsigned)(start - line) + 1;
	item.value_column = (unsigned)(value - line) + 1;
	*eq = '\0';
	trim_end(start);
	item.key = start;
	item.value = value;
	return rd->fn(&item, rd->userdata, rd->err);
}

/*
 * One logical line into b, with the physical lines it took. As systemd does, a
 * comment between two joined lines is dropped.
 */
static int join_line(const char **p, const char *end, struct sw_buf *b, unsigned int *ret_lines)
{
	bool more = true;
	int r = sw_buf_reserve(b, 1);

	for (*ret_lines = 0; r >= 0 && more && *p < end; (*ret_lines)++) {
		const char *nl = memchr(*p, '\n', (size_t)(end - *p)), *s = *p;
		size_t n = (size_t)((nl ? nl : end) - s), skip = 0;

		*p = nl ? nl + 1 : end;
		if (n > 0 && s[n - 1] == '\r')
			n--;
		if (*ret_lines > 0)
			while (skip < n && strchr(SPACE, s[skip]))
				skip++;
		if (*ret_lines > 0 && skip < n && (s[skip] == '#' || s[skip] == ';'))
			continue;
		/* A comment is one line whatever it ends with. */
		size_t lead = skip;

		while (lead < n && strchr(SPACE, s[lead]))
			lead++;
		more = n > 0 && s[n - 1] == '\\' &&
		       !(*ret_lines == 0 && (s[lead] == '#' || s[lead] == ';'));
		r = sw_buf_add(b, s + skip, n - skip - more);
		if (r >= 0 && more)
			r = sw_buf_adds(b, " ");
	}
	return r;
}

int sw_ini_parse(const char *text, size_t len, const char *file, sw_ini_fn fn, void *userdata,
		 struct sw_error *err)
{
	struct reader rd = { .file = file, .line = 1, .fn = fn, .userdata = userdata, .err = err };
	const char *p = text, *end = text + len;
	int r = 0;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (r >= 0 && p < end) {
		_cleanup_buf_ struct sw_buf b = {};
		unsigned int lines;

		r = join_line(&p, end, &b, &lines);
		if (r < 0)
			r = sw_fail_errno(err, SW_EXIT_INVALID, r, "cannot read the file");
		else if (strlen(sw_buf_text(&b)) != b.len)
			r = fail_at(&rd, strlen(sw_buf_text(&b)) + 1,
				    "this line has a NUL byte in it",
				    "The file is damaged or not a text file");
		else if (b.len > 0)
			r = read_line(&rd, (char *)b.data);
		rd.line += lines;
	}
	free(rd.section);
	return r;
}
