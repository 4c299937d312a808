/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define OUTPUT_KEPT 65536
/*
 * Where slipway-node.cpio keeps its own tools (node/build.sh). They come first: an
 * initrd's busybox has a mkfs.vfat of its own, which makes something else.
 */
#define PRIVATE_DIR "/slipway-node"
#define DEFAULT_PATH PRIVATE_DIR ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int build_env(const char *const *extra, char ***ret_env)
{
	size_t n = 0, i = 0;
	char **env;

	while (extra && extra[n])
		n++;
	env = calloc(n + 5, sizeof(*env));
	if (!env)
		return -ENOMEM;
	env[i++] = (char *)"PATH=" DEFAULT_PATH;
	env[i++] = (char *)"LC_ALL=C.UTF-8";
	env[i++] = (char *)"HOME=/";
	if (access(PRIVATE_DIR "/gconv", F_OK) == 0)
		env[i++] = (char *)"GCONV_PATH=" PRIVATE_DIR "/gconv";
	for (size_t k = 0; k < n; k++)
		env[i++] = (char *)extra[k];
	*ret_env = env;
	return 0;
}

static char *find_program(const char *name)
{
	_cleanup_free_ char *path = strdup(DEFAULT_PATH);
	char *save = NULL;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? strdup(name) : NULL;
	for (char *d = path ? strtok_r(path, ":", &save) : NULL; d;
	     d = strtok_r(NULL, ":", &save)) {
		_cleanup_free_ char *p = sw_fmt("%s/%s", d, name);

		if (p && access(p, X_OK) == 0)
			return TAKE_PTR(p);
	}
	return NULL;
}

_Bool sw_proc_exists(const char *name)
{
	_cleanup_free_ char *p = find_program(name);

	return p != NULL;
}

static int start(const char *program, const struct sw_proc *p, char **env, int in, int out,
		 pid_t *ret_pid)
{
	/* The first terminal that the leader of a session opens is its own. */
	short own = p->terminal ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	if (p->terminal)
		posix_spawn_file_actions_addopen(&fa, 0, p->terminal, O_RDWR, 0);
	else if (in >= 0)
		posix_spawn_file_actions_adddup2(&fa, in, 0);
	else
		posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_adddup2(&fa, out, 2);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setsigdefault(&at, &all);
	posix_spawnattr_setpgroup(&at, 0);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
					      own);
	r = posix_spawn(ret_pid, program, &fa, &at, (char *const *)p->argv, env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	return -r;
}

/* Tells of the lines from *at on that are whole. */
static void tell_lines(const struct sw_proc *p, const struct sw_buf *out, size_t *at)
{
	const char *end;

	while (p->line && *at < out->len &&
	       (end = memchr(out->data + *at, '\n', out->len - *at))) {
		size_t n = (size_t)(end - (const char *)out->data) - *at;
		_cleanup_free_ char *text = strndup((const char *)out->data + *at, n);

		if (text)
			p->line(text, p->userdata);
		*at += n + 1;
	}
}

/* Keeps the head of the output: the first complaint is the useful one. */
static int drain(const struct sw_proc *proc, int fd, int ended, int64_t deadline,
		 struct sw_buf *out)
{
	size_t told = out ? out->len : 0;
	char chunk[4096];

	for (;;) {
		struct pollfd p[] = { { .fd = fd, .events = POLLIN },
				      { .fd = ended, .events = POLLIN } };
		int64_t left = deadline - sw_now_ms();
		int k = left > 0 ? poll(p, ARRAY_SIZE(p), (int)left) : 0;
		ssize_t n;

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : -ETIMEDOUT;
		if (!p[0].revents)	/* it has ended, and all that it wrote is read */
			return 0;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (out && out->len + (size_t)n <= OUTPUT_KEPT)
			(void)sw_buf_add(out, chunk, (size_t)n);
		if (out)
			tell_lines(proc, out, &told);
	}
}

/* A file without a name that holds the bytes, at its beginning. */
static int input_file(const void *data, size_t len, int *ret_fd)
{
	_cleanup_close_ int fd = memfd_create("slipway-input", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : sw_fd_write_all(fd, data, len);

	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

int sw_proc_run_with(const struct sw_proc *p, struct sw_buf *ret_output)
{
	_cleanup_free_ char *program = find_program(p->argv[0]);
	_cleanup_free_ char **env = NULL;
	_cleanup_close_ int rd = -EBADF, in = -EBADF, ended = -EBADF;
	int fds[2], status, r;
	pid_t pid;

	if (!program)
		return -ENOENT;
	r = build_env(p->extra_env, &env);
	if (r == 0 && p->input)
		r = input_file(p->input, p->input_len, &in);
	if (r < 0)
		return r;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	rd = fds[0];
	r = start(program, p, env, p->input ? in : p->stdin_fd, fds[1], &pid);
	close(fds[1]);
	if (r < 0)
		return r;
	if (p->alone)
		ended = (int)syscall(SYS_pidfd_open, pid, 0);
	r = drain(p, rd, ended, sw_now_ms() + (int64_t)p->timeout_s * 1000, ret_output);
	if (r < 0 || p->alone)
		(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (r < 0)
		return r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int sw_proc_run(const char *const *argv, const char *const *extra_env, unsigned int timeout_s,
		struct sw_buf *ret_output)
{
	struct sw_proc p = { .argv = argv, .extra_env = extra_env, .timeout_s = timeout_s,
			     .stdin_fd = -EBADF };

	return sw_proc_run_with(&p, ret_output);
}

static const char *last_line(char *text)
{
	char *p;
	size_t n = strlen(text);

	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		text[--n] = '\0';
	p = strrchr(text, '\n');
	return p ? p + 1 : text;
}

int sw_proc_check(const char *const *argv, const char *const *extra_env, unsigned int timeout_s,
		  struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf out = {};
	int r = sw_proc_run(argv, extra_env, timeout_s, &out);

	if (r == 0)
		return 0;
	if (r == -ENOENT) {
		sw_fail(err, SW_EXIT_MISSING, r, "the program %s is not installed", argv[0]);
		sw_error_hint(err, "install the package that provides it and try again");
		return r;
	}
	sw_fail(err, SW_EXIT_FAILED, r < 0 ? r : -EIO, "%s failed", argv[0]);
	if (r > 0)
		sw_error_why(err, "status %d: %s", r, out.data ? last_line((char *)out.data) : "");
	else
		sw_error_why(err, "%s", strerror(-r));
	return r < 0 ? r : -EIO;
}

int sw_proc_silence(void)
{
	int null = open("/dev/null", O_RDWR), r = 0;

	if (null < 0)
		return -errno;
	for (int fd = 0; fd < 3 && r == 0; fd++)
		r = dup2(null, fd) < 0 ? -errno : 0;
	if (null > 2)
		close(null);
	return r;
}
