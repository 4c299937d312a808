/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/viewer.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "base/file.h"
#include "tui/session/keys.h"
#include "tui/session/text.h"
#include "tui/session/wire.h"
#include "tui/term/keytab.h"
#include "tui/term/paint.h"
#include "tui/term/tty.h"

#define CONNECT_MS 10000	/* for the first session */
#define RETRY_MS 200
#define DRAIN_MS 10
#define ESC_LOCAL_MS 100
#define ESC_SERIAL_MS 300	/* packets and slow lines tear sequences apart */
#define KEY_DETACH 0x1cu	/* ^\ */

struct viewer {
	const char *socket_path;
	int tty, sock, session;		/* session: a pidfd, readable when it has died */
	FILE *in, *out;
	SCREEN *screen;
	enum sw_tty_kind kind;
	bool utf8, over;
	char term[32], name[64];
	struct sw_buf from, to;
	struct sw_frame *frame;
	uint32_t to_ack;
	bool ack_due;
	unsigned int top, left;
	sigset_t unblocked;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig SW_UNUSED)
{
	stop = 1;
}

/* ---- the session's side ---- */

static void disconnect(struct viewer *v)
{
	if (v->sock >= 0)
		close(v->sock);
	if (v->session >= 0)
		close(v->session);
	v->sock = v->session = -EBADF;
	sw_buf_clear(&v->from);
	sw_buf_clear(&v->to);
	v->ack_due = false;
}

static void flush(struct viewer *v)
{
	ssize_t n;

	while (v->sock >= 0 && v->to.len) {
		n = send(v->sock, v->to.data, v->to.len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			disconnect(v);
			return;
		}
		sw_wire_consume(&v->to, (size_t)n);
	}
}

static int greet(struct viewer *v)
{
	struct sw_hello h = {
		.rows = (unsigned int)LINES, .cols = (unsigned int)COLS,
		.flags = (v->utf8 ? SW_HELLO_UTF8 : 0) |
			 (v->kind == SW_TTY_SERIAL ? SW_HELLO_SERIAL : 0),
	};

	memcpy(h.term, v->term, sizeof(h.term));
	memcpy(h.name, v->name, sizeof(h.name));
	return sw_wire_hello(&v->to, &h);
}

