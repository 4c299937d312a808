/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/loop.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include "base/file.h"

#define TRIES 16U	/* somebody else may take the one that was free */

/* -EBUSY: it is another's by now. */
static int take(int number, const struct loop_config *c, struct sw_loop *ret_loop)
{
	_cleanup_free_ char *node = sw_fmt("/dev/loop%d", number);
	bool read_only = c->info.lo_flags & LO_FLAGS_READ_ONLY;
	_cleanup_close_ int fd = -EBADF;

	if (!node)
		return -ENOMEM;
	fd = open(node, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, LOOP_CONFIGURE, c) < 0)
		return -errno;
	*ret_loop = (struct sw_loop){ .fd = TAKE_FD(fd), .node = TAKE_PTR(node) };
	return 0;
}

int sw_loop_open(const char *path, uint64_t off, uint64_t size, uint32_t sector, bool read_only,
		 const char *mark, struct sw_loop *ret_loop)
{
	_cleanup_close_ int disk = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	_cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config c = {
		.block_size = sector,
		.info = { .lo_offset = off, .lo_sizelimit = size,
			  .lo_flags = LO_FLAGS_AUTOCLEAR |
				      (read_only ? LO_FLAGS_READ_ONLY : 0) },
	};
	int r = -EBUSY;

	if (disk < 0 || control < 0)
		return -errno;
	if (mark)
		(void)snprintf((char *)c.info.lo_file_name, LO_NAME_SIZE, "%s", mark);
	c.fd = (unsigned int)disk;
	for (unsigned int i = 0; i < TRIES && r == -EBUSY; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		r = number < 0 ? -errno : take(number, &c, ret_loop);
	}
	return r;
}

void sw_loop_close(struct sw_loop *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->node);
	*l = (struct sw_loop){ .fd = -EBADF };
}
