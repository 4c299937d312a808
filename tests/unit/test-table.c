/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/proc.h"
#include "disk/disk.h"
#include "disk/gpt.h"
#include "disk/table.h"
#include "tests/lib/scratch.h"

#define MIB ((uint64_t)1 << 20)

static struct sw_guid guid(const char *text)
{
	struct sw_guid g;

	assert_int_equal(sw_guid_parse(text, &g), 0);
	return g;
}

/* Two tables that share nothing: ids, sizes, labels. */
static size_t old_parts(struct sw_new_part *p)
{
	p[0] = (struct sw_new_part){ MIB, MIB, guid("0fc63daf-8483-4772-8e79-3d69d8477de4"),
				     guid("10000000-0000-4000-8000-000000000001"), 0, "old-one" };
	p[1] = (struct sw_new_part){ 3 * MIB, MIB, guid("933ac7e1-2eb4-4f13-b844-0e14e2aef915"),
				     guid("10000000-0000-4000-8000-000000000002"), 0, "old-two" };
	return 2;
}

static size_t new_parts(struct sw_new_part *p)
{
	p[0] = (struct sw_new_part){ MIB, MIB, guid("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
				     guid("20000000-0000-4000-8000-000000000001"), 0, "slipway-a" };
	p[1] = (struct sw_new_part){ 2 * MIB, 2 * MIB, guid("12345678-9abc-4def-8123-456789abcdef"),
				     guid("20000000-0000-4000-8000-000000000002"),
				     1ULL << 59 | 1ULL << 63 | 5, "Zürich €" };
	p[2] = (struct sw_new_part){ 4 * MIB, 2 * MIB + 4096,
				     guid("0fc63daf-8483-4772-8e79-3d69d8477de4"),
				     guid("20000000-0000-4000-8000-000000000003"), 0, NULL };
	return 3;
}

static void build(bool fresh, uint64_t size, uint32_t sector, struct sw_table_image *t)
{
	struct sw_guid id = guid(fresh ? "aaaaaaaa-0000-4000-8000-000000000002"
				       : "aaaaaaaa-0000-4000-8000-000000000001");
	struct sw_new_part p[3];
	size_t n = fresh ? new_parts(p) : old_parts(p);
	struct sw_error e = {};
	int r = sw_table_build(size, sector, &id, p, n, t, &e);

	if (r < 0)
		print_message("%s / %s / %s\n", e.what, e.where, e.why);
	assert_int_equal(r, 0);
}

static char *image_file(const char *name, uint64_t size)
{
	char *path = sw_fmt("%s/%s", test_scratch, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), (off_t)size), 0);
	fclose(f);
	return path;
}

static struct sw_table probe(struct sw_io *io)
{
	struct sw_table t;
	char **sig = NULL;

	assert_int_equal(sw_disk_probe(io, &t, &sig, NULL), 0);
	for (char **s = sig; s && *s; s++)
		free(*s);
	free(sig);
	return t;
}

static void check_new(const struct sw_table *t)
{
	struct sw_new_part p[3];
	size_t n = new_parts(p);

	assert_int_equal(t->type, SW_TABLE_GPT);
	assert_null(t->damage);
	assert_int_equal(t->n_parts, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(t->parts[i].number, i + 1);
		assert_int_equal(t->parts[i].start, p[i].start);
		assert_int_equal(t->parts[i].size, p[i].size);
		assert_true(sw_guid_equal(&t->parts[i].type, &p[i].type));
		assert_true(sw_guid_equal(&t->parts[i].uuid, &p[i].uuid));
		assert_true(t->parts[i].attrs == p[i].attrs);
		assert_string_equal(t->parts[i].label ? t->parts[i].label : "",
				    p[i].label ? p[i].label : "");
	}
}

