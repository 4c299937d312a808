/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks that cannot be read everywhere. read(), pread() and the requests to
 * io_uring of this program fail inside one range of one file, also when libblkid
 * and libfdisk call them.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>
#include <liburing.h>

#include "base/file.h"
#include "disk/disk.h"
#include "disk/select.h"
#include "disk/table.h"
#include "tests/lib/scratch.h"

#define MIB ((uint64_t)1 << 20)
#define SIZE (16 * MIB)

static ino_t bad_file;
static uint64_t bad_from, bad_to;

static bool is_bad(int fd, uint64_t off, size_t len)
{
	struct stat st;

	return bad_to > bad_from && off < bad_to && off + len > bad_from &&
	       fstat(fd, &st) == 0 && st.st_ino == bad_file;
}

static ssize_t bad_pread(int fd, void *data, size_t len, off_t off)
{
	if (is_bad(fd, (uint64_t)off, len)) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, data, len, off);
}

ssize_t read(int fd, void *data, size_t len)
{
	off_t off = bad_to > bad_from ? lseek(fd, 0, SEEK_CUR) : 0;

	if (off >= 0 && is_bad(fd, (uint64_t)off, len)) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_read, fd, data, len);
}

ssize_t pread(int fd, void *data, size_t len, off_t off)
{
	return bad_pread(fd, data, len, off);
}

ssize_t pread64(int fd, void *data, size_t len, off64_t off)
{
	return bad_pread(fd, data, len, off);
}

static unsigned int spoilt;

/* A request without a file fails by itself, in the kernel. */
int io_uring_submit_and_wait(struct io_uring *ring, unsigned int wait)
{
	int (*real)(struct io_uring *r, unsigned int n) = NULL;
	void *f = dlsym(RTLD_NEXT, "io_uring_submit_and_wait");

	memcpy(&real, &f, sizeof(real));
	for (unsigned int i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++) {
		struct io_uring_sqe *s = &ring->sq.sqes[i & ring->sq.ring_mask];

		if (is_bad(s->fd, s->off, s->len)) {
			s->fd = -1;
			spoilt++;
		}
	}
	return real(ring, wait);
}

static void find(const char *path, uint64_t from, uint64_t len)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	bad_file = st.st_ino;
	bad_from = from;
	bad_to = from + len;
}

/* A file of 16 MiB, with a table of one partition when asked. */
static char *image(const char *name, bool table)
{
	char *path = sw_fmt("%s/%s", test_scratch, name);
	struct sw_new_part p = { MIB, 4 * MIB, { .b = { 1 } }, { .b = { 2 } }, 0, "data" };
	struct sw_guid id = { .b = { 3 } };
	struct sw_table_image t;
	struct sw_io *io = NULL;

	bad_to = bad_from = 0;
	assert_int_equal(sw_file_write(path, "", 0, 0600), 0);
	assert_int_equal(truncate(path, SIZE), 0);
	if (!table)
		return path;
	assert_int_equal(sw_io_open(path, true, false, 512, &io, NULL), 0);
	assert_int_equal(sw_table_build(SIZE, 512, &id, &p, 1, &t, NULL), 0);
	assert_int_equal(sw_table_commit(io, &t, NULL), 0);
	sw_table_image_clear(&t);
	sw_io_close(io);
	return path;
}

static int probe(const char *path, struct sw_disk *d, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;

	*d = (struct sw_disk){};
	assert_int_equal(sw_io_open(path, false, false, 512, &io, NULL), 0);
	return sw_disk_probe(io, &d->table, &d->signatures, err);
}

static void test_an_unreadable_table_is_an_error_not_an_empty_disk(void **state SW_UNUSED)
{
	static const uint64_t places[] = { 0, 512, 1024, 8192, SIZE - 512, SIZE - 8192 };
	_cleanup_free_ char *blank = image("blank", false), *full = image("full", true);

	for (size_t i = 0; i < 2 * ARRAY_SIZE(places); i++) {
		const char *path = i % 2 ? blank : full;
		struct sw_error err = {};
		struct sw_disk d;

		find(path, places[i / 2], 512);
		if (probe(path, &d, &err) != -EIO)
			fail_msg("the sector at %llu", (unsigned long long)places[i / 2]);
		assert_non_null(strstr(err.what, "cannot read"));
	}
}

/* A superblock that cannot be read may be anybody's: everywhere libblkid looks. */
static void test_an_unreadable_sector_never_leaves_a_blank_disk(void **state SW_UNUSED)
{
	const struct sw_disk_match by_serial = { .serial = (char *)"S" };
	_cleanup_free_ char *path = image("one", false);
	unsigned int said = 0;

	for (uint64_t off = 24576; off < 2 * MIB; off += 4096) {
		struct sw_disk d;

		find(path, off, 512);
		assert_int_equal(probe(path, &d, NULL), 0);
		if (d.signatures) {
			assert_string_equal(d.signatures[0], "areas that cannot be read");
			assert_true(sw_disk_wipe_allowed(&d, SW_WIPE_BLANK, &by_serial, NULL) < 0);
			said++;
		}
		sw_disk_clear(&d);
	}
	/* btrfs, ZFS, GFS2, ReiserFS ...: the 32 KiB and 64 KiB blocks at least. */
	assert_true(said >= 2);
	print_message("%u requests to io_uring failed\n", spoilt);
}

static void test_the_btrfs_superblock_in_particular(void **state SW_UNUSED)
{
	_cleanup_free_ char *path = image("btrfs", false);
	struct sw_disk d;

	find(path, 65536, 512);
	assert_int_equal(probe(path, &d, NULL), 0);
	assert_non_null(d.signatures);
	sw_disk_clear(&d);
}

static void test_an_unreadable_partition_leaves_the_table_readable(void **state SW_UNUSED)
{
	_cleanup_free_ char *path = image("part", true);
	struct sw_disk d;

	find(path, MIB, 4 * MIB);
	assert_int_equal(probe(path, &d, NULL), 0);
	assert_int_equal(d.table.type, SW_TABLE_GPT);
	assert_int_equal(d.table.n_parts, 1);
	assert_null(d.table.parts[0].fs_type);
	sw_disk_clear(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_unreadable_table_is_an_error_not_an_empty_disk),
		cmocka_unit_test(test_an_unreadable_sector_never_leaves_a_blank_disk),
		cmocka_unit_test(test_the_btrfs_superblock_in_particular),
		cmocka_unit_test(test_an_unreadable_partition_leaves_the_table_readable),
	};

	return cmocka_run_group_tests(tests, test_scratch_setup, test_scratch_teardown);
}
