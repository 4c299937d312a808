/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of a node without a disk: a file in the run directory that is laid
 * out like a disk with nothing on it. It is in memory, so it outlives the install
 * but not the system; a copy of it is the same as one of a disk's journal.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "apply/run.h"
#include "base/file.h"

#define NAME "no-disk.journal"

static int make(const char *path, struct sw_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && (uint64_t)st.st_size != SW_PLAN_FILE_SIZE &&
	    ftruncate(fd, (off_t)SW_PLAN_FILE_SIZE) < 0)
		r = -errno;
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "no place for undo data");
		sw_error_where(err, "%s", path);
		sw_error_hint(err, "nothing was written");
	}
	return r;
}

int sw_diskless_open(const struct sw_machine *m, bool writable, struct sw_io **ret_io,
		     struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/" NAME, m->run_dir);
	int r;

	if (!path)
		return sw_fail_oom(err);
	if (!writable)
		return sw_io_open(path, false, false, 512, ret_io, err);
	if (sw_mkdir_all(m->run_dir, 0700) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "no directory %s", m->run_dir);
	r = make(path, err);
	return r < 0 ? r : sw_io_open(path, true, true, 512, ret_io, err);
}
