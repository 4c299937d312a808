/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole installs on stand-in machines: real images, real libfdisk, real mtools
 * and mkfs, stopped after every step and then resumed or undone.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "apply/run.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/proc.h"
#include "tests/lib/depth.h"
#include "tests/lib/digest.h"
#include "tests/lib/tape.h"

#define DISK_SIZE (1536ULL << 20)

struct world {
	const char *layout;	/* NULL: "node", on one disk; else on three */
	char *dir;
	struct sw_machine *m;
	struct sw_plan *plan;
};

/* Asks to stop as soon as this many steps have started; 0: never. */
struct stopper {
	unsigned int after, seen;
};

static void count_starts(const struct sw_event *ev, void *userdata)
{
	struct stopper *s = userdata;

	s->seen += ev->type == SW_EVENT_FINISH;
}

static _Bool stop_now(void *userdata)
{
	const struct stopper *s = userdata;

	return s->after && s->seen >= s->after;
}

static void write_text(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *p = sw_fmt("%s/medium/%s", dir, name);

	assert_int_equal(sw_file_write(p, text, strlen(text), 0644), 0);
}

static void copy_to_medium(const char *dir, const char *from, const char *name)
{
	_cleanup_free_ char *p = sw_fmt("%s/medium/%s", dir, name);
	_cleanup_buf_ struct sw_buf b = {};

	assert_int_equal(sw_file_read(from, &b), 0);
	assert_int_equal(sw_file_write(p, b.data, b.len, 0644), 0);
}

static struct sw_plan *make_plan(struct sw_machine *m, const char *layout)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_layout_ struct sw_layout *l = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_json_ json_object *raw = NULL;
	struct sw_varstore *vars = NULL;
	struct sw_plan *p = NULL;
	struct sw_error err = {};
	bool several = strcmp(layout, "node") != 0;
	_cleanup_free_ char *yaml =
		sw_fmt("slipway: 1\nnode:\n  hostname: node-07\ndisk:\n"
		       "  match: {serial: NODE07SYS}\n  layout: %s\n  wipe: any\n%s%s"
			   "payload:\n  kernel: medium:/vmlinuz\n"
			   "  initrd: medium:/initrd\n  cmdline: \"console=ttyS0 panic=10\"\n"
			   "boot:\n  mode: local\nadmission:\n  kind: attest\n"
			   "  url: https://attest.example/v1\nfinish: stay\n", layout,
		       several ? "  more:\n    - match: {serial: SECOND22}\n      wipe: any\n" : "",
		       strcmp(layout, "two-tier") == 0 ? "    - match: {serial: THIRD333}\n" : "");

	assert_int_equal(sw_answers_parse(yaml, strlen(yaml), "a.yaml", &a, &err), 0);
	assert_int_equal(sw_layout_find(layout, &l, &err), 0);
	assert_int_equal(sw_machine_facts(m, &f, &err), 0);
	assert_int_equal(sw_machine_vars(m, &vars, &err), 0);
	assert_int_equal(sw_entries_snapshot(vars, &raw, &err), 0);
	f->time = 1700000000;
	if (sw_plan_build(f, raw, NULL, a, l, &p, &err) < 0) {
		_cleanup_free_ char *t = sw_error_text(&err);

		fail_msg("%s", t);
	}
	return p;
}

