/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "boot/slot.h"
#include "tests/lib/crash.h"

#define SIZE (40ull << 20)

struct fixture {
	char *dir, *uki, *old_uki, *image, *old_image;
	struct sw_slot_manifest m, old;
};

static char *in(struct fixture *f, const char *name)
{
	return sw_fmt("%s/%s", f->dir, name);
}

/* Bytes without long runs, so that no two blocks are alike. */
static void make_file(const char *path, size_t len, uint32_t seed)
{
	_cleanup_free_ uint8_t *d = malloc(len);

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		d[i] = (uint8_t)(seed >> 24);
	}
	assert_int_equal(sw_file_write(path, d, len, 0644), 0);
}

static void describe(struct sw_slot_manifest *m, const char *uki, uint64_t sequence)
{
	*m = (struct sw_slot_manifest){ .sequence = sequence, .build_id = strdup("test-1"),
		.source = strdup("http://10.0.2.2/uki"), .reason = strdup("install"),
		.time = 1700000000 };
	assert_int_equal(sw_sha256_file(uki, m->sha256), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	assert_int_equal(sw_scratch_new("sw-slot", &f->dir), 0);
	f->uki = in(f, "uki");
	f->old_uki = in(f, "old-uki");
	f->image = in(f, "image");
	f->old_image = in(f, "old-image");
	make_file(f->uki, 200123, 1);
	make_file(f->old_uki, 150001, 2);
	describe(&f->m, f->uki, 2);
	describe(&f->old, f->old_uki, 1);
	assert_int_equal(sw_slot_build(f->uki, &f->m, SIZE, 512, 0x1234abcd, "SLIPWAY-A", f->image,
				       NULL), 0);
	assert_int_equal(sw_slot_build(f->old_uki, &f->old, SIZE, 512, 1, "SLIPWAY-A", f->old_image,
				       NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)sw_remove_tree(f->dir);
	sw_slot_manifest_clear(&f->m);
	sw_slot_manifest_clear(&f->old);
	free(f->uki);
	free(f->old_uki);
	free(f->image);
	free(f->old_image);
	free(f->dir);
	free(f);
	return 0;
}

static uint8_t *load(const char *path, uint64_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *d = calloc(1, size);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, d, size, 0), (ssize_t)size);
	return d;
}

static void expect_slot(struct sw_io *io, uint64_t off, const struct sw_slot_manifest *want)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	bool ok = false;

	assert_int_equal(sw_slot_read(io, off, SIZE, &m, &ok, NULL), 0);
	assert_true(ok);
	assert_int_equal(m.sequence, want->sequence);
	assert_string_equal(m.sha256, want->sha256);
	assert_string_equal(m.source, want->source);
	assert_int_equal(m.time, want->time);
}

static void test_the_same_arguments_give_the_same_image(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *again = in(f, "again");
	char a[65], b[65];

	sleep(2);	/* FAT times have a resolution of two seconds */
	assert_int_equal(sw_slot_build(f->uki, &f->m, SIZE, 512, 0x1234abcd, "SLIPWAY-A", again,
				       NULL), 0);
	assert_int_equal(sw_sha256_file(f->image, a), 0);
	assert_int_equal(sw_sha256_file(again, b), 0);
	assert_string_equal(a, b);
}

static void test_an_image_is_sparse_and_of_exactly_the_asked_size(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->image, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	assert_true((uint64_t)st.st_blocks * 512 < 8ull << 20);
}

static void test_sectors_of_4096_bytes_work(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *image = in(f, "image4k");
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_io_ struct sw_io *io = NULL;
	uint8_t sector[2];
	bool ok = false;

	assert_int_equal(sw_slot_build(f->uki, &f->m, 300ull << 20, 4096, 7, "SLIPWAY-B", image,
				       NULL), 0);
	assert_int_equal(sw_io_open(image, false, false, 4096, &io, NULL), 0);
	assert_int_equal(sw_io_read(io, 11, sector, 2), 0);
	assert_int_equal(sector[0] | sector[1] << 8, 4096);
	assert_int_equal(sw_slot_read(io, 0, io->size, &m, &ok, NULL), 0);
	assert_true(ok);
}

