/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who uses a disk, in words. Mounts and swap are read once and sorted by device
 * number, so that hundreds of disks stay cheap; holders (dm, md) come from
 * sysfs, device by device.
 */
#include <string.h>

#include "base/file.h"
#include "machine/private.h"
#include "base/text.h"

struct busy_item {
	unsigned int major, minor;
	size_t order;		/* keeps the kernel's order among equal numbers */
	char *what;		/* "mounted at /mnt", "swap" */
};

struct sw_busy {
	struct busy_item *items;
	size_t n;
};

struct sw_busy *sw_busy_free(struct sw_busy *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < b->n; i++)
		free(b->items[i].what);
	free(b->items);
	free(b);
	return NULL;
}

/* The kernel writes blanks and backslashes in these files as \ooo. In place. */
static char *unescape(char *s)
{
	char *to = s;

	for (char *p = s; *p; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + p[3] - '0');
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
	return s;
}

static int add(struct sw_busy *b, unsigned int major, unsigned int minor, char *what)
{
	struct busy_item *items;

	if (!what)
		return -ENOMEM;
	if ((b->n & (b->n + 1)) == 0 || !b->items) {
		items = reallocarray(b->items, 2 * b->n + 2, sizeof(*items));
		if (!items) {
			free(what);
			return -ENOMEM;
		}
		b->items = items;
	}
	b->items[b->n] = (struct busy_item){ major, minor, b->n, sw_text_clean(what) };
	b->n++;
	return 0;
}

/* The device number of "/dev/NAME" (or a link to it), by name in sysfs. */
static int number_of(const struct sw_machine *m, const char *source, unsigned int *ret_major,
		     unsigned int *ret_minor)
{
	_cleanup_free_ char *node = NULL, *real = NULL, *path = NULL, *dev = NULL;
	const char *base;

	if (strncmp(source, "/dev/", 5) != 0)
		return -ENODEV;
	node = sw_fmt("%s/%s", m->dev_root, source + 5);
	real = node ? realpath(node, NULL) : NULL;
	base = strrchr(real ? real : source, '/') + 1;
	path = sw_fmt("%s/class/block/%s/dev", m->sys_root, base);
	if (!path || sw_file_read_line(path, &dev) < 0 ||
	    sscanf(dev, "%u:%u", ret_major, ret_minor) != 2)
		return -ENODEV;
	return 0;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": see proc(5). */
static int mount_line(const struct sw_machine *m, struct sw_busy *b, char *line)
{
	char *fields[5] = {}, *save = NULL, *tail = strstr(line, " - "), *source = NULL;
	unsigned int major, minor;

	if (!tail)
		return 0;
	*tail = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!fields[i])
			return 0;
	}
	if (sscanf(fields[2], "%u:%u", &major, &minor) != 2)
		return 0;
	/* btrfs and others mount under an anonymous number: then only the source tells. */
	if (major == 0) {
		save = NULL;
		if (strtok_r(tail + 3, " ", &save))
			source = strtok_r(NULL, " ", &save);
		if (!source || number_of(m, unescape(source), &major, &minor) < 0)
			return 0;
	}
	return add(b, major, minor, sw_fmt("mounted at %s", unescape(fields[4])));
}

/* "/dev/sda3    partition  8388604 0 -2": the first line is a heading. */
static int swap_line(const struct sw_machine *m, struct sw_busy *b, char *line)
{
	char *save = NULL, *source = strtok_r(line, " \t", &save);
	unsigned int major, minor;

	if (!source || number_of(m, unescape(source), &major, &minor) < 0)
		return 0;
	return add(b, major, minor, strdup("used as swap"));
}

static int each_line(const struct sw_machine *m, struct sw_busy *b, const char *file,
		     int (*fn)(const struct sw_machine *m, struct sw_busy *b, char *line))
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", m->proc_root, file);
	_cleanup_buf_ struct sw_buf text = { .max = 16 << 20 };
	char *save = NULL;
	int r;

	if (!path)
		return -ENOMEM;
	r = sw_file_read(path, &text);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (char *l = text.data ? strtok_r((char *)text.data, "\n", &save) : NULL; l;
	     l = strtok_r(NULL, "\n", &save)) {
		r = fn(m, b, l);
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct busy_item *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

int sw_busy_read(const struct sw_machine *m, struct sw_busy **ret_busy)
{
	_cleanup_(sw_busy_freep) struct sw_busy *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	r = each_line(m, b, "self/mountinfo", mount_line);
	if (r == 0)
		r = each_line(m, b, "swaps", swap_line);
	if (r < 0)
		return r;
	if (b->n > 1)
		qsort(b->items, b->n, sizeof(*b->items), by_number);
	*ret_busy = TAKE_PTR(b);
	return 0;
}

/* Index of the first item of this device, b->n when none. */
static size_t find(const struct sw_busy *b, unsigned int major, unsigned int minor)
{
	const struct busy_item key = { .major = major, .minor = minor };
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_number(&b->items[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < b->n && b->items[lo].major == major && b->items[lo].minor == minor)
		return lo;
	return b->n;
}

/* A container host mounts one device a hundred times: the first place and a count say enough. */
static int mounts(const struct sw_busy *b, const char *dir, const char *name, struct sw_disk *d)
{
	_cleanup_free_ char *path = sw_fmt("%s/dev", dir), *dev = NULL;
	unsigned int major, minor;
	size_t i, n = 0;

	if (!path)
		return -ENOMEM;
	if (sw_file_read_line(path, &dev) < 0 || sscanf(dev, "%u:%u", &major, &minor) != 2)
		return 0;
	i = find(b, major, minor);
	while (i + n < b->n && b->items[i + n].major == major && b->items[i + n].minor == minor)
		n++;
	if (n == 0)
		return 0;
	if (n == 1)
		return sw_disk_add_use(d, "%s is %s", name, b->items[i].what);
	return sw_disk_add_use(d, "%s is %s (and %zu more)", name, b->items[i].what, n - 1);
}

/* "dm-0" also says its mapper name, which is what people know it by. */
static int holder(const char *dir, const char *name, const char *held_by, struct sw_disk *d)
{
	_cleanup_free_ char *path = sw_fmt("%s/holders/%s/dm/name", dir, held_by), *dm = NULL;

	if (!path)
		return -ENOMEM;
	if (sw_file_read_line(path, &dm) == 0 && *sw_text_clean(dm))
		return sw_disk_add_use(d, "%s is held by %s (%s)", name, held_by, dm);
	return sw_disk_add_use(d, "%s is held by %s", name, held_by);
}

static int holders(const char *dir, const char *name, struct sw_disk *d)
{
	_cleanup_free_ char *path = sw_fmt("%s/holders", dir);
	_cleanup_closedir_ DIR *list = path ? opendir(path) : NULL;
	const struct dirent *e;

	while (list && (e = readdir(list))) {
		int r = e->d_name[0] == '.' ? 0 : holder(dir, name, e->d_name, d);

		if (r < 0)
			return r;
	}
	return path ? 0 : -ENOMEM;
}

int sw_busy_check(const struct sw_busy *b, const char *dir, const char *name, struct sw_disk *d)
{
	int r = mounts(b, dir, name, d);

	return r < 0 ? r : holders(dir, name, d);
}
