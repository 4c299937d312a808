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

#include "base/file.h"
#include "base/json.h"
#include "tui/screens/screens.h"
#include "tui/session/server.h"
#include "tui/session/text.h"
#include "tui/term/viewer.h"

#define ROWS 24
#define COLS 80
#define QUIET_MS 40
#define LIMIT_MS 8000

struct rig {
	struct sw_server srv;
	struct sw_state *s;
	char *dir, *path;
	int master;
	pid_t viewer;
	VTerm *vt;
	size_t bytes;		/* since the last settle() began */
	bool typed;		/* keys are on their way */
	const char *reply;	/* to a question for the cursor's position, or NULL */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void load_state(struct rig *g)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_answers *a = NULL;
	struct sw_facts *f = NULL;
	struct sw_error err = { 0 };

	assert_int_equal(sw_answers_read("tests/screens/demo.yaml", &a, &err), 0);
	assert_int_equal(sw_json_load("tests/screens/demo.json", &o, &err), 0);
	json_object_object_del(o, "boot_variables");
	assert_int_equal(sw_facts_from_json(o, "demo.json", &f, &err), 0);
	g->s = sw_state_new(a, "/run/slipway");
	assert_non_null(g->s);
	assert_int_equal(sw_layout_find("node", &g->s->layouts[0], &err), 0);
	g->s->n_layouts = 1;
	g->s->can_quit = true;
	sw_view_push(g->s, &sw_screen_start);
	sw_state_got_facts(g->s, f, NULL, 0);
	g->s->want = 0;
}

static pid_t start_viewer(const char *socket, const char *tty, const char *term, int master)
{
	pid_t pid = fork();
	struct sw_error err = { 0 };

	if (pid)
		return pid;
	close(master);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(sw_viewer_run(socket, tty, term, &err) < 0 ? 1 : 0);
}

/* Takes what the terminal gets; false: nothing there. */
static bool take_output(struct rig *g)
{
	char data[4096];
	ssize_t n = read(g->master, data, sizeof(data));

	if (n <= 0)
		return false;
	if (g->reply && memmem(data, (size_t)n, "\033[6n", 4))
		(void)!write(g->master, g->reply, strlen(g->reply));
	g->bytes += (size_t)n;
	vterm_input_write(g->vt, data, (size_t)n);
	return true;
}

static void open_rig_answering(struct rig *g, const char *term, unsigned short rows,
			       unsigned short cols, const char *reply)
{
	struct winsize ws = { .ws_row = rows, .ws_col = cols };
	struct sw_error err = { 0 };
	char tty[64];
	int slave;

	*g = (struct rig){ .reply = reply };
	assert_int_equal(sw_scratch_new("viewer", &g->dir), 0);
	g->path = sw_fmt("%s/s", g->dir);
	load_state(g);
	assert_int_equal(sw_server_open(&g->srv, g->path, &err), 0);
	assert_int_equal(openpty(&g->master, &slave, tty, NULL, &ws), 0);
	(void)fcntl(g->master, F_SETFD, FD_CLOEXEC);
	g->vt = vterm_new(rows ? rows : ROWS, cols ? cols : COLS);
	vterm_set_utf8(g->vt, 1);
	vterm_screen_reset(vterm_obtain_screen(g->vt), 1);
	g->viewer = start_viewer(g->path, tty, term, g->master);
	/* The slave stays open here until the viewer has it, or the master would see a hang-up. */
	for (int i = 0; i < 200 && g->srv.n == 0; i++) {
		struct pollfd fds[SW_MAX_VIEWERS + 2];
		size_t n = sw_server_poll(&g->srv, fds);

		fds[n] = (struct pollfd){ .fd = g->master, .events = POLLIN };
		(void)poll(fds, (nfds_t)n + 1, 20);
		if (fds[n].revents & POLLIN)
			(void)take_output(g);
		(void)sw_server_handle(&g->srv, fds, n, g->s);
		g->s->now_ms = now_ms();
	}
	close(slave);
}