static void test_what_does_not_fit_is_refused_with_the_number_of_bytes(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *big = in(f, "big"), *out = in(f, "out");
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	struct sw_error err = {};

	make_file(big, 41 << 20, 3);
	describe(&m, big, 1);
	assert_int_equal(sw_slot_build(big, &m, SIZE, 512, 1, "X", out, &err), -ENOSPC);
	assert_non_null(strstr(err.why, "bytes too many"));
	assert_int_equal(access(out, F_OK), -1);
	err = (struct sw_error){};
	assert_int_equal(sw_slot_build(f->uki, &f->m, 16 << 20, 512, 1, "X", out, &err), -EINVAL);
	assert_non_null(strstr(err.what, "too small for FAT32"));
}

static void test_a_manifest_with_another_hash_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *out = in(f, "out");
	struct sw_error err = {};

	assert_int_equal(sw_slot_build(f->uki, &f->old, SIZE, 512, 1, "X", out, &err), -EBADMSG);
	assert_int_equal(err.exit, SW_EXIT_VERIFY);
	assert_int_equal(access(out, F_OK), -1);
}

/* ---- writing ---- */

struct watch {
	uint64_t last, size;
	unsigned int events, cancel_after;
};

static void watch_event(const struct sw_event *ev, void *userdata)
{
	struct watch *w = userdata;

	assert_int_equal(ev->type, SW_EVENT_PROGRESS);
	assert_int_equal(ev->step, 4);
	assert_true(ev->done > w->last && ev->done <= ev->size);
	w->last = ev->done;
	w->size = ev->size;
	w->events++;
}

static bool watch_cancel(void *userdata)
{
	struct watch *w = userdata;

	return w->cancel_after && --w->cancel_after == 0;
}

static void test_a_slot_written_over_old_bytes_reads_back_whole(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *disk = in(f, "disk");
	_cleanup_free_ uint8_t *dirt = malloc(SIZE);
	_cleanup_io_ struct sw_io *io = NULL;
	struct watch w = {};
	struct sw_sink sink = { .fn = watch_event, .userdata = &w, .cancelled = watch_cancel };
	uint64_t payload = 0;
	uint8_t around[512];
	int fd = open(disk, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	memset(dirt, 0xa5, SIZE);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pwrite(fd, dirt, SIZE, (off_t)(i * SIZE)), (ssize_t)SIZE);
	close(fd);
	assert_int_equal(sw_io_open(disk, true, false, 512, &io, NULL), 0);
	assert_int_equal(sw_slot_write(io, 1 << 20, f->image, 4, &sink, NULL), 0);
	expect_slot(io, 1 << 20, &f->m);
	assert_int_equal(sw_slot_payload(f->image, &payload, NULL), 0);
	assert_int_equal(w.last, 2 * payload);
	assert_int_equal(w.size, 2 * payload);
	assert_true(payload < 2 << 20);
	/* Nothing outside the partition was touched. */
	assert_int_equal(sw_io_read(io, (1 << 20) - 512, around, 512), 0);
	assert_memory_equal(around, dirt, 512);
	assert_int_equal(sw_io_read(io, (1 << 20) + SIZE, around, 512), 0);
	assert_memory_equal(around, dirt, 512);
}

/* Any FAT driver must see free clusters as free: old bytes in the FAT would be lost chains. */
static void test_both_fats_are_written_whole(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ uint8_t *dirt = malloc(SIZE), *want = load(f->image, SIZE);
	_cleanup_io_ struct sw_io *io = NULL;
	uint32_t fats = 32 * 512 + 2 * 512 * ((uint32_t)want[36] | (uint32_t)want[37] << 8);

	memset(dirt, 0xa5, SIZE);
	assert_int_equal(sw_io_new_recorder(SIZE, 512, dirt, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_slot_write(io, 0, f->image, 4, NULL, NULL), 0);
	assert_memory_equal(sw_io_recorder_data(io), want, fats);
}

struct verdicts {
	unsigned int unreadable, complete, old, wrong;
	unsigned int old_allowed_until;	/* flushes */
	uint64_t new_sequence;
};

static void judge_slot(struct sw_io *io, unsigned int flushes, void *userdata)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	struct verdicts *v = userdata;
	bool ok = false;

	if (sw_slot_read(io, 0, io->size, &m, &ok, NULL) < 0)
		v->unreadable++;
	else if (ok && m.sequence == v->new_sequence)
		v->complete++;
	else if (ok && flushes < v->old_allowed_until)
		v->old++;
	else
		v->wrong++;
}

