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

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "rescue/report.h"
#include "tests/lib/damage.h"
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

/* Disk and boot variables together; our own record of the mode is no part of it. */
struct content {
	char disk[SW_SHA256_TEXT], vars[SW_SHA256_TEXT];
};

static struct content content_of(const struct world *w)
{
	struct content c;

	world_digest(w, false, c.disk);
	world_vars(w, c.vars);
	return c;
}

static void assert_same(const struct content *a, const struct content *b)
{
	assert_string_equal(a->disk, b->disk);
	assert_string_equal(a->vars, b->vars);
}

static struct world broken(const struct damage *d)
{
	_cleanup_free_ char *dir = sw_fmt("%s.broken", healthy.dir);
	struct world w;

	world_copy(&healthy, dir, &w);
	d->make(&w);
	world_reopen(&w);
	return w;
}

static char *undo_file(const char *name)
{
	char *path = sw_fmt("%s.%s.json", healthy.dir, name);
	_cleanup_free_ char *slot = sw_fmt("%s.slot", path), *image = sw_fmt("%s.image", path);

	(void)unlink(path);
	(void)unlink(slot);
	(void)unlink(image);
	return path;
}

static void repair(struct world *w, const struct damage *d, const char *undo)
{
	_cleanup_free_ char *uki = damage_image(&healthy);
	const struct sw_rescue_image image = { .source = uki, .trust_none = true };
	_cleanup_visit_ struct sw_visit v = { .image = d->image ? &image : NULL };
	struct sw_error err = {};
	const struct sw_finding *fi;

	damage_look(w, &v);
	fi = damage_found(&v, d);
	assert_non_null(fi);
	if (d->image && sw_visit_offer_image(&v, fi->id, &err) < 0)
		fail_msg("%s: %s: %s", d->id, err.what, err.why);
	if (sw_visit_repair(&v, fi->id, undo, NULL, NULL, &err) < 0)
		fail_msg("%s: %s: %s", d->id, err.what, err.why);
}

/* What a cut leaves may go by another name: an entry is there, its place in the order not. */
static unsigned int repair_rest(struct world *w)
{
	_cleanup_visit_ struct sw_visit v = {};
	struct sw_error err = {};
	unsigned int repairs = 0;

	damage_look(w, &v);
	for (; v.found.n && v.found.v[0].repair; repairs++)
		if (sw_visit_repair(&v, v.found.v[0].id, "", NULL, NULL, &err) < 0)
			fail_msg("after a cut: %s: %s", err.what, err.why);
	assert_int_equal(v.found.n, 0);
	return repairs;
}

static void take_back(struct world *w, const struct damage *d, const char *undo)
{
	_cleanup_visit_ struct sw_visit v = {};
	struct sw_error err = {};

	damage_look(w, &v);
	if (sw_visit_undo(&v, undo, NULL, &err) < 0)
		fail_msg("undo of %s: %s: %s", d->id, err.what, err.why);
}

/* ---- present and absent ---- */

static void test_a_healthy_node_has_no_finding(void **state SW_UNUSED)
{
	struct content before = content_of(&healthy), after;
	_cleanup_visit_ struct sw_visit v = {};

	damage_look(&healthy, &v);
	assert_int_equal(v.found.n, 0);
	assert_string_equal(sw_json_str(v.found.node, "hostname", ""), "node-07");
	after = content_of(&healthy);
	assert_same(&before, &after);
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
	_cleanup_free_ char *undo = undo_file("undo");
	_cleanup_visit_ struct sw_visit v = {};
	struct content before, seen, after;
	struct world w = broken(d);
	const struct sw_finding *fi;

	before = content_of(&w);
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
	seen = content_of(&w);
	assert_same(&before, &seen);
	if (!d->no_repair) {
		repair(&w, d, undo);
		damage_look(&w, &v);
		assert_null(damage_found(&v, d));
		assert_int_equal(v.found.n, 0);
		sw_visit_clear(&v);
		take_back(&w, d, undo);
		after = content_of(&w);
		assert_same(&before, &after);
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
	struct world w = broken(&damages[5]);
	struct content before = content_of(&w), after;
	struct sw_error err = {};

	assert_string_equal(damages[5].id, "slot-b");
	assert_int_equal(visit(&w, "nothing", NULL, &err), -ENOENT);
	assert_int_equal(err.exit, SW_EXIT_USAGE);
	err = (struct sw_error){};
	assert_int_equal(visit(&w, "slot-b", "/nonexistent/undo", &err), -ENOENT);
	assert_int_equal(err.exit, SW_EXIT_FAILED);
	assert_non_null(strstr(err.hint, "--no-undo"));
	after = content_of(&w);
	assert_same(&before, &after);
	world_free(&w);
}

static void spoil(const char *path)
{
	world_sh("printf x | dd of=\"$0\" bs=1 seek=65536 conv=notrunc status=none", path, NULL);
}

static void test_an_undo_of_what_was_changed_since_or_lost_is_refused(void **state SW_UNUSED)
{
	_cleanup_free_ char *undo = undo_file("spoilt"), *slot = sw_fmt("%s.slot", undo);
	_cleanup_visit_ struct sw_visit v = {};
	struct world w = broken(&damages[5]);
	_cleanup_free_ char *image = world_image(&w, 0);
	struct content before, after;
	struct sw_error err = {};

	repair(&w, &damages[5], undo);
	damage_look(&w, &v);
	world_sh("cp --sparse=always \"$0\" \"$0.kept\"", slot, NULL);
	before = content_of(&w);
	spoil(slot);
	assert_int_equal(sw_visit_undo(&v, undo, NULL, &err), -EBADMSG);
	assert_int_equal(err.exit, SW_EXIT_VERIFY);
	after = content_of(&w);
	assert_same(&before, &after);

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
	before = content_of(&w);
	err = (struct sw_error){};
	assert_int_equal(sw_visit_undo(&v, undo, NULL, &err), -ESTALE);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	after = content_of(&w);
	assert_same(&before, &after);
	world_free(&w);
}

/* ---- power cuts ---- */

struct judged {
	const struct damage *d;
	const char *undo;
	struct world *w;
	struct content broken, whole;
	bool undoing;
	unsigned int states, repaired, undone, every;
};

/* Some table leads to a good slot. */
static void assert_starts(const struct world *w)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_node_ struct sw_node n = {};
	struct sw_error err = {};

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	if (sw_node_find(w->m, f, NULL, &n, &err) < 0)
		fail_msg("no node: %s %s", err.what, err.why);
	assert_true(n.n_slots == 2 && (n.slots[0].good || n.slots[1].good));
	assert_non_null(n.data);
}

