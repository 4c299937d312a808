/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories: whole reads with a ceiling, atomic writes, scratch directories. */
#pragma once

#include "base/buf.h"

/* Reads a whole file; -E2BIG past b->max (or SW_BUF_MAX), -errno otherwise. Adds to b. */
int sw_file_read(const char *path, struct sw_buf *b);
int sw_fd_read(int fd, struct sw_buf *b);

/* First line of a small file (sysfs) without trailing white space; malloc'd. */
int sw_file_read_line(const char *path, char **ret_line);
/* at: the directory that path is relative to, or AT_FDCWD. */
int sw_file_read_line_at(int at, const char *path, char **ret_line);

/* Writes by temporary file, fsync and rename, so a reader sees the old or the new content. */
int sw_file_write(const char *path, const void *data, size_t len, unsigned int mode);

/* Writes all of it, retrying on EINTR and short writes. */
int sw_fd_write_all(int fd, const void *data, size_t len);

/* Appends bytes [off, off + len) of one open file to another. -ENODATA when it ends before. */
int sw_fd_copy(int from, uint64_t off, uint64_t len, int to);

/* mkdir -p; existing directories are fine. */
int sw_mkdir_all(const char *path, unsigned int mode);

/*
 * A new private directory (0700) under $TMPDIR, or /tmp, or /run: an initrd need not have the first
 * two. malloc'd path; when none of them takes it, the error of the first.
 */
int sw_scratch_new(const char *prefix, char **ret_path);
/* Removes it with all that is in it; for _cleanup_(). */
void sw_scratch_clear(char **path);
/* From now on the name of each says that it is of this process, which may be killed. */
void sw_scratch_sign(void);
/* Removes those that a child has signed which was killed, and that is not waited for yet. */
void sw_scratch_sweep(pid_t pid);

/* Removes a tree, never following links or crossing the top; missing is fine. */
int sw_remove_tree(const char *path);

/* asprintf that yields NULL when out of memory. */
char *sw_fmt(const char *fmt, ...) SW_PRINTF(1, 2);
