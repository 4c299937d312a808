/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every write and flush of `layout apply` and of its undo fails in turn, with EIO,
 * with ENOSPC, and with a disk that is gone from then on. Each ends with an error
 * that says what and why, and leaves a disk that undo brings back to the last byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/crash.h"
#include "tests/lib/depth.h"
#include "tests/lib/layout-world.h"
#include "tests/lib/tape.h"

#define STALE 0xa5

/* An io over memory whose nth write or flush fails, or all from it on. */
struct faulty {
	struct sw_io io;
	struct mem_io m;
	size_t count, fail_at;
	int code;
	bool pulled;
};

static int may(struct faulty *f)
{
	size_t n = f->count++;

	return n == f->fail_at || (f->pulled && n > f->fail_at) ? -f->code : 0;
}

static int faulty_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct faulty *f = (struct faulty *)io;

	if (f->pulled && f->count > f->fail_at)
		return -f->code;
	return sw_io_read(&f->m.io, off, data, len);
}

static int faulty_write(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	struct faulty *f = (struct faulty *)io;
	int r = may(f);

	return r < 0 ? r : sw_io_write(&f->m.io, off, data, len);
}

static int faulty_flush(struct sw_io *io)
{
	return may((struct faulty *)io);
}

static const struct sw_io_ops faulty_ops = {
	.read = faulty_read, .write = faulty_write, .flush = faulty_flush,
};

static void attach(struct faulty *f, uint8_t *disk, uint32_t sector)
{
	mem_io_init(&f->m, disk, LAYOUT_DISK, sector);
	f->io = (struct sw_io){ .ops = &faulty_ops, .size = LAYOUT_DISK, .sector = sector };
	(void)snprintf(f->io.path, sizeof(f->io.path), "disk");
	f->count = 0;
}

struct counts {
	unsigned int faults, clean, dirty, undone;
};

/* All but the zone, in which only undo data lies. */
static void assert_as_before(const uint8_t *disk, const uint8_t *before)
{
	uint64_t zone = sw_layout_undo_zone(LAYOUT_DISK), end = zone + SW_LAYOUT_UNDO_ROOM;

	assert_memory_equal(disk, before, zone);
	assert_memory_equal(disk + end, before + end, LAYOUT_DISK - end);
}

/* The disk is well again. Without undo data nothing else may have been written. */
static void take_back(uint8_t *disk, const uint8_t *before, uint32_t sector, struct counts *c)
{
	struct sw_error e = {};
	struct mem_io m;
	int r;

	mem_io_init(&m, disk, LAYOUT_DISK, sector);
	r = layout_undo(&m.io, &e);
	if (r < 0 && r != -ENOENT)
		fail_msg("undo: %d: %s: %s", r, e.what, e.why);
	*(r == 0 ? &c->undone : &c->clean) += 1;
	assert_as_before(disk, before);
}

static void says_why(int r, const struct sw_error *e, size_t at)
{
	if (r < 0 && e->r < 0 && (!e->what[0] || !e->why[0] || !e->where[0] ||
				  (e->exit != SW_EXIT_FAILED && e->exit != SW_EXIT_DIRTY &&
				   e->exit != SW_EXIT_VERIFY)))
		fail_msg("write %zu: exit %d, \"%s\" at \"%s\" because \"%s\"", at, (int)e->exit,
			 e->what, e->where, e->why);
}

static uint8_t *stale_disk(uint32_t sector)
{
	uint8_t *disk = layout_old_disk(LAYOUT_DISK, sector, MIB / 2);

	for (uint64_t i = MIB; i < LAYOUT_DISK - MIB; i++)
		disk[i] = (uint8_t)(STALE + i / 4096);
	return disk;
}

