/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply/journal.h"
#include "base/json.h"
#include "tests/lib/crash.h"

#define DISK_SIZE (16ULL << 20)

/* The journal stores a plan as JSON and never looks inside, so a bare one serves here. */
static struct sw_plan *bare_plan(void)
{
	struct sw_plan *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->answers = sw_answers_new();
	p->disks = calloc(1, sizeof(*p->disks));
	assert_non_null(p->disks);
	p->n_disks = 1;
	p->disks[0] = (struct sw_plan_disk){
		.name = strdup("system"),
		.size = DISK_SIZE,
		.sector = 512,
		.journal_off = sw_plan_journal_offset(DISK_SIZE),
		.journal_len = SW_JOURNAL_LEN,
		.old_table_text = strdup("blank"),
		.confirm = strdup("1234"),
	};
	return p;
}

static uint8_t *pattern_disk(void)
{
	uint8_t *d = malloc(DISK_SIZE);

	assert_non_null(d);
	for (size_t i = 0; i < DISK_SIZE; i++)
		d[i] = (uint8_t)(i * 2654435761u >> 13);
	return d;
}

static void test_zone_lies_4m_long_1m_before_the_rounded_end(void **state SW_UNUSED)
{
	assert_int_equal(sw_plan_journal_offset(64ULL << 30), (64ULL << 30) - (5ULL << 20));
	assert_int_equal(sw_plan_journal_offset((64ULL << 30) + 512), (64ULL << 30) - (5ULL << 20));
	assert_int_equal(sw_plan_journal_offset(1 << 20), 0);
}

