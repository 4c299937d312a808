/* SPDX-License-Identifier: Apache-2.0 */
/* The line that an error is about, with a caret below the column. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "answers/hide.h"
#include "base/file.h"
#include "base/text.h"
#include "tui/commands/answer-file.h"
#include "tui/commands/report-place.h"

#define FILE_MAX_BYTES (1u << 20)
#define SHOWN 90U		/* characters of a long line */
#define BEFORE 60U		/* of them before the place */

/* "path:line:column"; the path is cut off in place. */
static bool split(char *where, unsigned int *ret_line, unsigned int *ret_column)
{
	unsigned int *into[] = { ret_column, ret_line };

	for (size_t i = 0; i < 2; i++) {
		char *colon = strrchr(where, ':');

		if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
		    strlen(colon + 1) > 7)
			return false;
		*into[i] = (unsigned int)strtoul(colon + 1, NULL, 10);
		*colon = '\0';
	}
	return *ret_line > 0 && *ret_column > 0;
}

/* So many characters further on; a byte that is no UTF-8 counts as one. */
static const char *skip(const char *p, unsigned int n)
{
	for (; n > 0 && *p; n--) {
		uint32_t c;
		size_t len = sw_utf8_decode(p, strlen(p), &c);

		p += len ? len : 1;
	}
	return p;
}

static void print(FILE *out, char *line, unsigned int number, unsigned int column)
{
	unsigned int from = column - 1 > BEFORE ? column - 1 - BEFORE : 0;
	const char *start;

	start = skip(line, from);
	line[skip(start, SHOWN) - line] = '\0';
	for (char *p = line; *p; p++)
		if (*p == '\t')
			*p = ' ';
	(void)sw_text_mask(line);
	fprintf(out, "%6u | %s\n", number, start);
	fprintf(out, "       | %*s^\n", (int)(column - 1 - from), "");
}

/* Only a file: a device or a pipe may not be read for the sake of a message. */
static bool read_text(const char *path, struct sw_buf *b)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && sw_file_read(path, b) == 0 &&
	       !memchr(b->data ? b->data : (uint8_t *)"", 0, b->len);
}

void sw_print_place(FILE *out, const char *where)
{
	_cleanup_free_ char *path = strdup(where), *line = NULL;
	_cleanup_buf_ struct sw_buf b = { .max = FILE_MAX_BYTES };
	unsigned int number, column;

	if (!path || !split(path, &number, &column))
		return;
	if (sw_answer_file_stdin() && strcmp(path, sw_answer_file_name("-")) == 0)
		line = sw_hide_in_line(sw_answer_file_stdin(), number);
	else if (read_text(path, &b))
		line = sw_hide_in_line(sw_buf_text(&b), number);
	if (line)
		print(out, line, number, column);
}
