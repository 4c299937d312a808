/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Up the stack of a disk. A partition that is held by dm-0 says nothing to a
 * person: who uses it is the logical volume on the encryption on the array on
 * it, and where that is mounted. So every holder is followed to the top, and
 * each top gets a line with what lies between.
 */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "machine/busy.h"

#define DEPTH_MAX 16U
#define LINES_MAX 8U		/* of one disk or partition */

struct climb {
	const struct sw_busy *busy;
	struct sw_disk *d;
	const char *name;	/* of the disk or partition that we stand on */
	size_t lines, left_out;
};

/* A container host mounts one device a hundred times: the first place and a count say enough. */
static int uses_of(const struct sw_busy *b, const struct sw_sysdir *dir, char **ret_words)
{
	size_t i, n = 0, same = 0;

	*ret_words = NULL;
	if (!dir->is_device)
		return 0;
	i = sw_busy_find(b, dir->number.major, dir->number.minor, &n);
	while (same < n && b->items[i + same].kind == b->items[i].kind)
		same++;
	if (n == 0 || b->items[i].kind == SW_BUSY_HOLDER)
		return 0;
	*ret_words = same == 1 ? strdup(b->items[i].what)
			       : sw_fmt("%s (and %zu more)", b->items[i].what, same - 1);
	return *ret_words ? 0 : -ENOMEM;
}

/* What people know it by: "vg0-root", "multipath disk mpatha", "md127 (raid1)", "bcache0". */
static char *label_of(const struct sw_sysdir *dir, const char *name)
{
	_cleanup_free_ char *dm = sw_sysdir_line(dir, "dm/name");
	_cleanup_free_ char *uuid = sw_sysdir_line(dir, "dm/uuid");
	_cleanup_free_ char *level = sw_sysdir_line(dir, "md/level");

	if (dm)
		return sw_fmt("%s%s", uuid && strncmp(uuid, "mpath-", 6) == 0 ? "multipath disk "
										   : "", dm);
	return level ? sw_fmt("%s (%s)", name, level) : strdup(name);
}

static int climb(struct climb *c, const struct sw_sysdir *dir, const char *name,
		 const char *through, unsigned int depth);

static int say(struct climb *c, const char *label, const char *use, const char *through)
{
	if (c->lines == LINES_MAX) {
		c->left_out++;
		return 0;
	}
	c->lines++;
	return sw_disk_add_use(c->d, "%s is held by %s%s%s%s%s%s", c->name, label,
			       use ? " (" : "", use ? use : "", use ? ")" : "",
			       through ? " through " : "", through ? through : "");
}

/*
 * One thing that stands on the device, at path below the directory at. A top that
 * is not in use is told too; so is one that is gone or cannot be looked into.
 */
static int visit(struct climb *c, int at, const char *path, const char *name, const char *through,
		 unsigned int depth)
{
	_cleanup_sysdir_ struct sw_sysdir dir = SW_SYSDIR_CLOSED;
	bool open = sw_sysdir_open_device(at, path, &dir) == 0;
	_cleanup_free_ char *label = label_of(&dir, name), *use = NULL, *via = NULL;
	size_t before = c->lines + c->left_out;
	int r = uses_of(c->busy, &dir, &use);

	if (!label || r < 0)
		return -ENOMEM;
	via = through ? sw_fmt("%s, %s", through, label) : strdup(label);
	if (!via)
		return -ENOMEM;
	if (use)
		r = say(c, label, use, through);
	if (r == 0 && open && depth < DEPTH_MAX)
		r = climb(c, &dir, name, via, depth + 1);
	if (r == 0 && c->lines + c->left_out == before)
		r = say(c, label, NULL, through);
	return r;
}

/* Partitions of an array or a loop device: told like what stands on it. Not of the disk itself. */
static int partitions(struct climb *c, const struct sw_sysdir *dir, const char *name,
		      const char *through, unsigned int depth)
{
	int r = 0;

	for (const char *e = NULL; r == 0 && (e = sw_sysdir_next(dir, e));) {
		_cleanup_sysdir_ struct sw_sysdir part = SW_SYSDIR_CLOSED;
		_cleanup_free_ char *use = NULL;
		size_t before = c->lines + c->left_out;

		if (strncmp(e, name, strlen(name)) != 0)
			continue;
		r = sw_sysdir_open_device(dir->fd, e, &part);
		if (r < 0 || !sw_sysdir_has(&part, "partition")) {
			r = r == 0 || sw_sysdir_is_gone(r) ? 0 : r;
			continue;
		}
		r = uses_of(c->busy, &part, &use);
		if (r == 0 && use)
			r = say(c, e, use, through);
		if (r == 0 && c->lines + c->left_out == before && depth < DEPTH_MAX)
			r = climb(c, &part, e, through, depth + 1);
	}
	return r;
}

static int loops_on(struct climb *c, const struct sw_sysdir *dir, const char *through,
		    unsigned int depth)
{
	size_t i, n = 0;
	int r = 0;

	if (!dir->is_device)
		return 0;
	i = sw_busy_find(c->busy, dir->number.major, dir->number.minor, &n);
	for (size_t k = i; k < i + n && r == 0; k++) {
		const struct sw_busy_item *x = &c->busy->items[k];
		_cleanup_free_ char *loop = NULL;

		if (x->kind != SW_BUSY_HOLDER)
			continue;
		loop = sw_fmt("%s/block/%s", c->busy->sys_root, x->what);
		r = loop ? visit(c, AT_FDCWD, loop, x->what, through, depth) : -ENOMEM;
	}
	return r;
}

static int holders(struct climb *c, const struct sw_sysdir *dir, const char *through,
		   unsigned int depth)
{
	_cleanup_sysdir_ struct sw_sysdir list = SW_SYSDIR_CLOSED;
	int r = sw_sysdir_open(dir->fd, "holders", &list);

	if (r < 0)
		return sw_sysdir_is_gone(r) ? 0 : r;
	for (const char *e = NULL; r == 0 && (e = sw_sysdir_next(&list, e));)
		r = visit(c, list.fd, e, e, through, depth);
	return r;
}

static int climb(struct climb *c, const struct sw_sysdir *dir, const char *name,
		 const char *through, unsigned int depth)
{
	int r = holders(c, dir, through, depth);

	if (r == 0)
		r = loops_on(c, dir, through, depth);
	return r == 0 && through ? partitions(c, dir, name, through, depth) : r;
}

int sw_busy_check(const struct sw_busy *b, const struct sw_sysdir *dir, const char *name,
		  struct sw_disk *d)
{
	struct climb c = { .busy = b, .d = d, .name = name };
	_cleanup_free_ char *use = NULL;
	int r = uses_of(b, dir, &use);

	if (r == 0 && use)
		r = sw_disk_add_use(d, "%s is %s", name, use);
	if (r == 0)
		r = climb(&c, dir, name, NULL, 0);
	if (r == 0 && c.left_out)
		r = sw_disk_add_use(d, "%s is held by %zu more", name, c.left_out);
	return r;
}