static void open_rig(struct rig *g, const char *term, unsigned short rows, unsigned short cols)
{
	open_rig_answering(g, term, rows, cols, NULL);
}

/* A viewer acknowledges a frame after it has written it. */
static bool all_shown(const struct rig *g)
{
	return !g->typed && (g->srv.n == 0 || g->srv.conns[0]->sent == g->srv.conns[0]->acked);
}

/* Serves until all is shown and quiet; returns the bytes that were sent meanwhile. */
static size_t settle(struct rig *g)
{
	int64_t start = now_ms(), last = start;

	g->bytes = 0;
	sw_server_show(&g->srv, g->s);
	while ((now_ms() - last < QUIET_MS || !all_shown(g)) && now_ms() - start < LIMIT_MS) {
		struct pollfd fds[SW_MAX_VIEWERS + 2];
		size_t n = sw_server_poll(&g->srv, fds);

		fds[n] = (struct pollfd){ .fd = g->master, .events = POLLIN };
		if (poll(fds, (nfds_t)n + 1, QUIET_MS / 2) <= 0)
			continue;
		g->s->now_ms = now_ms();
		if (sw_server_handle(&g->srv, fds, n, g->s)) {
			last = now_ms();
			g->typed = false;
			sw_server_show(&g->srv, g->s);
		}
		if ((fds[n].revents & POLLIN) && take_output(g))
			last = now_ms();
	}
	g->typed = false;
	return g->bytes;
}

static size_t type(struct rig *g, const char *keys)
{
	assert_int_equal(write(g->master, keys, strlen(keys)), (ssize_t)strlen(keys));
	g->typed = true;
	return settle(g);
}

