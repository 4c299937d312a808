/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What session and viewers say to each other: any stream is messages that are read or
 * refused, and one that is read, written again and read again is the same.
 */
#include <string.h>

#include "tui/session/text.h"
#include "tui/session/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes what was read: the first message of b. */
static struct sw_message again(const struct sw_buf *b)
{
	struct sw_message m;

	if (sw_wire_next(b->data, b->len, &m) != 1 || m.total != b->len)
		abort();
	return m;
}

static void check_hello(const struct sw_message *m)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_hello h, h2;
	struct sw_message m2;

	if (sw_wire_read_hello(m, &h) < 0)
		return;
	if (sw_wire_hello(&b, &h) < 0)
		abort();
	m2 = again(&b);
	if (sw_wire_read_hello(&m2, &h2) < 0 || h.rows != h2.rows || h.cols != h2.cols ||
	    h.flags != h2.flags || strcmp(h.term, h2.term) != 0 || strcmp(h.name, h2.name) != 0)
		abort();
}

static void check_keys(const struct sw_message *m)
{
	uint32_t keys[SW_WIRE_MAX_KEYS], keys2[SW_WIRE_MAX_KEYS];
	_cleanup_buf_ struct sw_buf b = { 0 };
	size_t n = 0, n2 = 0;
	struct sw_message m2;

	if (sw_wire_read_keys(m, keys, &n) < 0 || !n)
		return;
	if (sw_wire_keys(&b, keys, n) < 0)
		abort();
	m2 = again(&b);
	if (sw_wire_read_keys(&m2, keys2, &n2) < 0 || n2 != n ||
	    memcmp(keys, keys2, n * sizeof(*keys)) != 0)
		abort();
}

static void check_frame(const struct sw_message *m)
{
	_cleanup_frame_ struct sw_frame *f = NULL, *f2 = NULL;
	_cleanup_buf_ struct sw_buf b = { 0 };
	unsigned int flags = 0, flags2 = 0;
	uint32_t number = 0, number2 = 0;
	struct sw_message m2;

	if (sw_wire_read_frame(m, &f, &number, &flags) < 0)
		return;
	if (f->cur_row >= f->rows || f->cur_col >= f->cols)
		abort();
	if (sw_wire_frame(&b, f, number, flags) < 0)
		abort();
	m2 = again(&b);
	if (sw_wire_read_frame(&m2, &f2, &number2, &flags2) < 0 || number != number2 ||
	    flags != flags2 || !sw_frame_equal(f, f2))
		abort();
}

static void check_shell(const struct sw_message *m)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_wire_shell w, w2;
	struct sw_message m2;

	if (sw_wire_read_shell(m, &w) < 0)
		return;
	if (sw_wire_shell(&b, &w) < 0)
		abort();
	m2 = again(&b);
	if (sw_wire_read_shell(&m2, &w2) < 0 || w.flags != w2.flags ||
	    strcmp(w.machine, w2.machine) != 0)
		abort();
}

static void check_line(const struct sw_message *m)
{
	_cleanup_free_ char *text = NULL;

	/* It goes to the session as what a person has typed: no control characters. */
	if (sw_wire_read_line(m, &text) < 0)
		return;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			abort();
}

static void check_rest(const struct sw_message *m)
{
	unsigned int rows, cols, flags;
	const uint8_t *text;
	uint32_t number;
	size_t len;

	(void)sw_wire_read_size(m, &rows, &cols);
	(void)sw_wire_read_ack(m, &number);
	if (sw_wire_read_text(m, &text, &len, &number, &flags) == 0 &&
	    (text < m->body || text + len > m->body + m->len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sw_message m;
	size_t at = 0;

	sw_text_init();
	while (sw_wire_next(data + at, size - at, &m) > 0) {
		if (m.body < data + at || m.total > size - at)
			abort();
		check_hello(&m);
		check_keys(&m);
		check_frame(&m);
		check_shell(&m);
		check_line(&m);
		check_rest(&m);
		at += m.total;
	}
	return 0;
}
