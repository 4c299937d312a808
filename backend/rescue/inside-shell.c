/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in the namespaces of the shell. Its first process mounts the state, starts the shell
 * and outlives it; with this process the kernel ends all others in there, and then the mounts.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/file.h"
#include "base/proc.h"
#include "machine/shell.h"
#include "rescue/inside-private.h"

#define TRY_S 5U		/* a shell that takes longer for nothing is none */

struct inner {
	const struct sw_inside *i;
	int tty;
	struct sw_inside_report report;
};

static volatile sig_atomic_t hang_up;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		hang_up = 1;
}

/* ---- the mounts ---- */

static int fails(struct inner *n, const char *what)
{
	n->report.r = -errno;
	(void)snprintf(n->report.what, sizeof(n->report.what), "%s", what);
	return n->report.r;
}

static int mount_state(struct inner *n)
{
	const struct sw_inside *i = n->i;
	unsigned long flags = MS_NOSUID | MS_NODEV | (i->write ? 0 : MS_RDONLY);

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fails(n, "no mount of its own");
	if (mount(i->device, i->place, i->fs, flags, sw_inside_options(i->fs, i->write)) < 0)
		return fails(n, "it cannot be mounted");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return fails(n, "no /proc of its own");
	return 0;
}

/* Whether /bin/sh in there runs: tried, for its link, loader or processor may be others. */
static bool shell_runs(const char *place)
{
	static const char *const argv[] = { "sh", "-c", "exit 42", NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)alarm(TRY_S);
		if (sw_proc_silence() < 0 || chroot(place) < 0 || chdir("/") < 0)
			_exit(1);
		execv(SW_SHELL, (char *const *)argv);
		_exit(1);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

/* Where the folder is missing there is none: a read-only root takes no new one. */
static void attach(int tree, const char *path)
{
	if (tree >= 0)
		(void)move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
}

/* Names are looked up inside, so that no link in there leads anywhere else. */
static int furnish(struct inner *n)
{
	_cleanup_close_ int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int dev = open_tree(AT_FDCWD, "/dev", OPEN_TREE_CLONE | AT_RECURSIVE |
						OPEN_TREE_CLOEXEC);
	_cleanup_close_ int sys = open_tree(AT_FDCWD, "/sys", OPEN_TREE_CLONE | AT_RECURSIVE |
						OPEN_TREE_CLOEXEC);
	unsigned long flags = MS_NOSUID | MS_NODEV;

	if (top < 0 || chroot(n->i->place) < 0 || chdir("/") < 0)
		return fails(n, "its root cannot be entered");
	attach(dev, "/dev");
	attach(sys, "/sys");
	(void)mount("proc", "/proc", "proc", flags | MS_NOEXEC, NULL);
	if (!n->i->write) {
		(void)mount("tmpfs", "/tmp", "tmpfs", flags, "mode=1777");
		(void)mount("tmpfs", "/run", "tmpfs", flags, "mode=755");
	}
	if (fchdir(top) < 0 || chroot(".") < 0)
		return fails(n, "its root cannot be left");
	return 0;
}

/* ---- the shell ---- */

static void use_terminal(int tty)
{
	(void)setpgid(0, 0);
	(void)signal(SIGTTOU, SIG_IGN);
	(void)tcsetpgrp(tty, getpid());
	(void)signal(SIGTTOU, SIG_DFL);
}

static char *kept(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return sw_fmt("%s=%s", name, value && *value ? value : otherwise);
}

__attribute__((noreturn)) static void run_shell(const struct inner *n)
{
	static const char *const argv[] = { "sh", "-l", NULL };
	char *path = strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	char *own = kept("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
	char *env[] = { n->report.root ? path : own, kept("TERM", "dumb"),
			strdup(n->report.root ? "HOME=/root" : "HOME=/"), kept("LANG", "C"), NULL };

	if (n->tty >= 0)
		use_terminal(n->tty);
	if (n->report.root && chroot(n->i->place) < 0)
		_exit(126);
	if (chdir(n->report.root ? "/" : n->i->place) < 0)
		_exit(126);
	execve(SW_SHELL, (char *const *)argv, env);
	_exit(127);
}

/* The parents of orphans are gone, so they are this one's. */
static void wait_for(pid_t shell, const sigset_t *unblocked)
{
	bool told = false;
	pid_t pid;

	for (;;) {
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			if (pid == shell)
				return;
		if (pid < 0)
			return;
		if (hang_up && !told) {
			told = true;
			(void)kill(shell, SIGHUP);
			(void)kill(shell, SIGCONT);
		}
		(void)ppoll(NULL, 0, NULL, unblocked);
	}
}

/* Every other process in here, then the mount itself: when this returns all is on the disk. */
static void leave(const struct inner *n)
{
	(void)kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	(void)umount2(n->i->place, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/* Those that count arrive only while waiting. ret_none: the shell begins with none blocked. */
static void catch_signals(sigset_t *ret_none)
{
	const struct sigaction sa = { .sa_handler = on_signal };
	sigset_t ours;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigaction(SIGHUP, &sa, NULL);
	(void)sigaction(SIGCHLD, &sa, NULL);
	sigemptyset(ret_none);
	sigemptyset(&ours);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGCHLD);
	(void)sigprocmask(SIG_SETMASK, &ours, NULL);
}

void sw_inside_child(const struct sw_inside *i, int tty, int said, int go)
{
	struct inner n = { .i = i, .tty = tty };
	sigset_t none;
	char word;
	pid_t shell;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "slipway-inside");
	catch_signals(&none);
	if (chdir("/") == 0 && mount_state(&n) == 0) {
		n.report.root = shell_runs(i->place);
		if (n.report.root)
			(void)furnish(&n);
	}
	(void)sw_fd_write_all(said, &n.report, sizeof(n.report));
	/* Its end: nobody is there any more, or nobody wants it. */
	if (n.report.r < 0 || read(go, &word, 1) != 1)
		_exit(1);
	shell = fork();
	if (shell == 0) {
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		run_shell(&n);
	}
	if (shell > 0)
		wait_for(shell, &none);
	leave(&n);
	_exit(0);
}
