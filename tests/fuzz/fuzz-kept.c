/* SPDX-License-Identifier: Apache-2.0 */
/* Overlays on a partition that anybody may have written: none is given out for another UKI. */
#include <string.h>

#include "boot/nodedata.h"
#include "boot/kept.h"
#include "tests/lib/crash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UKI "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* The input stands where the copies are: its first half in the first, the rest in the second. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sw_kept_zone z = { .size = 2 * (SW_NODEDATA_MAX + 4096 + 65536), .n_slots = 1 };
	_cleanup_kept_ struct sw_kept o = {}, again = {};
	_cleanup_free_ uint8_t *disk = calloc(1, z.size);
	size_t half = size / 2 > 65536 ? 65536 : size / 2;
	struct mem_io m;

	if (!disk)
		return 0;
	memcpy(disk + SW_NODEDATA_MAX + 4096, data, half);
	memcpy(disk + z.size / 2 + SW_NODEDATA_MAX + 4096, data + half, half);
	mem_io_init(&m, disk, z.size, 512);
	if (sw_kept_read(&m.io, &z, UKI, &o, NULL) < 0)
		return 0;
	if (strcmp(o.uki, UKI) != 0 || o.len > sw_kept_max(&z))
		abort();
	if (sw_kept_mirror(&m.io, &z, UKI, NULL) < 0 ||
	    sw_kept_read(&m.io, &z, UKI, &again, NULL) < 0 || again.len != o.len)
		abort();
	return 0;
}
