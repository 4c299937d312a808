/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/wire.h"

#include <string.h>

#include "base/text.h"
#include "tui/session/text.h"

#define HEADER 5u
#define BLANKS 0x80u

static int put(struct sw_buf *b, uint32_t v, unsigned int bytes)
{
	uint8_t le[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	return sw_buf_add(b, le, bytes);
}

static uint32_t get(const uint8_t *p, unsigned int bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static int add(struct sw_buf *b, enum sw_wire_type type, const struct sw_buf *body)
{
	int r;

	if (body->len > SW_WIRE_MAX)
		return -E2BIG;
	r = put(b, type, 1);
	if (r == 0)
		r = put(b, (uint32_t)body->len, 4);
	return r < 0 ? r : sw_buf_add(b, body->data, body->len);
}

int sw_wire_hello(struct sw_buf *b, const struct sw_hello *h)
{
	_cleanup_buf_ struct sw_buf body = { 0 };
	int r = put(&body, SW_WIRE_VERSION, 2);

	if (r == 0)
		r = put(&body, h->rows, 2);
	if (r == 0)
		r = put(&body, h->cols, 2);
	if (r == 0)
		r = put(&body, h->flags, 1);
	if (r == 0)
		r = sw_buf_add(&body, h->term, strnlen(h->term, sizeof(h->term) - 1));
	if (r == 0)
		r = put(&body, 0, 1);
	if (r == 0)
		r = sw_buf_add(&body, h->name, strnlen(h->name, sizeof(h->name) - 1));
	if (r == 0)
		r = put(&body, 0, 1);
	return r < 0 ? r : add(b, SW_WIRE_HELLO, &body);
}

int sw_wire_keys(struct sw_buf *b, const uint32_t *keys, size_t n)
{
	_cleanup_buf_ struct sw_buf body = { 0 };
	int r = n && n <= SW_WIRE_MAX_KEYS ? 0 : -E2BIG;

	for (size_t i = 0; i < n && r == 0; i++)
		r = put(&body, keys[i], 4);
	return r < 0 ? r : add(b, SW_WIRE_KEYS, &body);
}

int sw_wire_size(struct sw_buf *b, unsigned int rows, unsigned int cols)
{
	_cleanup_buf_ struct sw_buf body = { 0 };
	int r = put(&body, rows, 2);

	if (r == 0)
		r = put(&body, cols, 2);
	return r < 0 ? r : add(b, SW_WIRE_SIZE, &body);
}

int sw_wire_ack(struct sw_buf *b, uint32_t number)
{
	_cleanup_buf_ struct sw_buf body = { 0 };
	int r = put(&body, number, 4);

	return r < 0 ? r : add(b, SW_WIRE_ACK, &body);
}

int sw_wire_line(struct sw_buf *b, const char *text)
{
	_cleanup_buf_ struct sw_buf body = { 0 };
	int r = strlen(text) > SW_WIRE_MAX_LINE ? -E2BIG : sw_buf_adds(&body, text);

	return r < 0 ? r : add(b, SW_WIRE_LINE, &body);
}

int sw_wire_text(struct sw_buf *b, const struct sw_buf *text, uint32_t number,
		 unsigned int flags)
{
	_cleanup_buf_ struct sw_buf body = { 0 };
	int r = put(&body, number, 4);

	if (r == 0)
		r = put(&body, flags, 1);
	if (r == 0)
		r = sw_buf_add(&body, text->data, text->len);
	return r < 0 ? r : add(b, SW_WIRE_TEXT, &body);
}

int sw_wire_bye(struct sw_buf *b, const char *text)
{
	_cleanup_buf_ struct sw_buf body = { 0 };
	int r = sw_buf_adds(&body, text);

	return r < 0 ? r : add(b, SW_WIRE_BYE, &body);
}

int sw_wire_shell(struct sw_buf *b, const struct sw_wire_shell *what)
{
	_cleanup_buf_ struct sw_buf body = { 0 };
	int r = put(&body, what->flags, 1);

	if (r == 0)
		r = sw_buf_add(&body, what->machine, strlen(what->machine) + 1);
	return r < 0 ? r : add(b, SW_WIRE_SHELL, &body);
}

/* Cells from `at` on that go into one run: alike in attributes, and all blank or none. */
static size_t run_length(const struct sw_frame *f, size_t at, size_t end, bool *ret_blank)
{
	const struct sw_cell *c = f->cells;
	size_t n = at;

	*ret_blank = c[at].ch == ' ';
	while (n < end && n - at < 0xffff && c[n].attr == c[at].attr &&
	       (c[n].ch == ' ') == *ret_blank)
		n++;
	return n - at;
}

static int add_run(struct sw_buf *b, const struct sw_frame *f, size_t at, size_t n, bool blank)
{
	int r = put(b, (uint32_t)n, 2);
	char utf8[4];

	if (r == 0)
		r = put(b, f->cells[at].attr | (blank ? BLANKS : 0), 1);
	for (size_t i = at; i < at + n && !blank && r == 0; i++)
		/* The right half of a wide character travels as NUL. */
		r = sw_buf_add(b, utf8, sw_utf8_encode(f->cells[i].ch, utf8));
	return r;
}

int sw_wire_frame(struct sw_buf *b, const struct sw_frame *f, uint32_t number, unsigned int flags)
{
	const uint32_t head[] = { f->rows, f->cols, f->cur_row, f->cur_col };
	size_t end = (size_t)f->rows * f->cols, n;
	_cleanup_buf_ struct sw_buf body = { 0 };
	int r = put(&body, number, 4);
	bool blank;

	for (size_t i = 0; i < ARRAY_SIZE(head) && r == 0; i++)
		r = put(&body, head[i], 2);
	if (r == 0)
		r = put(&body, flags | (f->utf8 ? SW_FRAME_UTF8 : 0), 1);
	for (size_t at = 0; at < end && r == 0; at += n) {
		n = run_length(f, at, end, &blank);
		r = add_run(&body, f, at, n, blank);
	}
	return r < 0 ? r : add(b, SW_WIRE_FRAME, &body);
}

int sw_wire_next(const uint8_t *data, size_t len, struct sw_message *ret_message)
{
	size_t body;

	if (len == 0)
		return 0;
	if (!strchr("HKSALFTBX", data[0]) || data[0] == '\0')
		return -EBADMSG;
	if (len < HEADER)
		return 0;
	body = get(data + 1, 4);
	if (body > SW_WIRE_MAX)
		return -EBADMSG;
	if (len < HEADER + body)
		return 0;
	*ret_message = (struct sw_message){
		.type = (enum sw_wire_type)data[0], .body = data + HEADER, .len = body,
		.total = HEADER + body,
	};
	return 1;
}

int sw_wire_read_hello(const struct sw_message *m, struct sw_hello *ret_hello)
{
	const char *text = (const char *)m->body + 7, *name;
	size_t left, n;

	if (m->type != SW_WIRE_HELLO || m->len < 9 || get(m->body, 2) != SW_WIRE_VERSION ||
	    m->body[m->len - 1] != 0)
		return -EBADMSG;
	left = m->len - 7;
	n = strnlen(text, left);
	if (n + 1 >= left)
		return -EBADMSG;
	name = text + n + 1;
	*ret_hello = (struct sw_hello){
		.rows = get(m->body + 2, 2), .cols = get(m->body + 4, 2), .flags = m->body[6],
	};
	snprintf(ret_hello->term, sizeof(ret_hello->term), "%s", text);
	snprintf(ret_hello->name, sizeof(ret_hello->name), "%s", name);
	return 0;
}

int sw_wire_read_shell(const struct sw_message *m, struct sw_wire_shell *ret_what)
{
	/* A session from before an update says nothing more. */
	*ret_what = (struct sw_wire_shell){ 0 };
	if (m->type != SW_WIRE_SHELL)
		return -EBADMSG;
	if (m->len == 0)
		return 0;
	if (m->body[m->len - 1] != 0 || m->len - 1 > sizeof(ret_what->machine) ||
	    memchr(m->body + 1, 0, m->len - 1) != m->body + m->len - 1)
		return -EBADMSG;
	ret_what->flags = m->body[0];
	memcpy(ret_what->machine, m->body + 1, m->len - 1);
	return 0;
}

int sw_wire_read_keys(const struct sw_message *m, uint32_t *keys, size_t *ret_n)
{
	if (m->type != SW_WIRE_KEYS || m->len % 4 || m->len / 4 > SW_WIRE_MAX_KEYS)
		return -EBADMSG;
	for (size_t i = 0; i < m->len / 4; i++)
		keys[i] = get(m->body + 4 * i, 4);
	*ret_n = m->len / 4;
	return 0;
}

int sw_wire_read_size(const struct sw_message *m, unsigned int *ret_rows, unsigned int *ret_cols)
{
	if (m->type != SW_WIRE_SIZE || m->len != 4)
		return -EBADMSG;
	*ret_rows = get(m->body, 2);
	*ret_cols = get(m->body + 2, 2);
	return 0;
}

int sw_wire_read_ack(const struct sw_message *m, uint32_t *ret_number)
{
	if (m->type != SW_WIRE_ACK || m->len != 4)
		return -EBADMSG;
	*ret_number = get(m->body, 4);
	return 0;
}

int sw_wire_read_line(const struct sw_message *m, char **ret_text)
{
	_cleanup_free_ char *raw = NULL;
	_cleanup_buf_ struct sw_buf b = { 0 };
	const char *p;
	int r = 0;

	if (m->type != SW_WIRE_LINE || m->len > SW_WIRE_MAX_LINE)
		return -EBADMSG;
	p = raw = strndup((const char *)m->body, m->len);
	if (!raw)
		return -ENOMEM;
	while (*p && r == 0) {
		char utf8[5] = { 0 };
		unsigned int width;
		size_t n = sw_utf8_encode(sw_text_next(&p, &width), utf8);

		r = sw_buf_add(&b, utf8, n);
	}
	if (r < 0)
		return r;
	*ret_text = strdup(sw_buf_text(&b));
	return *ret_text ? 0 : -ENOMEM;
}

int sw_wire_read_text(const struct sw_message *m, const uint8_t **ret_text, size_t *ret_len,
		      uint32_t *ret_number, unsigned int *ret_flags)
{
	if (m->type != SW_WIRE_TEXT || m->len < 5)
		return -EBADMSG;
	*ret_number = get(m->body, 4);
	*ret_flags = m->body[4];
	*ret_text = m->body + 5;
	*ret_len = m->len - 5;
	return 0;
}

/* One UTF-8 character; NUL is the right half of the wide one before it. */
static int read_char(const uint8_t **p, const uint8_t *end, uint32_t *ret_ch)
{
	size_t left = (size_t)(end - *p), n = left < 4 ? left : 4;
	const char *at;
	char copy[5];
	unsigned int width;

	if (!left)
		return -EBADMSG;
	if (**p == 0) {
		(*p)++;
		*ret_ch = 0;
		return 0;
	}
	memcpy(copy, *p, n);
	copy[n] = '\0';
	at = copy;
	*ret_ch = sw_text_next(&at, &width);
	*p += at - copy;
	return width ? 0 : -EBADMSG;
}

static int read_runs(const uint8_t *p, const uint8_t *end, struct sw_frame *f)
{
	size_t at = 0, cells = (size_t)f->rows * f->cols;
	int r = 0;

	while (p < end && r == 0) {
		size_t n;
		uint8_t attr;

		if (end - p < 3)
			return -EBADMSG;
		n = get(p, 2);
		attr = p[2];
		p += 3;
		if (n == 0 || n > cells - at)
			return -EBADMSG;
		for (; n-- && r == 0; at++) {
			f->cells[at].attr = attr & SW_ATTR_ALL;
			if (!(attr & BLANKS))
				r = read_char(&p, end, &f->cells[at].ch);
		}
	}
	return r < 0 ? r : at == cells ? 0 : -EBADMSG;
}

int sw_wire_read_frame(const struct sw_message *m, struct sw_frame **ret_frame,
		       uint32_t *ret_number, unsigned int *ret_flags)
{
	_cleanup_frame_ struct sw_frame *f = NULL;
	unsigned int rows, cols;
	int r;

	if (m->type != SW_WIRE_FRAME || m->len < 13)
		return -EBADMSG;
	rows = get(m->body + 4, 2);
	cols = get(m->body + 6, 2);
	if (!rows || !cols || rows > SW_FRAME_MAX_ROWS || cols > SW_FRAME_MAX_COLS)
		return -EBADMSG;
	f = sw_frame_new(rows, cols);
	if (!f)
		return -ENOMEM;
	sw_frame_cursor(f, get(m->body + 8, 2), get(m->body + 10, 2));
	r = read_runs(m->body + 13, m->body + m->len, f);
	if (r < 0)
		return r;
	*ret_number = get(m->body, 4);
	*ret_flags = m->body[12];
	f->utf8 = *ret_flags & SW_FRAME_UTF8;
	*ret_frame = TAKE_PTR(f);
	return 0;
}

void sw_wire_consume(struct sw_buf *b, size_t n)
{
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
	b->data[b->len] = '\0';
}
