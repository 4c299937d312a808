/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real viewer on a pty, fed by the real server: what arrives at a terminal
 * is the frame, on every TERM, and within the budgets in bytes that a slow
 * serial line needs.
 */
#include <vterm.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "tests/lib/rig.h"

#include "base/file.h"
#include "base/json.h"
#include "tui/screens/screens.h"
#include "tui/session/server.h"
#include "tui/session/text.h"
#include "tui/term/viewer.h"

#define ROWS SW_RIG_ROWS
#define COLS SW_RIG_COLS
#define LIMIT_MS 60000

static void assert_at_most(const char *what, size_t bytes, size_t budget)
{
	print_message("# %s: %zu bytes of %zu\n", what, bytes, budget);
	if (bytes > budget)
		fail_msg("%s takes %zu bytes, more than %zu", what, bytes, budget);
	/* What shows nothing was not done. */
	if (bytes == 0 && budget > 0)
		fail_msg("%s changes nothing", what);
}

static void show_steps(struct sw_rig *g, uint64_t done)
{
	struct sw_event ev = { .type = SW_EVENT_PROGRESS, .step = 1, .steps = 10, .done = done,
			       .size = 60 << 20, .now_ms = 1760000000000 + (int64_t)(done >> 13) };

	(void)sw_state_event(g->s, &ev);
}

static void measure_progress(struct sw_rig *g)
{
	struct sw_event ev = { .type = SW_EVENT_START, .step = 1, .steps = 10, .weight = 10,
			       .now_ms = 1760000000000, .text = "Fetch and check the payload" };
	size_t sum = 0;

	sw_state_start(g->s, SW_WORK_INSTALL);
	g->s->want = 0;
	for (ev.step = 10; ev.step; ev.step--)
		(void)sw_state_event(g->s, &ev);
	ev.step = 1;
	(void)sw_state_event(g->s, &ev);
	show_steps(g, 10 << 20);
	(void)sw_rig_settle(g);
	for (unsigned int i = 1; i <= 10; i++) {
		show_steps(g, (uint64_t)(10 + i) << 20);
		sum += sw_rig_settle(g);
	}
	sw_rig_assert_shows_the_frame(g);
	assert_at_most("progress (mean of 10)", sum / 10, 40);
}

static void test_bytes_on_a_serial_line(void **state SW_UNUSED)
{
	struct sw_rig g;
	size_t n;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	assert_at_most("first screen", sw_rig_settle(&g), 800);
	sw_rig_assert_shows_the_frame(&g);
	assert_at_most("list move", sw_rig_type(&g, "\033[B"), 40);
	assert_at_most("list move", sw_rig_type(&g, "k"), 40);
	assert_at_most("to the disks", sw_rig_type(&g, "\r"), 900);
	assert_at_most("list move", sw_rig_type(&g, "j"), 40);
	assert_at_most("list move", sw_rig_type(&g, "k"), 40);
	assert_at_most("^L", sw_rig_type(&g, "\f"), 1000);
	assert_at_most("to the layout", sw_rig_type(&g, "\r"), 900);
	assert_at_most("to the boot mode", sw_rig_type(&g, "\r"), 900);
	assert_at_most("form move", sw_rig_type(&g, "\t"), 20);
	assert_at_most("form move back", sw_rig_type(&g, "\033[A"), 20);
	assert_at_most("to the payload", sw_rig_type(&g, "\r"), 900);
	assert_at_most("form move", sw_rig_type(&g, "\t"), 20);
	assert_at_most("form move", sw_rig_type(&g, "\t"), 20);
	assert_at_most("to admission", sw_rig_type(&g, "\r"), 900);
	assert_at_most("to another admission", sw_rig_type(&g, "\r"), 900);
	assert_at_most("to the node", sw_rig_type(&g, "\r"), 900);
	n = sw_rig_type(&g, "a");
	sw_rig_assert_shows_the_frame(&g);
	assert_at_most("typed character", n, 2);
	assert_at_most("typed character", sw_rig_type(&g, "b"), 2);
	assert_at_most("^L", sw_rig_type(&g, "\f"), 1000);
	sw_rig_assert_shows_the_frame(&g);
	assert_at_most("help", sw_rig_type(&g, "\a"), 900);
	assert_at_most("idle", sw_rig_settle(&g), 0);
	measure_progress(&g);
	sw_rig_close(&g);
}

