/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A held key on a line of 9600 baud, counted in bytes and at every row at which it can be let go:
 * what is on the line by then and the frame behind it, which shows where one is, are at most 480
 * bytes, half a second. The real viewer on a pty says how many bytes a frame is.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/rig.h"

#include "tui/session/list.h"
#include "tui/session/pager.h"
#include "tui/session/part.h"
#include "tui/session/text.h"

#define N_ROWS 120u
#define LATE_BYTES 480u
#define FRAME_BYTES (LATE_BYTES / 2)
#define BYTES_A_KEY 32u		/* that the line carries between two of thirty keys a second */
#define WAIT_MS 60000

/* ---- a long list, and a text of which no two lines have a character in common ---- */

struct view {
	struct sw_list list;
	struct sw_pager pager;
};


static void numbers_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	struct view *vw = v->data;
	char text[40];

	for (unsigned int i = 0; i < N_ROWS; i++) {
		(void)snprintf(text, sizeof(text), "Item %u of a long list, row %u", i, i * 7919);
		assert_int_equal(sw_list_add_text(&vw->list, (int)i, text), 0);
	}
}

/* Every row is another letter from its first column to its last. */
static void dense_text(char text[static 79], unsigned int row)
{
	memset(text, (int)('!' + row % 90), 78);
	text[78] = '\0';
}

static void dense_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	struct view *vw = v->data;
	char text[79];

	for (unsigned int i = 0; i < N_ROWS; i++) {
		dense_text(text, i);
		assert_int_equal(sw_list_add_text(&vw->list, (int)i, text), 0);
	}
}

static void pages_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	char text[79];

	for (unsigned int i = 0; i < N_ROWS; i++) {
		dense_text(text, i);
		assert_int_equal(sw_buf_addf(&b, "%s\n", text), 0);
	}
	sw_pager_set(&((struct view *)v->data)->pager, sw_buf_steal(&b));
}

static void list_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		      const struct sw_area *a)
{
	sw_list_draw(&((struct view *)v->data)->list, f, a, NULL);
}

static void pages_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		       const struct sw_area *a)
{
	sw_pager_draw(&((struct view *)v->data)->pager, f, a);
}

static bool list_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	return sw_list_request(&((struct view *)v->data)->list, s, req, ch);
}

static bool pages_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	return sw_pager_request(&((struct view *)v->data)->pager, s, req, ch);
}

static void view_close(struct sw_view *v)
{
	sw_list_clear(&((struct view *)v->data)->list);
	sw_pager_clear(&((struct view *)v->data)->pager);
}

static const struct sw_view_ops views[] = {
	{ .title = "Numbers", .size = sizeof(struct view), .open = numbers_open,
	  .draw = list_draw, .request = list_request, .close = view_close },
	{ .title = "Dense", .size = sizeof(struct view), .open = dense_open,
	  .draw = list_draw, .request = list_request, .close = view_close },
	{ .title = "Pages", .size = sizeof(struct view), .open = pages_open,
	  .draw = pages_draw, .request = pages_request, .close = view_close },
};

/* ---- one frame after the other ---- */

static void take_output(struct sw_rig *g)
{
	struct pollfd p = { .fd = g->master, .events = POLLIN };

	while (poll(&p, 1, 0) > 0 && (p.revents & POLLIN) && sw_rig_take_output(g))
		;
}

/* Shows the state; the bytes of that one frame, when the terminal has it. */
static size_t frame_bytes(struct sw_rig *g)
{
	struct sw_conn *c = g->srv.conns[0];
	int64_t end = sw_rig_now_ms() + WAIT_MS;

	g->bytes = 0;
	c->hurried = true;
	sw_server_show(&g->srv, g->s);
	while (c->sent != c->acked || c->out.len) {
		struct pollfd fds[SW_MAX_VIEWERS + 1];
		size_t n = sw_server_poll(&g->srv, fds);

		assert_true(sw_rig_now_ms() < end);
		take_output(g);
		if (poll(fds, (nfds_t)n, 1) > 0)
			(void)sw_server_handle(&g->srv, fds, n, g->s);
	}
	take_output(g);
	return g->bytes;
}

/* The cursor's row is what the whole frame has there: one sees where one is. */
static void assert_shows_where_one_is(struct sw_rig *g)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(g->rows, g->cols);
	_cleanup_free_ char *shown = sw_rig_text(g, g->rows, g->cols), *all = NULL;
	const char *a = shown, *b;

	assert_non_null(f);
	sw_view_draw(g->s, f);
	all = sw_frame_text(f);
	b = all;
	for (unsigned int row = 0; row < f->cur_row; row++) {
		a = strchr(a, '\n') + 1;
		b = strchr(b, '\n') + 1;
	}
	assert_int_equal(strcspn(a, "\n"), strcspn(b, "\n"));
	assert_memory_equal(a, b, strcspn(b, "\n"));
}

struct cost {
	size_t frame, late;	/* the most there was */
	size_t frames, bytes;
};

