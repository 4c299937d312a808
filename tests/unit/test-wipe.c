/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wipes of a small stand-in disk with a table and a file system: what is gone
 * afterwards, what the report claims, and what every power cut and every failing
 * write leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply/wipe.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/proc.h"
#include "disk/disk.h"
#include "plan/plan.h"
#include "tests/lib/depth.h"
#include "tests/lib/tape.h"

#define SIZE (16ULL << 20)

struct world {
	char *dir;
	struct sw_machine *m;
	char *image;
};

static void sh(const char *script, const char *a, const char *b)
{
	const char *argv[] = { "sh", "-c", script, a, b, NULL };
	struct sw_error err = {};

	if (sw_proc_check(argv, NULL, 60, &err) < 0)
		fail_msg("%s: %s %s", script, err.what, err.why);
}

static void open_world(struct world *w)
{
	struct sw_error err = {};

	assert_int_equal(sw_machine_open_standin(w->dir, &w->m, &err), 0);
}

/* A GPT with an ext4 and a vfat-less partition, and bytes that are not zero everywhere else. */
static void make_world(struct world *w)
{
	const struct sw_standin_disk disk = { .serial = "WIPEME01", .model = "Test",
					      .transport = "sata", .size = SIZE, .sector = 512 };
	struct sw_standin_config c = { .disks = &disk, .n_disks = 1, .no_tpm = true };
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_error err = {};

	*w = (struct world){};
	assert_int_equal(sw_scratch_new("slipway-wipe", &w->dir), 0);
	assert_int_equal(sw_standin_create(w->dir, &c, &err), 0);
	open_world(w);
	assert_int_equal(sw_machine_facts(w->m, &f, &err), 0);
	w->image = strdup(f->disks[0].node);
	sh("yes content | head -c 16777216 1<>\"$0\" &&"
	   "dd if=/dev/zero of=\"$0\" bs=1M count=1 conv=notrunc status=none &&"
	   "printf 'label: gpt\\nstart=1MiB,size=4MiB,name=a\\nstart=6MiB,size=8MiB,name=b\\n'"
	   " | sfdisk -q --no-tell-kernel --wipe never \"$0\" &&"
	   "mkfs.ext4 -q -F -E offset=1048576 \"$0\" 4096k",
	   w->image, NULL);
}

static void free_world(struct world *w)
{
	sw_machine_free(w->m);
	(void)sw_remove_tree(w->dir);
	free(w->dir);
	free(w->image);
}

static struct sw_wipe_plan *plan(struct sw_machine *m, const struct sw_wipe_options *o,
				 struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_wipe_plan *p = NULL;

	assert_int_equal(sw_machine_facts(m, &f, err), 0);
	return sw_wipe_plan(m, f, &f->disks[0], o, &p, err) < 0 ? NULL : p;
}

static int wipe(struct sw_machine *m, enum sw_wipe_method method, enum sw_wipe_verify verify,
		const struct sw_sink *sink, json_object **ret_report, struct sw_error *err)
{
	struct sw_wipe_options o = { .method = method, .verify = verify };
	_cleanup_wipe_plan_ struct sw_wipe_plan *p = plan(m, &o, err);

	assert_non_null(p);
	return sw_wipe_run(m, p, sink, ret_report, err);
}

static uint8_t *content(const char *image)
{
	_cleanup_buf_ struct sw_buf b = {};

	assert_int_equal(sw_file_read(image, &b), 0);
	assert_int_equal(b.len, SIZE);
	return (uint8_t *)sw_buf_steal(&b);
}

static bool is_zero(const uint8_t *d, size_t len)
{
	return d[0] == 0 && memcmp(d, d + 1, len - 1) == 0;
}

static const char *state_of(json_object *report, const char *what)
{
	json_object *list = sw_json_array(report, "regions");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(sw_json_str(o, "what", ""), what) == 0)
			return sw_json_str(o, "state", "");
	}
	return "no such region";
}

/* ---- the mark ---- */

