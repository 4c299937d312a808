/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short ways of looking at a disk come to what libblkid and libfdisk say:
 * where libblkid reads, and how plain DOS tables are read.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <blkid/blkid.h>
#include <cmocka.h>
#include <libfdisk/libfdisk.h>

#include "disk/blank.h"
#include "disk/disk.h"
#include "disk/gpt.h"
#include "disk/maybe.h"
#include "disk/mbr.h"

#define MiB ((uint64_t)1 << 20)

/* ---- what libblkid reads: it calls this read(), as all of the program does ---- */

static int watched = -1;
static struct sw_blank_window seen[512];
static size_t n_seen;

ssize_t read(int fd, void *data, size_t len)
{
	if (fd == watched && n_seen < ARRAY_SIZE(seen))
		seen[n_seen++] = (struct sw_blank_window){
			(uint64_t)lseek(fd, 0, SEEK_CUR), len };
	return syscall(SYS_read, fd, data, len);
}

/* This, too, is called instead of the library's. */
static const char *version = "2.38.1";

int blkid_get_library_version(const char **ret_version, const char **ret_date SW_UNUSED)
{
	*ret_version = version;
	return 0;
}

static int new_image(uint64_t size)
{
	int fd = memfd_create("test-blank", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

/* What is left out here is what filter_area() in probe.c leaves out of an area of zeros. */
static blkid_probe new_probe(int fd, uint32_t sector, bool tables, enum sw_blank_kind kind)
{
	char zfs[] = "zfs_member", log[] = "xfs_external_log", *names[SW_MAYBE_MAX + 3];
	blkid_probe pr = blkid_new_probe();
	size_t n = sw_maybe_never(kind, names);

	names[n++] = zfs;
	names[n++] = log;
	names[n] = NULL;
	assert_non_null(pr);
	assert_int_equal(blkid_probe_set_device(pr, fd, 0, 0), 0);
	(void)blkid_probe_set_sectorsize(pr, sector);
	(void)blkid_probe_enable_superblocks(pr, !tables);
	(void)blkid_probe_enable_partitions(pr, tables);
	(void)blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_NOTIN, names);
	return pr;
}

static bool covered(const struct sw_blank_window *r, const struct sw_blank_window *w, size_t n)
{
	uint64_t at = r->off;

	/* One read may lie in two windows that touch; they are few, so any order will do. */
	for (bool more = true; more && at < r->off + r->len;) {
		more = false;
		for (size_t i = 0; i < n; i++)
			if (w[i].off <= at && at < w[i].off + w[i].len) {
				at = w[i].off + w[i].len;
				more = true;
			}
	}
	return at >= r->off + r->len;
}

static void compare_reads(uint64_t size, uint32_t sector, bool tables, enum sw_blank_kind kind)
{
	struct sw_blank_window w[SW_BLANK_WINDOWS_MAX];
	size_t n = sw_blank_windows(size, kind, w);
	int fd = new_image(size);
	blkid_probe pr = new_probe(fd, sector, tables, kind);

	assert_true(n > 0 && n < SW_BLANK_WINDOWS_MAX);
	n_seen = 0;
	watched = fd;
	assert_int_equal(blkid_do_probe(pr), 1);
	watched = -1;
	assert_true(n_seen > 0 && n_seen < ARRAY_SIZE(seen));
	for (size_t i = 0; i < n_seen; i++)
		if (!covered(&seen[i], w, n))
			fail_msg("of %llu bytes libblkid reads %llu at %llu",
				 (unsigned long long)size, (unsigned long long)seen[i].len,
				 (unsigned long long)seen[i].off);
	assert_true(sw_blank_area(NULL, fd, 0, size, kind));
	assert_false(sw_blank_may_be_zfs(NULL, fd, 0, size));
	assert_false(sw_blank_may_be_xfs_log(NULL, fd, 0));
	blkid_free_probe(pr);
	close(fd);
}

static void libblkid_reads_nothing_else_of_a_blank_area(void **state SW_UNUSED)
{
	unsigned int seed = (unsigned int)time(NULL);
	size_t reads = 0;

	print_message("seed %u\n", seed);
	for (unsigned int i = 0; i < 200; i++) {
		/* Sizes of every order, odd ones among them. */
		uint64_t size = 2 * MiB + (uint64_t)rand_r(&seed) % (8 * MiB << i % 24);

		size &= i % 3 == 0 ? ~511ULL : i % 3 == 1 ? ~4095ULL : ~(MiB - 1);
		size = size < 2 * MiB ? 2 * MiB : size;
		compare_reads(size, i % 5 ? 512 : 4096, false, SW_BLANK_PART);
		compare_reads(size, i % 5 ? 512 : 4096, false, SW_BLANK_DISK);
		reads += n_seen;
		compare_reads(size, i % 5 ? 512 : 4096, true, SW_BLANK_DISK);
	}
	/* Or the library reads by other means by now, and nothing was compared. */
	assert_true(reads > 200 * 30);
}

static void check_every_window(enum sw_blank_kind kind)
{
	struct sw_blank_window w[SW_BLANK_WINDOWS_MAX];
	uint64_t size = 64 * MiB;
	size_t n = sw_blank_windows(size, kind, w);
	int fd = new_image(2 * size);

	for (size_t i = 0; i < n; i++)
		for (int end = 0; end < 2; end++) {
			off_t at = (off_t)(size + w[i].off + (end ? w[i].len - 1 : 0));

			assert_true(sw_blank_area(NULL, fd, size, size, kind));
			assert_int_equal(pwrite(fd, "x", 1, at), 1);
			assert_false(sw_blank_area(NULL, fd, size, size, kind));
			assert_int_equal(pwrite(fd, "", 1, at), 1);
		}
	/* What cannot be read is not blank: here the area reaches beyond the device. */
	assert_false(sw_blank_area(NULL, fd, size + 4096, size, kind));
	close(fd);
}

static void one_byte_in_any_window_is_seen(void **state SW_UNUSED)
{
	check_every_window(SW_BLANK_DISK);
	check_every_window(SW_BLANK_PART);
}

static void too_small_areas_are_left_to_libblkid(void **state SW_UNUSED)
{
	int fd = new_image(MiB);

	assert_false(sw_blank_area(NULL, fd, 0, MiB, SW_BLANK_DISK));
	assert_true(sw_blank_may_be_zfs(NULL, fd, 0, MiB - 512));
	close(fd);
}

static void another_release_of_libblkid_is_asked_itself(void **state SW_UNUSED)
{
	static const char *const others[] = { "2.37.4", "2.39", "2.380.1", "3.38", "" };
	struct sw_blank_window w[SW_BLANK_WINDOWS_MAX];
	const char *real = version;
	int fd = new_image(8 * MiB);

	assert_true(sw_blank_area(NULL, fd, 0, 8 * MiB, SW_BLANK_DISK));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		version = others[i];
		assert_int_equal(sw_blank_windows(8 * MiB, SW_BLANK_DISK, w), 0);
		assert_false(sw_blank_area(NULL, fd, 0, 8 * MiB, SW_BLANK_DISK));
	}
	version = real;
	close(fd);
}