static void apply_faults(int code, bool pulled, enum sw_layout_empty empty, uint32_t sector)
{
	_cleanup_free_ uint8_t *before = stale_disk(sector), *disk = malloc(LAYOUT_DISK);
	struct faulty f = { .code = code, .pulled = pulled };
	uint64_t seed = tape_seed();
	struct counts c = {};
	bool more = true;

	assert_non_null(disk);
	while (more) {
		struct sw_error e = {};
		int r;

		memcpy(disk, before, LAYOUT_DISK);
		attach(&f, disk, sector);
		r = layout_apply(&f.io, empty, &e);
		more = f.count > f.fail_at;
		assert_int_equal(r < 0, more);
		says_why(r, &e, f.fail_at);
		if (more) {
			c.faults++;
			take_back(disk, before, sector, &c);
		}
		f.fail_at = test_next(f.fail_at, test_at_depth(6, 1, 1), &seed);
	}
	print_message("# apply, errno %d%s, %u-byte sectors: %u faults: %u with the disk "
		      "untouched, %u undone\n", code, pulled ? " from then on" : "", sector,
		      c.faults, c.clean, c.undone);
	assert_true(c.clean > 0 && c.undone > test_at_depth(0, 3, 3));
	assert_int_equal(c.clean + c.undone, c.faults);
}

static void test_any_write_of_an_apply_may_fail_with_eio(void **s SW_UNUSED)
{
	apply_faults(EIO, false, SW_EMPTY_REFUSE, 512);
	apply_faults(EIO, false, SW_EMPTY_FORCE, 4096);
}

static void test_any_write_of_an_apply_may_fail_with_enospc(void **s SW_UNUSED)
{
	apply_faults(ENOSPC, false, SW_EMPTY_REFUSE, 4096);
	apply_faults(ENOSPC, false, SW_EMPTY_FORCE, 512);
}

static void test_the_disk_may_be_pulled_at_any_write_of_an_apply(void **s SW_UNUSED)
{
	apply_faults(EIO, true, SW_EMPTY_REFUSE, 512);
	apply_faults(EIO, true, SW_EMPTY_FORCE, 512);
}

static void undo_faults(int code, bool pulled)
{
	_cleanup_free_ uint8_t *before = stale_disk(512), *disk = malloc(LAYOUT_DISK);
	_cleanup_free_ uint8_t *applied = malloc(LAYOUT_DISK);
	struct faulty f = { .code = code, .pulled = pulled, .fail_at = SIZE_MAX };
	struct counts c = {};
	bool more = true;

	assert_true(disk && applied);
	memcpy(applied, before, LAYOUT_DISK);
	attach(&f, applied, 512);
	assert_int_equal(layout_apply(&f.io, SW_EMPTY_FORCE, NULL), 0);
	for (f.fail_at = 0; more; f.fail_at++) {
		struct sw_error e = {};
		int r;

		memcpy(disk, applied, LAYOUT_DISK);
		attach(&f, disk, 512);
		r = layout_undo(&f.io, &e);
		more = f.count > f.fail_at;
		assert_int_equal(r < 0, more);
		says_why(r, &e, f.fail_at);
		c.faults += more;
		c.dirty += e.exit == SW_EXIT_DIRTY;
		take_back(disk, before, 512, &c);
	}
	print_message("# undo, errno %d%s: %u faults, %u after a change, all undone then\n", code,
		      pulled ? " from then on" : "", c.faults, c.dirty);
	assert_true(c.dirty > 3 && c.clean == 0);
}

static void test_any_write_of_an_undo_may_fail_and_it_can_be_repeated(void **s SW_UNUSED)
{
	undo_faults(EIO, false);
	undo_faults(ENOSPC, false);
	undo_faults(EIO, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_write_of_an_apply_may_fail_with_eio),
		cmocka_unit_test(test_any_write_of_an_apply_may_fail_with_enospc),
		cmocka_unit_test(test_the_disk_may_be_pulled_at_any_write_of_an_apply),
		cmocka_unit_test(test_any_write_of_an_undo_may_fail_and_it_can_be_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
