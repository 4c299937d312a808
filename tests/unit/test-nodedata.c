/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "boot/nodedata.h"
#include "tests/lib/crash.h"

#define SIZE (256u << 10)
#define OFF 8192u

struct fixture {
	uint8_t *disk;
	struct mem_io m;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->disk = malloc(SIZE + 2 * OFF);
	memset(f->disk, 0xa5, SIZE + 2 * OFF);
	mem_io_init(&f->m, f->disk, SIZE + 2 * OFF, 512);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->disk);
	free(f);
	return 0;
}

/* A document of some kilobytes, so that it spans several sectors. */
static json_object *document(int n)
{
	json_object *o = json_object_new_object(), *a = json_object_new_array();

	json_object_object_add(o, "n", json_object_new_int(n));
	for (int i = 0; i < 300; i++)
		json_object_array_add(a, json_object_new_int(n * 1000 + i));
	json_object_object_add(o, "filler", a);
	return o;
}

static int write_doc(struct sw_io *io, int n, bool fresh)
{
	_cleanup_json_ json_object *o = document(n);

	return sw_nodedata_write(io, OFF, SIZE, o, fresh, NULL);
}

/* The number in the document, or -errno. */
static int read_doc(struct sw_io *io, uint64_t *ret_sequence)
{
	_cleanup_json_ json_object *o = NULL;
	int r = sw_nodedata_read(io, OFF, SIZE, &o, ret_sequence, NULL);

	return r < 0 ? r : (int)sw_json_int(o, "n", -1);
}

static void test_an_unwritten_partition_has_no_data(void **state)
{
	struct fixture *f = *state;
	uint64_t s;

	assert_int_equal(read_doc(&f->m.io, &s), -ENOENT);
}

static void test_the_last_write_counts_and_the_sequence_rises(void **state)
{
	struct fixture *f = *state;
	uint64_t s = 0;

	for (int i = 1; i < 6; i++) {
		assert_int_equal(write_doc(&f->m.io, i, false), 0);
		assert_int_equal(read_doc(&f->m.io, &s), i);
		assert_int_equal(s, i);
	}
}

static void test_nothing_outside_the_range_is_touched(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write_doc(&f->m.io, 1, true), 0);
	for (size_t i = 0; i < OFF; i++) {
		assert_int_equal(f->disk[i], 0xa5);
		assert_int_equal(f->disk[OFF + SIZE + i], 0xa5);
	}
}

static void test_one_copy_may_rot(void **state)
{
	struct fixture *f = *state;
	uint64_t s;

	assert_int_equal(write_doc(&f->m.io, 7, true), 0);
	f->disk[OFF + 4096 + 10] ^= 1;
	assert_int_equal(read_doc(&f->m.io, &s), 7);
	f->disk[OFF + SIZE / 2 + 20] ^= 1;	/* the other one's header, too */
	assert_int_equal(read_doc(&f->m.io, &s), -ENOENT);
}

static void test_fresh_data_win_over_an_earlier_owners(void **state)
{
	struct fixture *f = *state;
	uint64_t s;

	for (int i = 1; i < 9; i++)
		assert_int_equal(write_doc(&f->m.io, i, false), 0);
	assert_int_equal(write_doc(&f->m.io, 42, true), 0);
	assert_int_equal(read_doc(&f->m.io, &s), 42);
	assert_int_equal(s, 1);
}

static void test_a_document_that_does_not_fit_changes_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_object *big = json_object_new_array();
	uint64_t s;

	for (int i = 0; i < 100000; i++)
		json_object_array_add(big, json_object_new_int(i));
	assert_int_equal(write_doc(&f->m.io, 1, false), 0);
	assert_int_equal(sw_nodedata_write(&f->m.io, OFF, SIZE, big, false, NULL), -E2BIG);
	assert_int_equal(read_doc(&f->m.io, &s), 1);
}

struct verdicts {
	int old, new;		/* documents */
	unsigned int saw_old, saw_new, wrong;
};

static void judge(struct sw_io *io, unsigned int flushes SW_UNUSED, void *userdata)
{
	struct verdicts *v = userdata;
	uint64_t s;
	int n = read_doc(io, &s);

	if (n == v->new)
		v->saw_new++;
	else if (n == v->old)
		v->saw_old++;
	else
		v->wrong++;
}

static void enumerate(struct fixture *f, int n, bool fresh, struct verdicts *v)
{
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;
	struct crash_stats stats;

	assert_int_equal(sw_io_new_recorder(f->m.io.size, 512, f->disk, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(write_doc(io, n, fresh), 0);
	crash_enumerate(f->disk, f->m.io.size, 512, &log, 1, 500, judge, v, &stats);
	print_message("# %u states in %u epochs: %u old, %u new, %u wrong\n", stats.states,
		      stats.epochs, v->saw_old, v->saw_new, v->wrong);
	assert_int_equal(v->wrong, 0);
}

static void test_every_power_cut_leaves_the_old_or_the_new_data(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write_doc(&f->m.io, 1, true), 0);
	for (int n = 2; n < 5; n++) {
		struct verdicts v = { .old = n - 1, .new = n };

		enumerate(f, n, false, &v);
		assert_true(v.saw_old > 100 && v.saw_new > 0);
	}
}

static void test_a_cut_in_a_fresh_write_never_yields_a_mixture(void **state)
{
	struct fixture *f = *state;
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;
	uint64_t s;

	assert_int_equal(write_doc(&f->m.io, 1, true), 0);
	assert_int_equal(write_doc(&f->m.io, 2, false), 0);
	assert_int_equal(sw_io_new_recorder(f->m.io.size, 512, f->disk, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(write_doc(io, 3, true), 0);
	/* While the two old headers go, the older of them may be the only one left. */
	for (size_t i = 0, flushes = 0; i < log.n; i++) {
		int n;

		if (log.ops[i].kind == SW_IO_WRITE)
			memcpy(f->disk + log.ops[i].off, log.ops[i].data, log.ops[i].len);
		else
			flushes++;
		n = read_doc(&f->m.io, &s);
		assert_true(n == 3 || n == -ENOENT || (flushes == 0 && (n == 1 || n == 2)));
	}
	assert_int_equal(read_doc(&f->m.io, &s), 3);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_an_unwritten_partition_has_no_data),
		T(test_the_last_write_counts_and_the_sequence_rises),
		T(test_nothing_outside_the_range_is_touched),
		T(test_one_copy_may_rot),
		T(test_fresh_data_win_over_an_earlier_owners),
		T(test_a_document_that_does_not_fit_changes_nothing),
		T(test_every_power_cut_leaves_the_old_or_the_new_data),
		T(test_a_cut_in_a_fresh_write_never_yields_a_mixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
