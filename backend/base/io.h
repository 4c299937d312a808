/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way in which slipway writes to a disk. Behind one small table of
 * operations stands a real device or file, or a recorder that keeps every write
 * and flush, so that tests can replay each prefix and reordering of them as a
 * power cut would leave it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct sw_io;

struct sw_io_ops {
	int (*read)(struct sw_io *io, uint64_t off, void *data, size_t len);
	int (*write)(struct sw_io *io, uint64_t off, const void *data, size_t len);
	int (*flush)(struct sw_io *io);		/* durable when it returns 0 */
	/* forget cached pages: the next read is from the medium */
	int (*drop)(struct sw_io *io);
	int (*zero)(struct sw_io *io, uint64_t off, uint64_t len);	/* NULL: written out */
	/* tell the disk that the content is not needed; NULL: it cannot be told */
	int (*discard)(struct sw_io *io, uint64_t off, uint64_t len);
	int (*fd)(struct sw_io *io);	/* NULL: it has none */
	void (*close)(struct sw_io *io);
};

struct sw_io {
	const struct sw_io_ops *ops;
	uint64_t size;			/* bytes */
	uint32_t sector;		/* logical sector size in bytes */
	char path[256];			/* for messages */
};

/*
 * Opens a block device or a regular file. A device's sector size is asked of
 * the kernel; for a file `sector` counts (0: 512). With lock, takes flock
 * LOCK_EX: waits up to 30 s for those who hold LOCK_SH (udev while it looks at
 * the disk), then, and at once when another holds LOCK_EX, -EWOULDBLOCK.
 */
int sw_io_open(const char *path, bool writable, bool lock, uint32_t sector, struct sw_io **ret_io,
	       struct sw_error *err);
/* The file descriptor behind it, -1 when there is none (the recorder); borrowed. */
int sw_io_fd(struct sw_io *io);
struct sw_io *sw_io_close(struct sw_io *io);
SW_DEFINE_CLEANUP(struct sw_io, sw_io_close)
#define _cleanup_io_ _cleanup_(sw_io_closep)

/* All return 0 or -errno; -ERANGE past the end; short transfers are finished or -EIO. */
int sw_io_read(struct sw_io *io, uint64_t off, void *data, size_t len);
int sw_io_write(struct sw_io *io, uint64_t off, const void *data, size_t len);
/* A block of 4096 bytes, or of less data and zeros behind it. -E2BIG for more. */
int sw_io_write_block(struct sw_io *io, uint64_t off, const void *data, size_t len);
int sw_io_zero(struct sw_io *io, uint64_t off, uint64_t len);
/* True when all of these bytes are zero; also of none. */
bool sw_bytes_are_zero(const void *data, size_t len);
/*
 * BLKDISCARD, or a hole in a file. -EOPNOTSUPP when the disk takes no such
 * command. What is read there afterwards is the disk's own affair.
 */
int sw_io_discard(struct sw_io *io, uint64_t off, uint64_t len);
int sw_io_flush(struct sw_io *io);
int sw_io_drop(struct sw_io *io);

/*
 * A part of a disk as a disk of its own: offsets count from off. whole is
 * borrowed and must outlive it. -ERANGE past the end.
 */
int sw_io_window(struct sw_io *whole, uint64_t off, uint64_t len, struct sw_io **ret_io);

/* ---- recorder ---- */

struct sw_io_op {
	enum { SW_IO_WRITE, SW_IO_FLUSH } kind;
	uint64_t off;
	size_t len;
	uint8_t *data;
};

struct sw_io_log {
	struct sw_io_op *ops;
	size_t n;
};

/*
 * An in-memory disk of the given size, starting with a copy of `initial` (may
 * be NULL: zeros), that appends every write and flush to log. `fail_at`: the
 * n-th write (0-based) returns fail_errno instead; SIZE_MAX: none.
 */
int sw_io_new_recorder(uint64_t size, uint32_t sector, const uint8_t *initial,
		       struct sw_io_log *log, size_t fail_at, int fail_errno,
		       struct sw_io **ret_io);
/* The recorder's present content; borrowed. */
const uint8_t *sw_io_recorder_data(struct sw_io *io);
void sw_io_log_clear(struct sw_io_log *log);