static void test_a_mark_reads_back_and_a_damaged_one_is_none(void **state SW_UNUSED)
{
	struct sw_wipe_mark m = { .method = SW_WIPE_METHOD_ZERO, .disk_size = SIZE,
				  .done = SIZE / 4, .time = 1700000000, .n_regions = 2,
				  .region = { { .off = 512, .len = 1024 },
					      { .off = SIZE - 4096, .len = 4096 } } }, n;
	_cleanup_io_ struct sw_io *io = NULL;
	uint8_t b;

	assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_wipe_mark_read(io, &n), -ENOENT);
	assert_int_equal(sw_wipe_mark_write(io, &m), 0);
	assert_int_equal(sw_wipe_mark_read(io, &n), 0);
	assert_int_equal(n.method, SW_WIPE_METHOD_ZERO);
	assert_int_equal(n.region[1].off, SIZE - 4096);
	assert_int_equal(n.region[1].len, 4096);
	assert_int_equal(sw_wipe_mark_percent(&n), 25);
	for (uint64_t at = 0; at < 440; at += 7) {
		assert_int_equal(sw_io_read(io, at, &b, 1), 0);
		b ^= 1;
		assert_int_equal(sw_io_write(io, at, &b, 1), 0);
		assert_int_equal(sw_wipe_mark_read(io, &n), -ENOENT);
		b ^= 1;
		assert_int_equal(sw_io_write(io, at, &b, 1), 0);
	}
	m.disk_size *= 2;
	assert_int_equal(sw_wipe_mark_write(io, &m), 0);
	assert_int_equal(sw_wipe_mark_read(io, &n), -ENOENT);
}

static void test_neighbours_are_joined_until_all_fit(void **state SW_UNUSED)
{
	_cleanup_regions_ struct sw_regions l = {};
	struct sw_io io = { .size = 1ULL << 40, .sector = 512 };
	uint64_t last = 0;

	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(sw_regions_add(&l, &io, (i * 37 % 100) << 20, 4096, false, "x"),
				 0);
	sw_regions_join(&l, SW_WIPE_REGIONS);
	assert_int_equal(l.n, SW_WIPE_REGIONS);
	for (size_t i = 0; i < l.n; i++) {
		assert_true(l.v[i].off >= last);
		last = l.v[i].off + l.v[i].len;
	}
	assert_int_equal(last, (99ULL << 20) + 4096);
}

/* ---- methods and reports ---- */

static void test_zero_and_discard_leave_nothing_and_say_what_was_verified(void **state SW_UNUSED)
{
	static const enum sw_wipe_method methods[] = { SW_WIPE_METHOD_ZERO,
						       SW_WIPE_METHOD_DISCARD };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(methods); i++) {
		enum sw_wipe_verify verify = i % 2 ? SW_WIPE_VERIFY_EDGES : SW_WIPE_VERIFY_ALL;
		_cleanup_json_ json_object *report = NULL;
		_cleanup_free_ uint8_t *d = NULL;
		struct sw_error err = {};
		struct world w;

		make_world(&w);
		assert_int_equal(wipe(w.m, methods[i / 2], verify, NULL, &report, &err), 0);
		d = content(w.image);
		assert_true(is_zero(d, SIZE));
		assert_string_equal(sw_json_str(report, "result", ""), "done");
		assert_string_equal(state_of(report, "first MiB"), "verified by reading");
		assert_string_equal(state_of(report, "ext4 signature in partition 1"),
				    "verified by reading");
		assert_string_equal(state_of(report, "content"),
				    i % 2 ? "commanded" : "verified by reading");
		free_world(&w);
	}
}

static void test_signatures_leave_the_content_and_say_so(void **state SW_UNUSED)
{
	_cleanup_free_ uint8_t *before = NULL, *d = NULL;
	_cleanup_json_ json_object *report = NULL;
	struct sw_error err = {};
	struct world w;

	make_world(&w);
	before = content(w.image);
	assert_int_equal(wipe(w.m, SW_WIPE_METHOD_SIGNATURES, SW_WIPE_VERIFY_ALL, NULL, &report,
			      &err), 0);
	d = content(w.image);
	/* wipefs and blkid are the other opinion; partition 1 began at 1 MiB. */
	sh("test -z \"$(wipefs -n \"$0\")\" && ! blkid -p \"$0\" && ! blkid -p -O 1048576 \"$0\"",
	   w.image, NULL);
	assert_memory_equal(d + (6 << 20), before + (6 << 20), 4 << 20);
	assert_string_equal(state_of(report, "everything else"), "not done");
	assert_string_equal(state_of(report, "last MiB"), "verified by reading");
	free_world(&w);
}

