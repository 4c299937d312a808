/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/viewer.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "base/catalogue.h"
#include "base/clock.h"
#include "base/file.h"
#include "tui/session/keys.h"
#include "tui/session/text.h"
#include "tui/term/echo.h"
#include "tui/term/keytab.h"
#include "tui/term/link.h"
#include "tui/term/paint.h"
#include "tui/term/paste.h"
#include "tui/term/shell.h"
#include "tui/term/tty.h"

#define CONNECT_MS 10000	/* for the first session */
#define DRAIN_MS 10
#define DEAF_MS 10000
#define ESC_LOCAL_MS 100
#define ESC_SERIAL_MS 300	/* packets and slow lines tear sequences apart */
/* xterm's bracketed paste; terminals without it ignore the unknown mode. */
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define KEY_DETACH 0x1cu	/* ^\ */

struct viewer {
	struct sw_link link;
	int tty;
	FILE *in, *out;
	SCREEN *screen;
	enum sw_tty_kind kind;
	bool utf8, over;
	char term[32], name[64];
	struct sw_frame *frame;
	uint32_t to_ack;
	bool ack_due;
	struct sw_echo echo;
	struct sw_paste paste;
	bool was_cr;
	int64_t deaf_until;
	unsigned int top, left;
	sigset_t unblocked;
};

static volatile sig_atomic_t stop, continued;

static void on_signal(int sig)
{
	if (sig == SIGCONT)
		continued = 1;
	else
		stop = 1;
}

/* ---- the session's side ---- */

static void disconnect(struct viewer *v)
{
	sw_link_disconnect(&v->link);
	v->ack_due = false;
}

static struct sw_hello greeting(const struct viewer *v)
{
	struct sw_hello h = {
		.rows = (unsigned int)LINES, .cols = (unsigned int)COLS,
		.flags = (v->utf8 ? SW_HELLO_UTF8 : 0) |
			 (v->kind == SW_TTY_SERIAL ? SW_HELLO_SERIAL : 0),
	};

	memcpy(h.term, v->term, sizeof(h.term));
	memcpy(h.name, v->name, sizeof(h.name));
	return h;
}

static bool connect_once(struct viewer *v)
{
	struct sw_hello h = greeting(v);

	return sw_link_connect(&v->link, &h);
}

/* Waits a moment, or until the terminal has something; signals are heard meanwhile. */
static int pause_at(const struct viewer *v, struct pollfd *p)
{
	struct timespec t = { .tv_nsec = SW_LINK_RETRY_MS * 1000000L };

	p->revents = 0;
	return ppoll(p, 1, &t, &v->unblocked);
}

static bool wait_for_session(struct viewer *v, long ms)
{
	struct sw_hello h = greeting(v);

	return sw_link_wait(&v->link, &h, ms, &v->unblocked, &stop);
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
	sw_paint_frame(v->frame, v->utf8 || v->frame->utf8, &v->top, &v->left);
	refresh_all(v);
}

/*
 * Stopped, which only SIGSTOP does, and continued: whoever had the terminal meanwhile has set it
 * for itself and written on it, and may have told nobody behind it of a new size.
 */
static void take_up_again(struct viewer *v)
{
	if (!continued)
		return;
	continued = 0;
	reset_prog_mode();
	fputs(PASTE_ON, v->out);
	clearok(curscr, TRUE);
	refresh_all(v);
	(void)raise(SIGWINCH);
}

static void send_size(struct viewer *v)
{
	(void)sw_wire_size(&v->link.to, (unsigned int)LINES, (unsigned int)COLS);
	draw(v, SW_FRAME_REDRAW);
}

/* Keys that are this terminal's own business; true: not for the session. */
static bool own_key(struct viewer *v, uint32_t key)
{
	if (key == KEY_DETACH) {
		v->over = true;
		return true;
	}
	if (key == SW_CTRL('l') && v->link.sock < 0) {
		clearok(curscr, TRUE);
		refresh_all(v);
		return true;
	}
	return false;
}

/* A line that sends our own drawing back is not heard until it has been silent for a while. */
static bool is_deaf(struct viewer *v, bool echo)
{
	int64_t now = sw_now_ms();

	if (!echo && now >= v->deaf_until)
		return false;
	v->deaf_until = now + DEAF_MS;
	return true;
}

/* The next key of the terminal, 0 for one that means nothing; false: none is there. */
static bool next_key(struct viewer *v, uint32_t *ret_key, bool *echo)
{
	bool was_cr = v->was_cr;
	wint_t code;
	int kind = get_wch(&code);

	*ret_key = 0;
	v->was_cr = kind == OK && code == '\r';
	if (kind == ERR)
		return false;
	if (kind == KEY_CODE_YES && code == KEY_RESIZE) {
		send_size(v);
		return true;
	}
	*echo |= kind == OK && sw_echo_key(&v->echo, code);
	/* Enter of lines that send both. */
	if (kind == OK && code == '\n' && was_cr)
		return true;
	*ret_key = sw_keytab_key(kind, code);
	if (*ret_key && own_key(v, *ret_key))
		*ret_key = 0;
	return true;
}

/* Everything that was typed, as one message: frames come after keys, not between them. */
static void read_keys(struct viewer *v)
{
	struct pollfd more = { .fd = v->tty, .events = POLLIN };
	uint32_t keys[SW_WIRE_MAX_KEYS], key;
	bool echo = false;
	size_t n = 0;

	while (n < SW_WIRE_MAX_KEYS) {
		if (next_key(v, &key, &echo)) {
			if (key)
				keys[n++] = key;
		} else if (!sw_paste_wants_more(&v->paste, keys, n, sw_now_ms()) ||
			   poll(&more, 1, SW_PASTE_HOLD_MS) <= 0) {
			break;
		}
	}
	if (is_deaf(v, echo) || v->link.sock < 0)
		return;
	n = sw_paste_filter(&v->paste, keys, n, sw_now_ms());
	if (n)
		(void)sw_wire_keys(&v->link.to, keys, n);
}

