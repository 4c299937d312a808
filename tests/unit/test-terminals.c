/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminals as they are: slow, torn, pasted into, stuck, stopped or looped back. The real viewer
 * on a pty; the slow line is a model with a clock of its own, so nothing here depends on how fast
 * this machine is.
 */
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>

#include <cmocka.h>

#include "tests/lib/rig.h"

#include "base/file.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/session/list.h"
#include "tui/session/text.h"
#include "tui/term/echo.h"
#include "tui/term/paste.h"
#include "tui/term/plain.h"
#include "tui/term/viewer.h"

#define N_ROWS 120u

/* ---- a long list and a long text ---- */

struct many {
	struct sw_list list;
};

static void many_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	struct many *m = v->data;
	char text[40];

	for (unsigned int i = 0; i < N_ROWS; i++) {
		(void)snprintf(text, sizeof(text), "Item %u of a long list, row %u", i, i * 7919);
		assert_int_equal(sw_list_add_text(&m->list, (int)i, text), 0);
	}
}

static void many_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		      const struct sw_area *a)
{
	struct many *m = v->data;

	sw_list_draw(&m->list, f, a, NULL);
}

static bool many_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct many *m = v->data;

	return sw_list_request(&m->list, s, req, ch);
}

static void many_close(struct sw_view *v)
{
	struct many *m = v->data;

	sw_list_clear(&m->list);
}

static const struct sw_view_ops many = {
	.title = "Many", .size = sizeof(struct many), .open = many_open, .draw = many_draw,
	.request = many_request, .close = many_close,
};

static size_t selected(const struct sw_rig *g)
{
	assert_ptr_equal(g->s->top->ops, &many);
	return ((struct many *)g->s->top->data)->list.sel;
}

static void select_row(struct sw_rig *g, size_t row)
{
	((struct many *)g->s->top->data)->list.sel = row;
}

/* ---- 9600 baud ---- */

#define KEYS 90			/* three seconds at 30 a second */
#define KEY_MS 33
#define LATE_MS 500
#define PAGE_MS 1000	/* for the rest of a page around the row that is chosen */
#define BYTES_PER_MS 0.96	/* 9600 baud, 8N1 */
#define NEARLY_EMPTY 16.0	/* when a viewer on a serial line takes its frame as shown */

/*
 * A serial line between viewer and terminal. What the viewer writes queues here; what it has to
 * say to the session (keys, and that a frame is shown) is heard when the queue is nearly empty,
 * which is when a viewer on a real line acknowledges.
 */
struct line {
	double queue, ms;
	size_t total;
};

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0 && (p.revents & POLLIN);
}

/* A frame under way is on the line when the viewer has acknowledged it. */
static void collect(struct sw_rig *g, struct line *l)
{
	const struct sw_conn *c = g->srv.conns[0];

	if (c->sent != c->acked)
		assert_true(readable(c->fd, 60000));
	while (readable(g->master, 0)) {
		g->bytes = 0;
		assert_true(sw_rig_take_output(g));
		l->queue += (double)g->bytes;
		l->total += g->bytes;
	}
}

static void pass(struct sw_rig *g, struct line *l, double ms)
{
	collect(g, l);
	l->ms += ms;
	l->queue = l->queue > ms * BYTES_PER_MS ? l->queue - ms * BYTES_PER_MS : 0;
	if (l->queue <= NEARLY_EMPTY) {
		struct pollfd fds[SW_MAX_VIEWERS + 1];
		size_t n = sw_server_poll(&g->srv, fds);

		if (poll(fds, (nfds_t)n, 0) > 0)
			(void)sw_server_handle(&g->srv, fds, n, g->s);
		sw_server_show(&g->srv, g->s);
	}
}

/* SOL gives its packets when it likes: in the middle of a sequence, and late. */
static void press_torn(struct sw_rig *g, const char *key, unsigned int i)
{
	size_t n = strlen(key), first = i % (n + 1);

	assert_int_equal(write(g->master, key, first), (ssize_t)first);
	(void)poll(NULL, 0, (int)(i * 7 % 20));
	assert_int_equal(write(g->master, key + first, n - first), (ssize_t)(n - first));
}