static void make_world(struct world *w)
{
	const struct sw_standin_disk disks[] = {
		{ .serial = "NODE07SYS", .model = "Test", .transport = "nvme", .size = DISK_SIZE,
		  .sector = 512 },
		{ .serial = "SECOND22", .model = "Test", .transport = "sata", .size = 2 * DISK_SIZE,
		  .sector = 512 },
		{ .serial = "THIRD333", .model = "Test", .transport = "sata", .size = DISK_SIZE,
		  .sector = 4096 },
	};
	struct sw_standin_config c = { .disks = disks, .n_disks = w->layout ? 3 : 1,
				       .no_tpm = true };
	_cleanup_free_ char *medium = NULL;
	struct sw_error err = {};
	struct sw_facts *f = NULL;

	assert_int_equal(sw_scratch_new("slipway-test", &w->dir), 0);
	assert_int_equal(sw_standin_create(w->dir, &c, &err), 0);
	assert_int_equal(sw_machine_open_standin(w->dir, &w->m, &err), 0);
	medium = sw_fmt("%s/medium", w->dir);
	assert_int_equal(sw_mkdir_all(medium, 0755), 0);
	/* Any EFI program does for a kernel here: what counts is that it is one; VM tests boot. */
	copy_to_medium(w->dir, "/usr/lib/systemd/boot/efi/systemd-bootx64.efi", "vmlinuz");
	write_text(w->dir, "initrd", "and this for an initrd\n");
	/* Old tables with content, so that undo has something to bring back. */
	assert_int_equal(sw_machine_facts(w->m, &f, &err), 0);
	for (size_t i = 0; i < f->n_disks && i < 2; i++) {
		const char *sfdisk[] = { "sh", "-c",
					 "printf 'label: gpt\\nstart=1MiB,size=64MiB,name=old\\n'"
					 " | sfdisk -q --no-tell-kernel \"$0\"",
					 f->disks[i].node, NULL };

		assert_int_equal(sw_proc_check(sfdisk, NULL, 30, &err), 0);
	}
	sw_facts_free(f);
	w->plan = make_plan(w->m, w->layout ? w->layout : "node");
}

static void free_world(struct world *w)
{
	sw_plan_free(w->plan);
	sw_machine_free(w->m);
	assert_int_equal(sw_remove_tree(w->dir), 0);
	free(w->dir);
}

static int run(struct world *w, unsigned int stop_after, struct sw_error *err)
{
	struct stopper s = { .after = stop_after };
	struct sw_sink sink = { .fn = count_starts, .userdata = &s, .cancelled = stop_now };

	return sw_apply_run(w->m, w->plan, &sink, err);
}

struct digested {
	uint64_t size;
	bool ends_only;
};

static bool does_not_count(uint64_t off, void *userdata)
{
	const struct digested *d = userdata;
	uint64_t zone = sw_plan_journal_offset(d->size);

	return (off >= zone && off < zone + SW_JOURNAL_LEN) ||
	       (d->ends_only && off != 0 && off + DIGEST_PIECE != d->size);
}

/* Everything a reader could see of the disks outside the journal zones, which hold times. */
static void disk_digest(struct world *w, bool ends_only, char hex[static SW_SHA256_TEXT])
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	struct sw_error err = {};

	assert_int_equal(sw_machine_facts(w->m, &f, &err), 0);
	for (size_t i = 0; i < f->n_disks; i++) {
		struct digested d = { .size = f->disks[i].size, .ends_only = ends_only };

		digest_image(f->disks[i].node, does_not_count, &d, h);
	}
	assert_int_equal(sw_hash_final(h, hex), 0);
}

static void vars_digest(struct world *w, char hex[static SW_SHA256_TEXT])
{
	_cleanup_json_ json_object *raw = NULL;
	struct sw_varstore *vars = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_machine_vars(w->m, &vars, &err), 0);
	assert_int_equal(sw_entries_snapshot(vars, &raw, &err), 0);
	assert_int_equal(sw_entries_digest(raw, hex), 0);
}

static struct sw_journal_info *scan(struct world *w, size_t *n)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_journal_info *infos = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_machine_facts(w->m, &f, &err), 0);
	assert_int_equal(sw_journal_scan(w->m, f, &infos, n, &err), 0);
	return infos;
}

static char full_disk[SW_SHA256_TEXT], full_vars[SW_SHA256_TEXT];

static void install_twice(const char *layout)
{
	for (int round = 0; round < 2; round++) {
		char d[SW_SHA256_TEXT], v[SW_SHA256_TEXT];
		struct sw_journal_info *infos;
		struct sw_error err = {};
		struct world w = { .layout = layout };
		size_t n;

		make_world(&w);
		if (run(&w, 0, &err) < 0) {
			_cleanup_free_ char *t = sw_error_text(&err);

			fail_msg("%s", t);
		}
		disk_digest(&w, false, d);
		vars_digest(&w, v);
		infos = scan(&w, &n);
		assert_int_equal(n, 1);
		assert_int_equal(infos[0].state, SW_JOURNAL_DONE);
		sw_journal_infos_free(infos, n);
		if (round == 0) {
			memcpy(full_disk, d, sizeof(d));
			memcpy(full_vars, v, sizeof(v));
		}
		assert_string_equal(d, full_disk);
		assert_string_equal(v, full_vars);
		free_world(&w);
	}
}