static void test_a_disk_that_loses_a_write_fails_and_is_named(void **state SW_UNUSED)
{
	struct tape t = { .silent = true, .fail_at = 9, .fail_errno = EIO, .lies = true };
	_cleanup_json_ json_object *report = NULL;
	struct sw_error err = {};
	struct world w;

	make_world(&w);
	tape_attach(&t, w.m);
	assert_true(wipe(w.m, SW_WIPE_METHOD_ZERO, SW_WIPE_VERIFY_ALL, NULL, &report, &err) < 0);
	assert_int_equal(err.exit, SW_EXIT_VERIFY);
	assert_string_equal(state_of(report, "content"), "does not read back as erased");
	assert_string_equal(sw_json_str(report, "result", ""), "failed");
	free_world(&w);
	tape_clear(&t);
}

/* ---- stopping ---- */

struct stopper {
	unsigned int polls, after;
	uint64_t first_done;
};

static void watch(const struct sw_event *ev, void *userdata)
{
	struct stopper *s = userdata;

	if (ev->type == SW_EVENT_PROGRESS && !s->first_done)
		s->first_done = ev->done;
}

static _Bool stop(void *userdata)
{
	struct stopper *s = userdata;

	return s->after && ++s->polls > s->after;
}

static void test_a_stopped_wipe_is_named_and_goes_on_where_it_was(void **state SW_UNUSED)
{
	struct stopper s = { .after = 11 }, again = {};
	struct sw_sink sink = { .fn = watch, .userdata = &s, .cancelled = stop },
		       sink2 = { .fn = watch, .userdata = &again, .cancelled = stop };
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_free_ uint8_t *d = NULL;
	struct sw_error err = {};
	struct world w;

	make_world(&w);
	assert_int_equal(wipe(w.m, SW_WIPE_METHOD_ZERO, SW_WIPE_VERIFY_ALL, &sink, NULL, &err),
			 -ECANCELED);
	assert_int_equal(err.exit, SW_EXIT_DIRTY);
	assert_non_null(strstr(err.hint, "slipway wipe"));
	memset(&err, 0, sizeof(err));
	assert_int_equal(sw_machine_facts(w.m, &f, &err), 0);
	assert_non_null(f->disks[0].signatures);
	assert_non_null(strstr(f->disks[0].signatures[0], "a wipe that was interrupted"));
	/* Without naming the method: it is the mark's. */
	assert_int_equal(wipe(w.m, SW_WIPE_METHOD_AUTO, SW_WIPE_VERIFY_ALL, &sink2, NULL, &err),
			 0);
	assert_true(again.first_done > SIZE / 4);
	d = content(w.image);
	assert_true(is_zero(d, SIZE));
	free_world(&w);
}

/* ---- every power cut ---- */

struct judged {
	struct world *w;
	const uint8_t *before;
	enum sw_wipe_method method;
	unsigned int old, named, done, finished, outside;
	unsigned int sample;	/* each nth named state is finished */
};

static void finish(struct judged *j)
{
	_cleanup_free_ char *dir = sw_fmt("%s.try", j->w->dir), *image = NULL;
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_free_ uint8_t *d = NULL;
	struct sw_error err = {};

	sh("rm -rf \"$1\" && cp -a \"$0\" \"$1\"", j->w->dir, dir);
	assert_int_equal(sw_machine_open_standin(dir, &m, &err), 0);
	if (wipe(m, SW_WIPE_METHOD_AUTO, SW_WIPE_VERIFY_ALL, NULL, NULL, &err) < 0)
		fail_msg("a named state cannot be finished: %s: %s", err.what, err.why);
	image = sw_fmt("%s%s", dir, strrchr(j->w->image, '/'));
	if (j->method == SW_WIPE_METHOD_SIGNATURES) {
		sh("test -z \"$(wipefs -n \"$0\")\" && ! blkid -p -O 1048576 \"$0\"", image, NULL);
	} else {
		d = content(image);
		assert_true(is_zero(d, SIZE));
	}
	(void)sw_remove_tree(dir);
	j->finished++;
}

