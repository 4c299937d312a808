/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/blank.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <blkid/blkid.h>

#include "base/gather.h"
#include "base/io.h"

#define ALIGN ((uint64_t)SW_GATHER_ALIGN)
#define KiB(n) ((uint64_t)(n) << 10)
#define PIECE 512U
#define GAP KiB(16)	/* less than a request costs */
#define HEAD KiB(36)	/* the GPT of any sector size, and most superblocks */
#define TAIL KiB(36)	/* the backup GPT, and most of the firmware RAIDs */
#define PART_TAIL KiB(12)	/* md 1.0, the second superblock of nilfs2, DRBD */
#define DDF_SECTOR 257		/* from the end, where it is not in the last one */
#define LEAST (KiB(1024) * 2)
#define ZFS_LABEL KiB(256)
#define ZFS_POOL KiB(16)	/* the pool's description in a label: vdev_label_t in OpenZFS */

struct list {
	struct sw_blank_window *w;
	size_t n;
	uint64_t size;
};

static void add(struct list *l, uint64_t off, uint64_t len)
{
	if (off < l->size && l->n < SW_BLANK_WINDOWS_MAX)
		l->w[l->n++] = (struct sw_blank_window){
			off, len < l->size - off ? len : l->size - off };
}

/* Four labels, two at each end. */
static void add_zfs(struct list *l)
{
	uint64_t end = l->size & ~(ZFS_LABEL - 1);

	add(l, ZFS_POOL, PIECE);
	add(l, ZFS_LABEL + ZFS_POOL, PIECE);
	add(l, end - 2 * ZFS_LABEL + ZFS_POOL, PIECE);
	add(l, end - ZFS_LABEL + ZFS_POOL, PIECE);
}

/* A later release may look for something elsewhere: then it has to be asked. */
static bool library_is_known(void)
{
	static const char known[] = "2.38";
	const char *have = NULL;

	(void)blkid_get_library_version(&have, NULL);
	return have && strncmp(have, known, sizeof(known) - 1) == 0 &&
	       (!have[sizeof(known) - 1] || have[sizeof(known) - 1] == '.');
}

/* Where else than in the last sectors Promise puts its descriptions. */
static void add_promise(struct list *l)
{
	static const uint16_t sectors[] = { 255, 256, 399, 591, 675, 735,
					    911, 951, 974, 991, 3087 };

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++)
		add(l, (l->size / 512 - sectors[i]) * 512, PIECE);
}

size_t sw_blank_windows(uint64_t size, enum sw_blank_kind kind,
			struct sw_blank_window ret_windows[SW_BLANK_WINDOWS_MAX])
{
	uint64_t tail = kind == SW_BLANK_DISK ? TAIL : PART_TAIL;
	struct list l = { .w = ret_windows, .size = size };

	if (size < LEAST || !library_is_known())
		return 0;
	add(&l, 0, HEAD);
	add(&l, KiB(63), KiB(5));
	/* Second LUKS2 headers at powers of two; UFS at 256 KiB, VMFS at 1 and 2 MiB. */
	for (uint64_t off = KiB(128); off <= KiB(4096); off *= 2)
		add(&l, off, KiB(2));
	if (kind == SW_BLANK_DISK)
		add_promise(&l);
	add(&l, (size / 512 - DDF_SECTOR) * 512, PIECE);
	/* md 0.90: the last full 64 KiB but one. */
	add(&l, (size & ~(KiB(64) - 1)) - KiB(64), PIECE);
	add_zfs(&l);
	add(&l, size - tail, tail);
	return l.n;
}

/* ---- all at once ---- */

struct sw_blank {
	struct sw_blank_window w[SW_BLANK_WINDOWS_MAX];		/* of the device */
	struct sw_gather_piece pieces[SW_BLANK_WINDOWS_MAX];
	uint8_t piece_of[SW_BLANK_WINDOWS_MAX];			/* which contains the window */
	size_t n, n_pieces;
	uint8_t *data;
};

struct sw_blank *sw_blank_free(struct sw_blank *b)
{
	if (b)
		sw_gather_memory_free(b->data);
	free(b);
	return NULL;
}

static int by_offset(const void *a, const void *b)
{
	const struct sw_blank_window *x = a, *y = b;

	return (x->off > y->off) - (x->off < y->off);
}

/*
 * Pieces reach from page to page around their windows; those close to each other
 * are one, because a request costs more than what lies between.
 */
static size_t lay_out(struct sw_blank *b, uint64_t off)
{
	size_t total = 0;

	qsort(b->w, b->n, sizeof(*b->w), by_offset);
	for (size_t i = 0; i < b->n; i++) {
		struct sw_gather_piece *last = b->n_pieces ? &b->pieces[b->n_pieces - 1] : NULL;
		uint64_t start, end;

		b->w[i].off += off;
		start = b->w[i].off & ~(ALIGN - 1);
		end = (b->w[i].off + b->w[i].len + ALIGN - 1) & ~(ALIGN - 1);
		if (!last || start > last->off + last->len + GAP)
			b->pieces[b->n_pieces++] = (struct sw_gather_piece){
				.off = start, .len = end - start };
		else if (end > last->off + last->len)
			last->len = end - last->off;
		b->piece_of[i] = (uint8_t)(b->n_pieces - 1);
	}
	for (size_t i = 0; i < b->n_pieces; i++)
		total += b->pieces[i].len;
	return total;
}