static void test_an_install_ends_verified_and_is_the_same_each_time(void **state SW_UNUSED)
{
	install_twice(NULL);
}

/*
 * With several disks each state costs more; what differs is where the tables are written, and the
 * last steps.
 */
static unsigned int next_stop(const char *layout, unsigned int stop, size_t steps, uint64_t *seed)
{
	if (!layout)
		return (unsigned int)test_next(stop, test_at_depth(4, 1, 1), seed);
	if (stop + 6 < steps)
		return (unsigned int)test_next(stop, test_at_depth(9, 4, 4), seed);
	return (unsigned int)test_next(stop, test_at_depth(3, 1, 1), seed);
}

static void stop_and_resume(const char *layout)
{
	uint64_t seed = tape_seed();
	size_t steps = 0;

	for (unsigned int stop = 3; stop == 3 || stop < steps;
	     stop = next_stop(layout, stop, steps, &seed)) {
		char d[SW_SHA256_TEXT], v[SW_SHA256_TEXT];
		struct sw_journal_info *infos;
		struct sw_error err = {};
		struct world w = { .layout = layout };
		size_t n;

		make_world(&w);
		steps = w.plan->n_steps;
		assert_true(run(&w, stop, &err) < 0);
		assert_int_equal(err.exit, SW_EXIT_DIRTY);
		assert_non_null(strstr(err.hint, "resume"));
		infos = scan(&w, &n);
		assert_int_equal(n, 1);
		assert_int_equal(infos[0].state, SW_JOURNAL_RUNNING);
		memset(&err, 0, sizeof(err));
		if (sw_apply_resume(w.m, &infos[0], NULL, &err) < 0) {
			_cleanup_free_ char *t = sw_error_text(&err);

			fail_msg("after step %u: %s", stop, t);
		}
		sw_journal_infos_free(infos, n);
		disk_digest(&w, false, d);
		vars_digest(&w, v);
		assert_string_equal(d, full_disk);
		assert_string_equal(v, full_vars);
		free_world(&w);
	}
}

static void test_stopped_after_any_step_a_resume_gives_the_same_disk(void **state SW_UNUSED)
{
	stop_and_resume(NULL);
}

static void stop_and_undo(const char *layout)
{
	uint64_t seed = tape_seed();
	size_t steps = 0;

	for (unsigned int stop = 3; stop == 3 || stop <= steps;
	     stop = next_stop(layout, stop, steps, &seed)) {
		char d0[SW_SHA256_TEXT], v0[SW_SHA256_TEXT], d1[SW_SHA256_TEXT], v1[SW_SHA256_TEXT];
		struct sw_journal_info *infos;
		struct sw_error err = {};
		struct world w = { .layout = layout };
		size_t n;

		make_world(&w);
		steps = w.plan->n_steps;
		disk_digest(&w, true, d0);
		vars_digest(&w, v0);
		(void)run(&w, stop == steps ? 0 : stop, &err);
		memset(&err, 0, sizeof(err));
		infos = scan(&w, &n);
		assert_int_equal(n, 1);
		assert_int_equal(sw_undo_run(w.m, &infos[0], 0, NULL, &err), 0);
		sw_journal_infos_free(infos, n);
		disk_digest(&w, true, d1);
		vars_digest(&w, v1);
		assert_string_equal(d1, d0);
		assert_string_equal(v1, v0);
		free_world(&w);
	}
}

static void test_stopped_after_any_step_an_undo_brings_all_back(void **state SW_UNUSED)
{
	stop_and_undo(NULL);
}

static void test_several_disks_are_installed_resumed_and_undone_as_one(void **state SW_UNUSED)
{
	install_twice("two-tier");
	stop_and_undo("two-tier");
	install_twice("mirror");
	stop_and_resume("mirror");
}

