/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/line.h"

#include <string.h>

#include "base/text.h"
#include "tui/session/text.h"

#define DEFAULT_MAX 255u

int sw_line_set(struct sw_line *l, const char *text)
{
	char *copy = strdup(text ? text : "");

	if (!copy)
		return -ENOMEM;
	free(l->text);
	l->text = copy;
	l->pos = strlen(copy);
	return 0;
}

int sw_line_open_secret(struct sw_line *l, size_t max, struct sw_error *err)
{
	struct sw_secret *store = NULL;
	int r = sw_secret_new(max, &store, err);

	if (r < 0)
		return r;
	sw_line_clear(l);
	*l = (struct sw_line){ .text = (char *)store->data, .max = max, .store = store,
			       .masked = true };
	return 0;
}

void sw_line_clear(struct sw_line *l)
{
	if (!l->store)
		free(l->text);
	sw_secret_free(l->store);
	*l = (struct sw_line){ 0 };
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t before(const struct sw_line *l)
{
	size_t at = l->pos;

	while (at && continues(l->text[--at]))
		;
	return at;
}

static size_t after(const struct sw_line *l)
{
	size_t at = l->pos;

	if (l->text[at])
		at++;
	while (continues(l->text[at]))
		at++;
	return at;
}

static bool insert(struct sw_line *l, uint32_t ch)
{
	size_t len = strlen(l->text), n;
	char utf8[5] = { 0 }, *text;
	const char *p = utf8;
	unsigned int width;

	n = sw_utf8_encode(ch, utf8);
	if (sw_text_next(&p, &width) != ch || width == 0 ||
	    len + n > (l->max ? l->max : DEFAULT_MAX))
		return false;
	/* A secret's memory has room for the longest, so that no copy is left behind. */
	text = l->store ? l->text : realloc(l->text, len + n + 1);
	if (!text)
		return false;
	memmove(text + l->pos + n, text + l->pos, len - l->pos + 1);
	memcpy(text + l->pos, utf8, n);
	l->text = text;
	l->pos += n;
	return true;
}

static bool erase(struct sw_line *l, size_t from, size_t to)
{
	if (from == to)
		return false;
	memmove(l->text + from, l->text + to, strlen(l->text + to) + 1);
	l->pos = from;
	return true;
}

bool sw_line_request(struct sw_line *l, enum sw_request req, uint32_t ch, bool *ret_changed)
{
	bool changed = false;

	if (!l->text)
		return false;
	switch (req) {
	case SW_REQ_TEXT:
		changed = insert(l, ch);
		break;
	case SW_REQ_LEFT:
		l->pos = before(l);
		break;
	case SW_REQ_RIGHT:
		l->pos = after(l);
		break;
	case SW_REQ_HOME:
		l->pos = 0;
		break;
	case SW_REQ_END:
		l->pos = strlen(l->text);
		break;
	case SW_REQ_BACKSPACE:
		changed = erase(l, before(l), l->pos);
		break;
	case SW_REQ_DELETE:
		changed = erase(l, l->pos, after(l));
		break;
	case SW_REQ_KILL:
		changed = l->text[0] != '\0';
		l->text[0] = '\0';
		l->pos = 0;
		break;
	default:
		return false;
	}
	if (ret_changed)
		*ret_changed = changed;
	return true;
}

/* Columns of the first n bytes. */
static unsigned int columns(const char *text, size_t n)
{
	const char *p = text;
	unsigned int sum = 0, w;

	while (p < text + n && *p) {
		sw_text_next(&p, &w);
		sum += w;
	}
	return sum;
}

/* As many stars as there are characters; malloc'd. */
static char *stars(const char *text)
{
	char *s = calloc(strlen(text) + 1, 1);
	size_t n = 0;

	for (; s && *text; text++)
		if (!continues(*text))
			s[n++] = '*';
	return s;
}

static void draw_text(const char *text, unsigned int at, struct sw_frame *f, unsigned int row,
		      unsigned int col, unsigned int width)
{
	unsigned int inner = width > 3 ? width - 3 : 1, skip = 0, w;
	const char *from = text;

	/* Scrolls by half a field, so that typing at the end stays one character on the wire. */
	if (at > inner)
		skip = (at - inner + inner / 2) / (inner / 2 + 1) * (inner / 2 + 1);
	for (unsigned int n = 0; *from && n < skip; n += w)
		sw_text_next(&from, &w);
	at -= columns(text, (size_t)(from - text));
	sw_frame_put(f, row, col, 1, 0, skip ? "<" : "[");
	/* One column beyond the text stays free for the cursor. */
	sw_frame_put(f, row, col + 1, inner + 1, 0, from);
	sw_frame_put(f, row, col + width - 1, 1, 0, "]");
	sw_frame_cursor(f, row, col + 1 + at);
}

void sw_line_draw(const struct sw_line *l, struct sw_frame *f, unsigned int row, unsigned int col,
		  unsigned int width)
{
	const char *text = l->text ? l->text : "";
	_cleanup_free_ char *masked = l->masked ? stars(text) : NULL;

	if (f->lines)	/* plain mode asks for it */
		return;
	if (!l->masked)
		draw_text(text, columns(text, l->pos), f, row, col, width);
	else if (masked)
		draw_text(masked, columns(text, l->pos), f, row, col, width);
}
