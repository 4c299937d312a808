/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/text.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "base/text.h"

void sw_text_init(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
}

/* A byte that begins no well-formed character is one U+FFFD. */
static uint32_t decode(const char **p)
{
	uint32_t ch = 0xfffd;
	size_t n = sw_utf8_decode(*p, strnlen(*p, 4), &ch);

	*p += n ? n : 1;
	return ch;
}

uint32_t sw_text_next(const char **p, unsigned int *ret_width)
{
	uint32_t ch = decode(p);
	int w;

	*ret_width = 1;
	if (ch >= 0x20 && ch < 0x7f)
		return ch;
	/* The soft hyphen and private characters are drawn differently everywhere. */
	if (ch == '\t')
		return ' ';
	if (ch < 0xa0 || ch == 0xad || ch == 0xfffd || (ch >= 0xe000 && ch <= 0xf8ff) ||
	    ch >= 0xe0000)
		return '?';
	w = wcwidth((wchar_t)ch);
	if (w < 0)
		return '?';
	*ret_width = (unsigned int)w;
	return ch;
}

unsigned int sw_text_columns(const char *text)
{
	unsigned int n = 0, w;

	while (*text) {
		sw_text_next(&text, &w);
		n += w;
	}
	return n;
}

/* Where the last part begins that takes at most `width` columns. */
static const char *tail_of(const char *text, unsigned int width)
{
	unsigned int left = sw_text_columns(text), w;

	while (*text && left > width) {
		sw_text_next(&text, &w);
		left -= w;
	}
	/* Marks that belong to what was left out are left out too. */
	for (const char *next = text; *next; text = next) {
		sw_text_next(&next, &w);
		if (w)
			break;
	}
	return text;
}

void sw_text_elide(const char *text, unsigned int width, struct sw_buf *b)
{
	unsigned int head, at = 0, w;
	const char *p = text, *next;

	if (!width)
		return;
	if (sw_text_columns(text) <= width) {
		(void)sw_buf_adds(b, text);
		return;
	}
	head = width / 2;
	for (; *p; p = next) {
		next = p;
		sw_text_next(&next, &w);
		if (at + w > head)
			break;
		at += w;
	}
	(void)sw_buf_add(b, text, (size_t)(p - text));
	(void)sw_buf_adds(b, "~");
	(void)sw_buf_adds(b, tail_of(p, width - 1 - at));
}

char *sw_text_to_line(const char *text)
{
	char *line = malloc(2 * strlen(text) + 1), *to = line;

	for (; line && *text; text++) {
		if (*text == '\n' || *text == '\\')
			*to++ = '\\';
		*to++ = *text == '\n' ? 'n' : *text;
	}
	if (line)
		*to = '\0';
	return line;
}

char *sw_text_from_line(const char *line)
{
	_cleanup_free_ char *text = malloc(strlen(line) + 1);
	char *to = text;

	for (; text && *line; line++) {
		const bool escaped = *line == '\\';

		line += escaped;
		if (escaped && *line != 'n' && *line != '\\')
			return NULL;
		*to++ = escaped && *line == 'n' ? '\n' : *line;
	}
	if (text)
		*to = '\0';
	return TAKE_PTR(text);
}

int sw_lines_add(struct sw_lines *l, const char *text, size_t len)
{
	char *copy;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 32;
		char **line = reallocarray(l->line, cap, sizeof(*line));

		if (!line)
			return -ENOMEM;
		l->line = line;
		l->cap = cap;
	}
	copy = strndup(text, len);
	if (!copy)
		return -ENOMEM;
	l->line[l->n++] = copy;
	return 0;
}

void sw_lines_clear(struct sw_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i]);
	free(l->line);
	*l = (struct sw_lines){ 0 };
}

/* How many bytes of s (up to end) fit into width columns, preferably up to a blank. */
static size_t fit(const char *s, const char *end, unsigned int width)
{
	const char *p = s, *blank = NULL, *next;
	unsigned int n = 0, w;

	while (p < end) {
		next = p;
		sw_text_next(&next, &w);
		if (n + w > width)
			return (size_t)((blank ? blank : p > s ? p : next) - s);
		if (*p == ' ' && n)
			blank = p;
		n += w;
		p = next;
	}
	return (size_t)(end - s);
}

static int wrap_line(const char *s, const char *end, unsigned int width, struct sw_lines *l)
{
	size_t indent = strspn(s, " "), n;
	int r;

	if (indent > width / 2 || s + indent > end)
		indent = 0;
	n = fit(s, end, width);
	r = sw_lines_add(l, s, n);
	for (s += n; r == 0 && s < end; s += n) {
		_cleanup_buf_ struct sw_buf b = { 0 };

		while (s < end && *s == ' ')
			s++;
		if (s >= end)
			break;
		n = fit(s, end, width - (unsigned int)indent);
		r = sw_buf_addf(&b, "%*s", (int)indent, "");
		if (r == 0)
			r = sw_buf_add(&b, s, n);
		if (r == 0)
			r = sw_lines_add(l, sw_buf_text(&b), b.len);
	}
	return r;
}

int sw_text_wrap(const char *text, unsigned int width, struct sw_lines *ret_lines)
{
	if (width < 8)
		width = 8;
	while (*text) {
		const char *end = strchrnul(text, '\n');
		int r = wrap_line(text, end, width, ret_lines);

		if (r < 0)
			return r;
		text = *end ? end + 1 : end;
	}
	return 0;
}
