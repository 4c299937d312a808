/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/tree.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

/* Writes top/name with the directories above it. */
void put_bytes(struct tree *t, const char *name, const void *data, size_t len)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", t->top, name), *dir = strdup(path);

	*strrchr(dir, '/') = '\0';
	assert_int_equal(sw_mkdir_all(dir, 0755), 0);
	assert_int_equal(sw_file_write(path, data, len, 0644), 0);
}

void put(struct tree *t, const char *name, const char *text)
{
	put_bytes(t, name, text, strlen(text));
}

void putf(struct tree *t, const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name);

	put(t, path, text);
}

void put_link(struct tree *t, const char *name, const char *target)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", t->top, name), *dir = strdup(path);
	_cleanup_free_ char *to = sw_fmt("%s/%s", t->top, target);

	*strrchr(dir, '/') = '\0';
	assert_int_equal(sw_mkdir_all(dir, 0755), 0);
	assert_int_equal(symlink(to, path), 0);
}

/* sys/dev/block/M:N. A number that is there already keeps its first owner. */
static void put_number(struct tree *t, const char *dir, const char *dev)
{
	_cleanup_free_ char *link = sw_fmt("%s/sys/dev/block/%.*s", t->top,
					   (int)strcspn(dev, "\n"), dev);
	_cleanup_free_ char *name = strdup(link + strlen(t->top) + 1);

	if (access(link, F_OK) < 0)
		put_link(t, name, dir);
}

/* A disk of 8 MiB whose sysfs directory is sys/devices/WHERE/NAME; returns that path. */
char *put_disk(struct tree *t, const char *where, const char *name, const char *dev)
{
	char *dir = sw_fmt("sys/devices/%s/%s", where, name);
	_cleanup_free_ char *block = sw_fmt("sys/block/%s", name);
	_cleanup_free_ char *class = sw_fmt("sys/class/block/%s", name);
	_cleanup_free_ char *node = sw_fmt("%s/dev/%s", t->top, name);
	_cleanup_free_ char *dirs = sw_fmt("%s/dev", t->top);
	_cleanup_close_ int fd = -EBADF;

	putf(t, dir, "size", "16384\n");
	putf(t, dir, "dev", dev);
	putf(t, dir, "ro", "0\n");
	putf(t, dir, "removable", "0\n");
	putf(t, dir, "queue/logical_block_size", "512\n");
	putf(t, dir, "queue/rotational", "0\n");
	put_link(t, block, dir);
	put_link(t, class, dir);
	put_number(t, dir, dev);
	assert_int_equal(sw_mkdir_all(dirs, 0755), 0);
	fd = open(node, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 8 << 20), 0);
	t->disks++;
	return dir;
}

void put_part(struct tree *t, const char *disk_dir, const char *name, const char *dev)
{
	_cleanup_free_ char *dir = sw_fmt("%s/%s", disk_dir, name);
	_cleanup_free_ char *class = sw_fmt("sys/class/block/%s", name);

	putf(t, dir, "partition", "1\n");
	putf(t, dir, "dev", dev);
	put_link(t, class, dir);
	put_number(t, dir, dev);
}

struct tree *tree_new(void)
{
	struct tree *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_int_equal(sw_scratch_new("slipway-test", &t->top), 0);
	t->m = calloc(1, sizeof(*t->m));
	assert_non_null(t->m);
	t->m->kind = SW_MACHINE_REAL;
	t->m->sys_root = sw_fmt("%s/sys", t->top);
	t->m->dev_root = sw_fmt("%s/dev", t->top);
	t->m->proc_root = sw_fmt("%s/proc", t->top);
	t->m->udev_root = sw_fmt("%s/udev", t->top);
	t->m->run_dir = sw_fmt("%s/run", t->top);
	return t;
}

void tree_free(struct tree **t)
{
	assert_int_equal(sw_remove_tree((*t)->top), 0);
	sw_machine_free((*t)->m);
	free((*t)->top);
	free(*t);
}

struct sw_facts *facts_of(struct tree *t)
{
	struct sw_facts *f = NULL;
	struct sw_error err = {};

	if (sw_machine_facts(t->m, &f, &err) < 0)
		fail_msg("no facts: %s: %s", err.what, err.why);
	return f;
}

const struct sw_disk *disk(const struct sw_facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_disks; i++)
		if (strcmp(f->disks[i].name, name) == 0)
			return &f->disks[i];
	fail_msg("no disk %s", name);
	return NULL;
}

bool has_use(const struct sw_disk *d, const char *text)
{
	for (size_t i = 0; d->uses && d->uses[i]; i++)
		if (strcmp(d->uses[i], text) == 0)
			return true;
	return false;
}