static void close_rig(struct rig *g)
{
	int status, tries = 0;
	pid_t r;

	sw_server_close(&g->srv, "");
	/* It drains its terminal while it leaves. */
	(void)fcntl(g->master, F_SETFL, O_NONBLOCK);
	while ((r = waitpid(g->viewer, &status, WNOHANG)) == 0 && tries++ < 300) {
		(void)take_output(g);
		(void)poll(NULL, 0, 10);
	}
	if (r == 0) {
		kill(g->viewer, SIGKILL);
		(void)waitpid(g->viewer, &status, 0);
	}
	close(g->master);
	vterm_free(g->vt);
	sw_state_free(g->s);
	(void)sw_remove_tree(g->dir);
	free(g->dir);
	free(g->path);
	assert_int_not_equal(r, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* What the terminal shows, in the form of sw_frame_text(). */
static char *terminal_text(struct rig *g, unsigned int rows, unsigned int cols)
{
	VTermScreen *screen = vterm_obtain_screen(g->vt);
	struct sw_frame *f = sw_frame_new(rows, cols);
	char *text;

	assert_non_null(f);
	for (unsigned int row = 0; row < rows; row++)
		for (unsigned int col = 0; col < cols; col++) {
			VTermPos at = { .row = (int)row, .col = (int)col };
			struct sw_cell *c = &f->cells[row * cols + col];
			VTermScreenCell cell;

			assert_true(vterm_screen_get_cell(screen, at, &cell));
			c->ch = cell.chars[0] == (uint32_t)-1 ? 0
				: cell.chars[0] ? cell.chars[0] : ' ';
		}
	text = sw_frame_text(f);
	sw_frame_free(f);
	assert_non_null(text);
	return text;
}

static void assert_shows_the_frame(struct rig *g)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(ROWS, COLS);
	_cleanup_free_ char *expected = NULL, *shown = terminal_text(g, ROWS, COLS);
	VTermPos cursor;

	assert_non_null(f);
	sw_view_draw(g->s, f);
	expected = sw_frame_text(f);
	assert_string_equal(shown, expected);
	vterm_state_get_cursorpos(vterm_obtain_state(g->vt), &cursor);
	assert_int_equal(cursor.row, f->cur_row);
	assert_int_equal(cursor.col, f->cur_col);
}

static void assert_at_most(const char *what, size_t bytes, size_t budget)
{
	print_message("# %s: %zu bytes of %zu\n", what, bytes, budget);
	if (bytes > budget)
		fail_msg("%s takes %zu bytes, more than %zu", what, bytes, budget);
}

static void show_steps(struct rig *g, uint64_t done)
{
	struct sw_event ev = { .type = SW_EVENT_PROGRESS, .step = 1, .steps = 10, .done = done,
			       .size = 60 << 20, .time_ms = 1760000000000 + (int64_t)(done >> 13) };

	(void)sw_state_event(g->s, &ev);
}

static void measure_progress(struct rig *g)
{
	struct sw_event ev = { .type = SW_EVENT_START, .step = 1, .steps = 10, .weight = 10,
			       .time_ms = 1760000000000, .text = "Fetch and check the payload" };
	size_t sum = 0;

	sw_state_start(g->s, SW_WORK_INSTALL);
	g->s->want = 0;
	for (ev.step = 10; ev.step; ev.step--)
		(void)sw_state_event(g->s, &ev);
	ev.step = 1;
	(void)sw_state_event(g->s, &ev);
	show_steps(g, 10 << 20);
	(void)settle(g);
	for (unsigned int i = 1; i <= 10; i++) {
		show_steps(g, (uint64_t)(10 + i) << 20);
		sum += settle(g);
	}
	assert_shows_the_frame(g);
	assert_at_most("progress (mean of 10)", sum / 10, 40);
}

static void test_bytes_on_a_serial_line(void **state SW_UNUSED)
{
	struct rig g;
	size_t n;

	open_rig(&g, "vt220", ROWS, COLS);
	assert_at_most("first screen", settle(&g), 800);
	assert_shows_the_frame(&g);
	assert_at_most("list move", type(&g, "\033[B"), 40);
	assert_at_most("list move", type(&g, "k"), 40);
	assert_at_most("to the disks", type(&g, "\r"), 900);
	assert_at_most("list move", type(&g, "j"), 40);
	assert_at_most("list move", type(&g, "k"), 40);
	assert_at_most("to the layout", type(&g, "\r"), 900);
	assert_at_most("to the payload", type(&g, "\r"), 900);
	assert_at_most("form move", type(&g, "\t"), 20);
	assert_at_most("form move", type(&g, "\t"), 20);
	assert_at_most("form move back", type(&g, "\033[A"), 20);
	assert_at_most("to boot", type(&g, "\r"), 900);
	assert_at_most("to admission", type(&g, "\r"), 900);
	assert_at_most("to the node", type(&g, "\r"), 900);
	n = type(&g, "a");
	assert_shows_the_frame(&g);
	assert_at_most("typed character", n, 2);
	assert_at_most("typed character", type(&g, "b"), 2);
	assert_at_most("^L", type(&g, "\f"), 1000);
	assert_shows_the_frame(&g);
	assert_at_most("help", type(&g, "\a"), 900);
	assert_at_most("idle", settle(&g), 0);
	measure_progress(&g);
	close_rig(&g);
}

static void walk(const char *term)
{
	static const char *const steps[] = {
		"\033[B", "\033OB", "\033[A", "\033OA", "\r", "j", "\r", "\t", " ", "\r", "\t",
		"\033[H", "x", "\033[1~", "\033OF", "\177", "\b", "\033[Z", "\f", "\r", "\030",
		"\033[6~", "\0331", "\033[5~",
	};
	struct rig g;

	open_rig(&g, term, ROWS, COLS);
	(void)settle(&g);
	assert_shows_the_frame(&g);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		(void)type(&g, steps[i]);
		assert_shows_the_frame(&g);
	}
	close_rig(&g);
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
	struct rig g;

	open_rig(&g, "vt220", ROWS, COLS);
	(void)settle(&g);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		(void)type(&g, keys[i].bytes);
		assert_string_equal(g.s->top->ops->title, keys[i].title);
		(void)type(&g, "\030");
		assert_string_equal(g.s->top->ops->title, sw_screen_start.title);
	}
	/* A lone Esc goes back, after its delay. */
	(void)type(&g, "?");
	(void)type(&g, "\033");
	(void)settle(&g);
	assert_string_equal(g.s->top->ops->title, sw_screen_start.title);
	close_rig(&g);
}

