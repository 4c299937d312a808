/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel uses, by device number: mounts (of every namespace that can be
 * seen, since a container's or a unit's own mounts write to the disk as well),
 * the further disks of a btrfs, swap, and loop devices that stand directly on a
 * block device. Read once and sorted, so that hundreds of disks stay cheap.
 */
#include "machine/busy.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "machine/mounts.h"

#define NAMESPACES_MAX 1024U
#define ITEMS_MAX ((size_t)1 << 20)

struct sw_busy *sw_busy_free(struct sw_busy *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < b->n; i++)
		free(b->items[i].what);
	free(b->items);
	for (size_t i = 0; i < b->n_loops; i++) {
		free(b->loops[i].name);
		free(b->loops[i].file);
	}
	free(b->loops);
	free(b);
	return NULL;
}

static int add(struct sw_busy *b, enum sw_busy_kind kind, unsigned int major, unsigned int minor,
	       char *what)
{
	struct sw_busy_item *items;

	if (!what)
		return -ENOMEM;
	if (b->n >= ITEMS_MAX) {
		free(what);
		return 0;
	}
	if ((b->n & (b->n + 1)) == 0 || !b->items) {
		items = reallocarray(b->items, 2 * b->n + 2, sizeof(*items));
		if (!items) {
			free(what);
			return -ENOMEM;
		}
		b->items = items;
	}
	b->items[b->n] = (struct sw_busy_item){ .major = major, .minor = minor, .order = b->n,
						.kind = kind, .what = sw_text_clean(what) };
	b->n++;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct sw_busy_item *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void sort(struct sw_busy *b)
{
	if (b->n > 1)
		qsort(b->items, b->n, sizeof(*b->items), by_number);
}

size_t sw_busy_find(const struct sw_busy *b, unsigned int major, unsigned int minor, size_t *ret_n)
{
	size_t lo = 0, hi = b->n, n = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct sw_busy_item *x = &b->items[mid];

		if (x->major < major || (x->major == major && x->minor < minor))
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + n < b->n && b->items[lo + n].major == major && b->items[lo + n].minor == minor)
		n++;
	*ret_n = n;
	return lo;
}

int sw_busy_number(const char *dir, unsigned int *ret_major, unsigned int *ret_minor)
{
	_cleanup_free_ char *path = sw_fmt("%s/dev", dir), *dev = NULL;

	if (!path || sw_file_read_line(path, &dev) < 0 ||
	    sscanf(dev, "%u:%u", ret_major, ret_minor) != 2)
		return -ENODEV;
	return 0;
}

int sw_source_number(const struct sw_machine *m, const char *source, unsigned int *ret_major,
		     unsigned int *ret_minor)
{
	_cleanup_free_ char *node = NULL, *real = NULL, *dir = NULL;

	if (strncmp(source, "/dev/", 5) != 0)
		return -ENODEV;
	node = sw_fmt("%s/%s", m->dev_root, source + 5);
	real = node ? realpath(node, NULL) : NULL;
	dir = sw_fmt("%s/class/block/%s", m->sys_root, strrchr(real ? real : source, '/') + 1);
	return dir ? sw_busy_number(dir, ret_major, ret_minor) : -ENODEV;
}

/* ---- mounts ---- */

/* who: the process whose namespace it is, NULL for our own. */
static int add_mounts(const struct sw_machine *m, struct sw_busy *b, const struct sw_mounts *t,
		      const char *who)
{
	int r = 0;

	for (size_t i = 0; i < t->n && r == 0; i++) {
		const struct sw_mount *x = &t->list[i];
		unsigned int major = x->major, minor = x->minor;

		/* btrfs and others have an anonymous number: then only the source tells. */
		if (major == 0 && sw_source_number(m, x->source, &major, &minor) < 0)
			continue;
		r = add(b, who ? SW_BUSY_ELSEWHERE : SW_BUSY_HERE, major, minor,
			sw_fmt("mounted at %s%s%s", x->at, who ? " for " : "", who ? who : ""));
	}
	return r;
}

static int own_mounts(const struct sw_machine *m, struct sw_busy *b)
{
	_cleanup_free_ char *file = sw_fmt("%s/self/mountinfo", m->proc_root);
	_cleanup_mounts_ struct sw_mounts t = {};
	int r = file ? sw_mounts_read(file, &t) : -ENOMEM;

	if (r == -ENOMEM)
		return r;
	return add_mounts(m, b, &t, NULL);
}

/* The namespace of a process as a number; 0 when it may not be seen. */
static unsigned long long namespace_of(const struct sw_machine *m, const char *pid)
{
	_cleanup_free_ char *link = sw_fmt("%s/%s/ns/mnt", m->proc_root, pid);
	unsigned long long ns = 0;
	char text[64];
	ssize_t n = link ? readlink(link, text, sizeof(text) - 1) : -1;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "mnt:[%llu]", &ns) == 1 ? ns : 0;
}

