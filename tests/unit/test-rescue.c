/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each finding of the doctor on a node that has the fault and on one that has not;
 * its repair, and the repair taken back; and what a power cut leaves of both. After
 * every torn sector and in random subsets of what was in flight the node has a
 * good slot and a table that leads to it, and repairing or undoing again from
 * there gives the same disk as without the cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "rescue/report.h"
#include "tests/lib/damage-cut.h"
#include "tests/lib/depth.h"
#include "tests/lib/tape.h"

static struct world healthy;

static int setup(void **state SW_UNUSED)
{
	damage_world(&healthy);
	return 0;
}

static int teardown(void **state SW_UNUSED)
{
	world_sh("rm -rf \"$0\".*", healthy.dir, NULL);
	world_free(&healthy);
	return 0;
}

/* ---- present and absent ---- */

static void test_a_healthy_node_has_no_finding(void **state SW_UNUSED)
{
	struct damage_content before = damage_content(&healthy), after;
	_cleanup_visit_ struct sw_visit v = {};

	damage_look(&healthy, &v);
	assert_int_equal(v.found.n, 0);
	assert_string_equal(sw_json_str(v.found.node, "hostname", ""), "node-07");
	after = damage_content(&healthy);
	damage_assert_same(&before, &after);
}

static void check_words(const struct sw_finding *fi)
{
	_cleanup_json_ json_object *o = sw_finding_to_json(fi);
	_cleanup_buf_ struct sw_buf b = {};

	assert_true(fi->what[0] && fi->evidence[0] && fi->effect[0]);
	assert_true(!fi->repair == !sw_json_get(o, "repair"));
	assert_int_equal(sw_report_finding(o, &b), 0);
	assert_int_equal(sw_report_plan(o, &b), 0);
	assert_non_null(strstr(sw_buf_text(&b), fi->id));
	assert_non_null(strstr(sw_buf_text(&b), fi->effect));
	assert_int_equal(strstr(sw_buf_text(&b), "   writes  ") != NULL, fi->repair != NULL);
	if (!fi->repair && fi->severity == SW_FINDING_ERROR)
		assert_true(fi->advice[0]);
}

static void look_and_repair(const struct damage *d)
{
	_cleanup_free_ char *undo = damage_undo_file(&healthy, "undo");
	_cleanup_visit_ struct sw_visit v = {};
	struct damage_content before, seen, after;
	struct world w = damage_break(&healthy, d);
	const struct sw_finding *fi;

	before = damage_content(&w);
	damage_look(&w, &v);
	fi = damage_found(&v, d);
	for (size_t i = 0; !fi && i < v.found.n; i++)
		print_message("# found: %s: %s: %s\n", v.found.v[i].id, v.found.v[i].what,
			      v.found.v[i].evidence);
	if (!fi)
		fail_msg("%s was not found", d->id);
	assert_int_equal(fi->severity, d->severity);
	assert_int_equal(fi->repair != NULL, !d->no_repair);
	for (size_t i = 1; i < v.found.n; i++)
		assert_true(v.found.v[i - 1].severity >= v.found.v[i].severity);
	check_words(fi);
	sw_visit_clear(&v);
	seen = damage_content(&w);
	damage_assert_same(&before, &seen);
	if (!d->no_repair) {
		damage_repair(&healthy, &w, d, undo);
		damage_look(&w, &v);
		assert_null(damage_found(&v, d));
		assert_int_equal(v.found.n, 0);
		sw_visit_clear(&v);
		damage_take_back(&w, d, undo);
		after = damage_content(&w);
		damage_assert_same(&before, &after);
	}
	world_free(&w);
}

static void test_each_fault_is_found_repaired_and_taken_back(void **state SW_UNUSED)
{
	for (size_t i = 0; i < n_damages; i++)
		look_and_repair(&damages[i]);
}

/* ---- refusals ---- */

static int visit(struct world *w, const char *id, const char *save, struct sw_error *err)
{
	_cleanup_visit_ struct sw_visit v = {};

	damage_look(w, &v);
	return sw_visit_repair(&v, id, save, NULL, NULL, err);
}

static void test_what_cannot_be_repaired_or_saved_changes_nothing(void **state SW_UNUSED)
{
	struct world w = damage_break(&healthy, &damages[5]);
	struct damage_content before = damage_content(&w), after;
	struct sw_error err = {};

	assert_string_equal(damages[5].id, "slot-b");
	assert_int_equal(visit(&w, "nothing", NULL, &err), -ENOENT);
	assert_int_equal(err.exit, SW_EXIT_USAGE);
	err = (struct sw_error){};
	assert_int_equal(visit(&w, "slot-b", "/nonexistent/undo", &err), -ENOENT);
	assert_int_equal(err.exit, SW_EXIT_FAILED);
	assert_non_null(strstr(err.hint, "--no-undo"));
	after = damage_content(&w);
	damage_assert_same(&before, &after);
	world_free(&w);
}