static void test_no_power_cut_leaves_a_readable_but_wrong_slot(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ uint8_t *disk = load(f->old_image, SIZE);
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;
	struct verdicts v = { .old_allowed_until = 1, .new_sequence = 2 };
	struct crash_stats stats;

	assert_int_equal(sw_io_new_recorder(SIZE, 512, disk, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_slot_write(io, 0, f->image, 1, NULL, NULL), 0);
	crash_enumerate(disk, SIZE, 512, &log, 1, 300, judge_slot, &v, &stats);
	print_message("# %u states in %u epochs: %u old (before the first flush), %u unreadable, "
		      "%u new and complete, %u wrong\n", stats.states, stats.epochs, v.old,
		      v.unreadable, v.complete, v.wrong);
	assert_int_equal(v.wrong, 0);
	assert_true(v.unreadable > 1000 && v.complete > 0 && v.old > 0);
	assert_memory_equal(disk, sw_io_recorder_data(io), SIZE);
}

/* The judge itself must be able to fail: the same writes in one epoch do break the slot. */
static void test_without_the_flushes_the_enumeration_finds_broken_slots(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ uint8_t *disk = load(f->old_image, SIZE);
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;
	struct verdicts v = { .old_allowed_until = 1, .new_sequence = 2 };
	struct crash_stats stats;
	size_t n = 0;

	assert_int_equal(sw_io_new_recorder(SIZE, 512, disk, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_slot_write(io, 0, f->image, 1, NULL, NULL), 0);
	for (size_t i = 0; i < log.n; i++)
		if (log.ops[i].kind == SW_IO_WRITE)
			log.ops[n++] = log.ops[i];
	log.n = n;
	crash_enumerate(disk, SIZE, 512, &log, 1000, 300, judge_slot, &v, &stats);
	assert_true(v.wrong > 0);
}

static void test_cancelling_leaves_the_slot_unreadable(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ uint8_t *disk = load(f->old_image, SIZE);
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_io_ struct sw_io *io = NULL;
	struct watch w = { .cancel_after = 2 };
	struct sw_sink sink = { .userdata = &w, .cancelled = watch_cancel };
	struct sw_error err = {};
	bool ok;

	assert_int_equal(sw_io_new_recorder(SIZE, 512, disk, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_slot_write(io, 0, f->image, 4, &sink, &err), -ECANCELED);
	assert_int_equal(err.exit, SW_EXIT_CANCELLED);
	assert_int_equal(sw_slot_read(io, 0, SIZE, &m, &ok, NULL), -EINVAL);
}

static void test_a_write_error_at_any_point_is_reported(void **state)
{
	struct fixture *f = *state;

	for (size_t at = 0; at < 4; at++) {
		_cleanup_io_ struct sw_io *io = NULL;
		struct sw_error err = {};

		assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, at, EIO, &io), 0);
		assert_int_equal(sw_slot_write(io, 0, f->image, 4, NULL, &err), -EIO);
		assert_int_equal(err.exit, SW_EXIT_DIRTY);
	}
}

/* A disk that loses one bit on the way. */
static int flip_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct mem_io *m = (struct mem_io *)io;

	memcpy(data, m->data + off, len);
	if (off <= 700000 && off + len > 700000)
		((uint8_t *)data)[700000 - off] ^= 4;
	return 0;
}

static void test_a_disk_that_changes_a_bit_is_found_out(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ uint8_t *disk = calloc(1, SIZE);
	struct sw_error err = {};
	struct sw_io_ops ops;
	struct mem_io m;

	mem_io_init(&m, disk, SIZE, 512);
	ops = *m.io.ops;
	ops.read = flip_read;
	m.io.ops = &ops;
	assert_int_equal(sw_slot_write(&m.io, 0, f->image, 4, NULL, &err), -EBADMSG);
	assert_int_equal(err.exit, SW_EXIT_VERIFY);
}

/* ---- a disk that says "durable" and loses a bit all the same ---- */

static struct {
	const struct sw_io_ops *real;
	unsigned int flushes, at;	/* behind which flush the byte goes */
	off_t off;
	int fd;				/* the backing file, by a way of its own */
} rot;