static void hold(struct sw_rig *g, const char *key, unsigned int n, double limit,
		 const char *what)
{
	struct line l = { 0 };
	double let_go;

	for (unsigned int i = 0; i < n; i++) {
		press_torn(g, key, i);
		for (int ms = 0; ms < KEY_MS; ms++)
			pass(g, &l, 1);
	}
	let_go = l.ms;
	/* Until no key is under way any more and the last frame has left. */
	for (unsigned int quiet = 0; quiet < 30; quiet++) {
		size_t before = l.total;

		(void)poll(NULL, 0, 2);
		collect(g, &l);
		if (l.total != before || l.queue > 0 || !sw_rig_is_idle(g))
			quiet = 0;
		pass(g, &l, l.queue > 0 ? 1.0 : 0.0);
	}
	print_message("# %s: %zu bytes, settled %.0f ms after the last key\n", what, l.total,
		      l.ms - let_go);
	if (l.ms - let_go > limit)
		fail_msg("%s: the screen follows %.0f ms late", what, l.ms - let_go);
	sw_rig_assert_shows_the_frame(g);
}

static void test_a_held_arrow_at_9600_baud_is_not_late_and_none_is_broken(void **state SW_UNUSED)
{
	struct sw_rig g;

	/* What tears the keys here is also how busy this machine is. */
	setenv("ESCDELAY", "5000", 1);
	sw_rig_open(&g, "vt220", N_ROWS + 8, SW_RIG_COLS);
	unsetenv("ESCDELAY");
	sw_view_push(g.s, &many);
	(void)sw_rig_settle(&g);
	hold(&g, "\033[B", KEYS, LATE_MS, "down a list");
	assert_int_equal(selected(&g), KEYS);
	hold(&g, "\033OA", KEYS, LATE_MS, "up a list");
	assert_int_equal(selected(&g), 0);
	sw_rig_close(&g);
}

/*
 * Thirty new rows a second are more than the line carries, and no key may be left out: a script's
 * would choose another row. So pages are turned, the row that is chosen first (tests/unit/
 * test-slow-line.c says how soon), and the rest of its page as fast as the line is.
 */
static void test_a_held_arrow_that_scrolls_is_not_late_either(void **state SW_UNUSED)
{
	static const unsigned int keys[] = { 84, KEYS };
	struct sw_rig g;

	setenv("ESCDELAY", "5000", 1);
	sw_rig_open(&g, "vt220", SW_RIG_ROWS, SW_RIG_COLS);
	unsetenv("ESCDELAY");
	sw_view_push(g.s, &many);
	(void)sw_rig_settle(&g);
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
		select_row(&g, 0);
		(void)sw_rig_settle(&g);
		hold(&g, "\033[B", keys[i], PAGE_MS, "down a long list that scrolls");
		assert_int_equal(selected(&g), keys[i]);
	}
	select_row(&g, N_ROWS - 1);
	(void)sw_rig_settle(&g);
	hold(&g, "\033[A", KEYS, PAGE_MS, "up a long list that scrolls");
	assert_int_equal(selected(&g), N_ROWS - 1 - KEYS);
	sw_rig_close(&g);
}

/* ---- keys ---- */

