/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libblkid is not asked for, it could not have found: compared with what it
 * reads, for each type of superblock alone.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <blkid/blkid.h>
#include <cmocka.h>

#include "disk/absent.h"

#define MiB ((uint64_t)1 << 20)
#define SIZE (64 * MiB)

/* libblkid calls this read(), as all of the program does. */
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

static int new_image(uint64_t size)
{
	int fd = memfd_create("test-absent", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void put(int fd, uint64_t off, const void *data, size_t len)
{
	assert_int_equal(pwrite(fd, data, len, (off_t)off), len);
}

/* What libblkid says when it looks for this type alone: 0 when it is there, 1 when not. */
static int ask(int fd, const char *type, uint32_t sector)
{
	char *names[] = { (char *)type, NULL };
	blkid_probe pr = blkid_new_probe();
	int r;

	assert_non_null(pr);
	assert_int_equal(blkid_probe_set_device(pr, fd, 0, 0), 0);
	(void)blkid_probe_set_sectorsize(pr, sector);
	assert_int_equal(blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_ONLYIN, names), 0);
	n_seen = 0;
	watched = fd;
	r = blkid_do_probe(pr);
	watched = -1;
	blkid_free_probe(pr);
	return r;
}

static struct sw_blank *read_windows(int fd, uint64_t size)
{
	char path[32];
	int direct;
	struct sw_blank *b;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	b = sw_blank_read(direct, 0, size);
	if (direct >= 0)
		close(direct);
	return b;
}

static bool is_left_out(const struct sw_blank *b, uint64_t size, const char *type)
{
	char *types[SW_ABSENT_MAX];
	size_t n = sw_absent_types(b, 0, size, types);

	assert_null(types[n]);
	for (size_t i = 0; i < n; i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

/* Of these only the magic is compared; a test of its own shows that. */
static bool by_magic(const char *type)
{
	static const char *const types[] = { "crypto_LUKS", "swap", "swsuspend", "ufs" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

static bool lies_in_one(const struct sw_blank_window *r, const struct sw_blank_window *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].off <= r->off && r->off + r->len <= p[i].off + p[i].len)
			return true;
	return false;
}

static bool holds_one(const struct sw_blank_window *r, const struct sw_blank_window *p, size_t n)
{
	return n > 0 && (lies_in_one(&p[0], r, 1) || holds_one(r, p + 1, n - 1));
}

/* LVM2 and OCFS2 read two neighbours: then the place is both. */
static void compare(int fd, uint64_t size, uint32_t sector, size_t number)
{
	struct sw_blank_window places[SW_BLANK_WINDOWS_MAX];
	const char *type;
	size_t n;

	assert_true(sw_absent_places(number, size, &type, places, &n));
	assert_true(n > 0 && n < SW_BLANK_WINDOWS_MAX);
	assert_int_equal(ask(fd, type, sector), 1);
	/* 0 is what it reads of an area that is too small for the type. */
	for (size_t i = 0; i < n_seen; i++)
		if (by_magic(type) ? !holds_one(&seen[i], places, n) && seen[i].off != 0
				   : !lies_in_one(&seen[i], places, n))
			fail_msg("for %s in %llu bytes libblkid reads %llu at %llu", type,
				 (unsigned long long)size, (unsigned long long)seen[i].len,
				 (unsigned long long)seen[i].off);
}

static void each_type_is_read_where_we_look(void **state SW_UNUSED)
{
	static const uint32_t masks[] = { 0, 511, 4095, MiB - 1 };
	unsigned int seed = (unsigned int)time(NULL);
	size_t reads = 0;

	print_message("seed %u\n", seed);
	for (unsigned int i = 0; i < 60; i++) {
		uint64_t size = 2 * MiB + (uint64_t)rand_r(&seed) % (8 * MiB << i % 20);
		uint32_t sector = i % 5 ? 512 : 4096;
		const char *type;
		struct sw_blank_window p[SW_BLANK_WINDOWS_MAX];
		size_t n;
		int fd;

		/* Odd ones, too: a stand-in's disk is a file. */
		size &= ~(uint64_t)masks[i % ARRAY_SIZE(masks)];
		fd = new_image(size);
		for (size_t k = 0; sw_absent_places(k, size, &type, p, &n); k++) {
			compare(fd, size, sector, k);
			reads += n_seen;
		}
		close(fd);
	}
	/* Or it reads by other means by now, and nothing was compared. */
	assert_true(reads > 60 * 50);
}

static void one_byte_in_any_place_and_the_type_is_asked_for(void **state SW_UNUSED)
{
	struct sw_blank_window p[SW_BLANK_WINDOWS_MAX];
	int fd = new_image(SIZE);
	const char *type;
	size_t n;
	struct sw_blank *b = read_windows(fd, SIZE);

	if (!b) {
		close(fd);
		skip();
	}
	sw_blank_free(b);
	for (size_t k = 0; sw_absent_places(k, SIZE, &type, p, &n); k++)
		for (size_t i = 0; i < 2 * n; i++) {
			uint64_t at = p[i / 2].off + (i % 2 ? p[i / 2].len - 1 : 0);

			b = read_windows(fd, SIZE);
			assert_true(is_left_out(b, SIZE, type));
			sw_blank_free(b);
			put(fd, at, "x", 1);
			b = read_windows(fd, SIZE);
			assert_false(is_left_out(b, SIZE, type));
			sw_blank_free(b);
			put(fd, at, "", 1);
		}
	close(fd);
}

static void nothing_is_left_out_of_what_was_not_read(void **state SW_UNUSED)
{
	char *types[SW_ABSENT_MAX];
	int fd = new_image(SIZE);
	struct sw_blank *b;

	assert_int_equal(sw_absent_types(NULL, 0, SIZE, types), 0);
	assert_null(types[0]);
	/* Read of one half of a device, asked about another area. */
	b = read_windows(fd, SIZE / 2);
	if (b) {
		assert_true(is_left_out(b, SIZE / 2, "swap"));
		assert_false(is_left_out(b, SIZE, "lsi_mega_raid_member"));
	}
	sw_blank_free(b);
	close(fd);
}

/* Found with the magic at each place, and not a bit of it without: so nothing else decides. */
static void magics_alone_decide(void **state SW_UNUSED)
{
	static const struct {
		const char *type, *magic;
		size_t len;
		uint64_t at[10];
	} known[] = {
		{ "crypto_LUKS", "LUKS\xba\xbe", 6, { 0 } },
		{ "crypto_LUKS", "SKUL\xba\xbe", 6,
		  { 1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21,
		    1 << 22 } },
		{ "swap", "SWAP-SPACE", 10, { 0xff6, 0x1ff6, 0x3ff6, 0x7ff6, 0xfff6 } },
		{ "swsuspend", "\xed\xc3\x02\xe9\x98\x56\xe5\x0c", 8, { 0 } },
		{ "swsuspend", "LINHIB0001", 10, { 0xff6, 0x1ff6, 0x3ff6, 0x7ff6, 0xfff6 } },
		{ "ufs", "\x19\x54\x01\x19", 4, { 1372, 9564, 66908, 263516 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		for (size_t k = 0; k < 10 && (k == 0 || known[i].at[k]); k++) {
			uint8_t noise[2048], zero[16] = {};
			int fd = new_image(SIZE);
			struct sw_blank *b;

			/* All but the magic may be anything. */
			memset(noise, 0xa5, sizeof(noise));
			put(fd, known[i].at[k] & ~2047ULL, noise, sizeof(noise));
			put(fd, known[i].at[k], known[i].magic, known[i].len);
			assert_int_equal(ask(fd, known[i].type, 512), 0);
			b = read_windows(fd, SIZE);
			assert_false(is_left_out(b, SIZE, known[i].type));
			sw_blank_free(b);
			put(fd, known[i].at[k], zero, known[i].len);
			assert_int_equal(ask(fd, known[i].type, 512), 1);
			close(fd);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_is_read_where_we_look),
		cmocka_unit_test(one_byte_in_any_place_and_the_type_is_asked_for),
		cmocka_unit_test(nothing_is_left_out_of_what_was_not_read),
		cmocka_unit_test(magics_alone_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
