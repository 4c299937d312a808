/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables as files, with the rules that UEFI and Linux apply to the running
 * system: attributes cannot change, nothing volatile can be made, content that
 * the kernel refuses is refused, and the last 5 KiB stay free. The files look
 * like efivarfs's (NAME-GUID, attributes in the first four bytes), so that
 * dumps of real machines can be used as they are. Not modelled: real flash gives
 * space back only at the next boot.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "boot/varstore.h"

#define DEFAULT_CAPACITY (64u << 10)
#define RESERVE 5120u		/* EFI_MIN_RESERVE of Linux */
#define HEADER 60u		/* EDK2's authenticated variable header */
#define VAR_MAX 32768u		/* OVMF's largest variable, header and name included */
#define NAME_LONGEST 200u

struct file_store {
	struct sw_varstore s;
	char *dir;
	int dirfd;
	uint64_t capacity;
	enum sw_var_fault fault;
	unsigned int fault_left;
	char prefix[64];
};

static const struct sw_varstore_ops file_ops;

static struct file_store *self(struct sw_varstore *s)
{
	return (struct file_store *)s;
}

static int name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_LONGEST && !strchr(name, '/') && name[0] != '.' ? 0 : -EINVAL;
}

static char *path_of(struct file_store *f, const struct sw_guid *guid, const char *name)
{
	char g[SW_GUID_TEXT];

	return sw_fmt("%s/%s-%s", f->dir, name, sw_guid_format(guid, g));
}

/* EDK2's store: header, UCS-2 name with terminator, data, aligned to four bytes. */
static uint64_t cost(const char *name, uint64_t len)
{
	return (HEADER + 2 * (strlen(name) + 1) + len + 3) & ~3ULL;
}

static int file_get(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		    uint8_t **ret_data, size_t *ret_len, uint32_t *ret_attrs)
{
	_cleanup_buf_ struct sw_buf b = { .max = VAR_MAX + 4096 };
	_cleanup_free_ char *path = NULL;
	uint8_t *data;
	int r = name_ok(name);

	if (r < 0)
		return r;
	path = path_of(self(s), guid, name);
	if (!path)
		return -ENOMEM;
	r = sw_file_read(path, &b);
	if (r < 0)
		return r;
	if (b.len < 4)
		return -EIO;
	data = calloc(1, b.len - 4 + 1);
	if (!data)
		return -ENOMEM;
	memcpy(data, b.data + 4, b.len - 4);
	*ret_data = data;
	*ret_len = b.len - 4;
	*ret_attrs = (uint32_t)b.data[0] | (uint32_t)b.data[1] << 8 | (uint32_t)b.data[2] << 16 |
		     (uint32_t)b.data[3] << 24;
	return 0;
}

struct usage {
	struct file_store *f;
	uint64_t used;
};

static int add_usage(const struct sw_guid *guid, const char *name, void *userdata)
{
	struct usage *u = userdata;
	_cleanup_free_ char *path = path_of(u->f, guid, name);
	struct stat st;

	if (!path)
		return -ENOMEM;
	if (stat(path, &st) == 0)
		u->used += cost(name, st.st_size > 4 ? (uint64_t)st.st_size - 4 : 0);
	return 0;
}

static int file_space(struct sw_varstore *s, uint64_t *ret_total, uint64_t *ret_free)
{
	struct usage u = { .f = self(s), .used = RESERVE };
	int r = sw_vardir_list(u.f->dir, add_usage, &u);

	if (r < 0)
		return r;
	*ret_total = u.f->capacity;
	*ret_free = u.used < u.f->capacity ? u.f->capacity - u.used : 0;
	return 0;
}

/* 1: pretend that it was done; 0: go on; -errno: the armed fault. */
static int strike(struct file_store *f, const char *name, bool deleting)
{
	if (strncmp(name, f->prefix, strlen(f->prefix)) != 0)
		return 0;
	switch (f->fault) {
	case SW_FAULT_ENOSPC:
		return deleting ? 0 : -ENOSPC;
	case SW_FAULT_EINVAL_TWICE:
		return f->fault_left > 0 && f->fault_left-- > 0 ? -EINVAL : 0;
	case SW_FAULT_EIO:
		return -EIO;
	case SW_FAULT_IGNORE:
		return 1;
	case SW_FAULT_READ_ONLY:
		return -EROFS;
	case SW_FAULT_NONE:
		break;
	}
	return 0;
}

static int store(struct file_store *f, const struct sw_guid *guid, const char *name,
		 const void *data, size_t len, uint32_t attrs)
{
	_cleanup_free_ char *path = path_of(f, guid, name);
	_cleanup_buf_ struct sw_buf b = {};
	uint8_t head[4] = { attrs & 0xff, attrs >> 8 & 0xff, attrs >> 16 & 0xff, attrs >> 24 };
	int r;

	if (!path || sw_buf_add(&b, head, sizeof(head)) < 0 || sw_buf_add(&b, data, len) < 0)
		return -ENOMEM;
	r = sw_file_write(path, b.data, b.len, 0644);
	if (r == 0 && fsync(f->dirfd) < 0)
		r = -errno;
	return r;
}