static void test_journal_reads_back_with_its_records_and_saved_areas(void **state SW_UNUSED)
{
	_cleanup_free_ uint8_t *disk = pattern_disk(), *saved = NULL;
	_cleanup_plan_ struct sw_plan *p = bare_plan();
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_json_ json_object *vars = json_object_new_object();
	struct sw_journal j, k;
	struct sw_journal_head h;

	sw_json_add_str(vars, "BootOrder", "0100");
	assert_int_equal(sw_io_new_recorder(DISK_SIZE, 512, disk, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_journal_open(io, &k, &h), -ENOENT);
	assert_int_equal(sw_journal_create(io, p, 0, vars, &j, NULL), 0);
	assert_int_equal(sw_journal_record(&j, SW_RECORD_START, 4), 0);
	assert_int_equal(sw_journal_record(&j, SW_RECORD_FINISH, 4), 0);
	assert_int_equal(sw_journal_open(io, &k, &h), 0);
	assert_int_equal(h.state, SW_JOURNAL_RUNNING);
	assert_int_equal(h.step, 4);
	assert_int_equal(k.next, 2);
	assert_string_equal(sw_json_str(h.vars, "BootOrder", ""), "0100");
	sw_journal_head_clear(&h);
	assert_int_equal(sw_journal_saved(&k, false, &saved), 0);
	assert_memory_equal(saved, disk, SW_JOURNAL_SAVED);
	free(saved);
	saved = NULL;
	assert_int_equal(sw_journal_saved(&k, true, &saved), 0);
	assert_memory_equal(saved, disk + DISK_SIZE - SW_JOURNAL_SAVED, SW_JOURNAL_SAVED);
	assert_int_equal(sw_journal_record(&k, SW_RECORD_DONE, 0), 0);
	assert_int_equal(sw_journal_open(io, &k, &h), 0);
	assert_int_equal(h.state, SW_JOURNAL_DONE);
	sw_journal_head_clear(&h);
}

/* Applies a write up to `bytes` of it, as a power cut may leave it. */
static void replay(uint8_t *disk, const struct sw_io_op *op, size_t bytes)
{
	if (op->kind == SW_IO_WRITE)
		memcpy(disk + op->off, op->data, bytes < op->len ? bytes : op->len);
}

static void judge(uint8_t *disk, bool complete, size_t *none, size_t *whole)
{
	struct mem_io m;
	struct sw_journal j;
	struct sw_journal_head h;
	int r;

	mem_io_init(&m, disk, DISK_SIZE, 512);
	r = sw_journal_open(&m.io, &j, &h);
	if (r == 0) {
		_cleanup_free_ uint8_t *saved = NULL;

		/* A journal that can be read must be able to undo. */
		assert_int_equal(sw_journal_saved(&j, false, &saved), 0);
		sw_journal_head_clear(&h);
		(*whole)++;
	} else {
		assert_false(complete);
		(*none)++;
	}
}

static void test_every_power_cut_leaves_no_journal_or_a_whole_one(void **state SW_UNUSED)
{
	_cleanup_free_ uint8_t *disk = pattern_disk();
	_cleanup_plan_ struct sw_plan *p = bare_plan();
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_io_log log = {};
	struct sw_journal j;
	size_t none = 0, whole = 0;

	assert_int_equal(sw_io_new_recorder(DISK_SIZE, 512, disk, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_journal_create(io, p, 0, NULL, &j, NULL), 0);
	for (size_t i = 0; i < log.n; i++) {
		const struct sw_io_op *op = &log.ops[i];
		size_t torn = op->len > 65536 ? op->len / 4 : 512;

		for (size_t n = torn; op->kind == SW_IO_WRITE && n < op->len; n += torn) {
			replay(disk, op, n);
			judge(disk, false, &none, &whole);
		}
		replay(disk, op, op->len);
		judge(disk, i + 1 == log.n, &none, &whole);
	}
	print_message("journal: %zu states, %zu without a journal, %zu whole, 0 broken\n",
		      none + whole, none, whole);
	assert_true(none > 10 && whole >= 1);
	sw_io_log_clear(&log);
}

static void test_a_torn_record_is_as_if_it_had_not_been_written(void **state SW_UNUSED)
{
	_cleanup_plan_ struct sw_plan *p = bare_plan();
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_journal j, k;
	struct sw_journal_head h;
	uint8_t junk = 0xff;

	assert_int_equal(sw_io_new_recorder(DISK_SIZE, 512, NULL, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_journal_create(io, p, 0, NULL, &j, NULL), 0);
	assert_int_equal(sw_journal_record(&j, SW_RECORD_START, 5), 0);
	assert_int_equal(sw_journal_record(&j, SW_RECORD_DONE, 0), 0);
	assert_int_equal(sw_io_write(io, j.off + 4096 + 4096 + 60, &junk, 1), 0);
	assert_int_equal(sw_journal_open(io, &k, &h), 0);
	assert_int_equal(h.state, SW_JOURNAL_RUNNING);
	assert_int_equal(k.next, 1);
	sw_journal_head_clear(&h);
}

static void test_a_changed_document_is_damaged_not_believed(void **state SW_UNUSED)
{
	_cleanup_plan_ struct sw_plan *p = bare_plan();
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_journal j, k;
	struct sw_journal_head h;

	assert_int_equal(sw_io_new_recorder(DISK_SIZE, 512, NULL, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_journal_create(io, p, 0, NULL, &j, NULL), 0);
	assert_int_equal(sw_io_write(io, j.off + (3ULL << 20) + 5, "x", 1), 0);
	assert_int_equal(sw_journal_open(io, &k, &h), -EBADMSG);
}

static void test_a_write_error_while_saving_is_reported_before_anything_else(void **state SW_UNUSED)
{
	for (size_t n = 0; n < 6; n++) {
		_cleanup_plan_ struct sw_plan *p = bare_plan();
		_cleanup_io_ struct sw_io *io = NULL;
		struct sw_error err = {};
		struct sw_journal j;

		assert_int_equal(sw_io_new_recorder(DISK_SIZE, 512, NULL, NULL, n, EIO, &io), 0);
		assert_int_equal(sw_journal_create(io, p, 0, NULL, &j, &err), -EIO);
		assert_int_equal(err.exit, SW_EXIT_FAILED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_lies_4m_long_1m_before_the_rounded_end),
		cmocka_unit_test(test_journal_reads_back_with_its_records_and_saved_areas),
		cmocka_unit_test(test_every_power_cut_leaves_no_journal_or_a_whole_one),
		cmocka_unit_test(test_a_torn_record_is_as_if_it_had_not_been_written),
		cmocka_unit_test(test_a_changed_document_is_damaged_not_believed),
		cmocka_unit_test(test_a_write_error_while_saving_is_reported_before_anything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
