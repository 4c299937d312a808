/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every write, flush and variable of an install and of an undo fails in turn,
 * with EIO, with ENOSPC, and with a disk that is gone from then on. Each ends
 * with an error that says where and what next and with the right exit code, and
 * leaves a state that can be resumed or undone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/lib/depth.h"
#include "tests/lib/install-world.h"
#include "tests/lib/tape.h"

struct expected {
	char new_disks[SW_SHA256_TEXT], new_vars[SW_SHA256_TEXT];
	char old_disks[SW_SHA256_TEXT], old_ends[SW_SHA256_TEXT];
	unsigned int clean, dirty, degraded, verify, resumed, undone;
};

static void says_what_to_do(const struct sw_error *err, size_t i)
{
	if (!err->what[0] || !(err->why[0] || err->where[0]) || !err->hint[0])
		fail_msg("operation %zu: \"%s\" at \"%s\" because \"%s\", hint \"%s\"", i,
			 err->what, err->where, err->why, err->hint);
}

static void is_untouched(const struct world *w, const struct expected *e)
{
	char disks[SW_SHA256_TEXT], vars[SW_SHA256_TEXT];

	world_digest(w, false, disks);
	world_vars(w, vars);
	assert_string_equal(disks, e->old_disks);
	assert_string_equal(vars, w->old_vars);
}

/* When only the flush of the very last record failed there is nothing left to finish or undo. */
static bool has_ended(struct world *w, enum sw_journal_state state)
{
	struct sw_journal_info *info = world_journal(w);
	bool ended = info->state == state;

	sw_journal_infos_free(info, 1);
	return ended;
}

static void take_back(struct world *w, struct expected *e)
{
	char disks[SW_SHA256_TEXT], vars[SW_SHA256_TEXT];
	struct sw_error err = {};

	if (!has_ended(w, SW_JOURNAL_UNDONE) && world_undo(w, &err) < 0)
		fail_msg("undo: %s: %s", err.what, err.why);
	world_digest(w, true, disks);
	world_vars(w, vars);
	assert_string_equal(disks, e->old_ends);
	assert_string_equal(vars, w->old_vars);
	e->undone++;
}

static void finish(struct world *w, struct expected *e)
{
	char disks[SW_SHA256_TEXT], vars[SW_SHA256_TEXT];
	struct sw_error err = {};

	if (!has_ended(w, SW_JOURNAL_DONE) && world_resume(w, &err) < 0)
		fail_msg("resume: %s: %s", err.what, err.why);
	world_digest(w, false, disks);
	world_vars(w, vars);
	assert_string_equal(disks, e->new_disks);
	assert_string_equal(vars, e->new_vars);
	e->resumed++;
}

static void learn(struct world *start, struct expected *e)
{
	_cleanup_free_ char *dir = sw_fmt("%s.whole", start->dir);
	struct sw_error err = {};
	struct world t;

	world_digest(start, false, e->old_disks);
	world_digest(start, true, e->old_ends);
	world_copy(start, dir, &t);
	assert_int_equal(world_install(&t, 0, &err), 0);
	world_digest(&t, false, e->new_disks);
	world_vars(&t, e->new_vars);
	world_free(&t);
}

/* False when nothing is left to fail. */
static bool fail_install(struct world *start, struct expected *e, struct tape *t, bool undo)
{
	_cleanup_free_ char *dir = sw_fmt("%s.try", start->dir);
	struct sw_error err = {};
	struct world w;
	int r;

	world_copy(start, dir, &w);
	tape_attach(t, w.m);
	r = world_install(&w, 0, &err);
	world_reopen(&w);
	if (r == 0) {
		/* Firmware that refuses a variable does not fail an install. */
		e->degraded += t->count > t->fail_at;
	} else if (err.exit == SW_EXIT_FAILED) {
		says_what_to_do(&err, t->fail_at);
		is_untouched(&w, e);
		e->clean++;
	} else {
		assert_int_equal(err.exit, SW_EXIT_DIRTY);
		says_what_to_do(&err, t->fail_at);
		assert_non_null(strstr(err.hint, "undo"));
		e->dirty++;
		undo ? take_back(&w, e) : finish(&w, e);
	}
	world_free(&w);
	return t->count > t->fail_at;
}