/*
 * What comes next on the terminal must not stand in what is left of the hint line: not every one
 * has a second screen to go back from.
 */
static void leave_screen(struct viewer *v)
{
	fputs(PASTE_OFF, v->out);
	(void)wmove(stdscr, LINES - 1, 0);
	(void)wclrtoeol(stdscr);
	(void)wrefresh(stdscr);
	endwin();
}

/* The terminal is the shell's until that ends; no key typed to it comes to the session. */
static void run_shell(struct viewer *v, const struct sw_wire_shell *what)
{
	const bool state = what->flags & SW_SHELL_STATE_FLAG;

	leave_screen(v);
	fputs("\r\n", v->out);
	fprintf(v->out, state ? _("Shell in the state, on %s.")
			      : _("Rescue shell on %s. 'exit' goes back to slipway."), v->name);
	fputs("\r\n", v->out);
	fflush(v->out);
	(void)sw_shell_run(v->tty, v->term, what, &v->unblocked, &stop);
	if (stop)
		return;
	(void)tcflush(v->tty, TCIFLUSH);
	reset_prog_mode();
	flushinp();
	fputs(PASTE_ON, v->out);
	clearok(curscr, TRUE);
}

static bool take_message(const struct sw_message *m, void *arg)
{
	struct viewer *v = arg;
	struct sw_wire_shell shell;
	struct sw_frame *f = NULL;
	unsigned int flags = 0;
	uint32_t number;

	if (m->type == SW_WIRE_BYE) {
		v->over = true;
	} else if (sw_wire_read_shell(m, &shell) == 0) {
		run_shell(v, &shell);
	} else if (sw_wire_read_frame(m, &f, &number, &flags) == 0) {
		sw_frame_free(v->frame);
		v->frame = f;
		v->to_ack = number;
		v->ack_due = true;
		draw(v, flags);
	} else {
		disconnect(v);
	}
	return !v->over;
}

/* The next frame is asked for when this one is on the glass, so held keys never pile up frames. */
static void acknowledge(struct viewer *v)
{
	v->ack_due = v->ack_due && v->link.sock >= 0;
	if (!v->ack_due || !sw_tty_drained(v->tty, v->kind))
		return;
	v->ack_due = false;
	(void)sw_wire_ack(&v->link.to, v->to_ack);
}

static void say_waiting(struct viewer *v)
{
	erase();
	mvaddstr(0, 0, _("Waiting for slipway's session ..."));
	refresh_all(v);
}

/* False: the terminal is gone. */
static bool step(struct viewer *v)
{
	struct pollfd p[] = {
		{ .fd = v->tty, .events = POLLIN },
		{ .fd = v->link.sock, .events = (short)(POLLIN | (v->link.to.len ? POLLOUT : 0)) },
		{ .fd = v->link.session, .events = POLLIN },
	};
	struct timespec drain = { .tv_nsec = DRAIN_MS * 1000000L };
	int r = ppoll(p, ARRAY_SIZE(p), v->ack_due ? &drain : NULL,
			  &v->unblocked);

	if (r < 0 && errno != EINTR)
		return false;
	take_up_again(v);
	/* A signal may have been a change of size, which is read like a key. */
	if (r < 0 || p[0].revents & POLLIN)
		read_keys(v);
	if (r > 0 && p[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		return false;
	if (r > 0 && p[1].revents & (POLLIN | POLLHUP | POLLERR))
		sw_link_receive(&v->link, take_message, v);
	if (r > 0 && v->link.sock >= 0 && p[2].revents)
		disconnect(v);
	acknowledge(v);
	sw_link_flush(&v->link);
	return true;
}

static void loop(struct viewer *v)
{
	while (!stop && !v->over) {
		if (v->link.sock < 0) {
			struct pollfd p = { .fd = v->tty, .events = POLLIN };

			say_waiting(v);
			while (!stop && !v->over && !connect_once(v)) {
				/* A terminal that is gone is readable too: it reads as its end. */
				if (pause_at(v, &p) > 0 &&
				    p.revents & (POLLHUP | POLLERR | POLLNVAL))
					return;
				take_up_again(v);
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

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
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
	/* Every byte counts on a serial line, and what hangs on it need not know colours. */
	if (v->kind != SW_TTY_SERIAL && !is_set("NO_COLOR"))
		sw_paint_colours();
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	if (!getenv("ESCDELAY"))	/* which ncurses reads itself */
		set_escdelay(v->kind == SW_TTY_SERIAL ? ESC_SERIAL_MS : ESC_LOCAL_MS);
	sw_keytab_define();
	keep_flow_control(v->tty, &was);
	fputs(PASTE_ON, v->out);
	return 0;
}

static void catch_signals(sigset_t *ret_unblocked)
{
	struct sigaction sa = { .sa_handler = on_signal };
	static const int heard[] = { SIGTERM, SIGHUP, SIGINT, SIGCONT };
	sigset_t ours;

	stop = continued = 0;
	sigemptyset(&ours);
	sigaddset(&ours, SIGWINCH);
	for (size_t i = 0; i < ARRAY_SIZE(heard); i++) {
		(void)sigaction(heard[i], &sa, NULL);
		sigaddset(&ours, heard[i]);
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
		leave_screen(v);
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
	struct viewer v = { .tty = -EBADF, .link = { .path = socket_path, .sock = -EBADF,
						     .session = -EBADF } };
	int r;

	sw_text_init();
	r = sw_tty_open(tty, &v.tty, v.name, err);
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