/* ---- colour ---- */

static bool is_coloured(const struct sw_rig *g, int row, int col)
{
	VTermScreenCell cell;

	assert_true(vterm_screen_get_cell(vterm_obtain_screen(g->vt),
					  (VTermPos){ .row = row, .col = col }, &cell));
	return !VTERM_COLOR_IS_DEFAULT_FG(&cell.fg);
}

static unsigned int coloured_cells(const struct sw_rig *g)
{
	unsigned int n = 0;

	for (int i = 0; i < ROWS * COLS; i++)
		n += is_coloured(g, i / COLS, i % COLS);
	return n;
}

/* A name that cannot be: an error at its field, and Enter refuses it. */
static unsigned int colours_on(const char *term)
{
	struct sw_rig g;
	unsigned int first, wrong;

	sw_rig_open(&g, term, ROWS, COLS);
	(void)sw_rig_settle(&g);
	sw_rig_assert_shows_the_frame(&g);
	first = coloured_cells(&g);
	sw_view_push(g.s, &sw_screen_node);
	(void)sw_rig_settle(&g);
	(void)sw_rig_type(&g, "\025no_name!");
	sw_rig_assert_shows_the_frame(&g);
	wrong = coloured_cells(&g);
	if (first) {
		/* Title, mark and error; not the words between them, and nothing on every row. */
		assert_true(is_coloured(&g, 0, 0));
		assert_true(wrong > 10);
		assert_true(first < 100 && wrong < 200);
		assert_false(is_coloured(&g, ROWS - 1, 0));
	} else {
		assert_int_equal(wrong, 0);
	}
	sw_rig_close(&g);
	return first;
}

static void test_colour_is_an_addition_where_there_is_some(void **state SW_UNUSED)
{
	static const char *const some[] = { "linux", "xterm", "screen" };
	static const char *const none[] = { "vt100", "vt220" };

	unsetenv("NO_COLOR");
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		assert_true(colours_on(some[i]) > 0);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(colours_on(none[i]), 0);
	setenv("NO_COLOR", "1", 1);
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		assert_int_equal(colours_on(some[i]), 0);
	unsetenv("NO_COLOR");
}

static void walk(const char *term)
{
	static const char *const steps[] = {
		"\033[B", "\033OB", "\033[A", "\033OA", "\r", "j", "\r", "\t", " ", "\r", "\t",
		"\033[H", "x", "\033[1~", "\033OF", "\177", "\b", "\033[Z", "\f", "\r", "\030",
		"\033[6~", "\0331", "\033[5~",
	};

	sw_rig_walk(term, ROWS, COLS, steps, ARRAY_SIZE(steps));
}

static void test_vt100_shows_the_frames(void **state SW_UNUSED)
{
	walk("vt100");
}

static void test_vt220_shows_the_frames(void **state SW_UNUSED)
{
	walk("vt220");
}

static void test_linux_shows_the_frames(void **state SW_UNUSED)
{
	walk("linux");
}

static void test_xterm_shows_the_frames(void **state SW_UNUSED)
{
	walk("xterm");
}

static void test_screen_shows_the_frames(void **state SW_UNUSED)
{
	walk("screen");
}

/* Each form of a key leads where the key's name says. */
static void test_keys_beyond_terminfo_arrive(void **state SW_UNUSED)
{
	static const struct {
		const char *bytes;
		const char *title;
	} keys[] = {
		{ "\033OP", "Help" }, { "\033[11~", "Help" }, { "\033[[A", "Help" },
		{ "\0331", "Help" }, { "\a", "Help" }, { "?", "Help" },
	};
	struct sw_rig g;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	(void)sw_rig_settle(&g);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		(void)sw_rig_type(&g, keys[i].bytes);
		assert_string_equal(g.s->top->ops->title, keys[i].title);
		(void)sw_rig_type(&g, "\030");
		assert_string_equal(g.s->top->ops->title, sw_screen_start.title);
	}
	/* A lone Esc goes back, after its delay. */
	(void)sw_rig_type(&g, "?");
	(void)sw_rig_type(&g, "\033");
	(void)sw_rig_settle(&g);
	assert_string_equal(g.s->top->ops->title, sw_screen_start.title);
	sw_rig_close(&g);
}

