/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/list.h"
#include "tui/session/pager.h"
#include "tui/session/state.h"
#include "tui/session/text.h"
#include "tui/session/work.h"

static void type(struct sw_line *l, const char *text)
{
	unsigned int width;

	while (*text)
		assert_true(sw_line_request(l, SW_REQ_TEXT, sw_text_next(&text, &width), NULL));
}

static void test_a_line_is_edited_by_characters(void **state SW_UNUSED)
{
	struct sw_line l = { .max = 8 };
	bool changed;

	assert_int_equal(sw_line_set(&l, ""), 0);
	type(&l, "aéb");
	assert_string_equal(l.text, "aéb");
	sw_line_request(&l, SW_REQ_LEFT, 0, NULL);
	sw_line_request(&l, SW_REQ_BACKSPACE, 0, &changed);
	assert_true(changed);
	assert_string_equal(l.text, "ab");
	type(&l, "漢");
	assert_string_equal(l.text, "a漢b");
	sw_line_request(&l, SW_REQ_HOME, 0, &changed);
	assert_false(changed);
	sw_line_request(&l, SW_REQ_DELETE, 0, NULL);
	assert_string_equal(l.text, "漢b");
	sw_line_request(&l, SW_REQ_END, 0, NULL);
	type(&l, "123456");
	/* Eight bytes, no more; and no controls, however they come. */
	assert_string_equal(l.text, "漢b1234");
	sw_line_request(&l, SW_REQ_BACKSPACE, 0, NULL);
	sw_line_request(&l, SW_REQ_TEXT, 0x1b, &changed);
	assert_false(changed);
	sw_line_request(&l, SW_REQ_TEXT, 0x202e, &changed);
	assert_false(changed);
	sw_line_request(&l, SW_REQ_KILL, 0, &changed);
	assert_true(changed);
	assert_string_equal(l.text, "");
	sw_line_clear(&l);
}

/* However long the text, the cursor stays between the brackets. */
static void test_a_long_line_scrolls_with_the_cursor(void **state SW_UNUSED)
{
	struct sw_line l = { .max = 300 };

	assert_int_equal(sw_line_set(&l, ""), 0);
	for (int i = 0; i < 200; i++) {
		_cleanup_frame_ struct sw_frame *f = sw_frame_new(1, 40);

		type(&l, i % 7 ? "x" : "漢");
		sw_line_draw(&l, f, 0, 10, 20);
		assert_in_range(f->cur_col, 11, 28);
		assert_int_equal(f->cells[29].ch, ']');
		assert_int_equal(f->cells[9].ch, ' ');
	}
	sw_line_clear(&l);
}

static void test_a_list_moves_searches_and_scrolls(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = sw_state_new(NULL, NULL);
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(5, 20);
	const struct sw_area a = { .rows = 5, .cols = 20 };
	_cleanup_free_ char *text = NULL;
	struct sw_list l = { 0 };

	for (int i = 0; i < 30; i++) {
		_cleanup_free_ char *name = sw_fmt("disk %d", i);

		assert_int_equal(sw_list_add_text(&l, i, name), 0);
	}
	sw_list_request(&l, s, SW_REQ_UP, 0);
	assert_int_equal(l.sel, 0);
	sw_list_request(&l, s, SW_REQ_END, 0);
	sw_list_request(&l, s, SW_REQ_DOWN, 0);
	assert_int_equal(l.sel, 29);
	sw_list_draw(&l, f, &a, NULL);
	text = sw_frame_text(f);
	assert_string_equal(text, "  disk 25\n  disk 26\n  disk 27\n  disk 28\n> disk 29\n");
	sw_list_request(&l, s, SW_REQ_SEARCH, 0);
	assert_int_equal(sw_list_mode(&l), SW_MODE_TEXT);
	sw_list_request(&l, s, SW_REQ_TEXT, '1');
	assert_int_equal(l.sel, 1);
	sw_list_request(&l, s, SW_REQ_TEXT, '7');
	assert_int_equal(l.sel, 17);
	sw_list_request(&l, s, SW_REQ_ACCEPT, 0);
	assert_int_equal(sw_list_mode(&l), SW_MODE_KEYS);
	sw_list_request(&l, s, SW_REQ_SEARCH_NEXT, 0);
	assert_int_equal(l.sel, 17);
	sw_list_clear(&l);
	/* Empty lists are harmless. */
	sw_list_request(&l, s, SW_REQ_DOWN, 0);
	assert_null(sw_list_selected(&l));
	sw_list_draw(&l, f, &a, NULL);
}