/* Not every file system can be read past the page cache; then there is nothing to compare. */
static int open_direct(int fd)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
}

static void compare_ways(int fd, int direct, uint64_t off, uint64_t size,
			 enum sw_blank_kind kind, bool blank)
{
	_cleanup_blank_ struct sw_blank *b = sw_blank_read(direct, off, size, kind);
	struct sw_blank_window w[SW_BLANK_WINDOWS_MAX];
	size_t n = sw_blank_windows(size, kind, w);
	uint8_t a[512], c[512];

	assert_non_null(b);
	assert_int_equal(sw_blank_area(NULL, fd, off, size, kind), blank);
	assert_int_equal(sw_blank_area(b, fd, off, size, kind), blank);
	for (size_t i = 0; i < n; i++) {
		uint64_t last = off + w[i].off + w[i].len - sizeof(a);

		assert_true(sw_blank_copy(b, last, a, sizeof(a)));
		assert_int_equal(pread(fd, c, sizeof(c), (off_t)last), sizeof(c));
		assert_memory_equal(a, c, sizeof(a));
	}
	assert_false(sw_blank_copy(b, off + w[0].len - 1, a, 2));
	assert_false(sw_blank_copy(b, off + size, a, 1));
}

static void read_at_once_is_the_same_as_one_after_the_other(void **state SW_UNUSED)
{
	unsigned int seed = (unsigned int)time(NULL);
	int fd = new_image(512 * MiB), direct = open_direct(fd);
	struct sw_blank *probe = sw_blank_read(direct, 0, 64 * MiB, SW_BLANK_DISK);

	print_message("seed %u\n", seed);
	if (!probe)
		skip();
	sw_blank_free(probe);
	for (unsigned int i = 0; i < 100; i++) {
		/* Areas that start and end in the middle of a page, and one at the very end. */
		uint64_t off = (uint64_t)(rand_r(&seed) % 1024) * 512 + MiB;
		uint64_t size = 2 * MiB + (uint64_t)(rand_r(&seed) % 200000) * 512;
		enum sw_blank_kind kind = i % 2 ? SW_BLANK_PART : SW_BLANK_DISK;
		struct sw_blank_window w[SW_BLANK_WINDOWS_MAX];
		size_t n = sw_blank_windows(size, kind, w);
		size_t which = (unsigned int)rand_r(&seed) % n;
		uint64_t at;

		if (i % 10 == 0)
			off = 512 * MiB - size;
		at = off + w[which].off + (uint64_t)rand_r(&seed) % w[which].len;
		compare_ways(fd, direct, off, size, kind, true);
		assert_int_equal(pwrite(fd, "x", 1, (off_t)at), 1);
		compare_ways(fd, direct, off, size, kind, false);
		assert_int_equal(pwrite(fd, "", 1, (off_t)at), 1);
	}
	/* What the device does not have cannot be zero. */
	probe = sw_blank_read(direct, 500 * MiB, 64 * MiB, SW_BLANK_DISK);
	assert_false(sw_blank_area(probe, fd, 500 * MiB, 64 * MiB, SW_BLANK_DISK));
	sw_blank_free(probe);
	close(direct);
	close(fd);
}