static int rotting_flush(struct sw_io *io)
{
	int r = rot.real->flush(io);
	uint8_t byte;

	if (r < 0 || ++rot.flushes != rot.at)
		return r;
	assert_int_equal(pread(rot.fd, &byte, 1, rot.off), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(rot.fd, &byte, 1, rot.off), 1);
	assert_int_equal(fsync(rot.fd), 0);
	return 0;
}

static int write_to_rotting_disk(struct fixture *f, const char *disk, unsigned int at, off_t off)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_io_ops ops;
	struct sw_error err = {};
	int r;

	assert_int_equal(sw_io_open(disk, true, false, 512, &io, NULL), 0);
	rot.real = io->ops;
	rot.at = at;
	rot.off = off;
	rot.flushes = 0;
	ops = *io->ops;
	ops.flush = rotting_flush;
	io->ops = &ops;
	r = sw_slot_write(io, 0, f->image, 4, NULL, &err);
	assert_true(r == 0 || err.exit == SW_EXIT_VERIFY);
	assert_true(rot.flushes >= 4);
	io->ops = rot.real;
	return r;
}

static void test_a_byte_that_changes_on_the_disk_behind_a_flush_is_found_out(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *disk = in(f, "rotting");
	_cleanup_free_ struct sw_extent *ext = NULL;
	unsigned int caught = 0;
	size_t n = 0;

	assert_int_equal(sw_image_extents(f->image, &ext, &n, NULL), 0);
	rot.fd = open(disk, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(rot.fd, (off_t)SIZE), 0);
	assert_int_equal(write_to_rotting_disk(f, disk, 0, 0), 0);
	for (size_t i = 0; i < n; i++)
		for (uint64_t at = 0; at < ext[i].len; at += 8209) {
			off_t off = (off_t)(ext[i].off + at);
			/* The reserved sectors are written behind the second flush, the first of
			   them behind the third. */
			unsigned int flush = off < 512 ? 4 : off < 32 * 512 ? 3 : 2;

			for (; flush <= 4; flush++, caught++)
				assert_int_equal(write_to_rotting_disk(f, disk, flush, off),
						 -EBADMSG);
		}
	print_message("# %u bytes changed behind a flush, all found\n", caught);
	assert_true(caught > 60);
	close(rot.fd);
}

static void test_a_damaged_image_in_a_slot_is_readable_but_not_ok(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ uint8_t *disk = load(f->image, SIZE), *uki = load(f->uki, 4096);
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	uint8_t *at = memmem(disk, SIZE, uki, 512);
	struct mem_io io;
	bool ok = true;

	assert_non_null(at);
	at[100] ^= 1;
	mem_io_init(&io, disk, SIZE, 512);
	assert_int_equal(sw_slot_read(&io.io, 0, SIZE, &m, &ok, NULL), 0);
	assert_false(ok);
}

/* ---- other images ---- */

static void test_an_image_with_holes_is_written_where_it_has_data(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = in(f, "fs");
	_cleanup_free_ uint8_t *dirt = malloc(16 << 20), *block = malloc(8192);
	_cleanup_free_ struct sw_extent *v = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	const uint8_t *got;
	size_t n = 0;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	memset(dirt, 0xa5, 16 << 20);
	memset(block, 0x11, 8192);
	assert_int_equal(ftruncate(fd, 8 << 20), 0);
	assert_int_equal(pwrite(fd, block, 4096, 4096), 4096);
	assert_int_equal(pwrite(fd, block, 8192, 4 << 20), 8192);
	close(fd);
	assert_int_equal(sw_image_extents(path, &v, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(v[1].off, 4 << 20);
	assert_int_equal(v[1].len, 8192);
	assert_int_equal(sw_io_new_recorder(16 << 20, 512, dirt, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_image_write(io, 1 << 20, 10 << 20, path, 1, NULL, NULL), 0);
	got = sw_io_recorder_data(io) + (1 << 20);
	assert_memory_equal(got + 4096, block, 4096);
	assert_memory_equal(got + (4 << 20), block, 8192);
	assert_int_equal(got[0], 0);			/* the first MiB is cleared */
	assert_int_equal(got[(10 << 20) - 1], 0);	/* and the last */
	assert_int_equal(got[2 << 20], 0xa5);		/* a hole is not written */
	assert_int_equal(got[-1], 0xa5);
	assert_int_equal(got[10 << 20], 0xa5);
}

static void test_the_head_of_an_image_is_written_last(void **state)
{
	struct fixture *f = *state;
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_free_ char *path = in(f, "fs2");
	size_t last;

	make_file(path, 3 << 20, 9);
	assert_int_equal(sw_io_new_recorder(8 << 20, 512, NULL, &log, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_image_write(io, 0, 8 << 20, path, 1, NULL, NULL), 0);
	last = log.n - 1;
	assert_int_equal(log.ops[last].kind, SW_IO_FLUSH);
	assert_int_equal(log.ops[last - 1].off, 0);
	assert_int_equal(log.ops[last - 2].kind, SW_IO_FLUSH);
	assert_true(log.ops[last - 3].off >= 1 << 20);
}

static void test_an_image_larger_than_its_partition_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_io_ struct sw_io *io = NULL;

	assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, 0, EIO, &io), 0);
	assert_int_equal(sw_slot_write(io, 512, f->image, 1, NULL, NULL), -ENOSPC);
	assert_int_equal(sw_image_write(io, 0, SIZE - 1, f->image, 1, NULL, NULL), -ENOSPC);
}

/* ---- manifests ---- */

static void test_manifests_round_trip(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = sw_slot_manifest_text(&f->m);
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};

	assert_int_equal(sw_slot_manifest_parse(text, strlen(text), &m), 0);
	assert_int_equal(m.sequence, f->m.sequence);
	assert_string_equal(m.build_id, f->m.build_id);
	assert_string_equal(m.reason, f->m.reason);
}