/* Would it fit? A smaller or equal overwrite always does, as on real machines. */
static int room(struct file_store *f, const char *name, size_t len, uint64_t old_cost)
{
	uint64_t total, space, need = cost(name, len);
	int r = file_space(&f->s, &total, &space);

	if (r < 0)
		return r;
	return need > old_cost && need - old_cost > space ? -ENOSPC : 0;
}

static int file_del(struct sw_varstore *s, const struct sw_guid *guid, const char *name)
{
	struct file_store *f = self(s);
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ uint8_t *old = NULL;
	uint32_t attrs;
	size_t n;
	int r = file_get(s, guid, name, &old, &n, &attrs);

	if (r < 0)
		return r;
	if (!s->writable || !(attrs & SW_VAR_NON_VOLATILE))
		return -EROFS;
	r = strike(f, name, true);
	if (r != 0)
		return r < 0 ? r : 0;
	path = path_of(f, guid, name);
	if (!path)
		return -ENOMEM;
	if (unlink(path) < 0 || fsync(f->dirfd) < 0)
		return -errno;
	return 0;
}

static int check_set(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		     const void *data, size_t len, uint32_t attrs, uint64_t *ret_old_cost)
{
	_cleanup_free_ uint8_t *old = NULL;
	uint32_t old_attrs = 0;
	size_t n = 0;
	int r = file_get(s, guid, name, &old, &n, &old_attrs);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && old_attrs != attrs)
		return -EINVAL;
	if (r == 0 && !(old_attrs & SW_VAR_NON_VOLATILE))
		return -EROFS;
	if (attrs != SW_VAR_NV_BS_RT || HEADER + 2 * (strlen(name) + 1) + len > VAR_MAX)
		return -EINVAL;
	*ret_old_cost = r == 0 ? cost(name, n) : 0;
	return sw_var_check(guid, name, data, len);
}

static int file_set(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		    const void *data, size_t len, uint32_t attrs)
{
	struct file_store *f = self(s);
	uint64_t old_cost = 0;
	int r;

	if (len == 0)
		return file_del(s, guid, name);
	if (!s->writable)
		return -EROFS;
	r = check_set(s, guid, name, data, len, attrs, &old_cost);
	if (r < 0)
		return r;
	r = strike(f, name, false);
	if (r != 0)
		return r < 0 ? r : 0;
	/* Two processes may use one store: measuring and writing belong together. */
	if (flock(f->dirfd, LOCK_EX) < 0)
		return -errno;
	r = room(f, name, len, old_cost);
	if (r == 0)
		r = store(f, guid, name, data, len, attrs);
	(void)flock(f->dirfd, LOCK_UN);
	return r;
}

static int file_list(struct sw_varstore *s,
		     int (*fn)(const struct sw_guid *guid, const char *name, void *userdata),
		     void *userdata)
{
	return sw_vardir_list(self(s)->dir, fn, userdata);
}

static void file_close(struct sw_varstore *s)
{
	struct file_store *f = self(s);

	if (f->dirfd >= 0)
		close(f->dirfd);
	free(f->dir);
	free(f);
}

static const struct sw_varstore_ops file_ops = {
	.get = file_get,
	.set = file_set,
	.del = file_del,
	.list = file_list,
	.space = file_space,
	.close = file_close,
};

int sw_varstore_open_files(const char *dir, uint64_t capacity, struct sw_varstore **ret_store,
			   struct sw_error *err)
{
	struct file_store *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return sw_fail_oom(err);
	f->s.ops = &file_ops;
	f->capacity = capacity ? capacity : DEFAULT_CAPACITY;
	f->dir = strdup(dir);
	f->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = f->dir ? (f->dirfd < 0 ? -errno : 0) : -ENOMEM;
	if (r < 0) {
		file_close(&f->s);
		sw_fail_errno(err, SW_EXIT_MISSING, r, "cannot open the variable store");
		sw_error_where(err, "%s", dir);
		return r;
	}
	f->s.writable = access(dir, W_OK) == 0;
	*ret_store = &f->s;
	return 0;
}

int sw_varstore_plant(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		      const void *data, size_t len, uint32_t attrs)
{
	if (s->ops != &file_ops)
		return -EOPNOTSUPP;
	return name_ok(name) < 0 ? -EINVAL : store(self(s), guid, name, data, len, attrs);
}

int sw_varstore_inject(struct sw_varstore *s, enum sw_var_fault fault, const char *name_prefix)
{
	struct file_store *f = self(s);

	if (s->ops != &file_ops)
		return -EOPNOTSUPP;
	f->fault = fault;
	f->fault_left = fault == SW_FAULT_EINVAL_TWICE ? 2 : 0;
	(void)snprintf(f->prefix, sizeof(f->prefix), "%s", name_prefix ? name_prefix : "");
	return 0;
}