static int process_mounts(const struct sw_machine *m, struct sw_busy *b, const char *pid)
{
	_cleanup_free_ char *file = sw_fmt("%s/%s/mountinfo", m->proc_root, pid);
	_cleanup_free_ char *comm = sw_fmt("%s/%s/comm", m->proc_root, pid);
	_cleanup_free_ char *name = NULL, *who = NULL;
	_cleanup_mounts_ struct sw_mounts t = {};

	/* A process that has ended meanwhile takes its namespace with it. */
	if (!file || !comm || sw_mounts_read(file, &t) < 0)
		return file && comm ? 0 : -ENOMEM;
	(void)sw_file_read_line(comm, &name);
	who = sw_fmt("process %s%s%s%s", pid, name ? " (" : "", name ? name : "", name ? ")" : "");
	return who ? add_mounts(m, b, &t, who) : -ENOMEM;
}

static bool seen_before(unsigned long long *seen, size_t *n, unsigned long long ns)
{
	for (size_t i = 0; i < *n; i++)
		if (seen[i] == ns)
			return true;
	if (*n < NAMESPACES_MAX)
		seen[(*n)++] = ns;
	return false;
}

/* One process of every other mount namespace speaks for it. */
static int other_mounts(const struct sw_machine *m, struct sw_busy *b)
{
	_cleanup_closedir_ DIR *list = opendir(m->proc_root);
	unsigned long long seen[NAMESPACES_MAX];
	const struct dirent *e;
	size_t n = 0;
	int r = 0;

	(void)seen_before(seen, &n, namespace_of(m, "self"));
	while (list && r == 0 && (e = readdir(list))) {
		unsigned long long ns;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		ns = namespace_of(m, e->d_name);
		if (ns != 0 && n < NAMESPACES_MAX && !seen_before(seen, &n, ns))
			r = process_mounts(m, b, e->d_name);
	}
	return r;
}

/* ---- swap, loops, btrfs ---- */

/* "/dev/sda3    partition  8388604 0 -2": the first line is a heading. */
static int swaps(const struct sw_machine *m, struct sw_busy *b)
{
	_cleanup_free_ char *path = sw_fmt("%s/swaps", m->proc_root);
	_cleanup_buf_ struct sw_buf text = { .max = 1 << 20 };
	char *save = NULL;
	int r = path ? sw_file_read(path, &text) : -ENOMEM;

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (char *l = text.data ? strtok_r((char *)text.data, "\n", &save) : NULL; l && r == 0;
	     l = strtok_r(NULL, "\n", &save)) {
		unsigned int major, minor;

		l[strcspn(l, " \t")] = '\0';
		if (sw_source_number(m, sw_mounts_unescape(l), &major, &minor) == 0)
			r = add(b, SW_BUSY_HERE, major, minor, strdup("used as swap"));
	}
	return r;
}

static int by_loop_name(const void *a, const void *b)
{
	const struct sw_busy_loop *x = a, *y = b;

	return strcmp(x->name, y->name);
}

const char *sw_busy_loop_file(const struct sw_busy *b, const char *name)
{
	struct sw_busy_loop key = { .name = (char *)name }, *found;

	found = b->n_loops ? bsearch(&key, b->loops, b->n_loops, sizeof(key), by_loop_name) : NULL;
	return found ? found->file : NULL;
}

/* ---- loop devices ---- */

struct loops {
	const struct sw_machine *m;
	const struct sw_sysdir *top;
	struct sw_busy_loop *list;
};

/* Each by itself: reading hundreds one after the other takes as long as all the other files. */
static int read_loop(size_t i, void *arg)
{
	const struct loops *x = arg;
	struct sw_busy_loop *l = &x->list[i];
	_cleanup_free_ char *path = sw_fmt("%s/loop/backing_file", l->name);

	if (!path)
		return -ENOMEM;
	if (sw_file_read_line_at(x->top->fd, path, &l->file) == 0)
		l->on_device = sw_source_number(x->m, l->file, &l->major, &l->minor) == 0;
	return 0;
}

static int name_loops(struct sw_busy *b, const struct sw_sysdir *top)
{
	size_t n = 0;

	for (const char *e = NULL; (e = sw_sysdir_next(top, e));)
		n += strncmp(e, "loop", 4) == 0;
	b->loops = calloc(n ? n : 1, sizeof(*b->loops));
	if (!b->loops)
		return -ENOMEM;
	for (const char *e = NULL; (e = sw_sysdir_next(top, e));) {
		if (strncmp(e, "loop", 4) != 0)
			continue;
		b->loops[b->n_loops].name = strdup(e);
		if (!b->loops[b->n_loops++].name)
			return -ENOMEM;
	}
	return 0;
}