/* ---- DOS tables ---- */

struct mbr_entry {
	uint8_t boot, chs1[3], type, chs2[3];
	uint32_t start, len;
} __attribute__((packed));

/* One in three is not plain: then sw_mbr_read_parts() has to say so or agree all the same. */
static void random_table(unsigned int *seed, struct mbr_entry e[4], uint32_t sectors)
{
	static const uint8_t types[] = { 0x83, 0x07, 0x0c, 0x82, 0xef, 0x05, 0x0f, 0xee, 0x00 };
	bool odd = rand_r(seed) % 3 == 0;
	uint32_t at = 1;

	memset(e, 0, 4 * sizeof(*e));
	for (int i = 0; i < 4; i++) {
		uint32_t gap = (uint32_t)rand_r(seed) % (sectors / 8);

		if (rand_r(seed) % 3 == 0)
			continue;
		e[i].type = types[(unsigned int)rand_r(seed) % (odd ? 9 : 5)];
		e[i].boot = rand_r(seed) % 4 ? 0 : odd ? (uint8_t)rand_r(seed) : 0x80;
		e[i].start = odd && rand_r(seed) % 4 == 0 ? (uint32_t)rand_r(seed) : at + gap;
		e[i].len = 1 + (uint32_t)rand_r(seed) % (sectors / 8);
		at = e[i].start + e[i].len;
	}
}