static void test_a_search_goes_on_in_a_list_that_is_filled_anew(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = sw_state_new(NULL, NULL);
	struct sw_list l = {};

	for (int round = 0; round < 2; round++) {
		sw_list_clear(&l);
		assert_int_equal(sw_list_add_text(&l, 1, "Restart"), 0);
		assert_int_equal(sw_list_add_text(&l, 2, "Rescue shell"), 0);
		if (round == 0)
			sw_list_request(&l, s, SW_REQ_SEARCH, 0);
		sw_list_request(&l, s, SW_REQ_TEXT, round == 0 ? 'e' : 's');
		assert_int_equal(l.sel, 0);
	}
	assert_int_equal(sw_list_mode(&l), SW_MODE_TEXT);
	sw_list_request(&l, s, SW_REQ_TEXT, 'c');
	assert_int_equal(l.sel, 1);
	sw_list_request(&l, s, SW_REQ_ACCEPT, 0);
	sw_list_clear(&l);
	assert_int_equal(sw_list_mode(&l), SW_MODE_KEYS);
}

static void test_a_pager_follows_until_one_scrolls_up(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(4, 20);
	const struct sw_area a = { .rows = 4, .cols = 20 };
	struct sw_pager p = { .follow = true };

	sw_pager_set(&p, strdup("1\n2\n3\n4\n5\n6\n"));
	sw_pager_draw(&p, f, &a);
	assert_int_equal(p.top, 3);
	sw_pager_set(&p, strdup("1\n2\n3\n4\n5\n6\n7\n"));
	sw_pager_draw(&p, f, &a);
	assert_int_equal(p.top, 4);
	sw_pager_request(&p, NULL, SW_REQ_UP, 0);
	sw_pager_set(&p, strdup("1\n2\n3\n4\n5\n6\n7\n8\n"));
	sw_pager_draw(&p, f, &a);
	assert_int_equal(p.top, 3);
	sw_pager_request(&p, NULL, SW_REQ_END, 0);
	assert_true(p.follow);
	sw_pager_clear(&p);
}

/* What stands beside the bar after half of the first of two steps, 10 s after its start. */
static void bar_says(int64_t day_before_ms, int64_t day_after_ms, const char *rate,
		     const char *left)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(24, 80);
	_cleanup_free_ char *text = NULL;
	const struct sw_area a = { .rows = 24, .cols = 80 };
	struct sw_progress run = {};
	struct sw_event ev = { .type = SW_EVENT_START, .step = 1, .steps = 2, .weight = 1,
			       .time_ms = day_before_ms, .now_ms = 5000, .text = "one" };

	assert_non_null(f);
	assert_int_equal(sw_progress_begin(&run, NULL), 0);
	sw_progress_event(&run, &ev);
	ev = (struct sw_event){ .type = SW_EVENT_PROGRESS, .step = 1, .steps = 2, .done = 50 << 20,
				.size = 100 << 20, .time_ms = day_after_ms, .now_ms = 15000 };
	sw_progress_event(&run, &ev);
	sw_progress_draw(&run, f, &a);
	text = sw_frame_text(f);
	assert_non_null(strstr(text, rate));
	assert_non_null(strstr(text, left));
	sw_progress_clear(&run);
}