static void test_a_small_terminal_follows_the_cursor(void **state SW_UNUSED)
{
	_cleanup_free_ char *text = NULL;
	struct sw_rig g;

	sw_rig_open(&g, "vt220", 10, 40);
	(void)sw_rig_settle(&g);
	(void)sw_rig_type(&g, "G");
	text = sw_rig_text(&g, 10, 40);
	assert_non_null(strstr(text, "> Power the machine off"));
	sw_rig_close(&g);
}

/* A line without a size asks the terminal, and believes it within bounds. */
static void test_a_line_without_a_size_asks_the_terminal(void **state SW_UNUSED)
{
	static const struct {
		const char *reply;
		unsigned int rows, cols;
	} cases[] = {
		{ "\033[30;100R", 30, 100 }, { "\033[3;9R", 24, 80 },
		{ "\033[999;999R", 60, 132 }, { NULL, 24, 80 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sw_rig g;

		sw_rig_open_answering(&g, "vt220", 0, 0, cases[i].reply);
		(void)sw_rig_settle(&g);
		assert_int_equal(g.srv.conns[0]->hello.rows, cases[i].rows);
		assert_int_equal(g.srv.conns[0]->hello.cols, cases[i].cols);
		sw_rig_close(&g);
	}
}

/* ---- several viewers: a second one is played by the test ---- */

struct client {
	int fd;
	struct sw_buf in, out;
	struct sw_frame *frame;		/* the last one */
	uint32_t number;
	unsigned int frames;
};

static void client_send(struct client *c)
{
	assert_int_equal(send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL), (ssize_t)c->out.len);
	sw_buf_clear(&c->out);
}

static void client_connect(struct client *c, const struct sw_rig *g)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	*c = (struct client){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	assert_true(strlen(g->path) < sizeof(a.sun_path));
	memcpy(a.sun_path, g->path, strlen(g->path) + 1);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
}

static void client_open(struct client *c, const struct sw_rig *g, unsigned int flags)
{
	struct sw_hello h = { .rows = 40, .cols = 100, .flags = flags, .name = "ttyS0",
			      .term = "vt220" };

	client_connect(c, g);
	assert_int_equal(sw_wire_hello(&c->out, &h), 0);
	client_send(c);
}

static void client_receive(struct client *c)
{
	struct sw_message m;
	uint8_t data[65536];
	unsigned int flags;
	ssize_t n;

	while ((n = recv(c->fd, data, sizeof(data), 0)) > 0)
		assert_int_equal(sw_buf_add(&c->in, data, (size_t)n), 0);
	while (sw_wire_next(c->in.data, c->in.len, &m) > 0) {
		sw_frame_free(TAKE_PTR(c->frame));
		assert_int_equal(sw_wire_read_frame(&m, &c->frame, &c->number, &flags), 0);
		c->frames++;
		sw_wire_consume(&c->in, m.total);
	}
}

static void client_ack(struct client *c)
{
	assert_int_equal(sw_wire_ack(&c->out, c->number), 0);
	client_send(c);
}

static void client_key(struct client *c, uint32_t key)
{
	assert_int_equal(sw_wire_keys(&c->out, &key, 1), 0);
	client_send(c);
}

static void client_close(struct client *c)
{
	close(c->fd);
	sw_buf_clear(&c->in);
	sw_buf_clear(&c->out);
	sw_frame_free(c->frame);
}

static bool frame_has(const struct sw_frame *f, const char *what)
{
	_cleanup_free_ char *text = f ? sw_frame_text(f) : NULL;

	return text && strstr(text, what);
}

static void test_a_stuck_viewer_gets_only_the_newest_frame(void **state SW_UNUSED)
{
	struct client c;
	struct sw_rig g;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	(void)sw_rig_settle(&g);
	client_open(&c, &g, SW_HELLO_OBSERVER);
	(void)sw_rig_settle(&g);
	client_receive(&c);
	assert_int_equal(c.frames, 1);
	for (int i = 0; i < 10; i++)
		(void)sw_rig_type(&g, i % 2 ? "k" : "j");
	(void)sw_rig_type(&g, "\r");
	/* It never acknowledged, so nothing more was sent, and the other went on. */
	client_receive(&c);
	assert_int_equal(c.frames, 1);
	sw_rig_assert_shows_the_frame(&g);
	client_ack(&c);
	(void)sw_rig_settle(&g);
	client_receive(&c);
	assert_int_equal(c.frames, 2);
	assert_true(frame_has(c.frame, "Which disk"));
	client_close(&c);
	sw_rig_close(&g);
}

