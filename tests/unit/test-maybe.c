/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libblkid is not asked for, it could not have found: compared with what it
 * reads and compares, for each type of superblock alone, and with what it finds
 * when it is asked for everything.
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

#include "disk/maybe.h"

#define MiB ((uint64_t)1 << 20)
#define SIZE (64 * MiB)

/* ---- what libblkid does: it calls this read() and memcmp(), as all of the program does ---- */

struct reading {
	uint64_t off, len;
	const uint8_t *data;
};

struct comparing {
	uint64_t off;
	size_t len;
	uint8_t what[32];
};

static int watched = -1;
static struct reading seen[512];
static struct comparing compared[1024];
static size_t n_seen, n_compared;

ssize_t read(int fd, void *data, size_t len)
{
	if (fd == watched && n_seen < ARRAY_SIZE(seen))
		seen[n_seen++] = (struct reading){
			(uint64_t)lseek(fd, 0, SEEK_CUR), len, data };
	return syscall(SYS_read, fd, data, len);
}

/* Of what was read, with something else. */
static void note(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = n_seen; i-- > 0;) {
		struct comparing *c = &compared[n_compared];

		if (a < seen[i].data || a + len > seen[i].data + seen[i].len)
			continue;
		if (n_compared == ARRAY_SIZE(compared) || len > sizeof(c->what))
			abort();
		c->off = seen[i].off + (uint64_t)(a - seen[i].data);
		c->len = len;
		for (size_t k = 0; k < len; k++)
			c->what[k] = b[k];
		n_compared++;
		return;
	}
}

