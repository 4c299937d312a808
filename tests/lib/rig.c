/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/rig.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "tui/screens/screens.h"
#include "tui/term/plain.h"
#include "tui/term/viewer.h"

#define ROWS SW_RIG_ROWS
#define COLS SW_RIG_COLS
#define LOOK_MS 20
#define QUIET_LOOKS 2u
#define LIMIT_MS 60000

int64_t sw_rig_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void load_state(struct sw_rig *g)
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

/* A viewer of its own: what is the session's is not open in it. */
static pid_t start_viewer(const struct sw_rig *g, const char *tty, const char *term)
{
	pid_t pid = fork();
	struct sw_error err = { 0 };

	if (pid)
		return pid;
	close(g->master);
	close(g->srv.fd);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit((term ? sw_viewer_run(g->path, tty, term, &err)
		    : sw_plain_run(g->path, tty, &err)) < 0 ? 1 : 0);
}

bool sw_rig_take_output(struct sw_rig *g)
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

static void say_utf8(int tty)
{
	struct termios t;

	assert_int_equal(tcgetattr(tty, &t), 0);
	t.c_iflag |= IUTF8;
	assert_int_equal(tcsetattr(tty, TCSANOW, &t), 0);
}

static void open_rig(struct sw_rig *g, const char *term, unsigned short rows, unsigned short cols,
		     const char *reply, bool utf8)
{
	struct winsize ws = { .ws_row = rows, .ws_col = cols };
	struct sw_error err = { 0 };
	int64_t end = sw_rig_now_ms() + LIMIT_MS;
	char tty[64];

	*g = (struct sw_rig){ .reply = reply, .rows = rows ? rows : ROWS,
			      .cols = cols ? cols : COLS };
	assert_int_equal(sw_scratch_new("viewer", &g->dir), 0);
	g->path = sw_fmt("%s/s", g->dir);
	load_state(g);
	assert_int_equal(sw_server_open(&g->srv, g->path, &err), 0);
	assert_int_equal(openpty(&g->master, &g->slave, tty, NULL, &ws), 0);
	(void)fcntl(g->master, F_SETFD, FD_CLOEXEC);
	(void)fcntl(g->slave, F_SETFD, FD_CLOEXEC);
	if (utf8)
		say_utf8(g->slave);
	g->vt = vterm_new(rows ? rows : ROWS, cols ? cols : COLS);
	vterm_set_utf8(g->vt, 1);
	vterm_screen_reset(vterm_obtain_screen(g->vt), 1);
	g->viewer = start_viewer(g, tty, term);
	while ((g->srv.n == 0 || !g->srv.conns[0]->greeted) && sw_rig_now_ms() < end) {
		struct pollfd fds[SW_MAX_VIEWERS + 2];
		size_t n = sw_server_poll(&g->srv, fds);

		fds[n] = (struct pollfd){ .fd = g->master, .events = POLLIN };
		(void)poll(fds, (nfds_t)n + 1, 20);
		if (fds[n].revents & POLLIN)
			(void)sw_rig_take_output(g);
		(void)sw_server_handle(&g->srv, fds, n, g->s);
		g->s->now_ms = sw_rig_now_ms();
	}
}

void sw_rig_open_answering(struct sw_rig *g, const char *term, unsigned short rows,
			   unsigned short cols, const char *reply)
{
	open_rig(g, term, rows, cols, reply, false);
}

void sw_rig_open(struct sw_rig *g, const char *term, unsigned short rows, unsigned short cols)
{
	open_rig(g, term, rows, cols, NULL, false);
}

void sw_rig_open_utf8(struct sw_rig *g, const char *term, unsigned short rows,
		      unsigned short cols)
{
	open_rig(g, term, rows, cols, NULL, true);
}

bool sw_rig_is_idle(const struct sw_rig *g)
{
	_cleanup_free_ char *path = sw_fmt("/proc/%d/stat", (int)g->viewer), *line = NULL;
	int unread = 0;

	if (ioctl(g->slave, FIONREAD, &unread) == 0 && unread)
		return false;
	return sw_file_read_line(path, &line) < 0 ||
	       !(strstr(line, ") R ") || strstr(line, ") D "));
}

