/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/commands/wrap.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH 80U	/* of a terminal that does not know its own */
#define WIDTH_MIN 40U
#define LABEL 11U	/* columns of "   seen    ", behind which a finding's words begin */
#define HEAD 3U

/* Characters that a terminal shows of n bytes of UTF-8. */
static size_t columns(const char *s, size_t n)
{
	size_t cols = 0;

	for (size_t i = 0; i < n; i++)
		cols += ((unsigned char)s[i] & 0xc0) != 0x80;
	return cols;
}

static int add_line(struct sw_buf *b, const char *line, size_t len, size_t width)
{
	const size_t indent = strncmp(line, "   ", 3) == 0 ? LABEL : HEAD;
	size_t at = 0, column = 0;
	int r = 0;

	while (r == 0 && at < len) {
		size_t blanks = strspn(line + at, " "), n;

		if (blanks > len - at)
			blanks = len - at;
		n = strcspn(line + at + blanks, " \n");
		if (at && column + blanks + columns(line + at + blanks, n) > width) {
			r = sw_buf_addf(b, "\n%*s", (int)indent, "");
			column = indent;
		} else if (blanks) {
			r = sw_buf_add(b, line + at, blanks);
			column += blanks;
		}
		if (r == 0)
			r = sw_buf_add(b, line + at + blanks, n);
		column += columns(line + at + blanks, n);
		at += blanks + n;
	}
	return r < 0 ? r : sw_buf_adds(b, "\n");
}

int sw_wrap(const char *text, size_t width, struct sw_buf *out)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t len = strcspn(text, "\n");

		r = add_line(out, text, len, width);
		text += len + (text[len] == '\n');
	}
	return r;
}

void sw_print_wrapped(FILE *out, const char *text)
{
	_cleanup_buf_ struct sw_buf b = {};
	struct winsize ws = {};
	size_t width = WIDTH;

	if (!isatty(fileno(out))) {
		fputs(text, out);
		return;
	}
	if (ioctl(fileno(out), TIOCGWINSZ, &ws) == 0 && ws.ws_col)
		width = ws.ws_col;
	/* A line that is full to the last column is wrapped once more by some terminals. */
	if (sw_wrap(text, width < WIDTH_MIN ? WIDTH_MIN : width - 1, &b) == 0)
		fputs(sw_buf_text(&b), out);
	else
		fputs(text, out);
}