struct sw_blank *sw_blank_read(int direct, uint64_t off, uint64_t size, enum sw_blank_kind kind)
{
	_cleanup_blank_ struct sw_blank *b = direct < 0 ? NULL : calloc(1, sizeof(*b));
	size_t total, at = 0;

	if (!b)
		return NULL;
	b->n = sw_blank_windows(size, kind, b->w);
	total = lay_out(b, off);
	b->data = total > 0 && total <= SW_GATHER_BYTES ? sw_gather_memory() : NULL;
	if (!b->data)
		return NULL;
	for (size_t i = 0; i < b->n_pieces; i++) {
		b->pieces[i].data = b->data + at;
		at += b->pieces[i].len;
	}
	return sw_gather(direct, b->pieces, b->n_pieces) < 0 ? NULL : TAKE_PTR(b);
}

/* Where the window's bytes are; NULL when they could not all be read. */
static const uint8_t *bytes_of(const struct sw_blank *b, size_t i)
{
	const struct sw_gather_piece *p = &b->pieces[b->piece_of[i]];
	size_t skip = (size_t)(b->w[i].off - p->off);

	return skip + b->w[i].len <= p->got ? p->data + skip : NULL;
}

const uint8_t *sw_blank_bytes(const struct sw_blank *b, uint64_t off, uint64_t len)
{
	for (size_t i = 0; b && i < b->n; i++) {
		const struct sw_blank_window *w = &b->w[i];
		const uint8_t *p;

		if (off < w->off || len > w->len || off - w->off > w->len - len)
			continue;
		p = bytes_of(b, i);
		if (p)
			return p + (off - w->off);
	}
	return NULL;
}

bool sw_blank_copy(const struct sw_blank *b, uint64_t off, void *data, size_t len)
{
	const uint8_t *p = sw_blank_bytes(b, off, len);

	if (p)
		memcpy(data, p, len);
	return p;
}

static bool pieces_are_zero(const struct sw_blank *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const uint8_t *p = bytes_of(b, i);

		if (!p || !sw_bytes_are_zero(p, b->w[i].len))
			return false;
	}
	return b->n > 0;
}

/* ---- one after the other ---- */

static void prefetch(int fd, const struct sw_blank_window *w, size_t n, uint64_t off)
{
	/* The pieces are far apart: what lies between would be read for nothing. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (size_t i = 0; i < n; i++)
		(void)posix_fadvise(fd, (off_t)(off + w[i].off), (off_t)w[i].len,
				    POSIX_FADV_WILLNEED);
}

static bool is_zero(int fd, uint64_t off, uint64_t len)
{
	static const size_t step = 16384;
	uint8_t data[16384];

	while (len > 0) {
		size_t n = len < step ? (size_t)len : step;

		if (pread(fd, data, n, (off_t)off) != (ssize_t)n || !sw_bytes_are_zero(data, n))
			return false;
		off += n;
		len -= n;
	}
	return true;
}

bool sw_blank_area(const struct sw_blank *b, int fd, uint64_t off, uint64_t size,
		   enum sw_blank_kind kind)
{
	struct sw_blank_window w[SW_BLANK_WINDOWS_MAX];
	size_t n;

	if (b)
		return pieces_are_zero(b);
	n = sw_blank_windows(size, kind, w);
	prefetch(fd, w, n, off);
	for (size_t i = 0; i < n; i++)
		if (!is_zero(fd, off + w[i].off, w[i].len))
			return false;
	return n > 0;
}

/*
 * A label's description starts with the header of a packed nvlist: encoding
 * (native 0 or XDR 1), byte order (0 or 1), two zeros; then its version, 0
 * (nvs_header_t and nvlist_xdr_nvp() in OpenZFS).
 */
static bool is_nvlist(const uint8_t data[static PIECE])
{
	static const uint8_t none[PIECE];

	return data[0] <= 1 && data[1] <= 1 && memcmp(data + 2, none, 6) == 0 &&
	       memcmp(data, none, PIECE) != 0;
}

/* From memory where it is there. */
static bool fetch(const struct sw_blank *b, int fd, uint64_t off, void *data, size_t len)
{
	return (b && sw_blank_copy(b, off, data, len)) ||
	       pread(fd, data, len, (off_t)off) == (ssize_t)len;
}

bool sw_blank_may_be_zfs(const struct sw_blank *b, int fd, uint64_t off, uint64_t size)
{
	struct sw_blank_window w[4];
	struct list l = { .w = w, .size = size };
	uint8_t data[PIECE];

	if ((size & ~(ZFS_LABEL - 1)) < 4 * ZFS_LABEL)
		return true;
	add_zfs(&l);
	for (size_t i = 0; i < l.n; i++)
		if (!fetch(b, fd, off + w[i].off, data, PIECE) || is_nvlist(data))
			return true;
	return false;
}

bool sw_blank_may_be_xfs_log(const struct sw_blank *b, int fd, uint64_t off)
{
	uint8_t data[4];

	return !fetch(b, fd, off, data, sizeof(data)) || !sw_bytes_are_zero(data, sizeof(data));
}