static void test_all_forms_of_a_key_do_the_same_on_every_terminal(void **state SW_UNUSED)
{
	static const char *const terms[] = { "vt100", "vt220", "linux", "xterm", "screen" };
	static const struct {
		const char *bytes;
		size_t to;
	} keys[] = {
		{ "\033[A", 49 }, { "\033OA", 49 }, { "\020", 49 }, { "k", 49 },
		{ "\033[B", 51 }, { "\033OB", 51 }, { "\016", 51 }, { "j", 51 },
		{ "\033[H", 0 }, { "\033OH", 0 }, { "\033[1~", 0 }, { "\033[7~", 0 }, { "g", 0 },
		{ "\033[F", 119 }, { "\033OF", 119 }, { "\033[4~", 119 }, { "\033[8~", 119 },
		{ "G", 119 }, { "\033[5~", 40 }, { "-", 40 }, { "\033[6~", 60 }, { "\006", 60 },
	};
	struct sw_rig g;

	for (size_t t = 0; t < ARRAY_SIZE(terms); t++) {
		sw_rig_open(&g, terms[t], SW_RIG_ROWS, SW_RIG_COLS);
		sw_view_push(g.s, &many);
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			select_row(&g, 50);
			(void)sw_rig_type(&g, keys[i].bytes);
			if (selected(&g) != keys[i].to)
				fail_msg("%s: key %zu leads to %zu", terms[t], i, selected(&g));
		}
		/* ^B goes back like ^X, and Esc and a digit is a function key. */
		(void)sw_rig_type(&g, "\0331");
		assert_ptr_equal(g.s->top->ops, &sw_screen_help);
		(void)sw_rig_type(&g, "\002");
		assert_ptr_equal(g.s->top->ops, &many);
		sw_rig_close(&g);
	}
}

static void test_every_terminal_shows_the_frame_at_every_size(void **state SW_UNUSED)
{
	static const char *const terms[] = { "vt100", "vt220", "linux", "xterm", "screen" };
	static const char *const steps[] = { "\033[B", "\r", "\030", "?", "\002", "\f" };

	for (size_t t = 0; t < ARRAY_SIZE(terms); t++)
		sw_rig_walk(terms[t], 43, 132, steps, ARRAY_SIZE(steps));
}

/* What is smaller than 80x24 is scrolled so that the cursor's row is in sight. */
static void test_a_smaller_terminal_is_usable_by_scrolling(void **state SW_UNUSED)
{
	static const unsigned short sizes[][2] = { { 20, 60 }, { 10, 40 }, { 4, 20 }, { 2, 10 } };
	struct sw_rig g;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_free_ char *text = NULL;

		sw_rig_open(&g, "vt220", sizes[i][0], sizes[i][1]);
		sw_view_push(g.s, &many);
		(void)sw_rig_type(&g, "G");
		text = sw_rig_text(&g, sizes[i][0], sizes[i][1]);
		assert_non_null(strstr(text, "> Item"));
		sw_rig_close(&g);
	}
}

/* ---- pasting ---- */

/* To the first text field of the install's forms. */
static void open_host_name(struct sw_rig *g)
{
	sw_rig_open(g, "vt220", SW_RIG_ROWS, SW_RIG_COLS);
	sw_view_push(g->s, &sw_screen_node);
	(void)sw_rig_settle(g);
	(void)sw_rig_type(g, "\025");
}

static const char *host_name(const struct sw_rig *g)
{
	return g->s->answers->hostname;
}

static void test_a_pasted_newline_presses_no_button(void **state SW_UNUSED)
{
	struct sw_rig g;

	open_host_name(&g);
	(void)sw_rig_type(&g, "\033[200~alpha\r\r-beta\r\033[201~");
	assert_ptr_equal(g.s->top->ops, &sw_screen_node);
	assert_string_equal(host_name(&g), "alpha-beta");
	/* The same without the marks, all at once as a line that does not know them has it. */
	(void)sw_rig_type(&g, "\025gamma\rdelta\n");
	assert_ptr_equal(g.s->top->ops, &sw_screen_node);
	assert_string_equal(host_name(&g), "gammadelta");
	/* A person's Enter, also of a script that sends it right behind the text. */
	(void)poll(NULL, 0, 400);
	(void)sw_rig_type(&g, "\025zeta\r");
	assert_ptr_equal(g.s->top->ops, &sw_screen_review);
	assert_string_equal(host_name(&g), "zeta");
	sw_rig_close(&g);
}

static void test_carriage_return_and_newline_are_one_enter(void **state SW_UNUSED)
{
	struct sw_rig g;

	sw_rig_open(&g, "vt220", SW_RIG_ROWS, SW_RIG_COLS);
	(void)sw_rig_settle(&g);
	(void)sw_rig_type(&g, "\r\n");
	assert_ptr_equal(g.s->top->ops, &sw_screen_disk);
	sw_rig_close(&g);
}

