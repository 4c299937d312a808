/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole operations cut off at any moment: installs on one disk and on two,
 * resumes and undos, with all block and variable writes on one tape. In each
 * state either the old table is whole, or the new one is, or the journal names
 * what was going on; and samples of those are resumed to the very disk that an
 * undisturbed install gives, or undone to the very table that was there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply/run.h"
#include "base/file.h"
#include "boot/ipxe.h"
#include "boot/nodedata.h"
#include "disk/disk.h"
#include "disk/gpt.h"
#include "tests/lib/depth.h"
#include "tests/lib/node-judge.h"
#include "tests/lib/sealed-world.h"

enum operation { INSTALL, RESUME, UNDO };

struct judged {
	struct world *w;		/* the machine that the tape is played on */
	enum operation op;
	unsigned int n_disks;
	struct node_judge node;
	unsigned int starts, looked;	/* states that must start and do; shown to others */
	unsigned int beside;		/* rescue images and iPXEs that were seen whole */
	char new_disks[SW_SHA256_TEXT], new_vars[SW_SHA256_TEXT], old_ends[SW_SHA256_TEXT];
	unsigned int old, named, new_, undone;
	unsigned int resumed, taken_back, outside;
	unsigned int sample;		/* each nth named state is carried on with */
};

static void outside_opinion(struct judged *j)
{
	for (unsigned int k = 0; k < j->n_disks; k++) {
		_cleanup_free_ char *image = world_image(j->w, k);

		world_sh("sgdisk -v \"$0\" | grep -q 'No problems found'", image, NULL);
	}
	j->outside++;
}

/* From the step behind the boot entries on, both roads lead to the new node. */
static void judge_start(struct tape_play *p, struct judged *j)
{
	struct node_starts st;

	if (!node_starts(&j->node, p, &st))
		fail_msg("the new node does not start: slots %d %d, order %d, fallback %d",
			 st.slot[0], st.slot[1], st.order, st.fallback);
	if (j->starts++ % 100 == 0) {
		node_outside(&j->node, &st);
		j->looked++;
	}
}

/* The table comes last: where it is the new one, what stands beside the slots is whole. */
static void judge_extras(struct tape_play *p, struct judged *j, unsigned int k)
{
	const struct sw_placed *data = sw_plan_find(j->w->plan, k, SW_ROLE_NODE_DATA);
	_cleanup_json_ json_object *o = NULL;
	uint64_t sequence;
	char why[200];

	for (size_t i = 0; i < j->w->plan->n_parts; i++) {
		const struct sw_placed *part = &j->w->plan->parts[i];
		_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
		bool ok = false;

		if (part->disk != k || (part->role != SW_ROLE_RESCUE && part->role != SW_ROLE_IPXE))
			continue;
		if (part->role == SW_ROLE_RESCUE)
			assert_int_equal(sw_slot_read(p->disk[k], part->start, part->size, &m, &ok,
						      NULL), 0);
		if (!o)
			assert_int_equal(sw_nodedata_read(p->disk[k], data->start, data->size, &o,
							  &sequence, NULL), 0);
		if (part->role == SW_ROLE_IPXE)
			ok = sw_ipxe_verify(p->disk[k], part->start, part->size, o, why) == 0;
		assert_true(ok);
		j->beside++;
	}
}

static void carry_on(struct judged *j, bool undo)
{
	_cleanup_free_ char *dir = sw_fmt("%s.try", j->w->dir);
	char disks[SW_SHA256_TEXT], vars[SW_SHA256_TEXT];
	struct sealed_secret secrets[SEALED_SECRETS];
	struct sw_journal_info *info;
	struct sw_error err = {};
	struct world t;
	int r;

	world_copy(j->w, dir, &t);
	info = world_journal(&t);
	assert_int_equal(info->state, SW_JOURNAL_RUNNING);
	sw_journal_infos_free(info, 1);
	r = undo ? world_undo(&t, &err) : world_resume(&t, &err);
	if (r < 0)
		fail_msg("%s of a named state: %s: %s", undo ? "undo" : "resume", err.what,
			 err.why);
	world_digest(&t, undo, disks);
	world_vars(&t, vars);
	if (t.sealed && !undo)
		sealed_open(&t, secrets);
	assert_string_equal(disks, undo ? j->old_ends : j->new_disks);
	assert_string_equal(vars, undo ? t.old_vars : j->new_vars);
	info = world_journal(&t);
	assert_int_equal(info->state, undo ? SW_JOURNAL_UNDONE : SW_JOURNAL_DONE);
	sw_journal_infos_free(info, 1);
	world_free(&t);
	j->taken_back += undo;
	j->resumed += !undo;
}