/* A dead battery: the clock of the board says 2016 until a server says what day it is. */
static void test_a_clock_that_is_set_meanwhile_changes_no_rate_and_no_time_left(
	void **state SW_UNUSED)
{
	const int64_t day = 1760000000000, decade = 315360000000;

	bar_says(day, day + 10000, "5M/s", "0:30 left");
	bar_says(day - decade, day, "5M/s", "0:30 left");
	bar_says(day + decade, day, "5M/s", "0:30 left");
}

static void test_progress_weighs_steps_and_keeps_a_bounded_log(void **state SW_UNUSED)
{
	struct sw_progress run = { 0 };
	struct sw_event ev = { .type = SW_EVENT_START, .step = 1, .steps = 2, .weight = 30,
			       .now_ms = 1000, .text = "one" };

	assert_int_equal(sw_progress_begin(&run, NULL), 0);
	sw_progress_event(&run, &ev);
	ev = (struct sw_event){ .type = SW_EVENT_FINISH, .step = 1, .steps = 2 };
	sw_progress_event(&run, &ev);
	ev = (struct sw_event){ .type = SW_EVENT_START, .step = 2, .steps = 2, .weight = 10 };
	sw_progress_event(&run, &ev);
	assert_int_equal(sw_progress_permille(&run), 750);
	ev = (struct sw_event){ .type = SW_EVENT_PROGRESS, .step = 2, .done = 1, .size = 2 };
	sw_progress_event(&run, &ev);
	assert_int_equal(sw_progress_permille(&run), 875);
	/* Sizes that make no sense do not run past the end. */
	ev = (struct sw_event){ .type = SW_EVENT_PROGRESS, .step = 2, .done = 99, .size = 2 };
	sw_progress_event(&run, &ev);
	assert_int_equal(sw_progress_permille(&run), 1000);
	ev = (struct sw_event){ .type = SW_EVENT_START, .step = 4000000000u, .steps = 1 };
	sw_progress_event(&run, &ev);
	assert_int_equal(run.n_steps, 2);
	for (unsigned int i = 0; i < SW_PROGRESS_LOG_LINES + 5; i++)
		sw_progress_log(&run, 0, i == SW_PROGRESS_LOG_LINES + 4 ? "last" : "line");
	assert_int_equal(run.log_n, SW_PROGRESS_LOG_LINES);
	assert_string_equal(sw_progress_log_line(&run, run.log_n - 1), "00:00:00 last");
	sw_progress_clear(&run);
}

/* ---- an install that outlived its session ---- */

