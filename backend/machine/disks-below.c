/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Down the stack: which disks carry a file or a mount. A live system runs on an
 * overlay over a squashfs on a loop device on a file of an iso9660 that may be
 * unmounted by now, so the mount table alone does not name the stick. Each layer
 * is asked for the one below until there are only disks.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "machine/mounts.h"
#include "machine/private.h"

#define DEPTH_MAX 16U

struct descent {
	const struct sw_machine *m;
	const struct sw_mounts *mounts;
	struct sw_facts *f;
	int (*found)(struct sw_disk *d, const char *why);
	const char *why;
	unsigned int steps;	/* what is left of the bound on all layers together */
};

static int below_dir(struct descent *s, const char *dir, unsigned int depth);
static int below_file(struct descent *s, const char *path, unsigned int depth);

static bool exists(const char *dir, const char *name)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name);

	return path && access(path, F_OK) == 0;
}

static int below_number(struct descent *s, unsigned int major, unsigned int minor,
			unsigned int depth)
{
	_cleanup_free_ char *link = sw_fmt("%s/dev/block/%u:%u", s->m->sys_root, major, minor);
	_cleanup_free_ char *dir = link ? realpath(link, NULL) : NULL;

	if (!link)
		return -ENOMEM;
	return dir ? below_dir(s, dir, depth) : 0;
}

static int reached(struct descent *s, const char *name)
{
	for (size_t i = 0; i < s->f->n_disks; i++)
		if (strcmp(s->f->disks[i].name, name) == 0)
			return s->found(&s->f->disks[i], s->why);
	return 0;
}

/*
 * The kernel knows the file system that holds a loop device's file even when
 * the path is another namespace's or nothing any more.
 */
static int below_loop(struct descent *s, const char *dir, const char *name, unsigned int depth)
{
	_cleanup_free_ char *node = sw_fmt("%s/%s", s->m->dev_root, name);
	_cleanup_free_ char *path = sw_fmt("%s/loop/backing_file", dir), *file = NULL;
	_cleanup_close_ int fd = node ? open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -EBADF;
	struct loop_info64 info = {};

	if (fd >= 0 && ioctl(fd, LOOP_GET_STATUS64, &info) == 0) {
		dev_t dev = info.lo_rdevice ? info.lo_rdevice : info.lo_device;

		if (major(dev) != 0)
			return below_number(s, major(dev), minor(dev), depth);
	}
	if (!path || sw_file_read_line(path, &file) < 0)
		return path ? 0 : -ENOMEM;
	return below_file(s, file, depth);
}

/* What dm and md stand on. 1: there was something. */
static int below_slaves(struct descent *s, const char *dir, unsigned int depth)
{
	_cleanup_free_ char *path = sw_fmt("%s/slaves", dir);
	_cleanup_closedir_ DIR *list = path ? opendir(path) : NULL;
	const struct dirent *e;
	bool any = false;
	int r = path ? 0 : -ENOMEM;

	while (list && r == 0 && (e = readdir(list))) {
		_cleanup_free_ char *slave = NULL, *real = NULL;

		if (e->d_name[0] == '.')
			continue;
		any = true;
		slave = sw_fmt("%s/%s", path, e->d_name);
		real = slave ? realpath(slave, NULL) : NULL;
		r = real ? below_dir(s, real, depth) : 0;
	}
	return r < 0 ? r : any;
}