static void carry_on(struct judged *j, bool undo)
{
	_cleanup_free_ char *dir = sw_fmt("%s.try", j->w->dir);
	unsigned int repairs = 0;
	struct content now;
	struct world t;

	world_copy(j->w, dir, &t);
	if (undo)
		take_back(&t, j->d, j->undo);
	else
		repairs = repair_rest(&t);
	now = content_of(&t);
	/*
	 * A slot that lacks only the backup boot sector or FSInfo starts: nothing to repair. One
	 * that was to be filled from a file is filled from the other slot then: other bytes.
	 */
	if (undo || (repairs > 0 && !j->d->image))
		assert_same(&now, undo ? &j->broken : &j->whole);
	else
		assert_starts(&t);
	world_free(&t);
	j->repaired += !undo;
	j->undone += undo;
}

static void judge(struct tape_play *p SW_UNUSED, void *userdata)
{
	struct judged *j = userdata;

	if (j->states++ % (p->ordered ? 1 : 5) == 0 && !j->d->dead)
		assert_starts(j->w);
	if (j->states % j->every == 0) {
		carry_on(j, false);
		carry_on(j, true);
	}
}

static void play(struct judged *j, struct world *from, struct tape *t, unsigned int every)
{
	struct tape_play p = { .tape = t, .m = from->m, .judge = judge, .userdata = j,
			       .every = every, .random = 20, .seed = tape_seed() };
	unsigned int before = j->states;

	if (getenv("SLIPWAY_TEST_LONG")) {
		p.every = 1;
		p.random = 1000;
	}
	j->w = from;
	tape_play(&p);
	print_message("# %s%s: %zu operations, %u states, %u repaired and %u undone from there; 0 "
		      "failures\n", j->undoing ? "undo of " : "", j->d->id, t->n,
		      j->states - before, j->repaired, j->undone);
	assert_true(j->repaired > 0 && j->undone > 0);
}

static void record(struct world *w, const struct damage *d, const char *undo, bool back,
		   struct tape *t)
{
	tape_attach(t, w->m);
	if (back)
		take_back(w, d, undo);
	else
		repair(w, d, undo);
}

static void cut(const struct damage *d)
{
	_cleanup_free_ char *undo = undo_file("cut"), *dir = sw_fmt("%s.taped", healthy.dir);
	struct judged j = { .d = d, .undo = undo, .every = 12 };
	struct tape t = { .fail_at = SIZE_MAX }, back = t;
	struct world start = broken(d), w;

	j.broken = content_of(&start);
	world_copy(&start, dir, &w);
	record(&w, d, undo, false, &t);
	j.whole = content_of(&w);
	world_free(&w);
	if (t.n_disks == 0)	/* few writes, none of them torn: each is carried on from */
		j.every = 1;
	play(&j, &start, &t, d->every ? d->every : 1);
	tape_clear(&t);

	/* Played to its end the broken node is whole: the undo is cut from there. */
	world_reopen(&start);
	world_copy(&start, dir, &w);
	j.undoing = true;
	record(&w, d, undo, true, &back);
	world_free(&w);
	play(&j, &start, &back, d->every ? d->every : 1);
	tape_clear(&back);
	world_free(&start);
}

static void test_no_cut_of_a_repair_or_its_undo_leaves_the_node_worse(void **state SW_UNUSED)
{
	unsigned int step = test_at_depth(4, 1, 1);
	uint64_t seed = tape_seed();

	for (size_t i = seed % step; i < n_damages; i += step)
		if (!damages[i].no_repair)
			cut(&damages[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_node_has_no_finding),
		cmocka_unit_test(test_each_fault_is_found_repaired_and_taken_back),
		cmocka_unit_test(test_what_cannot_be_repaired_or_saved_changes_nothing),
		cmocka_unit_test(test_an_undo_of_what_was_changed_since_or_lost_is_refused),
		cmocka_unit_test(test_no_cut_of_a_repair_or_its_undo_leaves_the_node_worse),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