static void test_a_paste_whose_end_is_lost_ends(void **state SW_UNUSED)
{
	uint32_t keys[] = { SW_KEY_PASTE, 'a', '\r' }, enter[] = { '\r' };
	struct sw_paste p = { 0 };

	assert_int_equal(sw_paste_filter(&p, keys, 3, 1000), 1);
	assert_int_equal(sw_paste_filter(&p, enter, 1, 1500), 0);
	assert_int_equal(sw_paste_filter(&p, enter, 1, 4000), 1);
}

/* ---- stuck, stopped and looped terminals ---- */

struct other {
	int master, slave;
	pid_t pid;
};

static void other_open(struct other *o, const struct sw_rig *g)
{
	struct winsize ws = { .ws_row = SW_RIG_ROWS, .ws_col = SW_RIG_COLS };
	struct sw_error err = { 0 };
	char tty[64];

	assert_int_equal(openpty(&o->master, &o->slave, tty, NULL, &ws), 0);
	o->pid = fork();
	if (o->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(o->master);
		_exit(sw_viewer_run(g->path, tty, "vt220", &err) < 0 ? 1 : 0);
	}
}

static void other_close(struct other *o)
{
	kill(o->pid, SIGKILL);
	(void)waitpid(o->pid, NULL, 0);
	close(o->slave);
	close(o->master);
}

static void wait_for_viewers(struct sw_rig *g, size_t n)
{
	int64_t end = sw_rig_now_ms() + 60000;

	while (g->srv.n < n && sw_rig_now_ms() < end)
		(void)sw_rig_settle(g);
	assert_int_equal(g->srv.n, n);
}

/* One console goes through screens while the other does nothing; big frames, so that pipes fill. */
static void go_on_beside(struct sw_rig *g)
{
	for (int i = 0; i < 6; i++) {
		(void)sw_rig_type(g, "?");
		assert_ptr_equal(g->s->top->ops, &sw_screen_help);
		(void)sw_rig_type(g, "\030");
		sw_rig_assert_shows_the_frame(g);
	}
}

/* Two consoles; the other is put to sleep by `calm`, and the first one's screens still come. */
static void beside_one_that(void (*calm)(const struct other *o))
{
	struct sw_rig g;
	struct other o;

	sw_rig_open(&g, "vt220", SW_RIG_ROWS, SW_RIG_COLS);
	(void)sw_rig_type(&g, "j");
	other_open(&o, &g);
	wait_for_viewers(&g, 2);
	if (calm)
		calm(&o);
	go_on_beside(&g);
	other_close(&o);
	sw_rig_close(&g);
}

static void stop_output(const struct other *o)
{
	assert_int_equal(tcflow(o->slave, TCOOFF), 0);
}

static void stop_viewer(const struct other *o)
{
	assert_int_equal(kill(o->pid, SIGSTOP), 0);
}

static void test_a_terminal_that_nobody_reads_holds_nobody_up(void **state SW_UNUSED)
{
	beside_one_that(NULL);
}

static void test_xoff_holds_nobody_up(void **state SW_UNUSED)
{
	beside_one_that(stop_output);
}

static void test_a_stopped_viewer_holds_nobody_up(void **state SW_UNUSED)
{
	beside_one_that(stop_viewer);
}

/* Sends everything back that comes; true when it has become quiet. */
static bool loop_back(struct sw_rig *g)
{
	struct pollfd fds[SW_MAX_VIEWERS + 2];
	char data[4096];
	int quiet = 0;

	for (int rounds = 0; rounds < 2000 && quiet < 12; rounds++) {
		size_t n = sw_server_poll(&g->srv, fds);
		ssize_t got;

		g->s->now_ms = sw_rig_now_ms();
		sw_server_show(&g->srv, g->s);
		fds[n] = (struct pollfd){ .fd = g->master, .events = POLLIN };
		quiet = poll(fds, (nfds_t)n + 1, 20) > 0 ? 0 : quiet + 1;
		if (fds[n].revents & POLLIN) {
			got = read(g->master, data, sizeof(data));
			if (got > 0)
				(void)!write(g->master, data, (size_t)got);
		}
		(void)sw_server_handle(&g->srv, fds, n, g->s);
	}
	return quiet >= 12;
}

