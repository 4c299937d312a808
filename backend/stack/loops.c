/* SPDX-License-Identifier: Apache-2.0 */
/* The loop devices that slipway's stacks stand on, and what stands on them. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/file.h"
#include "machine/sysdir.h"
#include "stack/private.h"

#define DEPTH_MAX 16U

void sw_stack_mark(const struct sw_stack_member *m, char *text, size_t size)
{
	(void)snprintf(text, size, SW_STACK_MARK "%.40s:%u", m->disk->name, m->number);
}

bool sw_stack_mark_parse(const char *text, char disk[static 64], unsigned int *ret_number)
{
	const char *name = text + strlen(SW_STACK_MARK), *end;

	if (strncmp(text, SW_STACK_MARK, strlen(SW_STACK_MARK)) != 0)
		return false;
	end = strrchr(name, ':');
	if (!end || end == name || end - name > 63 || strspn(end + 1, "0123456789") == 0)
		return false;
	(void)snprintf(disk, 64, "%.*s", (int)(end - name), name);
	*ret_number = (unsigned int)strtoul(end + 1, NULL, 10);
	return true;
}

void sw_stack_loops_free(struct sw_stack_loop *loops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(loops[i].name);
	free(loops);
}

/* 0: it is one of ours. */
static int read_mark(const struct sw_machine *m, const char *name, char mark[static 64])
{
	_cleanup_free_ char *node = sw_fmt("%s/%s", m->dev_root, name);
	_cleanup_close_ int fd = node ? open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -EBADF;
	struct loop_info64 info = {};
	char disk[64];
	unsigned int number;

	if (fd < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
		return -ENODEV;
	(void)snprintf(mark, 64, "%.63s", (const char *)info.lo_file_name);
	return sw_stack_mark_parse(mark, disk, &number) &&
	       info.lo_flags & LO_FLAGS_READ_ONLY ? 0 : -ENODEV;
}

static int add_loop(const char *name, const char *mark, struct sw_stack_loop **loops, size_t *n)
{
	struct sw_stack_loop *more = reallocarray(*loops, *n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*loops = more;
	more[*n] = (struct sw_stack_loop){ .name = strdup(name) };
	(void)snprintf(more[*n].mark, sizeof(more[*n].mark), "%s", mark);
	return more[(*n)++].name ? 0 : -ENOMEM;
}

int sw_stack_loops(struct sw_machine *m, struct sw_stack_loop **ret_loops, size_t *ret_n)
{
	_cleanup_sysdir_ struct sw_sysdir top = SW_SYSDIR_CLOSED;
	_cleanup_free_ char *path = sw_fmt("%s/block", m->sys_root);
	struct sw_stack_loop *loops = NULL;
	size_t n = 0;
	int r = path ? sw_sysdir_open(AT_FDCWD, path, &top) : -ENOMEM;

	for (const char *e = NULL; r == 0 && (e = sw_sysdir_next(&top, e));) {
		char mark[64];

		if (strncmp(e, "loop", 4) == 0 && read_mark(m, e, mark) == 0)
			r = add_loop(e, mark, &loops, &n);
	}
	if (r < 0) {
		sw_stack_loops_free(loops, n);
		return r;
	}
	*ret_loops = loops;
	*ret_n = n;
	return 0;
}

int sw_stack_loop_end(struct sw_machine *m, const char *name)
{
	_cleanup_free_ char *node = sw_fmt("%s/%s", m->dev_root, name);
	_cleanup_close_ int fd = node ? open(node, O_RDONLY | O_CLOEXEC) : -EBADF;

	return fd < 0 ? -errno : ioctl(fd, LOOP_CLR_FD, 0) < 0 && errno != ENXIO ? -errno : 0;
}

static int climb(const struct sw_machine *m, const char *name, char ***names, unsigned int depth)
{
	_cleanup_free_ char *path = sw_fmt("%s/block/%s/holders", m->sys_root, name);
	_cleanup_sysdir_ struct sw_sysdir dir = SW_SYSDIR_CLOSED;
	int r = path ? sw_sysdir_open(AT_FDCWD, path, &dir) : -ENOMEM;

	if (r < 0)
		return sw_sysdir_is_gone(r) ? 0 : r;
	for (const char *e = NULL; r == 0 && (e = sw_sysdir_next(&dir, e));) {
		if (sw_strv_has(*names, e))
			continue;
		r = sw_strv_add(names, e);
		if (r == 0 && depth < DEPTH_MAX)
			r = climb(m, e, names, depth + 1);
	}
	return r;
}

int sw_stack_holders(const struct sw_machine *m, const char *name, char ***names)
{
	return climb(m, name, names, 0);
}
