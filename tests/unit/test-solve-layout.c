/* SPDX-License-Identifier: Apache-2.0 */
/* The solver beside existing partitions; the arithmetic itself is compared with systemd-repart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "layout/layout.h"

#define MIB ((uint64_t)1 << 20)
#define END (1000 * MIB)

static const struct sw_guid type_a = { .b = { 0xa } }, type_b = { .b = { 0xb } };
static const struct sw_guid seed = { .b = { 1, 2, 3 } };

static struct sw_layout_part def(struct sw_guid type, uint64_t min, uint64_t max)
{
	return (struct sw_layout_part){ .file = (char *)"x.conf", .type = type, .weight = 1000,
					.size_min = min, .size_max = max,
					.padding_max = UINT64_MAX, .type_name = "t" };
}

static struct sw_part old(unsigned int no, struct sw_guid type, uint64_t start, uint64_t size)
{
	return (struct sw_part){ .number = no, .type = type, .start = start * MIB,
				 .size = size * MIB, .uuid = { .b = { 0xee, (uint8_t)no } } };
}

struct made {
	struct sw_placement *p;
	size_t n;
	struct sw_error e;
};

static int solve(struct sw_layout_part *parts, size_t n_parts, struct sw_part *olds, size_t n_olds,
		 struct made *m)
{
	struct sw_layout l = { .name = (char *)"l", .parts = parts, .n_parts = n_parts,
			       .min_size = 2 * MIB };
	struct sw_table t = { .type = SW_TABLE_GPT, .parts = olds, .n_parts = n_olds };
	struct sw_layout_ground g = { .start = MIB, .end = END, .numbers = 128,
					.table = &t, .where = "disk" };

	*m = (struct made){};
	return sw_layout_solve_on(&l, &g, &seed, &m->p, &m->n, &m->e);
}

static void test_the_nth_of_a_type_belongs_to_the_nth_definition(void **s SW_UNUSED)
{
	struct sw_layout_part d[] = { def(type_b, MIB, MIB), def(type_a, MIB, 10 * MIB),
				      def(type_a, MIB, 20 * MIB) };
	struct sw_part o[] = { old(3, type_a, 1, 5), old(5, type_a, 100, 5) };
	struct made m;

	assert_int_equal(solve(d, 3, o, 2, &m), 0);
	assert_int_equal(m.n, 3);
	assert_null(m.p[0].old);
	assert_int_equal(m.p[0].number, 6);
	assert_ptr_equal(m.p[1].old, &o[0]);
	assert_int_equal(m.p[1].size, 10 * MIB);
	assert_ptr_equal(m.p[2].old, &o[1]);
	assert_int_equal(m.p[2].size, 20 * MIB);
	free(m.p);
}

static void test_what_has_no_definition_is_never_touched(void **s SW_UNUSED)
{
	struct sw_layout_part d[] = { def(type_b, MIB, UINT64_MAX) };
	struct sw_part o[] = { old(1, type_a, 1, 5), old(2, type_a, 900, 50) };
	struct made m;

	assert_int_equal(solve(d, 1, o, 2, &m), 0);
	assert_int_equal(m.n, 3);
	for (size_t i = 1; i < 3; i++) {
		assert_null(m.p[i].part);
		assert_int_equal(m.p[i].start, o[i - 1].start);
		assert_int_equal(m.p[i].size, o[i - 1].size);
		assert_true(sw_guid_equal(&m.p[i].uuid, &o[i - 1].uuid));
	}
	free(m.p);
}

static void test_a_new_one_takes_the_smallest_free_area_that_fits(void **s SW_UNUSED)
{
	struct sw_layout_part d[] = { def(type_b, 20 * MIB, UINT64_MAX) };
	struct sw_part o[] = { old(1, type_a, 31, 69), old(2, type_a, 110, 90) };
	struct made m;

	assert_int_equal(solve(d, 1, o, 2, &m), 0);
	assert_int_equal(m.p[0].start, MIB);
	assert_int_equal(m.p[0].size, 30 * MIB);
	free(m.p);
}

static void test_an_existing_one_is_never_made_smaller(void **s SW_UNUSED)
{
	struct sw_layout_part d[] = { def(type_a, MIB, 2 * MIB) };
	struct sw_part o[] = { old(1, type_a, 1, 50) };
	struct made m;

	assert_int_equal(solve(d, 1, o, 1, &m), 0);
	assert_int_equal(m.p[0].size, 50 * MIB);
	free(m.p);
}

static void test_a_dropped_priority_leaves_an_existing_one_alone(void **s SW_UNUSED)
{
	struct sw_layout_part d[] = { def(type_a, 600 * MIB, UINT64_MAX),
				      def(type_b, 600 * MIB, UINT64_MAX) };
	struct sw_part o[] = { old(1, type_a, 1, 50) };
	struct made m;

	d[0].priority = d[1].priority = 7;
	assert_int_equal(solve(d, 2, o, 1, &m), 0);
	assert_int_equal(m.n, 1);
	assert_null(m.p[0].part);
	assert_int_equal(m.p[0].size, 50 * MIB);
	free(m.p);
}

static void test_what_does_not_fit_is_named_with_the_bytes_missing(void **s SW_UNUSED)
{
	struct sw_layout_part d[] = { def(type_b, 100 * MIB, UINT64_MAX) };
	struct sw_part o[] = { old(1, type_a, 41, 959) };
	struct made m;

	assert_int_equal(solve(d, 1, o, 1, &m), -ENOSPC);
	assert_int_equal(m.e.exit, SW_EXIT_INVALID);
	assert_non_null(strstr(m.e.what, "62914560 bytes too few"));
	assert_non_null(strstr(m.e.why, "x.conf"));
	assert_null(m.p);
}

static void test_a_broken_table_is_refused(void **s SW_UNUSED)
{
	struct sw_layout_part d[] = { def(type_b, MIB, MIB) };
	struct sw_part overlap[] = { old(1, type_a, 1, 50), old(2, type_a, 40, 50) };
	struct sw_part outside[] = { old(1, type_a, 990, 50) }, empty[] = { old(1, type_a, 5, 0) };
	struct made m;

	assert_int_equal(solve(d, 1, overlap, 2, &m), -EINVAL);
	assert_int_equal(m.e.exit, SW_EXIT_REFUSED);
	assert_int_equal(solve(d, 1, outside, 1, &m), -EINVAL);
	assert_int_equal(solve(d, 1, empty, 1, &m), -EINVAL);
}

static void test_a_derived_uuid_that_is_taken_is_not_given_twice(void **s SW_UNUSED)
{
	struct sw_layout_part d[] = { def(type_a, MIB, MIB), def(type_a, MIB, MIB) };
	struct sw_part o[] = { old(1, type_b, 1, 5) };
	struct made m, again;

	assert_int_equal(solve(d, 2, o, 0, &m), 0);
	o[0].uuid = m.p[1].uuid;	/* the second's, now on a partition of another type */
	assert_int_equal(solve(d, 2, o, 1, &again), 0);
	assert_true(sw_guid_equal(&again.p[0].uuid, &m.p[0].uuid));
	assert_false(sw_guid_equal(&again.p[1].uuid, &m.p[1].uuid));
	free(m.p);
	free(again.p);
	d[0].uuid = d[1].uuid = seed;
	assert_int_equal(solve(d, 2, o, 1, &m), -EEXIST);
	assert_int_equal(m.e.exit, SW_EXIT_INVALID);
}