static void test_a_line_break_in_a_value_cannot_forge_a_key(void **state)
{
	struct fixture *f = *state;
	struct sw_slot_manifest evil = f->m;
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_free_ char *text = NULL;

	evil.source = (char *)"http://x\nSEQUENCE=999";
	text = sw_slot_manifest_text(&evil);
	assert_int_equal(sw_slot_manifest_parse(text, strlen(text), &m), 0);
	assert_int_equal(m.sequence, 2);
}

static void test_bad_manifests_are_refused(void **state SW_UNUSED)
{
	static const char *const bad[] = {
		"", "SLIPWAY_SLOT=1\n", "SLIPWAY_SLOT=2\nSHA256=x\n",
		"SLIPWAY_SLOT=1\nSHA256=abc\n",
		"SLIPWAY_SLOT=1\nSEQUENCE=-1\n", "SLIPWAY_SLOT=1\nrubbish\n",
		"SLIPWAY_SLOT=1\nSEQUENCE=99999999999999999999\n", "SLIPWAY_SLOT=1\nTIME=\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_slot_manifest m = {};

		assert_int_equal(sw_slot_manifest_parse(bad[i], strlen(bad[i]), &m), -EINVAL);
		assert_null(m.build_id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_arguments_give_the_same_image),
		cmocka_unit_test(test_an_image_is_sparse_and_of_exactly_the_asked_size),
		cmocka_unit_test(test_sectors_of_4096_bytes_work),
		cmocka_unit_test(test_what_does_not_fit_is_refused_with_the_number_of_bytes),
		cmocka_unit_test(test_a_manifest_with_another_hash_is_refused),
		cmocka_unit_test(test_a_slot_written_over_old_bytes_reads_back_whole),
		cmocka_unit_test(test_both_fats_are_written_whole),
		cmocka_unit_test(test_no_power_cut_leaves_a_readable_but_wrong_slot),
		cmocka_unit_test(test_without_the_flushes_the_enumeration_finds_broken_slots),
		cmocka_unit_test(test_cancelling_leaves_the_slot_unreadable),
		cmocka_unit_test(test_a_write_error_at_any_point_is_reported),
		cmocka_unit_test(test_a_disk_that_changes_a_bit_is_found_out),
		cmocka_unit_test(test_a_byte_that_changes_on_the_disk_behind_a_flush_is_found_out),
		cmocka_unit_test(test_a_damaged_image_in_a_slot_is_readable_but_not_ok),
		cmocka_unit_test(test_an_image_with_holes_is_written_where_it_has_data),
		cmocka_unit_test(test_the_head_of_an_image_is_written_last),
		cmocka_unit_test(test_an_image_larger_than_its_partition_is_refused),
		cmocka_unit_test(test_manifests_round_trip),
		cmocka_unit_test(test_a_line_break_in_a_value_cannot_forge_a_key),
		cmocka_unit_test(test_bad_manifests_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