static bool connect_once(struct viewer *v)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (strlen(v->socket_path) >= sizeof(a.sun_path))
		return false;
	memcpy(a.sun_path, v->socket_path, strlen(v->socket_path) + 1);
	v->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (v->sock < 0)
		return false;
	if (connect(v->sock, (struct sockaddr *)&a, sizeof(a)) < 0) {
		disconnect(v);
		return false;
	}
	(void)fcntl(v->sock, F_SETFL, O_NONBLOCK);
	/*
	 * An install outlives its session and may hold the socket; so the process
	 * is watched too.
	 */
	if (getsockopt(v->sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		v->session = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	if (greet(v) < 0) {
		disconnect(v);
		return false;
	}
	flush(v);
	return v->sock >= 0;
}

/* Waits a moment, or until the terminal has something; signals are heard meanwhile. */
static int pause_at(const struct viewer *v, struct pollfd *p)
{
	struct timespec t = { .tv_nsec = RETRY_MS * 1000000L };

	p->revents = 0;
	return ppoll(p, 1, &t, &v->unblocked);
}

static bool wait_for_session(struct viewer *v, long ms)
{
	struct pollfd none = { .fd = -1 };

	for (; ms > 0 && !stop; ms -= RETRY_MS) {
		if (connect_once(v))
			return true;
		(void)pause_at(v, &none);
	}
	return connect_once(v);
}

/* ---- the terminal's side ---- */

/* A terminal that takes no output holds us here, where a signal must still reach us. */
static void refresh_all(struct viewer *v)
{
	sigset_t blocked;

	(void)sigprocmask(SIG_SETMASK, &v->unblocked, &blocked);
	refresh();
	fflush(v->out);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static void draw(struct viewer *v, unsigned int flags)
{
	if (!v->frame)
		return;
	if (flags & SW_FRAME_REDRAW)
		clearok(curscr, TRUE);
	if (flags & SW_FRAME_BELL)
		beep();
	sw_paint_frame(v->frame, v->utf8, &v->top, &v->left);
	refresh_all(v);
}

static void send_size(struct viewer *v)
{
	(void)sw_wire_size(&v->to, (unsigned int)LINES, (unsigned int)COLS);
	draw(v, SW_FRAME_REDRAW);
}

/* Keys that are this terminal's own business; true: not for the session. */
static bool own_key(struct viewer *v, uint32_t key)
{
	if (key == KEY_DETACH) {
		v->over = true;
		return true;
	}
	if (key == SW_CTRL('l') && v->sock < 0) {
		clearok(curscr, TRUE);
		refresh_all(v);
		return true;
	}
	return false;
}

/* Everything that was typed, as one message: frames come after keys, not between them. */
static void read_keys(struct viewer *v)
{
	uint32_t keys[SW_WIRE_MAX_KEYS];
	size_t n = 0;
	wint_t code;
	int kind;

	while (n < SW_WIRE_MAX_KEYS && (kind = get_wch(&code)) != ERR) {
		uint32_t key;

		if (kind == KEY_CODE_YES && code == KEY_RESIZE) {
			send_size(v);
			continue;
		}
		key = sw_keytab_key(kind, code);
		if (key && !own_key(v, key))
			keys[n++] = key;
	}
	if (n && v->sock >= 0)
		(void)sw_wire_keys(&v->to, keys, n);
}

static void take_message(struct viewer *v, const struct sw_message *m)
{
	struct sw_frame *f = NULL;
	unsigned int flags = 0;
	uint32_t number;

	if (m->type == SW_WIRE_BYE) {
		v->over = true;
	} else if (sw_wire_read_frame(m, &f, &number, &flags) == 0) {
		sw_frame_free(v->frame);
		v->frame = f;
		v->to_ack = number;
		v->ack_due = true;
		draw(v, flags);
	} else {
		disconnect(v);
	}
}

static void receive(struct viewer *v)
{
	struct sw_message m;
	char data[16384];
	ssize_t n;

	while ((n = recv(v->sock, data, sizeof(data), 0)) > 0)
		if (sw_buf_add(&v->from, data, (size_t)n) < 0)
			break;
	while (v->sock >= 0 && !v->over) {
		int r = sw_wire_next(v->from.data, v->from.len, &m);
		size_t total;

		if (r < 0)
			disconnect(v);
		if (r <= 0)
			break;
		total = m.total;
		take_message(v, &m);
		if (v->sock >= 0)
			sw_wire_consume(&v->from, total);
	}
	if (!v->over && (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)))
		disconnect(v);
}

/* The next frame is asked for when this one is on the glass, so held keys never pile up frames. */
static void acknowledge(struct viewer *v)
{
	if (!v->ack_due || !sw_tty_drained(v->tty, v->kind))
		return;
	v->ack_due = false;
	(void)sw_wire_ack(&v->to, v->to_ack);
}

static void say_waiting(struct viewer *v)
{
	erase();
	mvaddstr(0, 0, "Waiting for slipway's session ...");
	refresh_all(v);
}

/* False: the terminal is gone. */
static bool step(struct viewer *v)
{
	struct pollfd p[] = {
		{ .fd = v->tty, .events = POLLIN },
		{ .fd = v->sock, .events = (short)(POLLIN | (v->to.len ? POLLOUT : 0)) },
		{ .fd = v->session, .events = POLLIN },
	};
	struct timespec drain = { .tv_nsec = DRAIN_MS * 1000000L };
	int r = ppoll(p, ARRAY_SIZE(p), v->ack_due ? &drain : NULL,
			  &v->unblocked);

	if (r < 0 && errno != EINTR)
		return false;
	/* A signal may have been a change of size, which is read like a key. */
	if (r < 0 || p[0].revents & POLLIN)
		read_keys(v);
	if (r > 0 && p[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		return false;
	if (r > 0 && p[1].revents & (POLLIN | POLLHUP | POLLERR))
		receive(v);
	if (r > 0 && v->sock >= 0 && p[2].revents)
		disconnect(v);
	acknowledge(v);
	flush(v);
	return true;
}

static void loop(struct viewer *v)
{
	while (!stop && !v->over) {
		if (v->sock < 0) {
			struct pollfd p = { .fd = v->tty, .events = POLLIN };

			say_waiting(v);
			while (!stop && !v->over && !connect_once(v)) {
				/* A terminal that is gone is readable too: it reads as its end. */
				if (pause_at(v, &p) > 0 &&
				    p.revents & (POLLHUP | POLLERR | POLLNVAL))
					return;
				if (p.revents & POLLIN)
					read_keys(v);
			}
			continue;
		}
		if (!step(v))
			return;
	}
}

/* ---- setting up ---- */

static int open_tty(struct viewer *v, const char *tty, struct sw_error *err)
{
	const char *name = tty;

	if (tty) {
		/*
		 * As a session leader without a terminal this one becomes ours,
		 * and tells of hang-ups.
		 */
		(void)setsid();
		v->tty = open(tty, O_RDWR | O_CLOEXEC);
	} else {
		v->tty = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		name = ttyname(STDIN_FILENO);
	}
	if (v->tty < 0)
		return sw_fail_errno(err, SW_EXIT_MISSING, -errno, "cannot open %s",
				     tty ? tty : "the terminal");
	if (!isatty(v->tty)) {
		sw_fail(err, SW_EXIT_USAGE, -ENOTTY, "%s is not a terminal",
			tty ? tty : "standard input");
		sw_error_hint(err, "The console needs a terminal; without one use slipway install "
				   "--answers FILE");
		return -ENOTTY;
	}
	name = name ? name : "terminal";
	if (strncmp(name, "/dev/", 5) == 0)
		name += 5;
	snprintf(v->name, sizeof(v->name), "%s", name);
	return 0;
}

static const char *default_term(const struct viewer *v, const char *term)
{
	const char *env = getenv("TERM");

	if (term && *term)
		return term;
	if (v->kind == SW_TTY_VT)
		return "linux";
	return env && *env && strcmp(env, "dumb") != 0 && v->kind == SW_TTY_PTY ? env : "vt220";
}

/* raw() takes flow control off the line; where it was on, it is needed. */
static void keep_flow_control(int fd, const struct termios *was)
{
	struct termios t;

	if (!(was->c_iflag & (IXON | IXOFF)) || tcgetattr(fd, &t) < 0)
		return;
	t.c_iflag |= was->c_iflag & (IXON | IXOFF);
	(void)tcsetattr(fd, TCSANOW, &t);
	def_prog_mode();
}

static int start_curses(struct viewer *v, const char *term, struct sw_error *err)
{
	struct termios was;
	int copy = fcntl(v->tty, F_DUPFD_CLOEXEC, 3);

	if (tcgetattr(v->tty, &was) < 0 || copy < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "the terminal cannot be set up");
	snprintf(v->term, sizeof(v->term), "%s", default_term(v, term));
	/* A serial line in UTF-8 is too rare to be believed. */
	v->utf8 = v->kind != SW_TTY_SERIAL && sw_tty_is_utf8(v->tty) &&
		  strncmp(v->term, "vt", 2) != 0;
	v->in = fdopen(copy, "r");
	v->out = fdopen(fcntl(v->tty, F_DUPFD_CLOEXEC, 3), "w");
	if (v->in && v->out)
		v->screen = newterm(v->term, v->out, v->in);
	if (!v->screen) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the terminal type \"%s\" is not known here",
			v->term);
		sw_error_hint(err, "Use --term vt220, linux, xterm or screen");
		return -ENOENT;
	}
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(v->kind == SW_TTY_SERIAL ? ESC_SERIAL_MS : ESC_LOCAL_MS);
	sw_keytab_define();
	keep_flow_control(v->tty, &was);
	return 0;
}

static void catch_signals(sigset_t *ret_unblocked)
{
	struct sigaction sa = { .sa_handler = on_signal };
	static const int ends[] = { SIGTERM, SIGHUP, SIGINT };
	sigset_t ours;

	stop = 0;
	sigemptyset(&ours);
	sigaddset(&ours, SIGWINCH);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		(void)sigaction(ends[i], &sa, NULL);
		sigaddset(&ours, ends[i]);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTSTP, SIG_IGN);
	/* Signals arrive only while waiting, so none is lost between look and wait. */
	(void)sigprocmask(SIG_BLOCK, &ours, ret_unblocked);
}

