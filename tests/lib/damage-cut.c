/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/damage-cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/lib/tape.h"

#define GIVEN_MAX 4096u

struct damage_content damage_content(const struct world *w)
{
	/* Of two installs the keys differ; of one disk before and after its undo no byte may. */
	struct world every_byte = *w;
	struct damage_content c;

	every_byte.sealed = false;
	world_digest(&every_byte, false, c.disk);
	world_vars(w, c.vars);
	return c;
}

void damage_assert_same(const struct damage_content *a, const struct damage_content *b)
{
	assert_string_equal(a->disk, b->disk);
	assert_string_equal(a->vars, b->vars);
}

struct world damage_break(const struct world *healthy, const struct damage *d)
{
	_cleanup_free_ char *dir = sw_fmt("%s.broken", healthy->dir);
	struct world w;

	world_copy(healthy, dir, &w);
	d->make(&w);
	world_reopen(&w);
	return w;
}

char *damage_undo_file(const struct world *healthy, const char *name)
{
	char *path = sw_fmt("%s.%s.json", healthy->dir, name);
	_cleanup_free_ char *slot = sw_fmt("%s.slot", path), *image = sw_fmt("%s.image", path);

	(void)unlink(path);
	(void)unlink(slot);
	(void)unlink(image);
	return path;
}

/* ---- a repair and its undo ---- */

static struct sw_secret *given_of(const struct world *healthy, const struct damage *d)
{
	_cleanup_free_ char *path = d->given ? sw_fmt("%s/%s", healthy->dir, d->given) : NULL;
	struct sw_secret *given = NULL;

	if (path)
		assert_int_equal(sw_secret_read(path, GIVEN_MAX, &given, NULL), 0);
	return given;
}

void damage_repair(const struct world *healthy, struct world *w, const struct damage *d,
		   const char *undo)
{
	_cleanup_free_ char *uki = damage_image(healthy);
	const struct sw_rescue_image image = { .source = uki, .trust_none = true };
	_cleanup_visit_ struct sw_visit v = { .image = d->image ? &image : NULL };
	_cleanup_secret_ struct sw_secret *given = given_of(healthy, d);
	struct sw_error err = {};
	const struct sw_finding *fi;

	damage_look(w, &v);
	fi = damage_found(&v, d);
	assert_non_null(fi);
	if (d->image && sw_visit_offer_image(&v, fi->id, &err) < 0)
		fail_msg("%s: %s: %s", d->id, err.what, err.why);
	if (sw_visit_repair(&v, fi->id, undo, given, NULL, &err) < 0)
		fail_msg("%s: %s: %s", d->id, err.what, err.why);
}

void damage_take_back(struct world *w, const struct damage *d, const char *undo)
{
	_cleanup_visit_ struct sw_visit v = {};
	struct sw_error err = {};

	damage_look(w, &v);
	if (sw_visit_undo(&v, undo, NULL, &err) < 0)
		fail_msg("undo of %s: %s: %s", d->id, err.what, err.why);
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

/* ---- power cuts ---- */

struct judged {
	const struct world *healthy;
	const struct damage *d;
	const char *undo;
	struct world *w;
	struct damage_content broken, whole;
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

/* One that asks for something: by that alone, and it need not be the only one there. */
static unsigned int repair_asked(struct judged *j, struct world *t)
{
	_cleanup_visit_ struct sw_visit v = {};

	damage_look(t, &v);
	if (!damage_found(&v, j->d))
		return 0;
	damage_repair(j->healthy, t, j->d, "");
	return 1;
}

static void carry_on(struct judged *j, bool undo)
{
	_cleanup_free_ char *dir = sw_fmt("%s.try", j->w->dir);
	unsigned int repairs = 0;
	struct damage_content now;
	struct world t;

	world_copy(j->w, dir, &t);
	if (undo)
		damage_take_back(&t, j->d, j->undo);
	else
		repairs = j->d->given ? repair_asked(j, &t) : repair_rest(&t);
	now = damage_content(&t);
	/*
	 * A slot that lacks only the backup boot sector or FSInfo starts: nothing to repair. One
	 * that was to be filled from a file is filled from the other slot then: other bytes.
	 */
	if (undo || (repairs > 0 && !j->d->image && !j->d->anew))
		damage_assert_same(&now, undo ? &j->broken : &j->whole);
	else
		assert_starts(&t);
	if (j->d->holds)
		j->d->holds(j->healthy, &t);
	world_free(&t);
	j->repaired += !undo;
	j->undone += undo;
}

static void judge(struct tape_play *p, void *userdata)
{
	struct judged *j = userdata;
	unsigned int step = p->every == 1 || !j->d->holds_every ? 1 : j->d->holds_every;

	if (j->states++ % (p->ordered ? 1 : 5) == 0 && !j->d->dead)
		assert_starts(j->w);
	if (j->d->holds && j->states % step == 0)
		j->d->holds(j->healthy, j->w);
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

static void record(struct judged *j, struct world *w, bool back, struct tape *t)
{
	tape_attach(t, w->m);
	if (back)
		damage_take_back(w, j->d, j->undo);
	else
		damage_repair(j->healthy, w, j->d, j->undo);
}

void damage_cut(const struct world *healthy, const struct damage *d)
{
	_cleanup_free_ char *undo = damage_undo_file(healthy, "cut");
	_cleanup_free_ char *dir = sw_fmt("%s.taped", healthy->dir);
	struct judged j = { .healthy = healthy, .d = d, .undo = undo, .every = 12 };
	struct tape t = { .fail_at = SIZE_MAX }, back = t;
	struct world start = damage_break(healthy, d), w;

	j.broken = damage_content(&start);
	world_copy(&start, dir, &w);
	record(&j, &w, false, &t);
	j.whole = damage_content(&w);
	world_free(&w);
	if (t.n_disks == 0)	/* few writes, none of them torn: each is carried on from */
		j.every = 1;
	play(&j, &start, &t, d->every ? d->every : 1);
	tape_clear(&t);

	/* Played to its end the broken node is whole: the undo is cut from there. */
	world_reopen(&start);
	world_copy(&start, dir, &w);
	j.undoing = true;
	record(&j, &w, true, &back);
	world_free(&w);
	play(&j, &start, &back, d->every ? d->every : 1);
	tape_clear(&back);
	world_free(&start);
}
