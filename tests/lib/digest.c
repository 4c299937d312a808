/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* The piece at `off` or the next behind it that is no hole; the image's size when none is. */
static uint64_t next_piece(struct sw_io *io, uint64_t off)
{
	off_t data = lseek(sw_io_fd(io), (off_t)off, SEEK_DATA);

	return data < 0 ? io->size : (uint64_t)data / DIGEST_PIECE * DIGEST_PIECE;
}

void digest_image(const char *path, bool (*leave)(uint64_t off, void *userdata), void *userdata,
		  struct sw_hash *h)
{
	_cleanup_free_ uint8_t *buf = malloc(DIGEST_PIECE);
	_cleanup_io_ struct sw_io *io = NULL;

	assert_non_null(buf);
	assert_int_equal(sw_io_open(path, false, false, 512, &io, NULL), 0);
	assert_int_equal(io->size % DIGEST_PIECE, 0);
	for (uint64_t off = 0; (off = next_piece(io, off)) < io->size; off += DIGEST_PIECE) {
		if (leave && leave(off, userdata))
			continue;
		assert_int_equal(sw_io_read(io, off, buf, DIGEST_PIECE), 0);
		if (sw_bytes_are_zero(buf, DIGEST_PIECE))
			continue;
		sw_hash_update(h, &off, sizeof(off));
		sw_hash_update(h, buf, DIGEST_PIECE);
	}
}
