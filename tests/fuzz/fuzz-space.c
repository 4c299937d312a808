/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full a hostile file system says it is, and which one it is. The first byte chooses the kind;
 * then come sectors (number in three bytes, then 512 bytes) of a partition that is zero elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "rescue/private.h"
#include "tests/fuzz/patched.h"

#define PART (1ULL << 30)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "vfat", "xfs", "btrfs" };
	struct sw_fs_space s;
	struct sw_fs_id id;
	struct patched p;

	if (size == 0)
		return 0;
	p = patched_new(data + 1, size - 1, 16, PART, 16 << 20);
	if (sw_fs_space(&p.io, 0, types[data[0] % ARRAY_SIZE(types)], &s) == 0 &&
	    s.free > s.size)
		abort();
	if (sw_fs_id(&p.io, 0, &id) == 0 &&
	    (!id.type || !memchr(id.uuid, 0, sizeof(id.uuid)) ||
	     !memchr(id.first, 0, sizeof(id.first))))
		abort();
	return 0;
}
