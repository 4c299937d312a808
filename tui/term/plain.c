/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/plain.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/catalogue.h"
#include "base/clock.h"
#include "base/file.h"
#include "tui/session/text.h"
#include "tui/term/echo.h"
#include "tui/term/link.h"
#include "tui/term/shell.h"
#include "tui/term/tty.h"

#define CONNECT_MS 10000
#define DEAF_MS 10000		/* after this long without an echo a line is heard again */
#define KEPT_TEXT 8192u		/* of what was printed, to know it again */

struct plain {
	struct sw_link link;
	int tty;
	enum sw_tty_kind kind;
	char name[64];
	struct termios was;
	bool over, echo;
	int64_t deaf_until;
	struct sw_buf line;		/* typed so far, when it came in pieces */
	struct sw_buf printed;
	sigset_t unblocked;
};

static volatile sig_atomic_t stop, cancel, continued;

static void on_signal(int sig)
{
	if (sig == SIGINT)
		cancel = 1;
	else if (sig == SIGCONT)
		continued = 1;
	else
		stop = 1;
}

/* Lines as a person types them; flow control stays as it was found. */
static void set_up(struct plain *p, bool echo)
{
	struct termios t = p->was;

	p->echo = echo;
	t.c_iflag |= ICRNL;
	t.c_iflag &= ~(tcflag_t)(INLCR | IGNCR);
	t.c_oflag |= OPOST | ONLCR;
	t.c_lflag |= ICANON | ISIG;
	t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (echo)
		t.c_lflag |= ECHO | ECHOE | ECHOK;
	t.c_cc[VQUIT] = 0x1c;	/* ^\ */
	(void)tcsetattr(p->tty, TCSANOW, &t);
}

static struct sw_hello greeting(const struct plain *p)
{
	struct sw_hello h = {
		.rows = 24, .cols = 80, .term = "dumb",
		.flags = SW_HELLO_PLAIN | (p->kind == SW_TTY_SERIAL ? SW_HELLO_SERIAL : 0),
	};

	memcpy(h.name, p->name, sizeof(h.name));
	return h;
}

