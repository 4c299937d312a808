/* SPDX-License-Identifier: Apache-2.0 */
/* The process outside: it starts what is in there, waits, and sees that nothing stays. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/clock.h"
#include "base/file.h"
#include "machine/shell.h"
#include "rescue/inside-private.h"

#define HANG_UP_MS 2000		/* for a shell that was told to go */
#define GONE_MS 10000		/* a mount that wrote much takes its time */
#define LOOK_MS 20

static int make_place(struct sw_inside *i)
{
	i->place = sw_fmt("%s/state", i->m->run_dir);
	return i->place ? sw_mkdir_all(i->place, 0700) : -ENOMEM;
}

/* fork(2) into namespaces of its own; glibc has no call for that. */
static pid_t fork_inside(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL,
			      NULL);
}

static int read_report(struct sw_inside *i, struct sw_error *err)
{
	struct sw_inside_report report = {};
	ssize_t n;

	do
		n = read(i->said, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(report))
		return sw_fail(err, SW_EXIT_FAILED, -ECHILD, "the state cannot be mounted: the "
							     "process for it died");
	i->root = report.root;
	if (report.r == 0)
		return 0;
	sw_fail_errno(err, SW_EXIT_FAILED, report.r, "the state cannot be opened: %.64s",
		      report.what);
	sw_error_where(err, "%s, partition %u", i->disk->name, i->part->number);
	sw_error_hint(err, report.r == -ENODEV
		      ? "this system's kernel has no %s; one that has it can look"
		      : "`slipway doctor` says what is wrong with it", i->fs);
	return report.r;
}

int sw_inside_start(struct sw_inside *i, int tty, struct sw_error *err)
{
	int said[2] = { -EBADF, -EBADF }, go[2] = { -EBADF, -EBADF };
	int r = make_place(i);

	if (r == 0 && (pipe2(said, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0))
		r = -errno;
	if (r == 0) {
		i->pid = fork_inside();
		r = i->pid < 0 ? -errno : 0;
	}
	if (r == 0 && i->pid == 0) {
		close(said[0]);
		close(go[1]);
		sw_inside_child(i, tty, said[1], go[0]);
	}
	i->said = said[0];
	i->go = go[1];
	if (said[1] >= 0)
		close(said[1]);
	if (go[0] >= 0)
		close(go[0]);
	if (r < 0) {
		i->pid = 0;
		sw_fail_errno(err, SW_EXIT_FAILED, r, "no process of its own can be started");
		sw_error_hint(err, "it needs to be root, and a kernel with namespaces");
		return r;
	}
	return read_report(i, err);
}

void sw_inside_go(struct sw_inside *i)
{
	(void)sw_fd_write_all(i->go, "g", 1);
}

static void end(struct sw_inside *i, int ended)
{
	struct pollfd p = { .fd = ended, .events = POLLIN };

	i->cut = true;
	(void)kill(i->pid, SIGHUP);
	if (ended < 0 || poll(&p, 1, HANG_UP_MS) <= 0)
		(void)kill(i->pid, SIGKILL);
}

void sw_inside_wait(struct sw_inside *i, int tty, const sigset_t *unblocked,
		    const volatile sig_atomic_t *stop)
{
	_cleanup_close_ int ended = (int)syscall(SYS_pidfd_open, i->pid, 0);
	struct pollfd p[] = { { .fd = ended, .events = POLLIN }, { .fd = tty } };

	while (!*stop && ended >= 0) {
		int k = ppoll(p, ARRAY_SIZE(p), NULL, unblocked);

		if (k > 0 && p[0].revents)
			break;
		if (k > 0 && p[1].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			end(i, ended);
			break;
		}
	}
	if (*stop)
		end(i, ended);
	while (waitpid(i->pid, NULL, 0) < 0 && errno == EINTR)
		;
	i->pid = 0;
	if (tty >= 0)
		sw_shell_take_terminal(tty);
}

/* ---- nothing stays ---- */

/* Whether the kernel has this device for somebody. */
static bool is_there(dev_t device)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/loop/backing_file",
		       major(device), minor(device));
	if (access(path, F_OK) == 0)
		return true;
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dm", major(device),
		       minor(device));
	return access(path, F_OK) == 0;
}

static dev_t device_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_rdev : 0;
}

static bool wait_until_gone(const char *partition, dev_t map, dev_t loop)
{
	struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t until = sw_now_ms() + GONE_MS;

	while ((map && is_there(map)) || (loop && is_there(loop)) ||
	       (partition && sw_inside_check_free(partition, NULL) == -EBUSY)) {
		if (sw_now_ms() > until)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

static void kill_all(struct sw_inside *i)
{
	if (i->pid <= 0)
		return;
	(void)kill(i->pid, SIGKILL);
	while (waitpid(i->pid, NULL, 0) < 0 && errno == EINTR)
		;
	i->pid = 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -EBADF;
}

int sw_inside_close(struct sw_inside *i, struct sw_error *err)
{
	dev_t map = device_of(i->map), loop = device_of(i->loop.fd);
	bool gone;

	if (!i->m)
		return 0;
	kill_all(i);
	close_one(&i->said);
	close_one(&i->go);
	close_one(&i->map);
	sw_loop_close(&i->loop);
	gone = wait_until_gone(map || loop ? NULL : i->device, map, loop);
	if (i->place)
		(void)rmdir(i->place);
	free(TAKE_PTR(i->place));
	close_one(&i->lock);
	if (gone) {
		free(TAKE_PTR(i->device));
		return 0;
	}
	sw_fail(err, SW_EXIT_DIRTY, -EBUSY, "the state is still in use");
	sw_error_where(err, "%s", i->device);
	sw_error_hint(err, "it is closed when the last program that uses it ends; restart the "
			   "machine to be sure");
	free(TAKE_PTR(i->device));
	return -EBUSY;
}