int memcmp(const void *one, const void *two, size_t len)
{
	const volatile uint8_t *a = one, *b = two;

	if (watched >= 0) {
		note(one, two, len);
		note(two, one, len);
	}
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* ---- images ---- */

static int new_image(uint64_t size)
{
	int fd = memfd_create("test-maybe", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void put(int fd, uint64_t off, const void *data, size_t len)
{
	assert_int_equal(pwrite(fd, data, len, (off_t)off), len);
}

static blkid_probe new_probe(int fd, uint32_t sector, char **types)
{
	blkid_probe pr = blkid_new_probe();

	assert_non_null(pr);
	assert_int_equal(blkid_probe_set_device(pr, fd, 0, 0), 0);
	(void)blkid_probe_set_sectorsize(pr, sector);
	if (types)
		assert_int_equal(blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_ONLYIN,
								     types), 0);
	return pr;
}

/* What libblkid says when it looks for this type alone: 0 when it is there, 1 when not. */
static int ask(int fd, const char *type, uint32_t sector)
{
	char *names[] = { (char *)type, NULL };
	blkid_probe pr = new_probe(fd, sector, names);
	int r;

	n_seen = n_compared = 0;
	watched = fd;
	r = blkid_do_probe(pr);
	watched = -1;
	blkid_free_probe(pr);
	return r;
}

static struct sw_blank *read_windows(int fd, uint64_t size, enum sw_blank_kind kind)
{
	char path[32];
	int direct;
	struct sw_blank *b;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	b = sw_blank_read(direct, 0, size, kind);
	if (direct >= 0)
		close(direct);
	return b;
}

/* Not every file system can be read past the page cache; then all is left to libblkid. */
static void skip_without_windows(void)
{
	int fd = new_image(SIZE);
	struct sw_blank *b = read_windows(fd, SIZE, SW_BLANK_DISK);

	close(fd);
	if (!b)
		skip();
	sw_blank_free(b);
}

static bool is_among(char *const *types, const char *type)
{
	for (; *types; types++)
		if (strcmp(*types, type) == 0)
			return true;
	return false;
}

static bool may_be(int fd, uint64_t size, const char *type)
{
	_cleanup_blank_ struct sw_blank *b = read_windows(fd, size, SW_BLANK_DISK);
	char *types[SW_MAYBE_MAX];

	assert_non_null(b);
	assert_null(types[sw_maybe_types(b, 0, size, SW_BLANK_DISK, types)]);
	return is_among(types, type);
}

static uint64_t random_size(unsigned int *seed, unsigned int i)
{
	static const uint32_t masks[] = { 0, 511, 4095, MiB - 1 };
	uint64_t size = 2 * MiB + (uint64_t)rand_r(seed) % (8 * MiB << i % 20);

	/* Odd ones, too: a stand-in's disk is a file. */
	return size & ~(uint64_t)masks[i % ARRAY_SIZE(masks)];
}

/* ---- the same names, places and values ---- */

static void every_type_of_libblkid_is_known(void **state SW_UNUSED)
{
	struct sw_maybe_place p;
	const char *name;
	size_t n = 0;

	for (size_t i = 0; blkid_superblocks_get_name(i, &name, NULL) == 0; i++, n++) {
		/* These two are decided by functions of blank.h, tested there. */
		bool known = !strcmp(name, "zfs_member") || !strcmp(name, "xfs_external_log");

		for (size_t k = 0; !known && sw_maybe_place(k, SIZE, &p); k++)
			known = strcmp(p.type, name) == 0;
		if (!known)
			fail_msg("libblkid knows %s", name);
	}
	assert_true(n > 70 && n < SW_MAYBE_MAX);
	for (size_t k = 0; sw_maybe_place(k, SIZE, &p); k++)
		assert_int_equal(blkid_known_fstype(p.type), 1);
}

static bool holds(const struct comparing *c, const struct sw_maybe_place *p)
{
	if (c->off != p->off || c->len < p->len)
		return false;
	for (size_t i = 0; i < p->n_values; i++)
		if (memcmp(c->what, p->values + i * p->len, p->len) == 0)
			return true;
	return false;
}

static void check_comparing(const char *type, uint64_t size, const struct comparing *c)
{
	struct sw_maybe_place p;

	for (size_t k = 0; sw_maybe_place(k, size, &p); k++)
		if (strcmp(p.type, type) == 0 && holds(c, &p))
			return;
	fail_msg("for %s in %llu bytes libblkid compares %zu bytes, 0x%02x..., at %llu", type,
		 (unsigned long long)size, c->len, c->what[0], (unsigned long long)c->off);
}

static void check_reading(const char *type, uint64_t size, const struct reading *r)
{
	struct sw_maybe_place p;

	for (size_t k = 0; sw_maybe_place(k, size, &p); k++)
		if (strcmp(p.type, type) == 0 && r->off <= p.off &&
		    p.off + p.len <= r->off + r->len)
			return;
	/* 0 is what it reads of an area that is too small for the type. */
	if (r->off != 0)
		fail_msg("for %s in %llu bytes libblkid reads %llu at %llu", type,
			 (unsigned long long)size, (unsigned long long)r->len,
			 (unsigned long long)r->off);
}

static void what_libblkid_reads_and_compares_is_in_the_rules(void **state SW_UNUSED)
{
	unsigned int seed = (unsigned int)time(NULL);
	size_t reads = 0, compares = 0;

	print_message("seed %u\n", seed);
	for (unsigned int i = 0; i < 60; i++) {
		uint64_t size = random_size(&seed, i);
		int fd = new_image(size);
		const char *type;

		for (size_t k = 0; blkid_superblocks_get_name(k, &type, NULL) == 0; k++) {
			if (!strcmp(type, "zfs_member") || !strcmp(type, "xfs_external_log"))
				continue;
			assert_int_equal(ask(fd, type, i % 5 ? 512 : 4096), 1);
			for (size_t s = 0; s < n_seen; s++)
				check_reading(type, size, &seen[s]);
			/* Its magic numbers are not what decides, see below. */
			for (size_t c = 0; c < n_compared && strcmp(type, "vfat") != 0; c++)
				check_comparing(type, size, &compared[c]);
			reads += n_seen;
			compares += n_compared;
		}
		close(fd);
	}
	/* Or it works by other means by now, and nothing was compared. */
	assert_true(reads > 60 * 50);
	assert_true(compares > 60 * 100);
}

static void one_value_at_any_place_and_the_type_may_be_there(void **state SW_UNUSED)
{
	static const uint8_t zero[32];
	int fd = new_image(SIZE);
	struct sw_maybe_place p;

	skip_without_windows();
	for (size_t k = 0; sw_maybe_place(k, SIZE, &p); k++)
		for (size_t i = 0; i < p.n_values; i++) {
			assert_false(may_be(fd, SIZE, p.type));
			put(fd, p.off, p.values + i * p.len, p.len);
			assert_true(may_be(fd, SIZE, p.type));
			put(fd, p.off, zero, p.len);
		}
	close(fd);
}

static void of_what_was_not_read_everything_may_be_there(void **state SW_UNUSED)
{
	char *types[SW_MAYBE_MAX];
	int fd = new_image(SIZE);
	struct sw_blank *b;

	skip_without_windows();
	/* Read of one half of a device, asked about another area. */
	b = read_windows(fd, SIZE / 2, SW_BLANK_DISK);
	assert_int_equal(sw_maybe_types(b, 0, SIZE / 2, SW_BLANK_DISK, types), 0);
	(void)sw_maybe_types(b, 0, SIZE, SW_BLANK_DISK, types);
	assert_true(is_among(types, "lsi_mega_raid_member"));
	assert_false(is_among(types, "ext4"));
	assert_true(sw_maybe_types(b, SIZE / 2, SIZE / 2, SW_BLANK_DISK, types) > 70);
	assert_true(sw_maybe_types(NULL, 0, SIZE, SW_BLANK_DISK, types) > 70);
	sw_blank_free(b);
	close(fd);
}

/* ---- what no memcmp() decides ---- */

/* Found with the magic at each place, and not a bit of it without: so nothing else decides. */
static void magics_alone_decide(void **state SW_UNUSED)
{
	static const char *const types[] = { "crypto_LUKS", "swap", "swsuspend", "ufs", "sysv",
					     "hpt45x_raid_member", "drbd" };
	struct sw_maybe_place p;
	size_t found = 0;

	skip_without_windows();
	for (size_t k = 0; sw_maybe_place(k, SIZE, &p); k++)
		for (size_t i = 0; i < p.n_values * ARRAY_SIZE(types); i++) {
			uint8_t noise[2048], zero[16] = {};
			int fd;

			if (strcmp(p.type, types[i % ARRAY_SIZE(types)]) != 0)
				continue;
			/* Of SWAPSPACE2 more is looked at. */
			if (strcmp(p.type, "swap") == 0 && i >= ARRAY_SIZE(types))
				continue;
			fd = new_image(SIZE);
			/* All but the magic may be anything. */
			memset(noise, 0xa5, sizeof(noise));
			put(fd, p.off & ~2047ULL, noise, sizeof(noise));
			put(fd, p.off, p.values + i / ARRAY_SIZE(types) * p.len, p.len);
			assert_true(may_be(fd, SIZE, p.type));
			/* Of the last one the magic has another byte at its end. */
			if (strcmp(p.type, "swsuspend") == 0 && i / ARRAY_SIZE(types) == 3)
				put(fd, p.off + p.len, "1", 1);
			if (ask(fd, p.type, 512) != 0)
				fail_msg("%s at %llu, value %zu", p.type, (unsigned long long)p.off,
					 i / ARRAY_SIZE(types));
			put(fd, p.off, zero, p.len);
			assert_int_equal(ask(fd, p.type, 512), 1);
			close(fd);
			found++;
		}
	assert_true(found > 80);
}

/* A FAT16 without any magic but the boot signature and the jump. */
static int new_fat(uint8_t sector[static 512])
{
	static const uint8_t start[] = { 0xeb, 0x3c, 0x90, 'm', 'k', 'f', 's', ' ', ' ', ' ', ' ',
					 0, 2, 4, 1, 0, 2, 0, 2, 0, 0, 0xf8, 64, 0 };

	memset(sector, 0, 512);
	memcpy(sector, start, sizeof(start));
	memcpy(sector + 32, "\0\0\1\0", 4);
	memcpy(sector + 510, "\x55\xaa", 2);
	return new_image(SIZE);
}

static void a_fat_has_a_sector_size(void **state SW_UNUSED)
{
	unsigned int seed = (unsigned int)time(NULL), found = 0;
	uint8_t s[512];
	int fd = new_fat(s);

	print_message("seed %u\n", seed);
	skip_without_windows();
	for (unsigned int i = 0; i < 600; i++) {
		unsigned int size = i < 51 ? (1U << i % 17) - 1 + i / 17
					   : (unsigned int)rand_r(&seed);
		bool there;

		s[11] = (uint8_t)size;
		s[12] = (uint8_t)(size >> 8);
		put(fd, 0, s, sizeof(s));
		there = ask(fd, "vfat", 512) == 0;
		assert_true(!there || may_be(fd, SIZE, "vfat"));
		found += there;
	}
	assert_true(found >= 3);
	close(fd);
}

/* ---- all at once ---- */

/* Every type that it finds of those (or of all that an area of this kind can hold), as one text. */
static void find(int fd, char **types, enum sw_blank_kind kind, char *ret_text, size_t len)
{
	blkid_probe pr = new_probe(fd, 512, types);
	char *never[SW_MAYBE_MAX];
	const char *type;
	size_t n = 0;

	if (!types && sw_maybe_never(kind, never) > 0)
		assert_int_equal(blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_NOTIN,
								     never), 0);
	*ret_text = '\0';
	while (blkid_do_probe(pr) == 0)
		if (blkid_probe_lookup_value(pr, "TYPE", &type, NULL) == 0)
			n += (size_t)snprintf(ret_text + n, len - n, "%s ", type);
	assert_true(n < len);
	blkid_free_probe(pr);
}

/* Noise in some windows, and over it some of the values at places of theirs. */
static int random_image(unsigned int *seed)
{
	static const uint8_t zero[1024];
	struct sw_blank_window w[SW_BLANK_WINDOWS_MAX];
	size_t n = sw_blank_windows(SIZE, SW_BLANK_DISK, w), places = 0;
	int fd = new_image(SIZE);
	struct sw_maybe_place p;

	for (size_t i = 0; i < n; i++) {
		uint8_t noise[65536];

		if (rand_r(seed) % 2 || w[i].len > sizeof(noise))
			continue;
		for (size_t k = 0; k < w[i].len; k++)
			noise[k] = (uint8_t)rand_r(seed);
		put(fd, w[i].off, noise, w[i].len);
	}
	while (sw_maybe_place(places, SIZE, &p))
		places++;
	for (unsigned int i = (unsigned int)rand_r(seed) % 8; i > 0; i--) {
		assert_true(sw_maybe_place((unsigned int)rand_r(seed) % places, SIZE, &p));
		put(fd, p.off, p.values + (unsigned int)rand_r(seed) % p.n_values * p.len, p.len);
		/* libblkid 2.38 believes the lengths in its header and reads beyond its end. */
		if (strcmp(p.type, "ocfs") == 0)
			put(fd, p.off + p.len, zero, sizeof(zero) - p.len);
	}
	return fd;
}

static bool found_alike(int fd, enum sw_blank_kind kind)
{
	_cleanup_blank_ struct sw_blank *b = read_windows(fd, SIZE, kind);
	char *types[SW_MAYBE_MAX], all[1024], some[1024] = "";
	size_t n = sw_maybe_types(b, 0, SIZE, kind, types);

	find(fd, NULL, kind, all, sizeof(all));
	if (n > 0)
		find(fd, types, kind, some, sizeof(some));
	assert_string_equal(all, some);
	return all[0] != '\0';
}

static void as_much_is_found_as_when_asked_for_everything(void **state SW_UNUSED)
{
	unsigned int seed = (unsigned int)time(NULL), found = 0;

	print_message("seed %u\n", seed);
	skip_without_windows();
	for (unsigned int i = 0; i < 400; i++) {
		int fd = random_image(&seed);

		found += found_alike(fd, SW_BLANK_DISK);
		(void)found_alike(fd, SW_BLANK_PART);
		close(fd);
	}
	print_message("something in %u of 400\n", found);
	assert_true(found > 100);
}

static bool part_may_be(int fd, const char *type)
{
	_cleanup_blank_ struct sw_blank *b = read_windows(fd, SIZE, SW_BLANK_PART);
	char *types[SW_MAYBE_MAX];

	assert_non_null(b);
	(void)sw_maybe_types(b, 0, SIZE, SW_BLANK_PART, types);
	return is_among(types, type);
}

/* The same number at the same place: a disk may be a member, a partition not. */
static void a_partition_is_no_member_of_a_firmware_raid(void **state SW_UNUSED)
{
	static const uint8_t zero[32];
	char *never[SW_MAYBE_MAX];
	int fd = new_image(SIZE);
	struct sw_maybe_place p;

	skip_without_windows();
	assert_int_equal(sw_maybe_never(SW_BLANK_DISK, never), 0);
	assert_int_equal(sw_maybe_never(SW_BLANK_PART, never), 10);
	for (size_t k = 0; sw_maybe_place(k, SIZE, &p); k++) {
		put(fd, p.off, p.values, p.len);
		assert_true(may_be(fd, SIZE, p.type));
		assert_int_equal(part_may_be(fd, p.type), !is_among(never, p.type));
		put(fd, p.off, zero, p.len);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_of_libblkid_is_known),
		cmocka_unit_test(what_libblkid_reads_and_compares_is_in_the_rules),
		cmocka_unit_test(one_value_at_any_place_and_the_type_may_be_there),
		cmocka_unit_test(of_what_was_not_read_everything_may_be_there),
		cmocka_unit_test(magics_alone_decide),
		cmocka_unit_test(a_fat_has_a_sector_size),
		cmocka_unit_test(as_much_is_found_as_when_asked_for_everything),
		cmocka_unit_test(a_partition_is_no_member_of_a_firmware_raid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