static void commit_and_probe(uint32_t sector, uint64_t size)
{
	_cleanup_free_ char *path = image_file("commit.img", size);
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_table_image t;
	struct sw_table found;
	struct sw_error e = {};

	build(true, size, sector, &t);
	assert_int_equal(sw_io_open(path, true, false, sector, &io, &e), 0);
	assert_int_equal(sw_table_commit(io, &t, &e), 0);
	found = probe(io);
	check_new(&found);
	assert_string_equal(found.digest, t.digest);
	sw_table_clear(&found);
	sw_table_image_clear(&t);
}

static void test_a_committed_table_probes_as_asked_with_the_predicted_digest(void **s SW_UNUSED)
{
	commit_and_probe(512, 16 * MIB);
	commit_and_probe(4096, 16 * MIB);
	commit_and_probe(512, 16 * MIB + 5 * 512);
	commit_and_probe(4096, 16 * MIB + 3 * 4096);
	commit_and_probe(512, (uint64_t)3 << 40);	/* past 32 bits of sectors */
}

static void test_the_same_request_gives_the_same_bytes(void **s SW_UNUSED)
{
	struct sw_table_image a, b;

	build(true, 16 * MIB, 512, &a);
	build(true, 16 * MIB, 512, &b);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(a.piece[i].off, b.piece[i].off);
		assert_memory_equal(a.piece[i].data, b.piece[i].data, a.piece[i].len);
	}
	assert_string_equal(a.digest, b.digest);
	sw_table_image_clear(&a);
	sw_table_image_clear(&b);
}

static void test_the_primary_header_is_written_last_and_each_piece_flushed(void **s SW_UNUSED)
{
	static const char *const names[] = { "backup entries", "backup header", "primary entries",
					     "protective MBR", "primary header" };
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_io_log log = {};
	struct sw_table_image t;

	build(true, 8 * MIB, 512, &t);
	assert_int_equal(sw_io_new_recorder(8 * MIB, 512, NULL, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_table_commit(io, &t, NULL), 0);
	assert_int_equal(log.n, 10);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(t.piece[i].name, names[i]);
		assert_int_equal(log.ops[2 * i].kind, SW_IO_WRITE);
		assert_int_equal(log.ops[2 * i].off, t.piece[i].off);
		assert_int_equal(log.ops[2 * i + 1].kind, SW_IO_FLUSH);
	}
	sw_io_log_clear(&log);
	sw_table_image_clear(&t);
}

static void test_sfdisk_reads_the_table_that_we_wrote(void **s SW_UNUSED)
{
	_cleanup_free_ char *path = image_file("sfdisk.img", 16 * MIB);
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_json_ json_object *o = NULL;
	_cleanup_buf_ struct sw_buf out = {};
	const char *argv[] = { "sfdisk", "-J", path, NULL };
	struct sw_table_image t;
	json_object *tb, *parts;

	if (!sw_proc_exists("sfdisk")) {
		print_message("sfdisk is not installed\n");
		skip();
	}
	build(true, 16 * MIB, 512, &t);
	assert_int_equal(sw_io_open(path, true, false, 512, &io, NULL), 0);
	assert_int_equal(sw_table_commit(io, &t, NULL), 0);
	assert_int_equal(sw_proc_run(argv, NULL, 20, &out), 0);
	assert_int_equal(sw_json_parse(sw_buf_text(&out), out.len, "sfdisk", &o, NULL), 0);
	tb = sw_json_get(o, "partitiontable");
	parts = sw_json_array(tb, "partitions");
	assert_string_equal(sw_json_str(tb, "id", ""), "AAAAAAAA-0000-4000-8000-000000000002");
	assert_int_equal(json_object_array_length(parts), 3);
	assert_string_equal(sw_json_str(json_object_array_get_idx(parts, 1), "name", ""),
			    "Zürich €");
	assert_int_equal(sw_json_int(json_object_array_get_idx(parts, 2), "start", 0), 8192);
	assert_int_equal(sw_json_int(json_object_array_get_idx(parts, 2), "size", 0), 4104);
	sw_table_image_clear(&t);
}

