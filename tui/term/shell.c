/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/shell.h"

#include <poll.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/catalogue.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "machine/shell.h"

#define HANG_UP_MS 3000

/* The viewer has ignored and blocked signals of its own; the shell begins with none of that. */
static int set_attributes(posix_spawnattr_t *attr, const sigset_t *unblocked)
{
	sigset_t all;

	sigemptyset(&all);
	sigaddset(&all, SIGPIPE);
	sigaddset(&all, SIGTSTP);
	sigaddset(&all, SIGINT);
	sigaddset(&all, SIGQUIT);
	sigaddset(&all, SIGTTOU);
	if (posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) != 0 ||
	    posix_spawnattr_setsigmask(attr, unblocked) != 0 ||
	    posix_spawnattr_setsigdefault(attr, &all) != 0)
		return -ENOMEM;
	return 0;
}

void sw_shell_words(const struct sw_wire_shell *what, const char *words[static SW_SHELL_WORDS])
{
	size_t n = 0;

	if (!(what->flags & SW_SHELL_STATE_FLAG)) {
		words[n++] = SW_SHELL;
		words[n++] = "-l";
		words[n] = NULL;
		return;
	}
	/* This program, whatever it is called and wherever it lies. */
	words[n++] = "/proc/self/exe";
	if (what->machine[0]) {
		words[n++] = "--machine";
		words[n++] = what->machine;
	}
	words[n++] = "shell";
	words[n++] = "--state";
	if (what->flags & SW_SHELL_WRITE_FLAG)
		words[n++] = "--write";
	if (what->flags & SW_SHELL_DAMAGED_FLAG)
		words[n++] = "--damaged";
	words[n] = NULL;
}

static int start(int tty, const char *term, const struct sw_wire_shell *what,
		 const sigset_t *unblocked, pid_t *ret_pid)
{
	const char *words[SW_SHELL_WORDS];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int r;

	sw_shell_words(what, words);
	(void)setenv("TERM", term, 1);
	(void)setenv("HOME", "/", 0);
	if (posix_spawn_file_actions_init(&files) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return -ENOMEM;
	}
	r = set_attributes(&attr, unblocked);
	for (int fd = 0; fd < 3 && r == 0; fd++)
		r = -posix_spawn_file_actions_adddup2(&files, tty, fd);
	if (r == 0)
		r = -posix_spawn(ret_pid, words[0], &files, &attr, (char *const *)words, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return r;
}

/* What was said is gone with the next screen. */
static void wait_until_read(int tty, const sigset_t *unblocked, const volatile sig_atomic_t *stop)
{
	const char *text = _("Enter goes back to slipway.");
	struct pollfd p = { .fd = tty, .events = POLLIN };
	char c = 0;

	(void)tcflush(tty, TCIFLUSH);
	(void)sw_fd_write_all(tty, text, strlen(text));
	while (!*stop && c != '\n' && c != '\r')
		if (ppoll(&p, 1, NULL, unblocked) > 0 && read(tty, &c, 1) != 1)
			return;
}

int sw_shell_run(int tty, const char *term, const struct sw_wire_shell *what,
		 const sigset_t *unblocked, const volatile sig_atomic_t *stop)
{
	struct timespec soon = { .tv_sec = HANG_UP_MS / 1000 };
	_cleanup_close_ int ended = -EBADF;
	struct pollfd p;
	pid_t pid = 0;
	int r = start(tty, term, what, unblocked, &pid);

	if (r < 0)
		return r;
	ended = (int)syscall(SYS_pidfd_open, pid, 0);
	p = (struct pollfd){ .fd = ended, .events = POLLIN };
	while (!*stop && ended >= 0 && ppoll(&p, 1, NULL, unblocked) <= 0)
		;
	if (*stop) {
		(void)kill(pid, SIGHUP);
		(void)kill(pid, SIGCONT);
		if (ended < 0 || ppoll(&p, 1, &soon, NULL) <= 0)
			(void)kill(pid, SIGKILL);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	sw_shell_take_terminal(tty);
	if (what->flags & SW_SHELL_STATE_FLAG)
		wait_until_read(tty, unblocked, stop);
	return 0;
}