static size_t ask_libfdisk(int fd, struct sw_part parts[4])
{
	struct fdisk_context *cxt = fdisk_new_context();
	struct fdisk_table *tb = NULL;
	size_t n = 0;

	assert_non_null(cxt);
	assert_int_equal(fdisk_assign_device_by_fd(cxt, fd, "image", 1), 0);
	assert_true(fdisk_is_label(cxt, DOS));
	assert_int_equal(fdisk_get_partitions(cxt, &tb), 0);
	for (size_t i = 0; i < fdisk_table_get_nents(tb); i++) {
		struct fdisk_partition *pa = fdisk_table_get_partition(tb, i);

		if (!fdisk_partition_is_used(pa) || n == 4)
			continue;
		parts[n].number = (unsigned int)fdisk_partition_get_partno(pa) + 1;
		parts[n].start = fdisk_partition_get_start(pa) * 512;
		parts[n++].size = fdisk_partition_get_size(pa) * 512;
	}
	fdisk_unref_table(tb);
	fdisk_unref_context(cxt);
	return n;
}

static void write_table(int fd, const struct mbr_entry e[4])
{
	assert_int_equal(pwrite(fd, e, 64, 446), 64);
	assert_int_equal(pwrite(fd, "\x55\xaa", 2, 510), 2);
}

static void plain_dos_tables_read_as_libfdisk_reads_them(void **state SW_UNUSED)
{
	unsigned int seed = (unsigned int)time(NULL), plain = 0;
	uint64_t size = 64 * MiB;
	int fd = new_image(size);
	char path[32];
	struct sw_io *io;

	print_message("seed %u\n", seed);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < 400; i++) {
		struct sw_part *ours = NULL, theirs[4] = {};
		struct mbr_entry e[4];
		size_t n = 0;

		random_table(&seed, e, (uint32_t)(size / 512));
		write_table(fd, e);
		assert_int_equal(sw_io_open(path, false, false, 512, &io, NULL), 0);
		if (sw_mbr_read_parts(io, &ours, &n) == 1) {
			plain++;
			assert_int_equal(n, ask_libfdisk(fd, theirs));
			for (size_t k = 0; k < n; k++) {
				assert_int_equal(ours[k].number, theirs[k].number);
				assert_true(ours[k].start == theirs[k].start);
				assert_true(ours[k].size == theirs[k].size);
			}
			sw_gpt_parts_free(ours, n);
		}
		sw_io_close(io);
	}
	print_message("%u plain tables of 400\n", plain);
	assert_true(plain > 100);
	close(fd);
}

static void what_is_not_plain_is_left_to_libfdisk(void **state SW_UNUSED)
{
	static const struct mbr_entry bad[][2] = {
		{ { .type = 0x05, .start = 64, .len = 64 } },
		{ { .type = 0xee, .start = 1, .len = 64 } },
		{ { .type = 0x83, .start = 64, .len = UINT32_MAX - 64 } },
		{ { .type = 0x83, .start = 64, .len = 64 }, { .type = 0x83, .start = 127,
							       .len = 9 } },
		{ { .type = 0x83, .boot = 1, .start = 64, .len = 64 } },
		{ { .type = 0x83, .start = 0, .len = 64 } },
		{ { .type = 0x00, .start = 64, .len = 64 } },
		{ { .type = 0 } },
	};
	int fd = new_image(64 * MiB);
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mbr_entry e[4] = { bad[i][0], bad[i][1] };
		struct sw_part *parts = NULL;
		struct sw_io *io;
		size_t n = 0;

		write_table(fd, e);
		assert_int_equal(sw_io_open(path, false, false, 512, &io, NULL), 0);
		assert_int_equal(sw_mbr_read_parts(io, &parts, &n), 0);
		assert_null(parts);
		sw_io_close(io);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libblkid_reads_nothing_else_of_a_blank_area),
		cmocka_unit_test(one_byte_in_any_window_is_seen),
		cmocka_unit_test(too_small_areas_are_left_to_libblkid),
		cmocka_unit_test(another_release_of_libblkid_is_asked_itself),
		cmocka_unit_test(read_at_once_is_the_same_as_one_after_the_other),
		cmocka_unit_test(plain_dos_tables_read_as_libfdisk_reads_them),
		cmocka_unit_test(what_is_not_plain_is_left_to_libfdisk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