static void test_a_small_terminal_follows_the_cursor(void **state SW_UNUSED)
{
	_cleanup_free_ char *text = NULL;
	struct rig g;

	open_rig(&g, "vt220", 10, 40);
	(void)settle(&g);
	(void)type(&g, "G");
	text = terminal_text(&g, 10, 40);
	assert_non_null(strstr(text, "> Power the machine off"));
	close_rig(&g);
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
		struct rig g;

		open_rig_answering(&g, "vt220", 0, 0, cases[i].reply);
		(void)settle(&g);
		assert_int_equal(g.srv.conns[0]->hello.rows, cases[i].rows);
		assert_int_equal(g.srv.conns[0]->hello.cols, cases[i].cols);
		close_rig(&g);
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

static void client_connect(struct client *c, const struct rig *g)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	*c = (struct client){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	assert_true(strlen(g->path) < sizeof(a.sun_path));
	memcpy(a.sun_path, g->path, strlen(g->path) + 1);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
}

static void client_open(struct client *c, const struct rig *g, unsigned int flags)
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
	struct rig g;

	open_rig(&g, "vt220", ROWS, COLS);
	(void)settle(&g);
	client_open(&c, &g, SW_HELLO_OBSERVER);
	(void)settle(&g);
	client_receive(&c);
	assert_int_equal(c.frames, 1);
	for (int i = 0; i < 10; i++)
		(void)type(&g, i % 2 ? "k" : "j");
	(void)type(&g, "\r");
	/* It never acknowledged, so nothing more was sent, and the other went on. */
	client_receive(&c);
	assert_int_equal(c.frames, 1);
	assert_shows_the_frame(&g);
	client_ack(&c);
	(void)settle(&g);
	client_receive(&c);
	assert_int_equal(c.frames, 2);
	assert_true(frame_has(c.frame, "Which disk"));
	client_close(&c);
	close_rig(&g);
}

static void test_keys_count_only_from_the_pen(void **state SW_UNUSED)
{
	_cleanup_free_ char *text = NULL;
	struct client c;
	struct rig g;

	open_rig(&g, "vt220", ROWS, COLS);
	(void)settle(&g);
	(void)type(&g, "j");
	client_open(&c, &g, 0);
	(void)settle(&g);
	client_receive(&c);
	assert_true(frame_has(c.frame, "The pen is with"));
	assert_true(frame_has(c.frame, "> Switch between"));
	client_ack(&c);
	client_key(&c, '\r');
	(void)settle(&g);
	assert_string_equal(g.s->top->ops->title, sw_screen_start.title);
	client_key(&c, SW_KEY_F9);
	client_key(&c, '\r');
	(void)settle(&g);
	assert_string_equal(g.s->top->ops->title, "From where this machine starts");
	text = terminal_text(&g, ROWS, COLS);
	assert_non_null(strstr(text, "The pen is with ttyS0"));
	(void)type(&g, "\030");
	assert_string_equal(g.s->top->ops->title, "From where this machine starts");
	/* ^K takes it back. */
	(void)type(&g, "\v");
	(void)type(&g, "\030");
	assert_string_equal(g.s->top->ops->title, sw_screen_start.title);
	assert_shows_the_frame(&g);
	client_close(&c);
	close_rig(&g);
}

/* While nobody has typed, whoever types first has the pen, and the frame fits all. */
static void test_the_first_key_takes_a_free_pen(void **state SW_UNUSED)
{
	struct client c;
	struct rig g;

	open_rig(&g, "vt220", ROWS, COLS);
	(void)settle(&g);
	client_open(&c, &g, 0);
	(void)settle(&g);
	client_receive(&c);
	assert_int_equal(c.frame->cols, COLS);
	client_ack(&c);
	client_key(&c, 'j');
	(void)settle(&g);
	client_receive(&c);
	assert_true(frame_has(c.frame, "> Switch between"));
	assert_int_equal(c.frame->cols, 100);
	assert_int_equal(c.frame->rows, 40);
	/* It leaves, and the pen is free again. */
	client_close(&c);
	(void)settle(&g);
	(void)type(&g, "j");
	assert_shows_the_frame(&g);
	close_rig(&g);
}

