/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partition definitions from any text; files are separated by a NUL byte. What
 * is accepted is solved for several disks, and the result must be aligned, in
 * order, inside the disk and no smaller than asked.
 */
#include <stdlib.h>
#include <string.h>

#include "layout/layout.h"
#include "layout/part.h"

#define PARTS 8U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_solution(const struct sw_layout *l, uint64_t size, uint32_t sector)
{
	struct sw_guid seed = { .b = { 1, 2, 3 } }, id;
	struct sw_placement *p = NULL;
	uint64_t at = 1 << 20;
	size_t n = 0;

	if (sw_layout_solve(l, size, sector, &seed, &p, &n, &id, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (p[i].start < at || p[i].start % 4096 || p[i].size % 4096 || p[i].size == 0 ||
		    p[i].size < p[i].part->size_min)
			abort();
		at = p[i].start + p[i].size;
	}
	if (n > 0 && at > size - sector - 16384)
		abort();
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sw_layout_part parts[PARTS];
	struct sw_layout l = { .name = (char *)"fuzz", .parts = parts };
	const uint8_t *end = data + size;

	while (data < end && l.n_parts < PARTS) {
		const uint8_t *nul = memchr(data, 0, (size_t)(end - data));
		size_t len = (size_t)((nul ? nul : end) - data);
		char *description = NULL;
		struct sw_error e = {};

		if (sw_layout_part_parse((const char *)data, len, "f", "f", &parts[l.n_parts],
					 &description, &e) == 0)
			l.n_parts++;
		else if (e.exit != SW_EXIT_INVALID || !e.what[0] || !e.where[0])
			abort();
		free(description);
		data += len + (nul != NULL);
	}
	check_solution(&l, 64ULL << 20, 512);
	check_solution(&l, (3ULL << 30) + 512 * 77, 512);
	check_solution(&l, 1ULL << 42, 4096);
	for (size_t i = 0; i < l.n_parts; i++)
		sw_layout_part_clear(&parts[i]);
	return 0;
}