static void drop_unbound(struct sw_busy *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n_loops; i++)
		if (b->loops[i].file)
			b->loops[kept++] = b->loops[i];
		else
			free(b->loops[i].name);
	b->n_loops = kept;
}

static int loops(const struct sw_machine *m, struct sw_busy *b)
{
	_cleanup_free_ char *path = sw_fmt("%s/block", m->sys_root);
	_cleanup_sysdir_ struct sw_sysdir top = SW_SYSDIR_CLOSED;
	struct loops x = { .m = m, .top = &top };
	int r = path ? 0 : -ENOMEM;

	if (r < 0 || sw_sysdir_open(AT_FDCWD, path, &top) < 0)
		return r;
	r = name_loops(b, &top);
	x.list = b->loops;
	if (r == 0)
		r = sw_parallel(b->n_loops, 1, read_loop, &x);
	if (r < 0)
		return r;
	drop_unbound(b);
	/* A loop device on /dev/sda3 leaves no holder there. */
	for (size_t i = 0; r == 0 && i < b->n_loops; i++)
		if (b->loops[i].on_device)
			r = add(b, SW_BUSY_HOLDER, b->loops[i].major, b->loops[i].minor,
				strdup(b->loops[i].name));
	if (b->n_loops > 1)
		qsort(b->loops, b->n_loops, sizeof(*b->loops), by_loop_name);
	return r;
}

/* What is said of the first device of this btrfs that is known to be mounted; NULL when none. */
static const char *mount_of(const struct sw_busy *b, const char *devices)
{
	_cleanup_closedir_ DIR *list = opendir(devices);
	const struct dirent *e;

	while (list && (e = readdir(list))) {
		_cleanup_free_ char *dir = sw_fmt("%s/%s", devices, e->d_name);
		unsigned int major, minor;
		size_t n = 0, i;

		if (e->d_name[0] == '.' || !dir || sw_busy_number(dir, &major, &minor) < 0)
			continue;
		i = sw_busy_find(b, major, minor, &n);
		if (n > 0 && b->items[i].kind != SW_BUSY_HOLDER)
			return b->items[i].what;
	}
	return NULL;
}

static int one_btrfs(struct sw_busy *b, const char *devices)
{
	_cleanup_closedir_ DIR *list = opendir(devices);
	const char *first = mount_of(b, devices);
	_cleanup_free_ char *what = first ? sw_fmt("part of the btrfs %s", first)
					  : strdup("part of a btrfs that is in use");
	size_t known = b->n;
	const struct dirent *e;
	int r = what ? 0 : -ENOMEM;

	while (list && r == 0 && (e = readdir(list))) {
		_cleanup_free_ char *dir = sw_fmt("%s/%s", devices, e->d_name);
		struct sw_busy sorted = { .items = b->items, .n = known };
		unsigned int major, minor;
		size_t n = 0;

		if (e->d_name[0] == '.' || !dir || sw_busy_number(dir, &major, &minor) < 0)
			continue;
		(void)sw_busy_find(&sorted, major, minor, &n);
		if (n == 0)
			r = add(b, SW_BUSY_HERE, major, minor, strdup(what));
	}
	return r;
}

/* A mount names one device of a btrfs; the kernel lists the others below /sys/fs/btrfs. */
static int btrfs_members(const struct sw_machine *m, struct sw_busy *b)
{
	_cleanup_free_ char *top = sw_fmt("%s/fs/btrfs", m->sys_root);
	_cleanup_closedir_ DIR *list = top ? opendir(top) : NULL;
	const struct dirent *e;
	int r = top ? 0 : -ENOMEM;

	while (list && r == 0 && (e = readdir(list))) {
		_cleanup_free_ char *devices = NULL;

		if (strlen(e->d_name) != 36)
			continue;
		devices = sw_fmt("%s/%s/devices", top, e->d_name);
		sort(b);
		r = devices ? one_btrfs(b, devices) : -ENOMEM;
	}
	return r;
}

int sw_busy_read(const struct sw_machine *m, struct sw_busy **ret_busy)
{
	_cleanup_(sw_busy_freep) struct sw_busy *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->sys_root = m->sys_root;
	r = own_mounts(m, b);
	if (r == 0)
		r = other_mounts(m, b);
	if (r == 0)
		r = swaps(m, b);
	if (r == 0)
		r = loops(m, b);
	if (r == 0)
		r = btrfs_members(m, b);
	if (r < 0)
		return r;
	sort(b);
	*ret_busy = TAKE_PTR(b);
	return 0;
}