static pid_t stand_in_for_apply(void)
{
	int named[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(named, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, "slipway-apply");
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(named[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(named[1]);
	assert_int_equal(read(named[0], &c, 1), 1);
	close(named[0]);
	return pid;
}

static void write_run_file(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name);

	assert_int_equal(sw_file_write(path, text, strlen(text), 0600), 0);
}

static void test_a_new_session_follows_a_running_install(void **state SW_UNUSED)
{
	static const char old[] = "{\"event\":\"log\",\"time_ms\":0,\"text\":\"an older run\"}\n";
	static const char log[] = "{\"event\":\"log\",\"time_ms\":0,\"text\":\"of this run\"}\n";
	static const char done[] = "{\"event\":\"done\",\"time_ms\":0,\"result\":0}\n";
	_cleanup_state_ struct sw_state *s = sw_state_new(NULL, NULL);
	_cleanup_free_ char *dir = NULL, *note = NULL, *events = NULL, *more = NULL;
	struct sw_worker w = { .fd = -EBADF };
	struct sw_machine m = { 0 };
	pid_t pid = stand_in_for_apply();

	assert_int_equal(sw_scratch_new("work", &dir), 0);
	m.run_dir = dir;
	/* A note of a process that is another one now is not believed. */
	note = sw_fmt("{\"pid\": %d, \"offset\": 0, \"work\": 0}", (int)getpid());
	write_run_file(dir, "apply.json", note);
	write_run_file(dir, "events.jsonl", old);
	assert_false(sw_worker_adopt(&w, &m, &s->work));
	free(note);
	note = sw_fmt("{\"pid\": %d, \"offset\": %zu, \"work\": 0}", (int)pid, strlen(old));
	write_run_file(dir, "apply.json", note);
	events = sw_fmt("%s%s", old, log);
	write_run_file(dir, "events.jsonl", events);
	assert_true(sw_worker_adopt(&w, &m, &s->work));
	sw_view_push(s, &sw_screen_start);
	assert_int_equal(sw_progress_begin(&s->run, NULL), 0);
	s->phase = SW_PHASE_RUNNING;
	assert_int_equal(sw_worker_read(&w, s), SW_WORKER_LATER);
	assert_int_equal(s->run.log_n, 1);
	assert_non_null(strstr(sw_progress_log_line(&s->run, 0), "of this run"));
	assert_int_equal(s->phase, SW_PHASE_RUNNING);
	more = sw_fmt("%s/events.jsonl", dir);
	FILE *f = fopen(more, "a");
	assert_non_null(f);
	assert_true(fputs(done, f) >= 0);
	fclose(f);
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	assert_int_equal(sw_worker_read(&w, s), SW_WORKER_NOW);
	assert_int_equal(s->phase, SW_PHASE_DONE);
	assert_int_equal(w.pid, 0);
	(void)sw_remove_tree(dir);
}

/* A held key on a slow line turns pages; without hurry a row more is a row more. */
static void test_a_list_in_a_hurry_turns_pages(void **state SW_UNUSED)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(10, 40);
	_cleanup_state_ struct sw_state *s = sw_state_new(NULL, NULL);
	const struct sw_area a = { .rows = 10, .cols = 40 };
	struct sw_list l = { 0 };
	char text[16];

	assert_non_null(s);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(text, sizeof(text), "row %d", i);
		assert_int_equal(sw_list_add_text(&l, i, text), 0);
	}
	for (int i = 0; i < 10; i++)
		assert_true(sw_list_request(&l, s, SW_REQ_DOWN, 0));
	(void)sw_list_draw(&l, f, &a, NULL);
	assert_int_equal(l.top, 1);
	s->hurry = true;
	assert_true(sw_list_request(&l, s, SW_REQ_DOWN, 0));
	(void)sw_list_draw(&l, f, &a, NULL);
	assert_int_equal(l.top, 10);	/* row 11 is the second */
	for (int i = 0; i < 40; i++) {
		assert_true(sw_list_request(&l, s, SW_REQ_DOWN, 0));
		(void)sw_list_draw(&l, f, &a, NULL);
	}
	assert_int_equal(l.sel, 39);
	assert_int_equal(l.top, 30);
	for (int i = 0; i < 10; i++)
		assert_true(sw_list_request(&l, s, SW_REQ_UP, 0));
	(void)sw_list_draw(&l, f, &a, NULL);
	assert_int_equal(l.top, 21);	/* row 29 is the last but one */
	s->hurry = false;
	for (int i = 0; i < 9; i++)
		assert_true(sw_list_request(&l, s, SW_REQ_UP, 0));
	(void)sw_list_draw(&l, f, &a, NULL);
	assert_int_equal(l.top, 20);
	sw_list_clear(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_list_in_a_hurry_turns_pages),
		cmocka_unit_test(test_a_line_is_edited_by_characters),
		cmocka_unit_test(test_a_long_line_scrolls_with_the_cursor),
		cmocka_unit_test(test_a_list_moves_searches_and_scrolls),
		cmocka_unit_test(test_a_search_goes_on_in_a_list_that_is_filled_anew),
		cmocka_unit_test(test_a_pager_follows_until_one_scrolls_up),
		cmocka_unit_test(
			test_a_clock_that_is_set_meanwhile_changes_no_rate_and_no_time_left),
		cmocka_unit_test(test_progress_weighs_steps_and_keeps_a_bounded_log),
		cmocka_unit_test(test_a_new_session_follows_a_running_install),
	};

	sw_text_init();
	return cmocka_run_group_tests_name("widgets", tests, NULL, NULL);
}