static void install_faults(int code, bool pulled, unsigned int step, unsigned int n_disks)
{
	struct expected e = {};
	uint64_t seed = tape_seed();
	struct world start;
	bool more = true;

	world_make(&start, n_disks);
	learn(&start, &e);
	for (size_t i = 0; more; i = test_next(i, step, &seed)) {
		struct tape t = { .silent = true, .fail_at = i, .fail_errno = code,
				  .pulled = pulled };

		more = fail_install(&start, &e, &t, e.dirty % 2);
		tape_clear(&t);
	}
	print_message("# install on %u disk(s), errno %d%s: %u before any change, %u after "
		      "(%u resumed, %u undone), %u by the firmware only\n", n_disks, code,
		      pulled ? " from then on" : "", e.clean, e.dirty, e.resumed, e.undone,
		      e.degraded);
	assert_true(e.clean > 0 && e.resumed > 0 && (e.undone > 0 || test_at_depth(1, 0, 0)));
	world_free(&start);
}

static void test_any_write_of_an_install_may_fail_with_eio(void **state SW_UNUSED)
{
	install_faults(EIO, false, test_at_depth(13, 3, 1), 1);
}

static void test_any_write_of_an_install_may_fail_with_enospc(void **state SW_UNUSED)
{
	install_faults(ENOSPC, false, test_at_depth(29, 7, 1), 1);
}

static void test_the_disk_may_be_pulled_at_any_write_of_an_install(void **state SW_UNUSED)
{
	install_faults(EIO, true, test_at_depth(17, 4, 1), 1);
}

static void test_any_write_to_either_disk_of_a_mirror_may_fail(void **state SW_UNUSED)
{
	install_faults(EIO, false, test_at_depth(50, 23, 1), 2);
}

static bool fail_undo(struct world *start, struct expected *e, struct tape *t)
{
	_cleanup_free_ char *dir = sw_fmt("%s.try", start->dir);
	struct sw_error err = {};
	struct world w;
	int r;

	world_copy(start, dir, &w);
	tape_attach(t, w.m);
	r = world_undo(&w, &err);
	world_reopen(&w);
	if (r < 0) {
		char disks[SW_SHA256_TEXT], vars[SW_SHA256_TEXT];

		assert_true(err.exit == SW_EXIT_FAILED || err.exit == SW_EXIT_DIRTY);
		says_what_to_do(&err, t->fail_at);
		if (err.exit == SW_EXIT_FAILED) {
			world_digest(&w, false, disks);
			world_vars(&w, vars);
			assert_string_equal(disks, e->new_disks);
			assert_string_equal(vars, e->new_vars);
			e->clean++;
		} else {
			e->dirty++;
		}
		take_back(&w, e);
	}
	world_free(&w);
	return r < 0 || t->count > t->fail_at;
}

static void undo_faults(int code, bool pulled)
{
	struct expected e = {};
	struct sw_error err = {};
	uint64_t seed = tape_seed();
	struct world start;
	bool more = true;

	world_make(&start, 1);
	learn(&start, &e);
	assert_int_equal(world_install(&start, 0, &err), 0);
	for (size_t i = 0; more; i = test_next(i, test_at_depth(4, 1, 1), &seed)) {
		struct tape t = { .silent = true, .fail_at = i, .fail_errno = code,
				  .pulled = pulled };

		more = fail_undo(&start, &e, &t);
		tape_clear(&t);
	}
	print_message("# undo, errno %d%s: %u before any change, %u after, all undone then\n",
		      code, pulled ? " from then on" : "", e.clean, e.dirty);
	assert_true(e.clean > 0 && e.dirty > test_at_depth(0, 3, 3));
	world_free(&start);
}

static void test_any_write_of_an_undo_may_fail(void **state SW_UNUSED)
{
	undo_faults(EIO, false);
	undo_faults(ENOSPC, true);
	if (getenv("SLIPWAY_TEST_LONG")) {
		undo_faults(ENOSPC, false);
		undo_faults(EIO, true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_write_of_an_install_may_fail_with_eio),
		cmocka_unit_test(test_any_write_of_an_install_may_fail_with_enospc),
		cmocka_unit_test(test_the_disk_may_be_pulled_at_any_write_of_an_install),
		cmocka_unit_test(test_any_write_to_either_disk_of_a_mirror_may_fail),
		cmocka_unit_test(test_any_write_of_an_undo_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