static void test_keys_count_only_from_the_pen(void **state SW_UNUSED)
{
	_cleanup_free_ char *text = NULL;
	struct client c;
	struct sw_rig g;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	(void)sw_rig_settle(&g);
	(void)sw_rig_type(&g, "jj");
	client_open(&c, &g, 0);
	(void)sw_rig_settle(&g);
	client_receive(&c);
	assert_true(frame_has(c.frame, "The pen is with"));
	assert_true(frame_has(c.frame, "> Switch between"));
	client_ack(&c);
	client_key(&c, '\r');
	(void)sw_rig_settle(&g);
	assert_string_equal(g.s->top->ops->title, sw_screen_start.title);
	client_key(&c, SW_KEY_F9);
	client_key(&c, '\r');
	(void)sw_rig_settle(&g);
	assert_string_equal(g.s->top->ops->title, "From where this machine starts");
	text = sw_rig_text(&g, ROWS, COLS);
	assert_non_null(strstr(text, "The pen is with ttyS0"));
	(void)sw_rig_type(&g, "\030");
	assert_string_equal(g.s->top->ops->title, "From where this machine starts");
	/* ^K takes it back. */
	(void)sw_rig_type(&g, "\v");
	(void)sw_rig_type(&g, "\030");
	assert_string_equal(g.s->top->ops->title, sw_screen_start.title);
	sw_rig_assert_shows_the_frame(&g);
	client_close(&c);
	sw_rig_close(&g);
}

/* While nobody has typed, whoever types first has the pen, and the frame fits all. */
static void test_the_first_key_takes_a_free_pen(void **state SW_UNUSED)
{
	struct client c;
	struct sw_rig g;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	(void)sw_rig_settle(&g);
	client_open(&c, &g, 0);
	(void)sw_rig_settle(&g);
	client_receive(&c);
	assert_int_equal(c.frame->cols, COLS);
	client_ack(&c);
	client_key(&c, 'j');
	(void)sw_rig_settle(&g);
	client_receive(&c);
	assert_true(frame_has(c.frame, ">-Find out"));
	assert_int_equal(c.frame->cols, 100);
	assert_int_equal(c.frame->rows, 40);
	/* It leaves, and the pen is free again. */
	client_close(&c);
	(void)sw_rig_settle(&g);
	(void)sw_rig_type(&g, "j");
	sw_rig_assert_shows_the_frame(&g);
	sw_rig_close(&g);
}

static void test_a_viewer_that_talks_nonsense_is_dropped(void **state SW_UNUSED)
{
	struct client c;
	struct sw_rig g;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	(void)sw_rig_settle(&g);
	client_connect(&c, &g);
	assert_int_equal(sw_buf_adds(&c.out, "GET / HTTP/1.0\r\n\r\n"), 0);
	client_send(&c);
	(void)sw_rig_settle(&g);
	assert_int_equal(g.srv.n, 1);
	client_close(&c);
	sw_rig_close(&g);
}

/* As a key does that looks for a file which is not there. */
static bool fail_inside(struct sw_view *v SW_UNUSED, struct sw_state *s SW_UNUSED,
			enum sw_request req SW_UNUSED, uint32_t ch SW_UNUSED)
{
	errno = ENOENT;
	return true;
}

static void draw_nothing(struct sw_view *v SW_UNUSED, const struct sw_state *s SW_UNUSED,
			 struct sw_frame *f SW_UNUSED, const struct sw_area *a SW_UNUSED)
{
}

static void test_what_a_key_does_cuts_no_viewer_off(void **state SW_UNUSED)
{
	static const struct sw_hint none = { SW_REQ_NONE, NULL };
	static const struct sw_view_ops ops = {
		.title = "Fails inside", .hints = &none, .draw = draw_nothing,
		.request = fail_inside,
	};
	struct sw_conn *c;
	struct sw_rig g;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	(void)sw_rig_settle(&g);
	c = g.srv.conns[0];
	sw_view_push(g.s, &ops);
	(void)sw_rig_type(&g, "j");
	assert_int_equal(g.srv.n, 1);
	assert_ptr_equal(g.srv.conns[0], c);
	sw_rig_assert_shows_the_frame(&g);
	sw_rig_close(&g);
}

