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

/* The same beside partitions of the first two definitions' types and a foreign one. */
static void check_beside(const struct sw_layout *l, uint64_t end)
{
	struct sw_guid seed = { .b = { 1, 2, 3 } };
	struct sw_part olds[3] = {
		{ .number = 2, .start = 9 << 20, .size = (3 << 20) + 512, .uuid.b = { 1 } },
		{ .number = 5, .start = 1 << 20, .size = 4 << 20, .uuid.b = { 2 } },
		{ .number = 7, .start = 40 << 20, .size = 12800, .type.b = { 7 }, .uuid.b = { 3 } },
	};
	struct sw_table t = { .type = SW_TABLE_GPT, .parts = olds, .n_parts = 3 };
	struct sw_layout_ground g = { .start = 34 * 512, .end = end, .numbers = 128,
				      .table = &t };
	struct sw_placement *p = NULL;
	size_t n = 0;

	if (l->n_parts < 2)
		return;
	olds[0].type = l->parts[0].type;
	olds[1].type = l->parts[1].type;
	if (sw_layout_solve_on(l, &g, &seed, &p, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct sw_placement *q = &p[i];

		if (q->start + q->size > end || q->start < g.start || q->number == 0)
			abort();
		if (q->old && (q->start != q->old->start || q->size < q->old->size))
			abort();
		for (size_t k = 0; k < i; k++)
			if (q->number == p[k].number ||
			    (q->start < p[k].start + p[k].size && p[k].start < q->start + q->size))
				abort();
	}
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
	check_beside(&l, 64ULL << 20);
	check_beside(&l, (5ULL << 30) + 3584);
	for (size_t i = 0; i < l.n_parts; i++)
		sw_layout_part_clear(&parts[i]);
	return 0;
}