/* The old disk to the last byte, or a disk that says that it is being wiped, or a wiped one. */
static void judge(struct tape_play *p, void *userdata)
{
	struct judged *j = userdata;
	_cleanup_free_ uint8_t *d = NULL;
	struct sw_wipe_mark mark;
	struct sw_table t = {};
	char **signatures = NULL;

	if (sw_wipe_mark_read(p->disk[0], &mark) == 0) {
		assert_int_equal(sw_disk_probe(p->disk[0], &t, &signatures, NULL), 0);
		assert_int_not_equal(t.type, SW_TABLE_GPT);
		assert_non_null(signatures);
		if (j->named++ % j->sample == 0)
			finish(j);
		if (j->named % (4 * j->sample) == 1) {
			/* Other programs see no table either. */
			sh("! sfdisk -J \"$0\" 2>/dev/null | grep -q '\"label\": *\"gpt\"'",
			   j->w->image, NULL);
			j->outside++;
		}
	} else {
		d = content(j->w->image);
		if (memcmp(d, j->before, SIZE) == 0) {
			j->old++;
		} else {
			assert_int_equal(sw_disk_probe(p->disk[0], &t, &signatures, NULL), 0);
			assert_int_equal(t.type, SW_TABLE_NONE);
			assert_true(!signatures || !signatures[0]);
			if (j->method != SW_WIPE_METHOD_SIGNATURES)
				assert_true(is_zero(d, SIZE));
			j->done++;
		}
	}
	sw_table_clear(&t);
	for (char **s = signatures; s && *s; s++)
		free(*s);
	free(signatures);
}

static void enumerate(enum sw_wipe_method method, const char *prepare)
{
	bool full = getenv("SLIPWAY_TEST_LONG") != NULL;
	struct tape t = { .fail_at = SIZE_MAX };
	_cleanup_free_ uint8_t *before = NULL;
	_cleanup_free_ char *kept = NULL;
	struct sw_error err = {};
	struct world w;
	struct judged j = { .w = &w, .method = method, .sample = full ? 40 : 60 };
	struct tape_play play = { .tape = &t, .judge = judge, .userdata = &j,
				  .random = test_at_depth(15, 60, 1500) };

	play.every = method == SW_WIPE_METHOD_ZERO ? (full ? 6 : 60) : (full ? 1 : 12);
	make_world(&w);
	if (prepare)
		sh(prepare, w.image, NULL);
	j.before = before = content(w.image);
	kept = sw_fmt("%s.kept", w.dir);
	sh("cp -a \"$0\" \"$1\"", w.dir, kept);
	tape_attach(&t, w.m);
	assert_int_equal(wipe(w.m, method, SW_WIPE_VERIFY_ALL, NULL, NULL, &err), 0);
	w.m = sw_machine_free(w.m);
	sh("rm -rf \"$0\" && mv \"$1\" \"$0\"", w.dir, kept);
	open_world(&w);
	play.m = w.m;
	play.seed = tape_seed();
	tape_play(&play);
	print_message("# wipe %s: %u states (%u prefixes, %u subsets): %u old and whole, %u named, "
		      "%u wiped; %u finished, %u seen by sfdisk; 0 failures\n",
		      sw_wipe_method_name(method), play.prefixes + play.subsets, play.prefixes,
		      play.subsets, j.old, j.named, j.done, j.finished, j.outside);
	assert_true(j.old > 0 && j.named > 10 && j.done > 0 && j.finished > 0);
	tape_clear(&t);
	free_world(&w);
}

static void test_every_cut_of_a_wipe_with_zeros_is_old_named_or_done(void **state SW_UNUSED)
{
	enumerate(SW_WIPE_METHOD_ZERO, NULL);
}

static void test_every_cut_of_a_discard_is_old_named_or_done(void **state SW_UNUSED)
{
	enumerate(SW_WIPE_METHOD_DISCARD, NULL);
}

static void test_every_cut_of_a_signature_wipe_is_old_named_or_done(void **state SW_UNUSED)
{
	enumerate(SW_WIPE_METHOD_SIGNATURES, NULL);
}

/* Without a GPT nothing but the mark remembers where the partitions were. */
static void test_every_cut_on_a_dos_table_is_old_named_or_done(void **state SW_UNUSED)
{
	enumerate(SW_WIPE_METHOD_SIGNATURES,
		  "dd if=/dev/zero of=\"$0\" bs=1M count=1 conv=notrunc status=none &&"
		  "dd if=/dev/zero of=\"$0\" bs=1M count=1 seek=15 conv=notrunc status=none &&"
		  "printf 'label: dos\\nstart=1MiB,size=4MiB\\n' |"
		  "sfdisk -q --no-tell-kernel --wipe never \"$0\"");
}