static void test_stopped_before_the_journal_nothing_is_written(void **state SW_UNUSED)
{
	const char *layout = "two-tier";

	for (unsigned int stop = 1; stop <= 2; stop++) {
		char d0[SW_SHA256_TEXT], d1[SW_SHA256_TEXT];
		struct sw_journal_info *infos;
		struct sw_error err = {};
		struct world w = { .layout = layout };
		size_t n;

		make_world(&w);
		disk_digest(&w, false, d0);
		assert_true(run(&w, stop, &err) < 0);
		assert_int_equal(err.exit, SW_EXIT_CANCELLED);
		disk_digest(&w, false, d1);
		assert_string_equal(d1, d0);
		infos = scan(&w, &n);
		assert_int_equal(n, 0);
		sw_journal_infos_free(infos, n);
		free_world(&w);
	}
}

static void test_a_plan_is_refused_when_the_table_changed_since(void **state SW_UNUSED)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error err = {};
	struct world w = {};

	make_world(&w);
	assert_int_equal(sw_machine_facts(w.m, &f, &err), 0);
	assert_int_equal(sw_io_open(f->disks[0].node, true, false, 512, &io, &err), 0);
	assert_int_equal(sw_io_write(io, 440, "abcd", 4), 0);
	io = sw_io_close(io);
	assert_int_equal(run(&w, 0, &err), -ESTALE);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	free_world(&w);
}

static void test_a_plan_is_refused_while_another_holds_the_disk(void **state SW_UNUSED)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error err = {};
	struct world w = {};

	make_world(&w);
	assert_int_equal(sw_machine_facts(w.m, &f, &err), 0);
	assert_int_equal(sw_io_open(f->disks[0].node, true, true, 512, &io, &err), 0);
	assert_int_equal(run(&w, 0, &err), -EWOULDBLOCK);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	free_world(&w);
}

