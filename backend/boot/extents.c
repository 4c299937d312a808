/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>

#include "boot/slot-private.h"

int sw_extents_add(struct sw_extents *l, uint64_t off, uint64_t end, uint64_t limit)
{
	struct sw_extent *p = l->n ? &l->v[l->n - 1] : NULL;

	off = off / SW_EXTENT_UNIT * SW_EXTENT_UNIT;
	end = (end + SW_EXTENT_UNIT - 1) / SW_EXTENT_UNIT * SW_EXTENT_UNIT;
	if (end > limit)
		end = limit;
	if (end <= off)
		return 0;
	if (p && off <= p->off + p->len) {
		if (end > p->off + p->len)
			p->len = end - p->off;
		return 0;
	}
	p = reallocarray(l->v, l->n + 1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	l->v = p;
	l->v[l->n++] = (struct sw_extent){ .off = off, .len = end - off };
	return 0;
}

uint64_t sw_extents_sum(const struct sw_extents *l)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n; i++)
		sum += l->v[i].len;
	return sum;
}

void sw_extents_clear(struct sw_extents *l)
{
	free(l->v);
	*l = (struct sw_extents){};
}

static int seek_data(int fd, uint64_t size, struct sw_extents *l)
{
	off_t at = 0;

	while ((uint64_t)at < size) {
		off_t data = lseek(fd, at, SEEK_DATA), hole;
		int r;

		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		r = sw_extents_add(l, (uint64_t)data, (uint64_t)hole, size);
		if (r < 0)
			return r;
		at = hole;
	}
	return 0;
}

int sw_image_extents(const char *image, struct sw_extent **ret_extents, size_t *ret_n,
		     struct sw_error *err)
{
	_cleanup_close_ int fd = open(image, O_RDONLY | O_CLOEXEC);
	_cleanup_extents_ struct sw_extents l = {};
	struct stat st;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0)
		r = seek_data(fd, (uint64_t)st.st_size, &l);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the image");
		sw_error_where(err, "%s", image);
		return r;
	}
	*ret_extents = TAKE_PTR(l.v);
	*ret_n = l.n;
	return 0;
}