static void clear_viewer(struct viewer *v)
{
	disconnect(v);
	/* What a stuck terminal has not taken by now must not hold up the end. */
	if (stop && v->tty >= 0)
		(void)tcflush(v->tty, TCOFLUSH);
	if (v->screen) {
		endwin();
		delscreen(v->screen);
	}
	if (v->in)
		fclose(v->in);
	if (v->out)
		fclose(v->out);
	if (v->tty >= 0)
		close(v->tty);
	sw_frame_free(v->frame);
}

int sw_viewer_run(const char *socket_path, const char *tty, const char *term,
		  struct sw_error *err)
{
	struct viewer v = { .socket_path = socket_path, .tty = -EBADF, .sock = -EBADF,
			    .session = -EBADF };
	int r;

	sw_text_init();
	r = open_tty(&v, tty, err);
	if (r == 0) {
		v.kind = sw_tty_kind(v.tty);
		sw_tty_probe_size(v.tty);
		r = start_curses(&v, term, err);
	}
	if (r == 0) {
		catch_signals(&v.unblocked);
		if (!stop && wait_for_session(&v, CONNECT_MS))
			loop(&v);
		else if (!stop)
			r = -ECONNREFUSED;
		(void)sigprocmask(SIG_SETMASK, &v.unblocked, NULL);
	}
	clear_viewer(&v);
	if (r == -ECONNREFUSED) {
		sw_fail(err, SW_EXIT_MISSING, r, "no slipway session listens on %s", socket_path);
		sw_error_hint(err, "Start one with slipway session, or slipway without a command");
	}
	return r;
}