/* Keys that come while a frame is on the line are in the next one. */
static void hold(struct sw_rig *g, enum sw_request req, unsigned int keys, struct cost *cost)
{
	size_t before = 0;

	for (unsigned int now = 1; keys;
	     keys -= now, now = 1 + (unsigned int)(before / BYTES_A_KEY)) {
		size_t bytes;

		now = now < keys ? now : keys;
		for (unsigned int i = 0; i < now; i++) {
			g->s->hurry = true;
			assert_true(sw_view_request(g->s, req, 0));
		}
		bytes = frame_bytes(g);
		assert_shows_where_one_is(g);
		cost->frame = bytes > cost->frame ? bytes : cost->frame;
		cost->late = before + bytes > cost->late ? before + bytes : cost->late;
		cost->frames++;
		cost->bytes += bytes;
		if (bytes > FRAME_BYTES)
			fail_msg("%u keys before the end a frame is %zu bytes", keys, bytes);
		before = bytes;
	}
}

static void hold_through(const struct sw_view_ops *ops, unsigned int first)
{
	struct cost down = { 0 }, up = { 0 };
	struct sw_rig g;

	sw_rig_open(&g, "vt220", SW_RIG_ROWS, SW_RIG_COLS);
	sw_view_push(g.s, ops);
	(void)sw_rig_settle(&g);
	for (unsigned int i = 0; i < first; i++)
		assert_true(sw_view_request(g.s, SW_REQ_DOWN, 0));
	(void)sw_rig_settle(&g);
	hold(&g, SW_REQ_DOWN, N_ROWS + 1, &down);
	hold(&g, SW_REQ_UP, N_ROWS + 1, &up);
	/* What was left out follows by itself. */
	(void)sw_rig_settle(&g);
	sw_rig_assert_shows_the_frame(&g);
	print_message("# %s from row %u: down %zu frames, %zu bytes, at most %zu in one and %zu "
		      "late; up %zu, %zu, %zu, %zu\n", ops->title, first, down.frames, down.bytes,
		      down.frame, down.late, up.frames, up.bytes, up.frame, up.late);
	if (down.late > LATE_BYTES || up.late > LATE_BYTES)
		fail_msg("%s: more than %u bytes late", ops->title, LATE_BYTES);
	sw_rig_close(&g);
}

/* From other first rows the pages end at other rows, as do the frames. */
static void test_a_held_key_is_never_half_a_second_late(void **state SW_UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		for (unsigned int first = 0; first < 20; first += 4)
			hold_through(&views[i], first);
}

/* ---- the parts themselves ---- */

static void fill(struct sw_frame *f, uint32_t *random)
{
	for (size_t i = f->cols; i < (size_t)(f->rows - 1) * f->cols; i++) {
		*random = *random * 1664525u + 1013904223u;
		f->cells[i].ch = 'a' + (*random >> 16) % 26;
	}
	sw_frame_cursor(f, 1 + (*random >> 8) % (f->rows - 2), 0);
}

static void test_parts_lead_to_the_frame_with_the_cursors_row_first(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *shown = sw_frame_new(24, 80), *f = sw_frame_new(24, 80);
	uint32_t random = 1;

	assert_non_null(shown);
	assert_non_null(f);
	for (unsigned int round = 0; round < 100; round++) {
		unsigned int parts = 0;
		struct sw_frame *part;

		fill(f, &random);
		while ((part = sw_frame_part(shown, f, SW_PART_BYTES))) {
			size_t at = (size_t)f->cur_row * f->cols;

			assert_memory_equal(part->cells + at, f->cells + at,
					    f->cols * sizeof(*f->cells));
			assert_int_equal(part->cur_row, f->cur_row);
			sw_frame_free(shown);
			shown = part;
			assert_true(++parts < 24);
		}
		assert_true(parts >= 8);
	}
}

/* A terminal moves rows itself, so a screen that scrolls by one is no longer way than that row. */
static void test_what_scrolls_or_is_short_goes_in_one(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *shown = sw_frame_new(24, 80), *f = sw_frame_new(24, 80);
	_cleanup_frame_ struct sw_frame *other = sw_frame_new(25, 80);
	uint32_t random = 1;
	size_t row = 80;

	assert_non_null(shown);
	assert_non_null(f);
	assert_non_null(other);
	fill(shown, &random);
	fill(f, &random);
	assert_null(sw_frame_part(shown, f, 24 * 100));
	memcpy(f->cells + row, shown->cells + 2 * row, 21 * row * sizeof(*f->cells));
	assert_null(sw_frame_part(shown, f, SW_PART_BYTES));
	memcpy(shown->cells + 3 * row, f->cells + row, 20 * row * sizeof(*f->cells));
	assert_null(sw_frame_part(f, shown, 2 * SW_PART_BYTES));
	/* Another title is another screen, which comes whole. */
	fill(f, &random);
	f->cells[0].ch = 'x';
	assert_null(sw_frame_part(shown, f, SW_PART_BYTES));
	shown->cells[0].ch = 'x';
	shown->cells[23 * row].ch = 'y';
	assert_null(sw_frame_part(shown, f, SW_PART_BYTES));
	assert_null(sw_frame_part(shown, other, SW_PART_BYTES));
	assert_null(sw_frame_part(shown, shown, SW_PART_BYTES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_held_key_is_never_half_a_second_late),
		cmocka_unit_test(test_parts_lead_to_the_frame_with_the_cursors_row_first),
		cmocka_unit_test(test_what_scrolls_or_is_short_goes_in_one),
	};

	setenv("SLIPWAY_LAYOUTS", "layouts", 1);
	sw_text_init();
	return cmocka_run_group_tests_name("slow-line", tests, NULL, NULL);
}