static void test_uuid_null_stays_zero_and_set_ones_stay(void **s SW_UNUSED)
{
	struct sw_layout_part d[] = { def(type_a, MIB, MIB), def(type_b, MIB, MIB) };
	struct sw_part o[] = { old(1, type_a, 1, 5) };
	struct made m;

	d[1].uuid_null = true;
	d[0].uuid = seed;
	assert_int_equal(solve(d, 2, o, 1, &m), 0);
	assert_true(sw_guid_equal(&m.p[0].uuid, &o[0].uuid));
	assert_true(sw_guid_is_zero(&m.p[1].uuid));
	free(m.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_nth_of_a_type_belongs_to_the_nth_definition),
		cmocka_unit_test(test_what_has_no_definition_is_never_touched),
		cmocka_unit_test(test_a_new_one_takes_the_smallest_free_area_that_fits),
		cmocka_unit_test(test_an_existing_one_is_never_made_smaller),
		cmocka_unit_test(test_a_dropped_priority_leaves_an_existing_one_alone),
		cmocka_unit_test(test_what_does_not_fit_is_named_with_the_bytes_missing),
		cmocka_unit_test(test_a_broken_table_is_refused),
		cmocka_unit_test(test_a_derived_uuid_that_is_taken_is_not_given_twice),
		cmocka_unit_test(test_uuid_null_stays_zero_and_set_ones_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
