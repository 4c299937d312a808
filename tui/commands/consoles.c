/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/commands/consoles.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "tui/commands/common.h"
#include "tui/session/session.h"
#include "tui/term/terminal.h"

#define AGAIN_SECONDS 2

/* "ttyS1,57600" into the device's path and a speed, 0: as it is. */
static int parse(const char *text, char **ret_path, unsigned long *ret_speed, struct sw_error *err)
{
	size_t n = strcspn(text, ",");
	const char *speed = text[n] ? text + n + 1 : "0";
	char *end;

	*ret_speed = strtoul(speed, &end, 10);
	if (n == 0 || n > 100 || *end || end == speed) {
		(void)sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%.60s\" is no console", text);
		sw_error_hint(err, "give it as ttyS1, ttyS1,57600 or /dev/pts/3");
		return -EINVAL;
	}
	*ret_path = sw_fmt("%s%.*s", text[0] == '/' ? "" : "/dev/", (int)n, text);
	return *ret_path ? 0 : sw_fail_oom(err);
}

/* No modem says that somebody is there, so CLOCAL; the settings outlive this descriptor. */
static int set_speed(int fd, unsigned long speed)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	t.c_cflag |= CLOCAL;
	return cfsetspeed(&t, (speed_t)speed) < 0 || tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

static int check_one(const char *text, struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -EBADF;
	unsigned long speed;
	int r = parse(text, &path, &speed, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return sw_fail_errno(err, SW_EXIT_MISSING, -errno, "console %s cannot be opened",
				     path);
	if (!isatty(fd))
		return sw_fail(err, SW_EXIT_USAGE, -ENOTTY, "%s is no terminal", path);
	r = speed ? set_speed(fd, speed) : 0;
	if (r < 0)
		sw_fail_errno(err, SW_EXIT_USAGE, r, "%s does not take %lu baud", path, speed);
	return r;
}

int sw_consoles_check(const struct sw_cli *cli, struct sw_error *err)
{
	const char *text;
	size_t pos = 0;
	int r = 0;

	while (r == 0 && (text = sw_arg_next(&cli->args, SW_OPT_CONSOLE, &pos)))
		r = check_one(text, err);
	return r;
}

/* As the medium's inittab takes them: the screen's terminals are Linux's own. */
static const char *type_of(const char *path)
{
	return strncmp(path, "/dev/tty", 8) == 0 && path[8] >= '0' && path[8] <= '9' ? "linux"
										      : "vt220";
}

/* A terminal that hangs up ends its viewer; the session's end is the end of all. */
__attribute__((noreturn)) static void show(const char *socket_path, const char *path, bool plain,
					 pid_t session)
{
	(void)setsid();
	(void)prctl(PR_SET_NAME, "slipway-console");
	/* Without a goodbye a viewer waits for the next session, and there is none to come. */
	if (session && (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != session))
		_exit(0);
	(void)sw_proc_silence();
	for (;;) {
		struct sw_error ignored = {};

		(void)sw_terminal_run(socket_path, path, type_of(path), plain, &ignored);
		if (!sw_session_answers(socket_path))
			_exit(0);
		sleep(AGAIN_SECONDS);
	}
}

static int start_one(const char *text, const char *socket_path, bool plain, pid_t session,
		     struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	unsigned long speed;
	int r = parse(text, &path, &speed, err);
	pid_t pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot start a console");
	if (pid == 0)
		show(socket_path, path, plain, session);
	return 0;
}

int sw_consoles_start(const struct sw_cli *cli, const char *socket_path, bool own,
		      struct sw_error *err)
{
	pid_t session = own ? getpid() : 0;
	const char *text;
	size_t pos = 0;
	int r = 0;

	while (r == 0 && (text = sw_arg_next(&cli->args, SW_OPT_CONSOLE, &pos)))
		r = start_one(text, socket_path, cli->plain, session, err);
	return r;
}
