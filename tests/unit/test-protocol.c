/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tui/session/text.h"
#include "tui/session/wire.h"
#include "tui/term/link.h"

static struct sw_frame *sample(void)
{
	struct sw_frame *f = sw_frame_new(5, 30);

	assert_non_null(f);
	sw_frame_put(f, 0, 0, 30, SW_ATTR_BOLD, "a title");
	sw_frame_put(f, 1, 3, 20, 0, "漢字 and é");
	sw_frame_put(f, 4, 0, 30, SW_ATTR_REVERSE | SW_ATTR_UNDERLINE, "          blanks too   ");
	sw_frame_cursor(f, 3, 7);
	return f;
}

static void test_a_frame_arrives_as_it_was(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *f = sample(), *g = NULL;
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_message m;
	unsigned int flags;
	uint32_t number;

	assert_int_equal(sw_wire_frame(&b, f, 4711, SW_FRAME_BELL), 0);
	assert_int_equal(sw_wire_next(b.data, b.len, &m), 1);
	assert_int_equal(m.total, b.len);
	assert_int_equal(sw_wire_read_frame(&m, &g, &number, &flags), 0);
	assert_true(sw_frame_equal(f, g));
	assert_int_equal(number, 4711);
	assert_int_equal(flags, SW_FRAME_BELL);
}

static void test_an_empty_screen_is_small(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(24, 80);
	_cleanup_buf_ struct sw_buf b = { 0 };

	assert_int_equal(sw_wire_frame(&b, f, 1, 0), 0);
	assert_true(b.len < 32);
}

static void test_messages_come_in_pieces(void **state SW_UNUSED)
{
	static const uint32_t keys[] = { 'a', SW_FRAME_MAX_ROWS, 0x200001 };
	_cleanup_buf_ struct sw_buf b = { 0 };
	uint32_t got[SW_WIRE_MAX_KEYS];
	struct sw_message m;
	unsigned int rows, cols;
	size_t n;

	assert_int_equal(sw_wire_keys(&b, keys, 3), 0);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(sw_wire_next(b.data, i, &m), 0);
	assert_int_equal(sw_wire_next(b.data, b.len, &m), 1);
	assert_int_equal(sw_wire_read_keys(&m, got, &n), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(got, keys, sizeof(keys));
	sw_wire_consume(&b, m.total);
	assert_int_equal(b.len, 0);
	assert_int_equal(sw_wire_size(&b, 40, 100), 0);
	assert_int_equal(sw_wire_next(b.data, b.len, &m), 1);
	assert_int_equal(sw_wire_read_size(&m, &rows, &cols), 0);
	assert_int_equal(rows, 40);
	assert_int_equal(cols, 100);
	/* The wrong reader refuses. */
	assert_int_equal(sw_wire_read_keys(&m, got, &n), -EBADMSG);
}

static void test_a_greeting_carries_its_names(void **state SW_UNUSED)
{
	struct sw_hello h = { .rows = 24, .cols = 80, .flags = SW_HELLO_SERIAL, .term = "vt220",
			      .name = "ttyS0" }, got;
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_message m;

	assert_int_equal(sw_wire_hello(&b, &h), 0);
	assert_int_equal(sw_wire_next(b.data, b.len, &m), 1);
	assert_int_equal(sw_wire_read_hello(&m, &got), 0);
	assert_int_equal(got.rows, 24);
	assert_int_equal(got.flags, SW_HELLO_SERIAL);
	assert_string_equal(got.term, "vt220");
	assert_string_equal(got.name, "ttyS0");
	for (size_t len = 0; len < m.len; len++) {
		struct sw_message cut = m;

		cut.len = len;
		assert_int_equal(sw_wire_read_hello(&cut, &got), -EBADMSG);
	}
}

static void test_too_long_and_unknown_messages_are_refused(void **state SW_UNUSED)
{
	static const uint8_t unknown[] = "GET /", nul[] = { 0, 0, 0, 0, 0 };
	static const uint8_t huge[] = { 'F', 0xff, 0xff, 0xff, 0x7f };
	struct sw_message m;

	assert_int_equal(sw_wire_next(unknown, 5, &m), -EBADMSG);
	assert_int_equal(sw_wire_next(nul, 5, &m), -EBADMSG);
	assert_int_equal(sw_wire_next(huge, 5, &m), -EBADMSG);
}

static void read_any(const struct sw_message *m)
{
	uint32_t keys[SW_WIRE_MAX_KEYS], number;
	struct sw_frame *f = NULL;
	struct sw_hello h;
	unsigned int a, b;
	size_t n;

	(void)sw_wire_read_hello(m, &h);
	(void)sw_wire_read_keys(m, keys, &n);
	(void)sw_wire_read_size(m, &a, &b);
	(void)sw_wire_read_ack(m, &number);
	if (sw_wire_read_frame(m, &f, &number, &a) == 0) {
		/* What was accepted can be drawn: no controls, the cursor inside. */
		assert_true(f->cur_row < f->rows && f->cur_col < f->cols);
		for (size_t i = 0; i < (size_t)f->rows * f->cols; i++)
			assert_true(f->cells[i].ch == 0 || f->cells[i].ch >= ' ');
		sw_frame_free(f);
	}
}

static void test_damaged_messages_are_survived(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *f = sample();
	_cleanup_buf_ struct sw_buf b = { 0 };
	uint32_t seed = 7;

	assert_int_equal(sw_wire_frame(&b, f, 1, 0), 0);
	for (int round = 0; round < 50000; round++) {
		/* A copy of exactly the size, so that a read past the end is seen. */
		uint8_t *copy = malloc(b.len);
		struct sw_message m;

		assert_non_null(copy);
		memcpy(copy, b.data, b.len);
		for (int i = 0; i < 3; i++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 8) % b.len] = (uint8_t)(seed >> 24);
		}
		if (sw_wire_next(copy, b.len, &m) > 0)
			read_any(&m);
		free(copy);
	}
}

/* As drawing does on a terminal that is busy. */
static bool fail_inside(const struct sw_message *m SW_UNUSED, void *arg)
{
	*(unsigned int *)arg += 1;
	errno = ENOTTY;
	return true;
}

static void test_what_a_frame_does_cuts_no_session_off(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_link l = { .session = -EBADF };
	unsigned int taken = 0;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd), 0);
	l.sock = fd[0];
	assert_int_equal(sw_wire_ack(&b, 1), 0);
	assert_int_equal(write(fd[1], b.data, b.len), (ssize_t)b.len);
	sw_link_receive(&l, fail_inside, &taken);
	assert_int_equal(taken, 1);
	assert_int_equal(l.sock, fd[0]);
	close(fd[1]);
	sw_link_receive(&l, fail_inside, &taken);
	assert_int_equal(l.sock, -EBADF);
	sw_link_disconnect(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_frame_arrives_as_it_was),
		cmocka_unit_test(test_an_empty_screen_is_small),
		cmocka_unit_test(test_messages_come_in_pieces),
		cmocka_unit_test(test_a_greeting_carries_its_names),
		cmocka_unit_test(test_too_long_and_unknown_messages_are_refused),
		cmocka_unit_test(test_damaged_messages_are_survived),
		cmocka_unit_test(test_what_a_frame_does_cuts_no_session_off),
	};

	sw_text_init();
	return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