static void test_sgdisk_finds_no_problem(void **s SW_UNUSED)
{
	_cleanup_free_ char *path = image_file("sgdisk.img", 16 * MIB);
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_buf_ struct sw_buf out = {};
	const char *argv[] = { "sgdisk", "-v", path, NULL };
	struct sw_table_image t;

	if (!sw_proc_exists("sgdisk")) {
		print_message("sgdisk is not installed\n");
		skip();
	}
	build(true, 16 * MIB, 512, &t);
	assert_int_equal(sw_io_open(path, true, false, 512, &io, NULL), 0);
	assert_int_equal(sw_table_commit(io, &t, NULL), 0);
	assert_int_equal(sw_proc_run(argv, NULL, 20, &out), 0);
	assert_non_null(strstr(sw_buf_text(&out), "No problems found"));
	sw_table_image_clear(&t);
}

static void test_what_does_not_fit_is_refused_with_the_partition_named(void **s SW_UNUSED)
{
	struct sw_guid id = guid("aaaaaaaa-0000-4000-8000-000000000002");
	struct sw_table_image t;
	struct sw_new_part p[3];
	struct sw_error e = {};

	new_parts(p);
	p[1].start = p[0].start;	/* overlap */
	assert_true(sw_table_build(16 * MIB, 512, &id, p, 3, &t, &e) < 0);
	assert_non_null(strstr(e.where, "partition 2"));
	new_parts(p);
	p[2].size = 64 * MIB;		/* past the end */
	memset(&e, 0, sizeof(e));
	assert_true(sw_table_build(16 * MIB, 512, &id, p, 3, &t, &e) < 0);
	assert_non_null(strstr(e.where, "partition 3"));
	new_parts(p);
	p[0].label = "a label that is much longer than thirty-six units";
	memset(&e, 0, sizeof(e));
	assert_true(sw_table_build(16 * MIB, 512, &id, p, 3, &t, &e) < 0);
	assert_true(sw_table_build(16 * MIB, 520, &id, p, 0, &t, NULL) < 0);
	assert_true(sw_table_build(64 * 512, 512, &id, p, 0, &t, NULL) < 0);
}

static void test_a_failed_write_says_that_something_may_have_changed(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_table_image t;
	struct sw_error e = {};

	build(true, 8 * MIB, 512, &t);
	assert_int_equal(sw_io_new_recorder(8 * MIB, 512, NULL, NULL, 2, EIO, &io), 0);
	assert_int_equal(sw_table_commit(io, &t, &e), -EIO);
	assert_int_equal(e.exit, SW_EXIT_DIRTY);
	assert_non_null(strstr(e.what, "primary entries"));
	sw_table_image_clear(&t);
}

/* ---- a power cut anywhere ---- */

enum verdict { V_NOTHING, V_OLD, V_NEW, V_DAMAGED, V_N };

/* What is there, by the table that a reader would use; anything in between fails the test. */
static enum verdict judge(struct sw_io *io)
{
	struct sw_table t = probe(io);
	enum verdict v = V_NOTHING;
	struct sw_new_part p[3];
	size_t n;

	if (t.type == SW_TABLE_DAMAGED_GPT) {
		assert_non_null(t.damage);
		v = V_DAMAGED;
	} else if (t.type == SW_TABLE_GPT) {
		assert_true(t.n_parts > 0);
		v = t.parts[0].uuid.b[3] == 0x20 ? V_NEW : V_OLD;
		n = v == V_NEW ? new_parts(p) : old_parts(p);
		assert_int_equal(t.n_parts, n);
		assert_int_equal(t.id.b[15], v == V_NEW ? 2 : 1);
		for (size_t i = 0; i < n; i++) {
			assert_true(sw_guid_equal(&t.parts[i].uuid, &p[i].uuid));
			assert_int_equal(t.parts[i].start, p[i].start);
			assert_int_equal(t.parts[i].size, p[i].size);
		}
	} else {
		assert_int_equal(t.type, SW_TABLE_NONE);
	}
	sw_table_clear(&t);
	return v;
}