static int below_dir(struct descent *s, const char *dir, unsigned int depth)
{
	_cleanup_free_ char *whole = strdup(dir);
	const char *name;
	int r;

	if (!whole)
		return -ENOMEM;
	if (depth >= DEPTH_MAX || s->steps == 0)
		return 0;
	s->steps--;
	r = below_slaves(s, whole, depth + 1);
	if (r != 0)
		return r < 0 ? r : 0;
	if (exists(whole, "partition"))
		*strrchr(whole, '/') = '\0';
	name = strrchr(whole, '/') + 1;
	if (exists(whole, "loop")) {
		r = below_loop(s, whole, name, depth + 1);
		if (r < 0)
			return r;
	} else if (strcmp(dir, whole) != 0) {
		r = below_slaves(s, whole, depth + 1);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return reached(s, name);
}

/* The directories of an overlay: "lowerdir=/a:/b,upperdir=/c"; \: is a colon of a name. */
static int below_overlay(struct descent *s, const char *options, unsigned int depth)
{
	static const char *const keys[] = { "lowerdir", "lowerdir+", "datadir+", "upperdir" };
	_cleanup_free_ char *copy = strdup(options);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	for (char *o = copy ? strtok_r(copy, ",", &save) : NULL; o && r == 0;
	     o = strtok_r(NULL, ",", &save)) {
		char *value = strchr(o, '='), *dirs = NULL;
		bool wanted = false;

		if (value)
			*value++ = '\0';
		for (size_t i = 0; value && i < ARRAY_SIZE(keys); i++)
			wanted = wanted || strcmp(o, keys[i]) == 0;
		for (char *p = wanted ? strtok_r(value, ":", &dirs) : NULL; p && r == 0;
		     p = strtok_r(NULL, ":", &dirs))
			r = *p == '/' ? below_file(s, p, depth) : 0;
	}
	return r;
}

static int below_mount(struct descent *s, const struct sw_mount *x, unsigned int depth)
{
	unsigned int major = x->major, minor = x->minor;

	if (depth >= DEPTH_MAX || s->steps == 0)
		return 0;
	s->steps--;
	if (strcmp(x->type, "overlay") == 0)
		return below_overlay(s, x->options, depth + 1);
	if (major == 0 && sw_source_number(s->m, x->source, &major, &minor) < 0)
		return 0;
	return below_number(s, major, minor, depth + 1);
}

/* The mount that a file lies in; a device is followed itself. */
static int below_file(struct descent *s, const char *path, unsigned int depth)
{
	const struct sw_mount *x;
	unsigned int major, minor;

	if (sw_source_number(s->m, path, &major, &minor) == 0)
		return below_number(s, major, minor, depth + 1);
	x = sw_mounts_of(s->mounts, path);
	return x ? below_mount(s, x, depth) : 0;
}

static int trace(const struct sw_machine *m, struct sw_facts *f, const char *path,
		 int (*found)(struct sw_disk *d, const char *why), const char *why)
{
	_cleanup_free_ char *file = sw_fmt("%s/self/mountinfo", m->proc_root);
	_cleanup_mounts_ struct sw_mounts mounts = {};
	struct descent s = { .m = m, .mounts = &mounts, .f = f, .found = found, .why = why,
			     .steps = 256 };
	int r = file ? sw_mounts_read(file, &mounts) : -ENOMEM;

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return below_file(&s, path, 0);
}

/* Only for a disk of which nothing else is said: mostly it is mounted as well. */
static int carries_us(struct sw_disk *d, const char *why)
{
	return d->uses || d->medium ? 0 : sw_disk_add_use(d, "%s carries %s", d->name, why);
}

int sw_disks_trace_system(const struct sw_machine *m, struct sw_facts *f)
{
	_cleanup_free_ char *exe = sw_fmt("%s/self/exe", m->proc_root), *self = NULL;
	int r = trace(m, f, "/", carries_us, "the system that slipway runs on");

	if (r == 0)
		r = trace(m, f, "/usr", carries_us, "the system that slipway runs on");
	self = exe ? realpath(exe, NULL) : NULL;
	return r == 0 && self ? trace(m, f, self, carries_us, "slipway itself") : r;
}

static int is_medium(struct sw_disk *d, const char *why SW_UNUSED)
{
	d->medium = true;
	return 0;
}

int sw_disks_trace_medium(const struct sw_machine *m, struct sw_facts *f)
{
	int r = 0;

	for (size_t i = 0; i < f->n_disks && r == 0; i++) {
		_cleanup_free_ char *node = sw_fmt("/dev/%s", f->disks[i].name);

		/* A loop device, dm or md: the stick that its file or its parts are on. */
		if (f->disks[i].medium)
			r = node ? trace(m, f, node, is_medium, NULL) : -ENOMEM;
	}
	return r;
}