/* ---- every write fails ---- */

static void fail_each(enum sw_wipe_method method, int code, bool pulled, unsigned int step)
{
	unsigned int clean = 0, dirty = 0;
	uint64_t seed = tape_seed();

	for (size_t i = 0;; i = test_next(i, step, &seed)) {
		struct tape t = { .silent = true, .fail_at = i, .fail_errno = code,
				  .pulled = pulled };
		_cleanup_free_ uint8_t *before = NULL, *d = NULL;
		struct sw_error err = {};
		struct world w;
		int r;

		make_world(&w);
		before = content(w.image);
		tape_attach(&t, w.m);
		r = wipe(w.m, method, SW_WIPE_VERIFY_ALL, NULL, NULL, &err);
		d = content(w.image);
		if (r == 0) {
			assert_true(t.count <= i);
			free_world(&w);
			tape_clear(&t);
			break;
		}
		assert_true(err.exit == SW_EXIT_FAILED || err.exit == SW_EXIT_DIRTY);
		assert_true(err.what[0] && err.why[0] && err.where[0]);
		if (err.exit == SW_EXIT_FAILED) {
			assert_memory_equal(d, before, SIZE);
			clean++;
		} else {
			dirty++;
		}
		/* The disk works again: the same command ends it. */
		w.m = sw_machine_free(w.m);
		open_world(&w);
		memset(&err, 0, sizeof(err));
		assert_int_equal(wipe(w.m, method, SW_WIPE_VERIFY_ALL, NULL, NULL, &err), 0);
		free_world(&w);
		tape_clear(&t);
	}
	print_message("# %s with errno %d%s: %u writes failed, %u before any change, %u after\n",
		      sw_wipe_method_name(method), code, pulled ? " from then on" : "",
		      clean + dirty, clean, dirty);
	/* Whether the first write reached a disk that is gone cannot be known. */
	assert_true((pulled || clean > 0) && dirty > test_at_depth(0, 3, 3));
}

static void fail_in_every_way(void)
{
	static const enum sw_wipe_method methods[] = {
		SW_WIPE_METHOD_SIGNATURES, SW_WIPE_METHOD_DISCARD, SW_WIPE_METHOD_ZERO,
	};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		fail_each(methods[i], EIO, false, 1);
		fail_each(methods[i], ENOSPC, false, 1);
		fail_each(methods[i], EIO, true, 1);
	}
}

static void test_any_write_may_fail_and_the_wipe_can_be_ended(void **state SW_UNUSED)
{
	if (getenv("SLIPWAY_TEST_LONG")) {
		fail_in_every_way();
		return;
	}
	fail_each(SW_WIPE_METHOD_SIGNATURES, EIO, false, test_at_depth(3, 1, 1));
	fail_each(SW_WIPE_METHOD_DISCARD, EIO, true, test_at_depth(5, 3, 1));
	fail_each(SW_WIPE_METHOD_ZERO, ENOSPC, false, test_at_depth(18, 7, 1));
	fail_each(SW_WIPE_METHOD_ZERO, EIO, true, test_at_depth(18, 8, 1));
}

/* ---- the disks' own commands ---- */

static const char hdparm_text[] =
	"\n/dev/sda:\n\nATA device, with non-removable media\n\tModel Number:       X\n"
	"Commands/features:\n\t   *\tSecurity Mode feature set\nSecurity: \n"
	"\tMaster password revision code = 65534\n\t\tsupported\n\tnot\tenabled\n\tnot\tlocked\n"
	"\t\tfrozen\n\tnot\texpired: security count\n\t\tsupported: enhanced erase\n"
	"\t168min for SECURITY ERASE UNIT. 170min for ENHANCED SECURITY ERASE UNIT.\n"
	"Logical Unit WWN Device Identifier: 5000c500\n\tnot\tsupported\n";

static void test_what_hdparm_says_is_understood(void **state SW_UNUSED)
{
	struct sw_ata_security s;

	assert_int_equal(sw_secure_parse_ata(hdparm_text, &s), 0);
	assert_true(s.supported && s.enhanced && s.frozen);
	assert_false(s.enabled || s.locked);
	assert_int_equal(s.minutes, 168);
	assert_int_equal(sw_secure_parse_ata("\n/dev/sda:\n", &s), -EBADMSG);
}