/* Every prefix of the writes, the last one torn at every 512 bytes. */
static void enumerate(const uint8_t *start, uint64_t size, uint32_t sector, const char *what,
		      size_t counts[V_N])
{
	_cleanup_io_ struct sw_io *rec = NULL, *io = NULL;
	struct sw_io_log log = {};
	struct sw_table_image t;
	size_t states = 0;

	build(true, size, sector, &t);
	assert_int_equal(sw_io_new_recorder(size, sector, start, &log, SIZE_MAX, 0, &rec), 0);
	assert_int_equal(sw_table_commit(rec, &t, NULL), 0);
	assert_int_equal(sw_io_new_recorder(size, sector, start, NULL, SIZE_MAX, 0, &io), 0);
	counts[judge(io)]++;
	for (size_t i = 0; i < log.n; i++) {
		const struct sw_io_op *op = &log.ops[i];

		if (op->kind != SW_IO_WRITE)
			continue;
		for (size_t done = 0; done < op->len; done += 512) {
			assert_int_equal(sw_io_write(io, op->off + done, op->data + done, 512), 0);
			counts[judge(io)]++;
			states++;
		}
	}
	assert_int_equal(judge(io), V_NEW);
	print_message("%s, %u-byte sectors: %zu states: %zu nothing, %zu old, %zu new, "
		      "%zu damaged but recognised\n",
		      what, sector, states + 1, counts[V_NOTHING], counts[V_OLD], counts[V_NEW],
		      counts[V_DAMAGED]);
	sw_io_log_clear(&log);
	sw_table_image_clear(&t);
}

static void from_old(uint32_t sector)
{
	uint64_t size = 8 * MIB;
	_cleanup_io_ struct sw_io *io = NULL;
	size_t counts[V_N] = {};
	struct sw_table_image t;

	build(false, size, sector, &t);
	assert_int_equal(sw_io_new_recorder(size, sector, NULL, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_table_commit(io, &t, NULL), 0);
	enumerate(sw_io_recorder_data(io), size, sector, "old table to new", counts);
	assert_int_equal(counts[V_NOTHING], 0);
	assert_int_equal(counts[V_DAMAGED], 0);
	assert_true(counts[V_OLD] > 0 && counts[V_NEW] > 0);
	sw_table_image_clear(&t);
}

static void test_power_cut_from_old_to_new_leaves_one_whole_table(void **s SW_UNUSED)
{
	from_old(512);
	from_old(4096);
}

static void test_power_cut_from_blank_leaves_nothing_or_a_recognised_table(void **s SW_UNUSED)
{
	size_t counts[V_N] = {}, big[V_N] = {};

	enumerate(NULL, 8 * MIB, 512, "blank to new", counts);
	assert_int_equal(counts[V_OLD], 0);
	assert_true(counts[V_NOTHING] > 0 && counts[V_NEW] > 0);
	enumerate(NULL, 8 * MIB, 4096, "blank to new", big);
	assert_int_equal(big[V_OLD], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_committed_table_probes_as_asked_with_the_predicted_digest),
		cmocka_unit_test(test_the_same_request_gives_the_same_bytes),
		cmocka_unit_test(
			test_the_primary_header_is_written_last_and_each_piece_flushed),
		cmocka_unit_test(test_sfdisk_reads_the_table_that_we_wrote),
		cmocka_unit_test(test_sgdisk_finds_no_problem),
		cmocka_unit_test(test_what_does_not_fit_is_refused_with_the_partition_named),
		cmocka_unit_test(test_a_failed_write_says_that_something_may_have_changed),
		cmocka_unit_test(test_power_cut_from_old_to_new_leaves_one_whole_table),
		cmocka_unit_test(test_power_cut_from_blank_leaves_nothing_or_a_recognised_table),
	};

	return cmocka_run_group_tests(tests, test_scratch_setup, test_scratch_teardown);
}
