/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The medium that slipway was started from, mounted read-only on demand. It is
 * looked for by the UUID that the kernel's command line names, among all block
 * devices including CD drives, and stays mounted until the machine is freed.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "machine/private.h"

static bool matches(const char *node, const char *uuid)
{
	_cleanup_close_ int fd = open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint64_t size = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) ||
	    ioctl(fd, BLKGETSIZE64, &size) < 0 || size == 0)
		return false;
	return sw_iso_matches(fd, 0, size, uuid);
}

/*
 * Whole disks come before partitions: on a hybrid stick both match, and the
 * whole one also does when the kernel has not read the table.
 */
static char *search(const struct sw_machine *m, bool partitions)
{
	_cleanup_free_ char *top = sw_fmt("%s/class/block", m->sys_root);
	_cleanup_closedir_ DIR *list = top ? opendir(top) : NULL;
	const struct dirent *e;

	while (list && (e = readdir(list))) {
		_cleanup_free_ char *part = sw_fmt("%s/%s/partition", top, e->d_name);
		_cleanup_free_ char *node = sw_fmt("%s/%s", m->dev_root, e->d_name);

		/* A suspended mapping would never answer, and nothing is started from RAM disks. */
		if (e->d_name[0] == '.' || strncmp(e->d_name, "dm-", 3) == 0 ||
		    strncmp(e->d_name, "ram", 3) == 0)
			continue;
		if (!part || !node || (access(part, F_OK) == 0) != partitions)
			continue;
		for (char *p = node + strlen(m->dev_root); (p = strchr(p, '!'));)
			*p = '/';
		if (matches(node, m->medium))
			return TAKE_PTR(node);
	}
	return NULL;
}

/* Another process of ours may have mounted it: then its device is not that of its parent. */
static bool mounted(const char *dir, const char *parent)
{
	struct stat a, b;

	return stat(dir, &a) == 0 && stat(parent, &b) == 0 && a.st_dev != b.st_dev;
}

static int mount_on(const char *node, const char *dir, struct sw_error *err)
{
	int r = mkdir(dir, 0700) < 0 && errno != EEXIST ? -errno : 0;

	if (r == 0 && mount(node, dir, "iso9660", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		r = -errno;
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot mount the medium");
		sw_error_where(err, "%s", node);
		if (r == -EPERM)
			sw_error_hint(err, "this needs root");
	}
	return r;
}

int sw_medium_mount(struct sw_machine *m, char **ret_dir, struct sw_error *err)
{
	_cleanup_free_ char *dir = NULL, *node = NULL, *copy = NULL;
	int r;

	if (!m->medium)
		return sw_fail(err, SW_EXIT_MISSING, -ENOENT,
			       "slipway was not started from a medium");
	dir = sw_fmt("%s/medium", m->run_dir);
	if (!dir)
		return sw_fail_oom(err);
	if (!mounted(dir, m->run_dir)) {
		node = search(m, false);
		if (!node)
			node = search(m, true);
		if (!node) {
			r = sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the medium is not there");
			sw_error_why(err, "no iso9660 file system has the UUID %s", m->medium);
			sw_error_hint(err, "put it back in, or attach the virtual medium again");
			return r;
		}
		r = mount_on(node, dir, err);
		if (r < 0)
			return r;
		copy = strdup(dir);
		if (!copy) {
			(void)umount2(dir, MNT_DETACH);
			return sw_fail_oom(err);
		}
		free(m->medium_dir);
		m->medium_dir = TAKE_PTR(copy);
	}
	*ret_dir = TAKE_PTR(dir);
	return 0;
}

void sw_medium_unmount(struct sw_machine *m)
{
	if (m->medium_dir)
		(void)umount2(m->medium_dir, MNT_DETACH);
}
