/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/tty.h"
#include "base/catalogue.h"

#include <fcntl.h>
#include <linux/kd.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PROBE_MS 300
#define MIN_ROWS 24
#define MIN_COLS 80
#define MAX_ROWS 60
#define MAX_COLS 132
/* With less than this left, the next frame finds the line free when it comes. */
#define FEW_BYTES 16

int sw_tty_open(const char *tty, int *ret_fd, char ret_name[static 64], struct sw_error *err)
{
	const char *name = tty ? tty : ttyname(STDIN_FILENO);
	int fd;

	/* As a session leader without a terminal this one becomes ours, and tells of hang-ups. */
	if (tty)
		(void)setsid();
	fd = tty ? open(tty, O_RDWR | O_CLOEXEC) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return sw_fail_errno(err, SW_EXIT_MISSING, -errno, "cannot open %s",
				     tty ? tty : _("the terminal"));
	if (!isatty(fd)) {
		close(fd);
		sw_fail(err, SW_EXIT_USAGE, -ENOTTY, "%s is not a terminal",
			tty ? tty : _("standard input"));
		sw_error_hint(err, "The console needs a terminal; without one use slipway install "
				   "--answers FILE");
		return -ENOTTY;
	}
	name = name ? name : "terminal";
	if (strncmp(name, "/dev/", 5) == 0)
		name += 5;
	(void)snprintf(ret_name, 64, "%s", name);
	*ret_fd = fd;
	return 0;
}

/* Unix98 slaves have the majors 136 to 143. */
enum sw_tty_kind sw_tty_kind(int fd)
{
	struct stat st;
	char type;

	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) >= 136 &&
	    major(st.st_rdev) <= 143)
		return SW_TTY_PTY;
	if (ioctl(fd, KDGKBTYPE, &type) == 0)
		return SW_TTY_VT;
	return SW_TTY_SERIAL;
}

bool sw_tty_is_utf8(int fd)
{
	struct termios t;

	return tcgetattr(fd, &t) == 0 && (t.c_iflag & IUTF8);
}

static long ms_since(const struct timespec *from)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (t.tv_sec - from->tv_sec) * 1000 + (t.tv_nsec - from->tv_nsec) / 1000000;
}

/* Reads up to the 'R' that ends a cursor position report: ESC [ row ; column R. */
static bool read_report(int fd, int *ret_rows, int *ret_cols)
{
	struct timespec start;
	char text[64];
	size_t n = 0;
	char *esc;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (n + 1 < sizeof(text)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		long left = PROBE_MS - ms_since(&start);

		if (left <= 0 || poll(&p, 1, (int)left) <= 0 || read(fd, text + n, 1) != 1)
			return false;
		if (text[n++] == 'R')
			break;
	}
	text[n] = '\0';
	esc = strstr(text, "\033[");
	return esc && sscanf(esc, "\033[%d;%dR", ret_rows, ret_cols) == 2;
}

static int clamp(int v, int min, int max)
{
	return v < min ? min : v > max ? max : v;
}

static void ask(int fd, struct winsize *ws)
{
	/* Save the cursor, go as far as it goes, ask where that is, come back. */
	static const char question[] = "\0337\033[999;999H\033[6n\0338";
	struct termios was, raw;
	int rows = MIN_ROWS, cols = MIN_COLS;

	if (tcgetattr(fd, &was) < 0)
		return;
	raw = was;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSANOW, &raw) == 0 &&
	    write(fd, question, sizeof(question) - 1) == (ssize_t)sizeof(question) - 1)
		(void)read_report(fd, &rows, &cols);
	(void)tcsetattr(fd, TCSANOW, &was);
	ws->ws_row = (unsigned short)clamp(rows, MIN_ROWS, MAX_ROWS);
	ws->ws_col = (unsigned short)clamp(cols, MIN_COLS, MAX_COLS);
}

void sw_tty_probe_size(int fd)
{
	struct winsize ws = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &ws) < 0 || (ws.ws_row && ws.ws_col))
		return;
	ask(fd, &ws);
	(void)ioctl(fd, TIOCSWINSZ, &ws);
}

bool sw_tty_drained(int fd, enum sw_tty_kind kind)
{
	int left = 0;

	/* A pty says 0 whatever is behind it. */
	return kind == SW_TTY_PTY || ioctl(fd, TIOCOUTQ, &left) < 0 || left <= FEW_BYTES;
}
