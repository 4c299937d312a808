/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An undo of two disks that leaves one of them out, cut off at any moment, and the one
 * that finishes it. In each state the disk that is left out is as it was, the other's
 * table is what its journal says, and both roads lead to the old machine: the same undo
 * again and then the rest, or, with the disk here by then, all at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply/run.h"
#include "base/file.h"
#include "disk/disk.h"
#include "disk/gpt.h"
#include "tests/lib/depth.h"
#include "tests/lib/install-world.h"
#include "tests/lib/tape.h"

#define DISKS 2

struct judged {
	struct world *w;
	unsigned int left;	/* the disk that is left out first */
	bool finishing;		/* the tape is of the undo that finishes */
	char old_ends[SW_SHA256_TEXT];
	unsigned int before, half, after, again, at_once;
	unsigned int sample;
};

/* The tape knows only the disks that were written to. */
static bool table_is(const struct judged *j, unsigned int k, const char *digest)
{
	_cleanup_free_ char *image = world_image(j->w, k);
	_cleanup_io_ struct sw_io *io = NULL;
	char now[65];

	assert_int_equal(sw_io_open(image, false, false, 512, &io, NULL), 0);
	assert_int_equal(sw_gpt_digest(io, now), 0);
	return strcmp(now, digest) == 0;
}

static void assert_all_old(struct judged *j, struct world *t)
{
	struct sw_journal_info *info = world_journal(t);
	char ends[SW_SHA256_TEXT], vars[SW_SHA256_TEXT];

	assert_int_equal(info->state, SW_JOURNAL_UNDONE);
	sw_journal_infos_free(info, 1);
	world_digest(t, true, ends);
	world_vars(t, vars);
	assert_string_equal(ends, j->old_ends);
	assert_string_equal(vars, t->old_vars);
}

static void undo(struct world *t, uint64_t without)
{
	struct sw_error err = {};

	if (world_undo_without(t, without, &err) < 0)
		fail_msg("undo of what a cut has left: %s: %s", err.what, err.why);
}

/* What the journals say together; the cut is carried on from on a copy. */
static void carry_on(struct judged *j, bool at_once)
{
	_cleanup_free_ char *dir = sw_fmt("%s.try", j->w->dir);
	struct sw_journal_info *info;
	struct world t;

	world_copy(j->w, dir, &t);
	info = world_journal(&t);
	if (info->state != SW_JOURNAL_UNDONE && !at_once && !info->owed) {
		undo(&t, 1ULL << j->left);
		sw_journal_infos_free(info, 1);
		info = world_journal(&t);
		assert_int_equal(info->state, SW_JOURNAL_OWED);
		assert_int_equal(info->owed, 1ULL << j->left);
	}
	if (info->state != SW_JOURNAL_UNDONE)
		undo(&t, 0);
	sw_journal_infos_free(info, 1);
	assert_all_old(j, &t);
	world_free(&t);
	j->at_once += at_once;
	j->again += !at_once;
}

static void judge(struct tape_play *p SW_UNUSED, void *userdata)
{
	struct judged *j = userdata;
	const struct sw_plan *plan = j->w->plan;
	struct sw_journal_info *info = world_journal(j->w);
	unsigned int other = 1 - j->left;
	unsigned int n = j->before + j->half + j->after;
	bool old = table_is(j, other, j->w->old_table[other]);

	if (!j->finishing)
		assert_true(table_is(j, j->left, plan->disks[j->left].new_table_digest));
	else
		assert_true(old);
	if (info->state == SW_JOURNAL_OWED) {
		assert_int_equal(info->owed, 1ULL << j->left);
		assert_true(old);
		j->after += !j->finishing;
		j->before += j->finishing;
	} else if (info->state == SW_JOURNAL_UNDONE) {
		assert_true(j->finishing);
		assert_true(table_is(j, j->left, j->w->old_table[j->left]));
		j->after++;
	} else if (info->state == SW_JOURNAL_DONE) {
		assert_true(!j->finishing &&
			    table_is(j, other, plan->disks[other].new_table_digest));
		j->before++;
	} else {
		assert_int_equal(info->state, SW_JOURNAL_RUNNING);
		assert_true(info->undoing);
		assert_int_equal(info->owed, j->finishing ? 1ULL << j->left : 0);
		j->half++;
	}
	sw_journal_infos_free(info, 1);
	if (n % j->sample == 0)
		carry_on(j, n / j->sample % 2);
}

static void enumerate(unsigned int left, bool finishing)
{
	bool full = getenv("SLIPWAY_TEST_LONG") != NULL;
	struct world start, w;
	struct judged j = { .w = &start, .left = left, .finishing = finishing,
			    .sample = test_at_depth(12, 9, 25) };
	struct tape t = { .fail_at = SIZE_MAX };
	struct tape_play play = { .tape = &t, .judge = judge, .userdata = &j,
				  .every = full ? 2 : 100, .random = test_at_depth(20, 50, 0),
				  .per_epoch = full ? 50 : 0 };
	_cleanup_free_ char *dir = NULL;
	struct sw_error err = {};

	world_make(&start, DISKS);
	world_digest(&start, true, j.old_ends);
	assert_int_equal(world_install(&start, 0, &err), 0);
	if (finishing)
		undo(&start, 1ULL << left);
	dir = sw_fmt("%s.taped", start.dir);
	world_copy(&start, dir, &w);
	tape_attach(&t, w.m);
	undo(&w, finishing ? 0 : 1ULL << left);
	world_free(&w);
	play.m = start.m;
	play.seed = tape_seed();
	tape_play(&play);
	print_message("# undo %s disk %u, %zu operations, %u epochs: %u states (%u prefixes, %u "
		      "subsets): %u before, %u half-way, %u after; %u carried on without, %u at "
		      "once; 0 failures\n", finishing ? "finished with" : "without", left + 1, t.n,
		      play.epochs, play.prefixes + play.subsets, play.prefixes, play.subsets,
		      j.before, j.half, j.after, j.again, j.at_once);
	assert_true(j.before > 0 && j.half > test_at_depth(5, 10, 10) && j.after > 0);
	assert_true(j.again + j.at_once > 0);
	tape_clear(&t);
	world_free(&start);
}

static void test_every_cut_of_an_undo_without_the_second_disk(void **state SW_UNUSED)
{
	enumerate(1, false);
}

static void test_every_cut_of_an_undo_without_the_first_disk(void **state SW_UNUSED)
{
	enumerate(0, false);
}

static void test_every_cut_of_the_undo_that_finishes(void **state SW_UNUSED)
{
	enumerate(1, true);
	enumerate(0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut_of_an_undo_without_the_second_disk),
		cmocka_unit_test(test_every_cut_of_an_undo_without_the_first_disk),
		cmocka_unit_test(test_every_cut_of_the_undo_that_finishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