/* What udev does to a disk that has just come: LOCK_SH, held until it has looked. */
static pid_t looks_at(const char *node, int ms)
{
	struct timespec look = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(node, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || flock(fd, LOCK_SH) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		(void)nanosleep(&look, NULL);
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void test_a_disk_that_is_being_looked_at_is_waited_for(void **state SW_UNUSED)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error err = {};
	struct world w = {};
	int status;
	pid_t pid;

	make_world(&w);
	assert_int_equal(sw_machine_facts(w.m, &f, &err), 0);
	pid = looks_at(f->disks[0].node, 300);
	assert_int_equal(sw_io_open(f->disks[0].node, true, true, 512, &io, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	free_world(&w);
}

static void test_a_plan_survives_json_and_an_edited_one_is_refused(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *a = NULL, *b = NULL;
	_cleanup_plan_ struct sw_plan *back = NULL;
	struct sw_plan *none = NULL;
	struct sw_error err = {};
	char digest[65];
	json_object *parts;
	struct world w = {};

	make_world(&w);
	a = sw_plan_to_json(w.plan);
	assert_int_equal(sw_plan_from_json(a, &back, &err), 0);
	b = sw_plan_to_json(back);
	assert_true(json_object_equal(a, b));
	parts = json_object_array_get_idx(sw_json_array(b, "partitions"), 0);
	sw_json_add_u64(parts, "start", 2ULL << 20);
	assert_int_equal(sw_plan_from_json(b, &none, &err), -EBADMSG);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	/* With a digest that fits, what it says is still judged. */
	assert_int_equal(sw_plan_digest(b, digest), 0);
	sw_json_add_str(b, SW_PLAN_DIGEST, digest);
	memset(&err, 0, sizeof(err));
	assert_true(sw_plan_from_json(b, &none, &err) < 0);
	assert_int_equal(err.exit, SW_EXIT_INVALID);
	free_world(&w);
}

/* Whoever made the digest fit: what is shown of a plan is text. */
static void refuses_words(const struct world *w, const char *list, const char *key,
			  const char *value)
{
	_cleanup_json_ json_object *o = sw_plan_to_json(w->plan);
	json_object *into = json_object_array_get_idx(sw_json_array(o, list), 0);
	struct sw_plan *none = NULL;
	struct sw_error err = {};
	char digest[65];

	if (key)
		sw_json_add_str(into, key, value);
	else
		json_object_array_add(sw_json_array(o, list), json_object_new_string(value));
	assert_int_equal(sw_plan_digest(o, digest), 0);
	sw_json_add_str(o, SW_PLAN_DIGEST, digest);
	assert_int_equal(sw_plan_from_json(o, &none, &err), -EINVAL);
	assert_int_equal(err.exit, SW_EXIT_INVALID);
	assert_non_null(strstr(err.why, "not plain text"));
	assert_true(!key || strstr(err.why, key));
}

/* networkd's files have lines, and no more than text in them. */
static void refuses_in_file(const struct world *w, const char *value, bool refused)
{
	_cleanup_json_ json_object *o = sw_plan_to_json(w->plan);
	json_object *network = json_object_new_object(), *files = json_object_new_object();
	_cleanup_plan_ struct sw_plan *read = NULL;
	struct sw_error err = {};
	char digest[65];

	sw_json_add_str(files, "10-slipway-01.network", value);
	sw_json_add(network, "files", files);
	sw_json_add(o, "network_config", network);
	assert_int_equal(sw_plan_digest(o, digest), 0);
	sw_json_add_str(o, SW_PLAN_DIGEST, digest);
	assert_int_equal(sw_plan_from_json(o, &read, &err), refused ? -EINVAL : 0);
	assert_true(!refused || strstr(err.why, "10-slipway-01.network"));
}

static void test_a_plan_that_says_more_than_text_is_refused(void **state SW_UNUSED)
{
	static const char *const bad[] = { "a\x1b[2Jb", "\xff", "a\nb", "\xe2\x80\xae" };
	struct world w = {};

	make_world(&w);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		refuses_words(&w, "disks", "model", bad[i]);
		refuses_words(&w, "disks", "serial", bad[i]);
		refuses_words(&w, "disks", "confirm", bad[i]);
		refuses_words(&w, "partitions", "label", bad[i]);
		refuses_words(&w, "steps", "title", bad[i]);
		refuses_words(&w, "steps", "destroys", bad[i]);
		refuses_words(&w, "warnings", NULL, bad[i]);
	}
	/* What was on the disk is told in lines. */
	refuses_words(&w, "disks", "before", "one line\nand \x1b[2J");
	refuses_in_file(&w, "[Match]\nName=lan0\n", false);
	refuses_in_file(&w, "[Match]\nName=\x1b[2J\n", true);
	free_world(&w);
}

static void test_a_full_variable_store_degrades_to_the_fallback_path(void **state SW_UNUSED)
{
	struct sw_varstore *vars = NULL;
	struct sw_journal_info *infos;
	struct sw_error err = {};
	struct world w = {};
	size_t n;

	make_world(&w);
	assert_int_equal(sw_machine_vars(w.m, &vars, &err), 0);
	assert_int_equal(sw_varstore_inject(vars, SW_FAULT_ENOSPC, "Boot"), 0);
	assert_int_equal(run(&w, 0, &err), 0);
	infos = scan(&w, &n);
	assert_int_equal(infos[0].state, SW_JOURNAL_DONE);
	sw_journal_infos_free(infos, n);
	free_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_install_ends_verified_and_is_the_same_each_time),
		cmocka_unit_test(test_stopped_after_any_step_a_resume_gives_the_same_disk),
		cmocka_unit_test(test_stopped_after_any_step_an_undo_brings_all_back),
		cmocka_unit_test(test_several_disks_are_installed_resumed_and_undone_as_one),
		cmocka_unit_test(test_stopped_before_the_journal_nothing_is_written),
		cmocka_unit_test(test_a_plan_is_refused_when_the_table_changed_since),
		cmocka_unit_test(test_a_plan_is_refused_while_another_holds_the_disk),
		cmocka_unit_test(test_a_disk_that_is_being_looked_at_is_waited_for),
		cmocka_unit_test(test_a_plan_survives_json_and_an_edited_one_is_refused),
		cmocka_unit_test(test_a_plan_that_says_more_than_text_is_refused),
		cmocka_unit_test(test_a_full_variable_store_degrades_to_the_fallback_path),
	};

	/* Tests run from the top of the tree. */
	setenv("SLIPWAY_LAYOUTS", "layouts", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