static void test_a_viewer_that_talks_nonsense_is_dropped(void **state SW_UNUSED)
{
	struct client c;
	struct rig g;

	open_rig(&g, "vt220", ROWS, COLS);
	(void)settle(&g);
	client_connect(&c, &g);
	assert_int_equal(sw_buf_adds(&c.out, "GET / HTTP/1.0\r\n\r\n"), 0);
	client_send(&c);
	(void)settle(&g);
	assert_int_equal(g.srv.n, 1);
	client_close(&c);
	close_rig(&g);
}

static void test_a_viewer_waits_for_the_next_session(void **state SW_UNUSED)
{
	_cleanup_free_ char *text = NULL;
	struct sw_error err = { 0 };
	struct rig g;

	open_rig(&g, "vt220", ROWS, COLS);
	(void)settle(&g);
	sw_server_close(&g.srv, NULL);
	for (int i = 0; i < 100 && !text; i++) {
		struct pollfd p = { .fd = g.master, .events = POLLIN };

		if (poll(&p, 1, 20) > 0)
			(void)take_output(&g);
		text = terminal_text(&g, ROWS, COLS);
		if (!strstr(text, "Waiting for"))
			free(TAKE_PTR(text));
	}
	assert_non_null(text);
	assert_int_equal(sw_server_open(&g.srv, g.path, &err), 0);
	for (int i = 0; i < 200 && g.srv.n == 0; i++)
		(void)settle(&g);
	(void)settle(&g);
	assert_shows_the_frame(&g);
	close_rig(&g);
}

static void test_a_hang_up_ends_only_the_viewer(void **state SW_UNUSED)
{
	struct rig g;
	int tries = 0;

	open_rig(&g, "vt220", ROWS, COLS);
	(void)settle(&g);
	close(g.master);
	g.master = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (g.srv.n && tries++ < 50) {
		struct pollfd fds[SW_MAX_VIEWERS + 1];
		size_t n = sw_server_poll(&g.srv, fds);

		(void)poll(fds, (nfds_t)n, 100);
		(void)sw_server_handle(&g.srv, fds, n, g.s);
	}
	assert_int_equal(g.srv.n, 0);
	close_rig(&g);
}

static void test_a_hang_up_ends_a_viewer_that_waits_for_a_session(void **state SW_UNUSED)
{
	struct rig g;
	int status, tries = 0;
	pid_t r;

	open_rig(&g, "vt220", ROWS, COLS);
	(void)settle(&g);
	sw_server_close(&g.srv, NULL);
	for (struct pollfd p = { .fd = g.master, .events = POLLIN }; poll(&p, 1, 300) > 0;)
		(void)take_output(&g);
	close(g.master);
	g.master = open("/dev/null", O_RDWR | O_CLOEXEC);
	while ((r = waitpid(g.viewer, &status, WNOHANG)) == 0 && tries++ < 100)
		(void)poll(NULL, 0, 20);
	assert_int_equal(r, g.viewer);
	/* close_rig() waits for a viewer; this one is gone, so it gets another child. */
	g.viewer = fork();
	if (g.viewer == 0)
		_exit(0);
	close_rig(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_on_a_serial_line),
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
		cmocka_unit_test(test_a_viewer_waits_for_the_next_session),
		cmocka_unit_test(test_a_hang_up_ends_only_the_viewer),
		cmocka_unit_test(test_a_hang_up_ends_a_viewer_that_waits_for_a_session),
	};

	setenv("SLIPWAY_LAYOUTS", "layouts", 1);
	sw_text_init();
	return cmocka_run_group_tests_name("viewer", tests, NULL, NULL);
}
