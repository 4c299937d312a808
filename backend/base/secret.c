/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <nettle/base64.h>

/* Without it, memory that is asked for later would be refused at the limit of ulimit -l. */
static bool may_lock_all(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK);
}

void sw_secret_guard(void)
{
	static pid_t guarded;
	struct rlimit core;

	if (guarded == getpid())
		return;
	guarded = getpid();
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* For the programs that it starts: executing one makes a process dumpable again. */
	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &core);
	}
	if (may_lock_all())
		(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

static int lock_error(struct sw_error *err, int r)
{
	sw_fail_errno(err, SW_EXIT_MISSING, r, "memory for a key cannot be locked");
	sw_error_hint(err, "run slipway as root, or raise the limit: ulimit -l");
	return r;
}

int sw_secret_new(size_t len, struct sw_secret **ret_secret, struct sw_error *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (len + page) / page * page;	/* at least one byte more than len */
	struct sw_secret *s = calloc(1, sizeof(*s));
	void *p;

	if (!s)
		return sw_fail_oom(err);
	sw_secret_guard();
	p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		free(s);
		return sw_fail_oom(err);
	}
	*s = (struct sw_secret){ .data = p, .len = len, .room = room };
	if (mlock(p, room) < 0 || madvise(p, room, MADV_DONTDUMP) < 0) {
		int r = -errno;

		sw_secret_free(s);
		return lock_error(err, r);
	}
	*ret_secret = s;
	return 0;
}

int sw_secret_random(size_t len, struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *s = NULL;
	int r = sw_secret_new(len, &s, err);

	for (size_t n = 0; r == 0 && n < len;) {
		ssize_t k = getrandom(s->data + n, len - n, 0);

		if (k < 0 && errno != EINTR)
			return sw_fail_errno(err, SW_EXIT_MISSING, -errno,
					     "the kernel gives no random bytes");
		n += k > 0 ? (size_t)k : 0;
	}
	if (r == 0)
		*ret_secret = TAKE_PTR(s);
	return r;
}

int sw_secret_copy(const struct sw_secret *s, struct sw_secret **ret_secret, struct sw_error *err)
{
	int r = sw_secret_new(s->len, ret_secret, err);

	if (r == 0)
		memcpy((*ret_secret)->data, s->data, s->len);
	return r;
}

bool sw_secret_same(const struct sw_secret *a, const struct sw_secret *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

int sw_secret_base64(const struct sw_secret *s, struct sw_secret **ret_text, struct sw_error *err)
{
	int r = sw_secret_new(BASE64_ENCODE_RAW_LENGTH(s->len), ret_text, err);

	if (r == 0)
		base64_encode_raw((char *)(*ret_text)->data, s->len, s->data);
	return r;
}

static int file_error(struct sw_error *err, enum sw_exit exit, int r, const char *path)
{
	sw_fail_errno(err, exit, r, "the secret cannot be read");
	sw_error_where(err, "%s", path);
	return r;
}

static int size_error(struct sw_error *err, const char *path, size_t max)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the secret is empty or too large");
	sw_error_where(err, "%s", path);
	sw_error_why(err, "every byte of it counts: 1 to %zu are taken", max);
	return -EINVAL;
}

int sw_secret_read_fd(int fd, const char *name, size_t max, struct sw_secret **ret_secret,
		      struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *s = NULL;
	size_t n = 0;
	int r = sw_secret_new(max + 1, &s, err);

	while (r == 0 && n < max + 1) {
		ssize_t k = read(fd, s->data + n, max + 1 - n);

		if (k < 0 && errno != EINTR)
			return file_error(err, SW_EXIT_FAILED, -errno, name);
		if (k == 0)
			break;
		n += k > 0 ? (size_t)k : 0;
	}
	if (r < 0)
		return r;
	if (n == 0 || n > max)
		return size_error(err, name, max);
	s->len = n;
	*ret_secret = TAKE_PTR(s);
	return 0;
}

int sw_secret_read(const char *path, size_t max, struct sw_secret **ret_secret,
		   struct sw_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return file_error(err, SW_EXIT_MISSING, -errno, path);
	if (!S_ISREG(st.st_mode))
		return file_error(err, SW_EXIT_INVALID, -EINVAL, path);
	return sw_secret_read_fd(fd, path, max, ret_secret, err);
}

int sw_secret_relock(struct sw_secret *s, struct sw_error *err)
{
	sw_secret_guard();
	return mlock(s->data, s->room) < 0 ? lock_error(err, -errno) : 0;
}

struct sw_secret *sw_secret_free(struct sw_secret *s)
{
	if (!s)
		return NULL;
	explicit_bzero(s->data, s->room);
	(void)munmap(s->data, s->room);
	free(s);
	return NULL;
}