/* A terminal that takes no output holds us here, where a signal must still reach us. */
static void print(struct plain *p, const char *text, size_t n)
{
	sigset_t blocked;

	(void)sigprocmask(SIG_SETMASK, &p->unblocked, &blocked);
	while (n && !stop) {
		ssize_t w = write(p->tty, text, n);

		if (w < 0 && errno != EINTR)
			break;
		text += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* Stopped, which only SIGSTOP does, and continued: the terminal was another's meanwhile. */
static void take_up_again(struct plain *p)
{
	const char *text = sw_buf_text(&p->printed), *question = strrchr(text, '\n');

	if (!continued)
		return;
	continued = 0;
	set_up(p, p->echo);
	question = question ? question + 1 : text;
	print(p, question, strlen(question));
}

static void keep_printed(struct plain *p, const uint8_t *text, size_t n)
{
	if (p->printed.len > KEPT_TEXT)
		sw_buf_clear(&p->printed);
	(void)sw_buf_add(&p->printed, text, n);
}

/* The terminal is the shell's until that ends. */
static void run_shell(struct plain *p, const struct sw_wire_shell *what)
{
	const char *banner = what->flags & SW_SHELL_STATE_FLAG
				     ? _("\nShell in the state.\n")
				     : _("\nRescue shell. 'exit' goes back to slipway.\n");
	const char *term = getenv("TERM");

	print(p, banner, strlen(banner));
	(void)tcsetattr(p->tty, TCSANOW, &p->was);
	(void)sw_shell_run(p->tty, term ? term : "dumb", what, &p->unblocked, &stop);
	cancel = 0;
	(void)tcflush(p->tty, TCIFLUSH);
	set_up(p, true);
}

static bool take_message(const struct sw_message *m, void *arg)
{
	struct plain *p = arg;
	struct sw_wire_shell shell;
	unsigned int flags = 0;
	const uint8_t *text;
	uint32_t number;
	size_t n;

	if (m->type == SW_WIRE_BYE) {
		p->over = true;
	} else if (sw_wire_read_shell(m, &shell) == 0) {
		run_shell(p, &shell);
	} else if (sw_wire_read_text(m, &text, &n, &number, &flags) == 0) {
		set_up(p, !(flags & SW_TEXT_SECRET) && !p->deaf_until);
		keep_printed(p, text, n);
		print(p, (const char *)text, n);
		(void)sw_wire_ack(&p->link.to, number);
	} else {
		sw_link_disconnect(&p->link);
	}
	return !p->over;
}

/* One that says what we said is no answer, and what follows is not believed for a while. */
static bool is_echo(struct plain *p, const char *line)
{
	if (!sw_echo_line(line, sw_buf_text(&p->printed)) &&
	    !(p->deaf_until && sw_now_ms() < p->deaf_until)) {
		p->deaf_until = 0;
		return false;
	}
	p->deaf_until = sw_now_ms() + DEAF_MS;
	set_up(p, false);
	return true;
}

static void send_line(struct plain *p)
{
	if (!is_echo(p, sw_buf_text(&p->line)) && p->link.sock >= 0)
		(void)sw_wire_line(&p->link.to, sw_buf_text(&p->line));
	sw_buf_clear(&p->line);
}

/* False: the terminal has ended. */
static bool read_lines(struct plain *p)
{
	char data[1024];
	ssize_t n = read(p->tty, data, sizeof(data));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	for (ssize_t i = 0; i < n; i++) {
		if (data[i] == '\n')
			send_line(p);
		else if (p->line.len < SW_WIRE_MAX_LINE)
			(void)sw_buf_add(&p->line, &data[i], 1);
	}
	return n > 0;
}

/* False: the terminal is gone. */
static bool step(struct plain *p)
{
	struct pollfd fds[] = {
		{ .fd = p->tty, .events = POLLIN },
		{ .fd = p->link.sock, .events = (short)(POLLIN | (p->link.to.len ? POLLOUT : 0)) },
		{ .fd = p->link.session, .events = POLLIN },
	};
	int r = ppoll(fds, ARRAY_SIZE(fds), NULL, &p->unblocked);

	if (cancel) {
		cancel = 0;
		(void)sw_wire_line(&p->link.to, ":cancel");
	}
	if (r < 0 && errno != EINTR)
		return false;
	take_up_again(p);
	if (r > 0 && fds[0].revents && !read_lines(p))
		return false;
	if (r > 0 && fds[1].revents & (POLLIN | POLLHUP | POLLERR))
		sw_link_receive(&p->link, take_message, p);
	if (r > 0 && p->link.sock >= 0 && fds[2].revents)
		sw_link_disconnect(&p->link);
	sw_link_flush(&p->link);
	return true;
}

static void loop(struct plain *p)
{
	const char *waiting = _("\nWaiting for slipway's session ...\n");
	struct timespec pause = { .tv_nsec = SW_LINK_RETRY_MS * 1000000L };
	struct sw_hello h = greeting(p);

	while (!stop && !p->over) {
		if (p->link.sock >= 0) {
			if (!step(p))
				return;
			continue;
		}
		print(p, waiting, strlen(waiting));
		(void)ppoll(NULL, 0, &pause, &p->unblocked);
		while (!stop && !sw_link_wait(&p->link, &h, CONNECT_MS, &p->unblocked, &stop))
			;
	}
}

static void catch_signals(sigset_t *ret_unblocked)
{
	static const int ours[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGCONT };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	stop = cancel = continued = 0;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		(void)sigaction(ours[i], &sa, NULL);
		sigaddset(&set, ours[i]);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTSTP, SIG_IGN);
	(void)sigprocmask(SIG_BLOCK, &set, ret_unblocked);
}

static int run(struct plain *p, const char *path, struct sw_error *err)
{
	struct sw_hello h = greeting(p);
	int r = 0;

	catch_signals(&p->unblocked);
	set_up(p, true);
	if (sw_link_wait(&p->link, &h, CONNECT_MS, &p->unblocked, &stop)) {
		loop(p);
	} else if (!stop) {
		r = sw_fail(err, SW_EXIT_MISSING, -ECONNREFUSED,
			    "no slipway session listens on %s", path);
		sw_error_hint(err, "Start one with slipway session, or slipway without a command");
	}
	(void)sigprocmask(SIG_SETMASK, &p->unblocked, NULL);
	if (stop)
		(void)tcflush(p->tty, TCOFLUSH);
	print(p, "\n", 1);
	(void)tcsetattr(p->tty, TCSANOW, &p->was);
	return r;
}

int sw_plain_run(const char *socket_path, const char *tty, struct sw_error *err)
{
	struct plain p = { .tty = -EBADF, .link = { .path = socket_path, .sock = -EBADF,
						    .session = -EBADF } };
	int r;

	sw_text_init();
	r = sw_tty_open(tty, &p.tty, p.name, err);
	if (r < 0)
		return r;
	p.kind = sw_tty_kind(p.tty);
	if (tcgetattr(p.tty, &p.was) < 0)
		r = sw_fail_errno(err, SW_EXIT_FAILED, -errno, "the terminal cannot be set up");
	else
		r = run(&p, socket_path, err);
	sw_link_disconnect(&p.link);
	sw_buf_clear(&p.line);
	sw_buf_clear(&p.printed);
	close(p.tty);
	return r;
}