static void test_what_nvme_says_is_understood(void **state SW_UNUSED)
{
	uint8_t id[4096] = {}, log[512] = {};
	enum sw_sanitize_state s;
	enum sw_secure_kind k;
	unsigned int done;

	assert_int_equal(sw_secure_parse_nvme(id, sizeof(id), &k), 0);
	assert_int_equal(k, SW_SECURE_NONE);
	id[256] = 0x17;
	assert_int_equal(sw_secure_parse_nvme(id, sizeof(id), &k), 0);
	assert_int_equal(k, SW_SECURE_NVME_FORMAT);
	id[328] = 1;
	assert_int_equal(sw_secure_parse_nvme(id, sizeof(id), &k), 0);
	assert_int_equal(k, SW_SECURE_NVME_CRYPTO);
	id[328] = 3;
	assert_int_equal(sw_secure_parse_nvme(id, sizeof(id), &k), 0);
	assert_int_equal(k, SW_SECURE_NVME_BLOCK);
	assert_int_equal(sw_secure_parse_nvme(id, 100, &k), -EBADMSG);
	log[1] = 0x80;
	log[2] = 2;
	assert_int_equal(sw_secure_parse_sanitize(log, sizeof(log), &s, &done), 0);
	assert_int_equal(s, SW_SANITIZE_RUNNING);
	assert_int_equal(done, 32768);
	log[2] = 3;
	assert_int_equal(sw_secure_parse_sanitize(log, sizeof(log), &s, &done), 0);
	assert_int_equal(s, SW_SANITIZE_FAILED);
	/* The global-data-erased bit above the state does not matter. */
	log[2] = 1;
	log[3] = 1;
	assert_int_equal(sw_secure_parse_sanitize(log, sizeof(log), &s, &done), 0);
	assert_int_equal(s, SW_SANITIZE_DONE);
}

static void test_the_commands_name_the_disk_and_nothing_secret(void **state SW_UNUSED)
{
	const char *argv[SW_SECURE_ARGV];

	assert_true(sw_secure_command("/dev/nvme0n1", SW_SECURE_NVME_BLOCK, 0, argv));
	assert_string_equal(argv[2], "/dev/nvme0n1");
	assert_string_equal(argv[3], "--sanact=2");
	assert_false(sw_secure_command("/dev/nvme0n1", SW_SECURE_NVME_BLOCK, 1, argv));
	assert_true(sw_secure_command("/dev/sda", SW_SECURE_ATA_ENHANCED, 0, argv));
	assert_string_equal(argv[3], "--security-set-pass");
	assert_true(sw_secure_command("/dev/sda", SW_SECURE_ATA_ENHANCED, 1, argv));
	assert_string_equal(argv[3], "--security-erase-enhanced");
	assert_string_equal(argv[5], "/dev/sda");
	assert_null(argv[6]);
	assert_false(sw_secure_command("/dev/sda", SW_SECURE_NONE, 0, argv));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mark_reads_back_and_a_damaged_one_is_none),
		cmocka_unit_test(test_neighbours_are_joined_until_all_fit),
		cmocka_unit_test(test_zero_and_discard_leave_nothing_and_say_what_was_verified),
		cmocka_unit_test(test_signatures_leave_the_content_and_say_so),
		cmocka_unit_test(test_a_disk_that_loses_a_write_fails_and_is_named),
		cmocka_unit_test(test_a_stopped_wipe_is_named_and_goes_on_where_it_was),
		cmocka_unit_test(test_every_cut_of_a_wipe_with_zeros_is_old_named_or_done),
		cmocka_unit_test(test_every_cut_of_a_discard_is_old_named_or_done),
		cmocka_unit_test(test_every_cut_of_a_signature_wipe_is_old_named_or_done),
		cmocka_unit_test(test_every_cut_on_a_dos_table_is_old_named_or_done),
		cmocka_unit_test(test_any_write_may_fail_and_the_wipe_can_be_ended),
		cmocka_unit_test(test_what_hdparm_says_is_understood),
		cmocka_unit_test(test_what_nvme_says_is_understood),
		cmocka_unit_test(test_the_commands_name_the_disk_and_nothing_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
