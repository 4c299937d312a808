/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stand-in's TPM: swtpm as a child, on sockets below DIR/run. Whoever needs
 * it first starts it, whoever started it ends it, and the kernel ends it should
 * the starter die. A second process on the same stand-in uses the one that runs.
 * The kernel's watch is on the thread that forked: a thread that ends takes the
 * TPM with it, and the next call starts it again.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/proc.h"
#include "machine/private.h"

#define START_STEPS 3000	/* of 20 ms: a busy machine lets it wait */
#define STOP_STEPS 100

static void pause_20ms(void)
{
	static const struct timespec t = { .tv_nsec = 20 * 1000 * 1000 };

	(void)nanosleep(&t, NULL);
}

/*
 * True when somebody listens. The control socket is asked: connecting there disturbs nobody.
 * EAGAIN: somebody does, and is too busy to take one more caller now.
 */
static bool answers(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || strlen(path) >= sizeof(a.sun_path))
		return false;
	memcpy(a.sun_path, path, strlen(path) + 1);
	return connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 || errno == EAGAIN;
}

/* In the child: relative names, so that neither commas nor length of DIR matter to swtpm. */
static void become_swtpm(const char *dir, pid_t parent)
{
	static const char *const argv[] = {
		"swtpm", "socket", "--tpm2", "--tpmstate", "dir=tpm,mode=0600",
		"--server", "type=unixio,path=run/tpm.sock,mode=0600",
		"--ctrl", "type=unixio,path=run/tpm.sock.ctrl,mode=0600",
		"--flags", "not-need-init,startup-clear",
		"--log", "file=run/tpm.log,level=1", NULL
	};
	static const char *const envp[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL
	};

	/* The parent may have died before the request took hold. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent || chdir(dir) < 0 ||
	    setpgid(0, 0) < 0 || sw_proc_silence() < 0 || close_range(3, ~0u, 0) < 0)
		_exit(126);
	execvpe(argv[0], (char *const *)argv, (char *const *)envp);
	_exit(127);
}

static int spawn(const char *dir, pid_t *ret_pid)
{
	pid_t parent = getpid(), pid;
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0) {
		struct sigaction dfl = { .sa_handler = SIG_DFL };
		sigset_t none;

		for (int s = 1; s < NSIG; s++)
			(void)sigaction(s, &dfl, NULL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		become_swtpm(dir, parent);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return -errno;
	*ret_pid = pid;
	return 0;
}

/*
 * Waits until the child listens on both of its sockets, which it makes one after the other; a child
 * that ended first has failed.
 */
static int wait_until_up(pid_t pid, const char *sock, const char *ctrl)
{
	int status;

	for (int i = 0; i < START_STEPS; i++) {
		if (answers(ctrl) && answers(sock))
			return 0;
		if (waitpid(pid, &status, WNOHANG) == pid)
			return -ECHILD;
		pause_20ms();
	}
	return -ETIMEDOUT;
}

/*
 * TPM2_Shutdown(TPM_SU_CLEAR), as a kernel sends it before the power goes: a TPM counts a start
 * without one as a wrong attempt, and locks itself after a few.
 */
static void shut_down(const char *path)
{
	static const uint8_t command[12] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x45, 0, 0 };
	static const struct timeval second = { .tv_sec = 1 };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t reply[10];

	if (fd < 0 || strlen(path) >= sizeof(a.sun_path) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second)) < 0)
		return;
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
	    send(fd, command, sizeof(command), MSG_NOSIGNAL) == (ssize_t)sizeof(command))
		(void)recv(fd, reply, sizeof(reply), 0);
}

static void reap(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	for (int i = 0; i < STOP_STEPS; i++) {
		pid_t r = waitpid(pid, NULL, WNOHANG);

		if (r == pid || (r < 0 && errno != EINTR))
			return;
		pause_20ms();
	}
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int launch(struct sw_machine *m, const char *sock, const char *ctrl, struct sw_error *err)
{
	pid_t pid;
	int r;

	if (!sw_proc_exists("swtpm")) {
		r = sw_fail(err, SW_EXIT_MISSING, -ENOPKG, "the stand-in has no TPM");
		sw_error_why(err, "swtpm is not installed");
		sw_error_hint(err, "install swtpm, or say `tpm: false` in machine.yaml");
		return r;
	}
	/* Left by one that was killed: nobody listens, or we would not be here. */
	(void)unlink(sock);
	(void)unlink(ctrl);
	r = spawn(m->dir, &pid);
	if (r == 0) {
		r = wait_until_up(pid, sock, ctrl);
		if (r < 0 && r != -ECHILD)
			reap(pid);
	}
	if (r < 0) {
		sw_fail(err, SW_EXIT_FAILED, r, "the stand-in's TPM does not start");
		sw_error_why(err, "%s", r == -ECHILD ? "swtpm ended at once" : strerror(-r));
		sw_error_hint(err, "see %s/tpm.log", m->run_dir);
		return r;
	}
	m->standin->tpm_pid = pid;
	m->standin->owner = getpid();
	return 0;
}

/* Two processes that start at once must not both start one, nor use one that half listens. */
static int locked_launch(struct sw_machine *m, const char *sock, const char *ctrl,
			 struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/tpm.lock", m->run_dir);
	_cleanup_close_ int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -EBADF;

	if (!path)
		return sw_fail_oom(err);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		int r = -errno;

		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot lock the stand-in's TPM");
	}
	return answers(ctrl) ? 0 : launch(m, sock, ctrl, err);
}

int sw_standin_tpm_start(struct sw_machine *m, struct sw_error *err)
{
	_cleanup_free_ char *sock = sw_fmt("%s/tpm.sock", m->run_dir);
	_cleanup_free_ char *ctrl = sw_fmt("%s/tpm.sock.ctrl", m->run_dir);
	struct sw_standin *s = m->standin;
	int r;

	if (!sock || !ctrl)
		return sw_fail_oom(err);
	if (strlen(ctrl) >= sizeof(((struct sockaddr_un *)0)->sun_path) || strchr(ctrl, ',')) {
		r = sw_fail(err, SW_EXIT_MISSING, -ENAMETOOLONG, "the stand-in has no TPM");
		sw_error_where(err, "%s", ctrl);
		sw_error_why(err, "the path is too long for a socket, or has a comma in it");
		sw_error_hint(err, "put the stand-in into a directory with a shorter name");
		return r;
	}
	if (s->tpm_pid > 0 && s->owner == getpid() && waitpid(s->tpm_pid, NULL, WNOHANG) != 0)
		s->tpm_pid = 0;	/* it ended by itself: start another one */
	if (s->tpm_pid > 0 && s->owner == getpid() && answers(ctrl))
		return 0;
	/* Another's may just be starting: it is there when the lock is free. */
	return locked_launch(m, sock, ctrl, err);
}

void sw_standin_tpm_stop(struct sw_machine *m)
{
	static const char *const names[] = { "tpm.sock", "tpm.sock.ctrl" };
	_cleanup_free_ char *sock = sw_fmt("%s/tpm.sock", m->run_dir);

	/* A forked child that frees its copy must not end its parent's TPM. */
	if (!m->standin || m->standin->tpm_pid <= 0 || m->standin->owner != getpid())
		return;
	if (sock)
		shut_down(sock);
	reap(m->standin->tpm_pid);
	m->standin->tpm_pid = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *p = sw_fmt("%s/%s", m->run_dir, names[i]);

		if (p)
			(void)unlink(p);
	}
}