static bool vars_are(struct judged *j, const char *wanted)
{
	char now[SW_SHA256_TEXT];

	world_vars(j->w, now);
	return strcmp(now, wanted) == 0;
}

/* -1: neither, 0: as before the install, 1: as after it. */
static int table_of(struct tape_play *p, struct judged *j, unsigned int k)
{
	char digest[65];

	assert_int_equal(sw_gpt_digest(p->disk[k], digest), 0);
	if (strcmp(digest, j->w->old_table[k]) == 0)
		return 0;
	return strcmp(digest, j->w->plan->disks[k].new_table_digest) == 0 ? 1 : -1;
}

/* What the journal says bounds what can have happened to each table and to the variables. */
static void judge_running(struct tape_play *p, struct judged *j, const struct sw_journal_head *h)
{
	const struct sw_plan *plan = j->w->plan;

	for (unsigned int k = 0; k < j->n_disks && !h->undoing; k++) {
		int table = table_of(p, j, k);

		if (h->step < sw_plan_table_step(plan, k))
			assert_int_equal(table, 0);
		else if (h->step > sw_plan_table_step(plan, k))
			assert_int_equal(table, 1);
		if (table == 1)
			judge_extras(p, j, k);
	}
	if (!h->undoing && h->step < sw_plan_step_number(plan, SW_STEP_ENTRIES))
		assert_true(vars_are(j, j->w->old_vars));
	if (!h->undoing && h->step > sw_plan_step_number(plan, SW_STEP_ENTRIES))
		judge_start(p, j);
	if (j->named++ % j->sample == 0)
		carry_on(j, j->op == UNDO || j->named / j->sample % 2);
}

static void judge_still(struct tape_play *p, struct judged *j, int table, const char *vars)
{
	unsigned int *n = table ? &j->new_ : j->op == INSTALL ? &j->old : &j->undone;

	for (unsigned int k = 0; k < j->n_disks; k++)
		assert_int_equal(table_of(p, j, k), table);
	assert_true(vars_are(j, vars));
	for (unsigned int k = 0; k < j->n_disks && table; k++)
		judge_extras(p, j, k);
	if (table)
		judge_start(p, j);
	if ((*n)++ % 40 == 0)
		outside_opinion(j);
}

static void judge(struct tape_play *p, void *userdata)
{
	struct judged *j = userdata;
	struct sw_journal_head h = {};
	struct sw_journal journal;
	int r = sw_journal_open(p->disk[0], &journal, &h);

	if (r < 0) {
		/* Nothing but journals was written. */
		assert_int_equal(j->op, INSTALL);
		judge_still(p, j, 0, j->w->old_vars);
	} else if (h.state == SW_JOURNAL_RUNNING) {
		judge_running(p, j, &h);
	} else if (h.state == SW_JOURNAL_DONE) {
		judge_still(p, j, 1, j->new_vars);
	} else {
		judge_still(p, j, 0, j->w->old_vars);
	}
	sw_journal_head_clear(&h);
}