/* Somebody who wants it stopped at the n-th place where that is asked. */
struct stopper {
	unsigned int n, asked;
	bool writes;	/* it has said so */
};

static bool stop_at(void *stopper)
{
	struct stopper *s = stopper;

	assert_false(s->writes);
	return s->asked++ >= s->n;
}

static void note_start(const struct sw_event *ev, void *stopper)
{
	struct stopper *s = stopper;

	s->writes |= ev->type == SW_EVENT_START;
}

static void test_a_repair_is_stopped_before_it_writes_or_not_at_all(void **state SW_UNUSED)
{
	_cleanup_free_ char *undo = damage_undo_file(&healthy, "stopped");
	_cleanup_free_ char *slot = sw_fmt("%s.slot", undo);
	struct world w = damage_break(&healthy, &damages[5]);
	struct damage_content before = damage_content(&w), after;
	int r = -ECANCELED;

	for (unsigned int n = 0; r == -ECANCELED; n += n < 8 ? 1 : n) {
		struct stopper stopper = { .n = n };
		const struct sw_sink sink = { .fn = note_start, .userdata = &stopper,
					      .cancelled = stop_at };
		_cleanup_visit_ struct sw_visit v = {};
		struct sw_error err = {};

		damage_look(&w, &v);
		v.repairing = &sink;
		r = sw_visit_repair(&v, "slot-b", undo, NULL, NULL, &err);
		assert_true(n > 2 || r == -ECANCELED);	/* it asks at all */
		assert_int_equal(stopper.writes, r == 0);
		if (r == 0)
			break;
		assert_int_equal(r, -ECANCELED);
		assert_int_equal(err.exit, SW_EXIT_CANCELLED);
		after = damage_content(&w);
		damage_assert_same(&before, &after);
		assert_int_equal(access(undo, F_OK), -1);
		assert_int_equal(access(slot, F_OK), -1);
	}
	damage_take_back(&w, &damages[5], undo);
	after = damage_content(&w);
	damage_assert_same(&before, &after);
	world_free(&w);
}

static void spoil(const char *path)
{
	world_sh("printf x | dd of=\"$0\" bs=1 seek=65536 conv=notrunc status=none", path, NULL);
}

static void test_an_undo_of_what_was_changed_since_or_lost_is_refused(void **state SW_UNUSED)
{
	_cleanup_free_ char *undo = damage_undo_file(&healthy, "spoilt");
	_cleanup_free_ char *slot = sw_fmt("%s.slot", undo);
	_cleanup_visit_ struct sw_visit v = {};
	struct world w = damage_break(&healthy, &damages[5]);
	_cleanup_free_ char *image = world_image(&w, 0);
	struct damage_content before, after;
	struct sw_error err = {};

	damage_repair(&healthy, &w, &damages[5], undo);
	damage_look(&w, &v);
	world_sh("cp --sparse=always \"$0\" \"$0.kept\"", slot, NULL);
	before = damage_content(&w);
	spoil(slot);
	assert_int_equal(sw_visit_undo(&v, undo, NULL, &err), -EBADMSG);
	assert_int_equal(err.exit, SW_EXIT_VERIFY);
	after = damage_content(&w);
	damage_assert_same(&before, &after);

	/* The slot has got another image meanwhile. */
	world_sh("mv \"$0.kept\" \"$0\"", slot, NULL);
	damages[9].make(&w);	/* elsewhere on the disk: that is nobody's business */
	{
		_cleanup_facts_ struct sw_facts *f = NULL;
		_cleanup_io_ struct sw_io *io = NULL;

		assert_int_equal(sw_machine_facts(w.m, &f, NULL), 0);
		assert_int_equal(sw_io_open(image, true, false, 512, &io, NULL), 0);
		assert_int_equal(sw_io_write(io, f->disks[0].table.parts[1].start + 4096, "zz", 2),
				 0);
	}
	before = damage_content(&w);
	err = (struct sw_error){};
	assert_int_equal(sw_visit_undo(&v, undo, NULL, &err), -ESTALE);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	after = damage_content(&w);
	damage_assert_same(&before, &after);
	world_free(&w);
}

/* ---- power cuts ---- */

static void test_no_cut_of_a_repair_or_its_undo_leaves_the_node_worse(void **state SW_UNUSED)
{
	unsigned int step = test_at_depth(4, 1, 1);
	uint64_t seed = tape_seed();

	for (size_t i = seed % step; i < n_damages; i += step)
		if (!damages[i].no_repair)
			damage_cut(&healthy, &damages[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_node_has_no_finding),
		cmocka_unit_test(test_each_fault_is_found_repaired_and_taken_back),
		cmocka_unit_test(test_what_cannot_be_repaired_or_saved_changes_nothing),
		cmocka_unit_test(test_a_repair_is_stopped_before_it_writes_or_not_at_all),
		cmocka_unit_test(test_an_undo_of_what_was_changed_since_or_lost_is_refused),
		cmocka_unit_test(test_no_cut_of_a_repair_or_its_undo_leaves_the_node_worse),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