/* A viewer acknowledges a frame after it has written it, so what it wrote is there to be read. */
static bool all_shown(const struct sw_rig *g)
{
	struct pollfd p = { .fd = g->master, .events = POLLIN };

	return !g->typed && sw_rig_is_idle(g) && !(poll(&p, 1, 0) > 0 && (p.revents & POLLIN)) &&
	       (g->srv.n == 0 || g->srv.conns[0]->sent == g->srv.conns[0]->acked);
}

size_t sw_rig_settle(struct sw_rig *g)
{
	int64_t start = sw_rig_now_ms();
	unsigned int quiet = 0;

	g->bytes = 0;
	sw_server_show(&g->srv, g->s);
	/* Looks that found nothing count, not time that passed: it may be another's. */
	while (quiet < QUIET_LOOKS && sw_rig_now_ms() - start < LIMIT_MS) {
		struct pollfd fds[SW_MAX_VIEWERS + 2];
		size_t n = sw_server_poll(&g->srv, fds);

		fds[n] = (struct pollfd){ .fd = g->master, .events = POLLIN };
		if (poll(fds, (nfds_t)n + 1, LOOK_MS) <= 0) {
			quiet = all_shown(g) ? quiet + 1 : 0;
			continue;
		}
		quiet = 0;
		g->s->now_ms = sw_rig_now_ms();
		if (sw_server_handle(&g->srv, fds, n, g->s)) {
			g->typed = false;
			sw_server_show(&g->srv, g->s);
		}
		if (fds[n].revents & POLLIN)
			(void)sw_rig_take_output(g);
	}
	g->typed = false;
	return g->bytes;
}

size_t sw_rig_type(struct sw_rig *g, const char *keys)
{
	assert_int_equal(write(g->master, keys, strlen(keys)), (ssize_t)strlen(keys));
	g->typed = true;
	return sw_rig_settle(g);
}

void sw_rig_close(struct sw_rig *g)
{
	int64_t end = sw_rig_now_ms() + LIMIT_MS;
	int status;
	pid_t r;

	sw_server_close(&g->srv, "");
	/* It drains its terminal while it leaves. */
	(void)fcntl(g->master, F_SETFL, O_NONBLOCK);
	while ((r = waitpid(g->viewer, &status, WNOHANG)) == 0 && sw_rig_now_ms() < end) {
		(void)sw_rig_take_output(g);
		(void)poll(NULL, 0, 10);
	}
	if (r == 0) {
		kill(g->viewer, SIGKILL);
		(void)waitpid(g->viewer, &status, 0);
	}
	close(g->master);
	close(g->slave);
	vterm_free(g->vt);
	sw_state_free(g->s);
	(void)sw_remove_tree(g->dir);
	free(g->dir);
	free(g->path);
	assert_int_not_equal(r, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

char *sw_rig_text(struct sw_rig *g, unsigned int rows, unsigned int cols)
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

void sw_rig_assert_shows_the_frame(struct sw_rig *g)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(g->rows, g->cols);
	_cleanup_free_ char *expected = NULL, *shown = sw_rig_text(g, g->rows, g->cols);
	VTermPos cursor;

	assert_non_null(f);
	sw_view_draw(g->s, f);
	expected = sw_frame_text(f);
	assert_string_equal(shown, expected);
	vterm_state_get_cursorpos(vterm_obtain_state(g->vt), &cursor);
	assert_int_equal(cursor.row, f->cur_row);
	assert_int_equal(cursor.col, f->cur_col);
}

void sw_rig_walk(const char *term, unsigned short rows, unsigned short cols,
		 const char *const *steps, size_t n)
{
	struct sw_rig g;

	sw_rig_open(&g, term, rows, cols);
	(void)sw_rig_settle(&g);
	sw_rig_assert_shows_the_frame(&g);
	for (size_t i = 0; i < n; i++) {
		(void)sw_rig_type(&g, steps[i]);
		sw_rig_assert_shows_the_frame(&g);
	}
	sw_rig_close(&g);
}
