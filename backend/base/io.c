/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

struct io_fd {
	struct sw_io io;
	int fd;
	bool block;
};

static int fd_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct io_fd *f = (struct io_fd *)io;
	uint8_t *p = data;

	while (len > 0) {
		ssize_t n = pread(f->fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int fd_write(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	struct io_fd *f = (struct io_fd *)io;
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n = pwrite(f->fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int fd_flush(struct sw_io *io)
{
	return fsync(((struct io_fd *)io)->fd) < 0 ? -errno : 0;
}

static int fd_drop(struct sw_io *io)
{
	struct io_fd *f = (struct io_fd *)io;
	int r = posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);

	if (f->block && ioctl(f->fd, BLKFLSBUF, 0) < 0 && errno != EACCES)
		return -errno;
	return -r;
}

/* BLKZEROOUT and hole punching spare the line to a slow disk; -EOPNOTSUPP lets the caller write. */
static int fd_zero(struct sw_io *io, uint64_t off, uint64_t len)
{
	struct io_fd *f = (struct io_fd *)io;

	if (f->block) {
		uint64_t range[2] = { off, len };

		return ioctl(f->fd, BLKZEROOUT, range) < 0 ? -EOPNOTSUPP : 0;
	}
	return fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off,
			 (off_t)len) < 0 ? -EOPNOTSUPP : 0;
}

static int fd_discard(struct sw_io *io, uint64_t off, uint64_t len)
{
	struct io_fd *f = (struct io_fd *)io;
	uint64_t range[2] = { off, len };

	if (f->block)
		return ioctl(f->fd, BLKDISCARD, range) < 0 ? -errno : 0;
	return fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off,
			 (off_t)len) < 0 ? -errno : 0;
}

static int fd_fd(struct sw_io *io)
{
	return ((struct io_fd *)io)->fd;
}

static void fd_close(struct sw_io *io)
{
	close(((struct io_fd *)io)->fd);
}

static const struct sw_io_ops fd_ops = {
	.read = fd_read,
	.write = fd_write,
	.flush = fd_flush,
	.drop = fd_drop,
	.zero = fd_zero,
	.discard = fd_discard,
	.fd = fd_fd,
	.close = fd_close,
};

static int measure(struct io_fd *f, uint32_t sector)
{
	struct stat st;
	int ss;

	if (fstat(f->fd, &st) < 0)
		return -errno;
	f->io.sector = sector ? sector : 512;
	f->io.size = (uint64_t)st.st_size;
	f->block = S_ISBLK(st.st_mode);
	if (!f->block)
		return S_ISREG(st.st_mode) ? 0 : -ENOTBLK;
	if (ioctl(f->fd, BLKSSZGET, &ss) < 0 || ioctl(f->fd, BLKGETSIZE64, &f->io.size) < 0)
		return -errno;
	f->io.sector = (uint32_t)ss;
	return 0;
}

enum {
	LOCK_POLL_MS = 50,
	/* A disk that answers slowly keeps udev busy for long: its blkid reads many places. */
	LOCK_WAIT_MS = 30000,
};

/*
 * udev holds LOCK_SH on a whole disk while it looks at it, after the disk has
 * come and after every program that closed it: those who only read end by
 * themselves and are waited for. LOCK_EX is held by a program that writes.
 * Source: https://systemd.io/BLOCK_DEVICE_LOCKING
 */
static int take_lock(int fd)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000L };

	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += LOCK_POLL_MS) {
		if (errno != EWOULDBLOCK || waited >= LOCK_WAIT_MS ||
		    flock(fd, LOCK_SH | LOCK_NB) < 0)
			return -errno;
		/* Kept while waiting, it would hold off another that waits. */
		(void)flock(fd, LOCK_UN);
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

static int fail_open(int r, const char *path, struct sw_error *err)
{
	if (r == -EWOULDBLOCK)
		sw_fail_errno(err, SW_EXIT_REFUSED, r,
			      "another program holds the lock of this disk");
	else
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot open the disk");
	return sw_error_where(err, "%s", path), r;
}

int sw_io_open(const char *path, bool writable, bool lock, uint32_t sector, struct sw_io **ret_io,
	       struct sw_error *err)
{
	_cleanup_close_ int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	struct io_fd *f;
	int r = fd < 0 ? -errno : lock ? take_lock(fd) : 0;

	if (r < 0)
		return fail_open(r, path, err);
	f = calloc(1, sizeof(*f));
	if (!f)
		return sw_fail_oom(err);
	f->fd = fd;
	f->io.ops = &fd_ops;
	(void)snprintf(f->io.path, sizeof(f->io.path), "%s", path);
	r = measure(f, sector);
	if (r < 0) {
		free(f);
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot measure the disk");
		sw_error_where(err, "%s", path);
		return r;
	}
	fd = -EBADF;
	*ret_io = &f->io;
	return 0;
}

int sw_io_fd(struct sw_io *io)
{
	return io->ops->fd ? io->ops->fd(io) : -1;
}

struct sw_io *sw_io_close(struct sw_io *io)
{
	if (!io)
		return NULL;
	io->ops->close(io);
	free(io);
	return NULL;
}

static bool inside(const struct sw_io *io, uint64_t off, uint64_t len)
{
	return off <= io->size && len <= io->size - off;
}

int sw_io_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	return inside(io, off, len) ? io->ops->read(io, off, data, len) : -ERANGE;
}

int sw_io_write(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	return inside(io, off, len) ? io->ops->write(io, off, data, len) : -ERANGE;
}

bool sw_bytes_are_zero(const void *data, size_t len)
{
	const uint8_t *d = data;

	return len == 0 || (d[0] == 0 && memcmp(d, d + 1, len - 1) == 0);
}

int sw_io_write_block(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	uint8_t block[4096] = {};

	if (len > sizeof(block))
		return -E2BIG;
	if (len > 0)
		memcpy(block, data, len);
	return sw_io_write(io, off, block, sizeof(block));
}

int sw_io_flush(struct sw_io *io)
{
	return io->ops->flush(io);
}

int sw_io_drop(struct sw_io *io)
{
	return io->ops->drop ? io->ops->drop(io) : 0;
}

int sw_io_discard(struct sw_io *io, uint64_t off, uint64_t len)
{
	if (!inside(io, off, len))
		return -ERANGE;
	return io->ops->discard ? io->ops->discard(io, off, len) : -EOPNOTSUPP;
}

int sw_io_zero(struct sw_io *io, uint64_t off, uint64_t len)
{
	static const uint8_t zeros[65536];

	if (!inside(io, off, len))
		return -ERANGE;
	if (len == 0 || (io->ops->zero && io->ops->zero(io, off, len) == 0))
		return 0;
	while (len > 0) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);
		int r = io->ops->write(io, off, zeros, n);

		if (r < 0)
			return r;
		off += n;
		len -= n;
	}
	return 0;
}