/* What an undisturbed install of this world gives. */
static void learn(struct judged *j)
{
	_cleanup_free_ char *dir = sw_fmt("%s.whole", j->w->dir);
	struct sw_error err = {};
	struct world t;

	world_digest(j->w, true, j->old_ends);
	world_copy(j->w, dir, &t);
	if (world_install(&t, 0, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	world_digest(&t, false, j->new_disks);
	world_vars(&t, j->new_vars);
	world_reopen(&t);
	node_judge_learn(&j->node, &t);
	world_free(&t);
}

static int operate(struct world *w, enum operation op, struct sw_error *err)
{
	if (op == INSTALL)
		return world_install(w, 0, err);
	return op == RESUME ? world_resume(w, err) : world_undo(w, err);
}

/* Nothing that was written anywhere holds a key, or what it protects, in clear. */
static void look_for_secrets(const struct tape *t, const struct world *w)
{
	struct sealed_secret s[SEALED_SECRETS];
	size_t bytes = 0;

	sealed_open(w, s);
	for (size_t i = 0; i < t->n; i++) {
		const struct tape_op *op = &t->ops[i];

		for (size_t k = 0; k < SEALED_SECRETS && op->data; k++)
			if (memmem(op->data, op->len, s[k].data, s[k].len))
				fail_msg("%s is in clear in operation %zu, at %llu", s[k].what, i,
					 (unsigned long long)op->off);
		bytes += op->data ? op->len : 0;
	}
	print_message("# no key and no plain text in %zu written bytes\n", bytes);
}

/*
 * stop: after how many finished steps the install ended that is resumed or undone. start is
 * freed.
 */
static void enumerate_in(struct world *start, enum operation op, unsigned int stop)
{
	static const char *const names[] = { "install", "resume", "undo" };
	bool full = getenv("SLIPWAY_TEST_LONG") != NULL;
	unsigned int n_disks = start->n_disks;
	struct judged j = { .op = op, .n_disks = n_disks, .w = start,
			    .sample = test_at_depth(70, 100, 600) };
	struct tape t = { .fail_at = SIZE_MAX };
	struct tape_play play = { .tape = &t, .judge = judge, .userdata = &j,
				  .every = test_at_depth(400, 200, 200),
				  .random = test_at_depth(30, 100, 100) };
	_cleanup_free_ char *dir = NULL;
	struct world w;
	struct sw_error err = {};

	if (full) {
		bool whole = n_disks == 1 && op != RESUME && !start->sealed;

		play.every = whole ? 1 : 2;
		play.random = 0;
		play.per_epoch = whole ? 2000 : 200;
	}
	learn(&j);
	free(j.node.disk);
	j.node.disk = world_image(start, 0);
	if (op != INSTALL && world_install(start, stop, &err) < 0)
		assert_int_equal(err.exit, SW_EXIT_DIRTY);
	dir = sw_fmt("%s.taped", start->dir);
	world_copy(start, dir, &w);
	tape_attach(&t, w.m);
	memset(&err, 0, sizeof(err));
	if (operate(&w, op, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	if (w.sealed)
		look_for_secrets(&t, &w);
	world_free(&w);
	assert_int_equal(t.n_disks, n_disks);
	play.m = start->m;
	play.seed = tape_seed();
	tape_play(&play);
	print_message("# %s%s%s, %u disk(s), %zu operations, %u epochs: %u states (%u prefixes, "
		      "%u subsets): %u before, %u named, %u new, %u undone; %u resumed, %u undone "
		      "from there, %u seen by sgdisk; %u start the new node, %u of these seen by "
		      "fsck.vfat and mtools; %u rescue images and iPXEs whole; 0 failures\n",
		      names[op],
		      start->sealed ? " with encryption" : "",
		      start->extras ? " with a rescue image and iPXE" : "", n_disks, t.n,
		      play.epochs, play.prefixes + play.subsets, play.prefixes, play.subsets,
		      j.old, j.named, j.new_, j.undone, j.resumed, j.taken_back, j.outside,
		      j.starts, j.looked, j.beside);
	assert_true(j.named > 20 && j.resumed + j.taken_back > 0);
	assert_true(op == UNDO ? j.undone > 0 : j.new_ > 0);
	assert_true(op != INSTALL || j.old > 0);
	assert_true(op == UNDO || (j.starts > 0 && j.looked > 0));
	assert_true(!start->extras || j.beside > 0);
	node_judge_clear(&j.node);
	tape_clear(&t);
	world_free(start);
}

static void enumerate(enum operation op, unsigned int n_disks, unsigned int stop)
{
	struct world start;

	world_make(&start, n_disks);
	enumerate_in(&start, op, stop);
}

static void test_every_cut_of_an_install_on_one_disk(void **state SW_UNUSED)
{
	enumerate(INSTALL, 1, 0);
}

/* Slots and node data on each, state on RAID1, the entries of both. */
static void test_every_cut_of_an_install_on_two_disks(void **state SW_UNUSED)
{
	enumerate(INSTALL, 2, 0);
}

/* Mode network by iPXE: the order must start a slot, whatever BootNext names. */
static void test_every_cut_of_an_install_with_rescue_and_ipxe(void **state SW_UNUSED)
{
	bool full = getenv("SLIPWAY_TEST_LONG") != NULL;

	for (unsigned int n_disks = 1; n_disks <= (full ? 2U : 1U); n_disks++) {
		struct world start;

		world_make_extras(&start, n_disks);
		enumerate_in(&start, INSTALL, 0);
	}
}

/* Each resume makes new keys: what counts is that the escrow of the last ones opens state. */
static void test_every_cut_of_an_encrypted_install(void **state SW_UNUSED)
{
	struct world start;

	world_make_sealed(&start);
	enumerate_in(&start, INSTALL, 0);
}

static void test_every_cut_of_a_resume(void **state SW_UNUSED)
{
	enumerate(RESUME, 1, 4);
	if (getenv("SLIPWAY_TEST_LONG"))
		enumerate(RESUME, 2, 7);
}

static void test_every_cut_of_an_undo(void **state SW_UNUSED)
{
	/* Of a finished install: tables and variables are all new. */
	enumerate(UNDO, 1, 0);
	if (getenv("SLIPWAY_TEST_LONG"))
		enumerate(UNDO, 2, 0);
}

/* ---- what an undo promises ---- */

#define OLD_PARTS 2

static void hash_part(const struct world *w, unsigned int disk, const struct sw_part *p,
		      char ret[static SW_SHA256_TEXT])
{
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	_cleanup_free_ char *image = world_image(w, disk);
	_cleanup_free_ uint8_t *buf = malloc(1 << 20);
	_cleanup_io_ struct sw_io *io = NULL;

	assert_int_equal(sw_io_open(image, false, false, 512, &io, NULL), 0);
	for (uint64_t at = 0; at < p->size; at += 1 << 20) {
		size_t n = p->size - at < 1 << 20 ? (size_t)(p->size - at) : 1 << 20;

		assert_int_equal(sw_io_read(io, p->start + at, buf, n), 0);
		sw_hash_update(h, buf, n);
	}
	assert_int_equal(sw_hash_final(h, ret), 0);
}

static void hash_parts(const struct world *w, char hash[2][OLD_PARTS][SW_SHA256_TEXT])
{
	for (unsigned int k = 0; k < w->n_disks; k++) {
		assert_int_equal(w->plan->disks[k].n_old_parts, OLD_PARTS);
		for (size_t i = 0; i < OLD_PARTS; i++)
			hash_part(w, k, &w->plan->disks[k].old_parts[i], hash[k][i]);
	}
}

/* Whether the nth old partition of all disks is said to come back whole. */
static bool said_whole(const char *text, size_t n)
{
	const char *p = strstr(text, "  partition ");

	while (p && n-- > 0)
		p = strstr(p + 1, "  partition ");
	assert_non_null(p);
	return memmem(p, strcspn(p, "\n"), "comes back whole", 16) != NULL;
}

/* The first and the last are always among them. */
static unsigned int next_stop(const struct world *w, unsigned int stop, uint64_t *seed)
{
	size_t next = test_next(stop, test_at_depth(6, 1, 1), seed), last = w->plan->n_steps;

	return stop < last && next > last ? (unsigned int)last : (unsigned int)next;
}

/* Undone after each step in turn: what is called whole is, to the byte, on each disk. */
static void keep_promises(unsigned int n_disks)
{
	char before[2][OLD_PARTS][SW_SHA256_TEXT], after[2][OLD_PARTS][SW_SHA256_TEXT];
	unsigned int whole = 0, lost = 0;
	uint64_t seed = tape_seed();
	struct world start;

	world_make(&start, n_disks);
	hash_parts(&start, before);
	for (unsigned int stop = 3; stop <= start.plan->n_steps;
	     stop = next_stop(&start, stop, &seed)) {
		_cleanup_free_ char *dir = sw_fmt("%s.try", start.dir), *text = NULL;
		struct sw_journal_info *info;
		struct sw_error err = {};
		struct world w;

		world_copy(&start, dir, &w);
		(void)world_install(&w, stop < start.plan->n_steps ? stop : 0, &err);
		info = world_journal(&w);
		text = sw_undo_text(info, 0);
		sw_journal_infos_free(info, 1);
		assert_int_equal(world_undo(&w, &err), 0);
		hash_parts(&w, after);
		for (size_t n = 0; n < n_disks * OLD_PARTS; n++) {
			bool same = !strcmp(before[n / OLD_PARTS][n % OLD_PARTS],
					    after[n / OLD_PARTS][n % OLD_PARTS]);

			if (said_whole(text, n) && !same)
				fail_msg("after step %u: partition %zu is not whole:\n%s", stop, n,
					 text);
			whole += said_whole(text, n);
			lost += !same;
		}
		world_free(&w);
	}
	print_message("# undo on %u disk(s): %u partitions promised and whole, %u not whole and "
		      "not promised\n", n_disks, whole, lost);
	assert_true(whole > 0 && lost > 0);
	world_free(&start);
}

static void test_an_undo_brings_back_whole_what_it_says(void **state SW_UNUSED)
{
	keep_promises(1);
	keep_promises(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut_of_an_install_on_one_disk),
		cmocka_unit_test(test_every_cut_of_an_install_on_two_disks),
		cmocka_unit_test(test_every_cut_of_an_install_with_rescue_and_ipxe),
		cmocka_unit_test(test_every_cut_of_an_encrypted_install),
		cmocka_unit_test(test_every_cut_of_a_resume),
		cmocka_unit_test(test_every_cut_of_an_undo),
		cmocka_unit_test(test_an_undo_brings_back_whole_what_it_says),
	};

	/* The whole of all takes hours. */
	cmocka_set_test_filter(getenv("SLIPWAY_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