static bool waits(struct sw_rig *g)
{
	_cleanup_free_ char *text = sw_rig_text(g, ROWS, COLS);

	return strstr(text, "Waiting for") != NULL;
}

/* The viewer is told nothing; it says that it waits. */
static void end_session(struct sw_rig *g)
{
	int64_t end = sw_rig_now_ms() + LIMIT_MS;

	sw_server_close(&g->srv, NULL);
	while (!waits(g)) {
		struct pollfd p = { .fd = g->master, .events = POLLIN };

		assert_true(sw_rig_now_ms() < end);
		if (poll(&p, 1, 20) > 0)
			(void)sw_rig_take_output(g);
	}
}

static void test_a_viewer_waits_for_the_next_session(void **state SW_UNUSED)
{
	struct sw_error err = { 0 };
	struct sw_rig g;
	int64_t end;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	(void)sw_rig_settle(&g);
	end_session(&g);
	assert_int_equal(sw_server_open(&g.srv, g.path, &err), 0);
	end = sw_rig_now_ms() + LIMIT_MS;
	while ((g.srv.n == 0 || waits(&g)) && sw_rig_now_ms() < end)
		(void)sw_rig_settle(&g);
	(void)sw_rig_settle(&g);
	sw_rig_assert_shows_the_frame(&g);
	sw_rig_close(&g);
}

static void test_a_hang_up_ends_only_the_viewer(void **state SW_UNUSED)
{
	int64_t end = sw_rig_now_ms() + LIMIT_MS;
	struct sw_rig g;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	(void)sw_rig_settle(&g);
	close(g.master);
	g.master = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (g.srv.n && sw_rig_now_ms() < end) {
		struct pollfd fds[SW_MAX_VIEWERS + 1];
		size_t n = sw_server_poll(&g.srv, fds);

		(void)poll(fds, (nfds_t)n, 100);
		(void)sw_server_handle(&g.srv, fds, n, g.s);
	}
	assert_int_equal(g.srv.n, 0);
	sw_rig_close(&g);
}

static void test_a_hang_up_ends_a_viewer_that_waits_for_a_session(void **state SW_UNUSED)
{
	struct sw_rig g;
	int64_t end = sw_rig_now_ms() + LIMIT_MS;
	int status;
	pid_t r;

	sw_rig_open(&g, "vt220", ROWS, COLS);
	(void)sw_rig_settle(&g);
	end_session(&g);
	close(g.master);
	g.master = open("/dev/null", O_RDWR | O_CLOEXEC);
	while ((r = waitpid(g.viewer, &status, WNOHANG)) == 0 && sw_rig_now_ms() < end)
		(void)poll(NULL, 0, 20);
	assert_int_equal(r, g.viewer);
	/* sw_rig_close() waits for a viewer; this one is gone, so it gets another child. */
	g.viewer = fork();
	if (g.viewer == 0)
		_exit(0);
	sw_rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_on_a_serial_line),
		cmocka_unit_test(test_colour_is_an_addition_where_there_is_some),
		cmocka_unit_test(test_vt100_shows_the_frames),
		cmocka_unit_test(test_vt220_shows_the_frames),
		cmocka_unit_test(test_linux_shows_the_frames),
		cmocka_unit_test(test_xterm_shows_the_frames),
		cmocka_unit_test(test_screen_shows_the_frames),
		cmocka_unit_test(test_keys_beyond_terminfo_arrive),
		cmocka_unit_test(test_a_small_terminal_follows_the_cursor),
		cmocka_unit_test(test_a_line_without_a_size_asks_the_terminal),
		cmocka_unit_test(test_a_stuck_viewer_gets_only_the_newest_frame),
		cmocka_unit_test(test_keys_count_only_from_the_pen),
		cmocka_unit_test(test_the_first_key_takes_a_free_pen),
		cmocka_unit_test(test_a_viewer_that_talks_nonsense_is_dropped),
		cmocka_unit_test(test_what_a_key_does_cuts_no_viewer_off),
		cmocka_unit_test(test_a_viewer_waits_for_the_next_session),
		cmocka_unit_test(test_a_hang_up_ends_only_the_viewer),
		cmocka_unit_test(test_a_hang_up_ends_a_viewer_that_waits_for_a_session),
	};

	setenv("SLIPWAY_LAYOUTS", "layouts", 1);
	sw_text_init();
	return cmocka_run_group_tests_name("viewer", tests, NULL, NULL);
}