static const struct sw_view_ops *const looped[] = {
	&sw_screen_start, &sw_screen_disk, &sw_screen_node, &sw_screen_confirm, &sw_screen_help,
};

static void test_a_looped_line_asks_for_nothing_and_becomes_quiet(void **state SW_UNUSED)
{
	const unsigned int writes = SW_WANT_APPLY | SW_WANT_RESUME | SW_WANT_UNDO |
				    SW_WANT_REBOOT | SW_WANT_POWEROFF | SW_WANT_SWITCH_SET;
	struct sw_rig g;

	for (int plain = 0; plain < 2; plain++) {
		sw_rig_open(&g, plain ? NULL : "vt220", SW_RIG_ROWS, SW_RIG_COLS);
		for (size_t i = 0; i < ARRAY_SIZE(looped); i++) {
			sw_view_only(g.s, looped[i]);
			assert_true(loop_back(&g));
			assert_int_equal(g.s->want & writes, 0);
			assert_false(g.s->quit);
			assert_int_equal(g.s->phase, SW_PHASE_ASKING);
		}
		sw_rig_close(&g);
	}
}

static void test_an_echo_is_told_from_keys(void **state SW_UNUSED)
{
	static const char *const typed[] = {
		"\033[A", "\033OB", "\033[1~", "\033[1;5C", "\033[20~", "\033[200~", "\033[12;40R",
		"\033[H", "hello[5;3H", "\0331",
	};
	static const char *const echoed[] = {
		"\033[12;40H", "\033[J", "\033[2K", "\033[7m", "\033[1;24r", "\033[?25h", "\033[m",
	};
	struct sw_echo e = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(typed); i++)
		for (const char *p = typed[i]; *p; p++)
			assert_false(sw_echo_key(&e, (unsigned char)*p));
	for (size_t i = 0; i < ARRAY_SIZE(echoed); i++) {
		bool is = false;

		for (const char *p = echoed[i]; *p; p++)
			is |= sw_echo_key(&e, (unsigned char)*p);
		assert_true(is);
	}
	assert_true(sw_echo_line(" To install, type 7SYS and press Enter.\r", "Confirm\n\n"
				 "To install, type 7SYS and press Enter.\nText: "));
	assert_false(sw_echo_line("7SYS", "To install, type 7SYS and press Enter.\n7SYS\n"));
	assert_false(sw_echo_line("", "a\n\nb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_held_arrow_at_9600_baud_is_not_late_and_none_is_broken),
		cmocka_unit_test(test_a_held_arrow_that_scrolls_is_not_late_either),
		cmocka_unit_test(test_all_forms_of_a_key_do_the_same_on_every_terminal),
		cmocka_unit_test(test_every_terminal_shows_the_frame_at_every_size),
		cmocka_unit_test(test_a_smaller_terminal_is_usable_by_scrolling),
		cmocka_unit_test(test_a_pasted_newline_presses_no_button),
		cmocka_unit_test(test_carriage_return_and_newline_are_one_enter),
		cmocka_unit_test(test_a_paste_whose_end_is_lost_ends),
		cmocka_unit_test(test_a_terminal_that_nobody_reads_holds_nobody_up),
		cmocka_unit_test(test_xoff_holds_nobody_up),
		cmocka_unit_test(test_a_stopped_viewer_holds_nobody_up),
		cmocka_unit_test(test_a_looped_line_asks_for_nothing_and_becomes_quiet),
		cmocka_unit_test(test_an_echo_is_told_from_keys),
	};

	setenv("SLIPWAY_LAYOUTS", "layouts", 1);
	sw_text_init();
	return cmocka_run_group_tests_name("terminals", tests, NULL, NULL);
}
