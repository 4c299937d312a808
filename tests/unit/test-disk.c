/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/proc.h"
#include "disk/disk.h"
#include "disk/regions.h"
#include "disk/gpt.h"
#include "disk/table.h"
#include "tests/lib/scratch.h"

#define MIB ((uint64_t)1 << 20)
#define SIZE (16 * MIB)

struct found {
	struct sw_disk d;	/* only table and signatures are filled */
};

static void found_clear(struct found *f)
{
	sw_disk_clear(&f->d);
}

#define _cleanup_found_ _cleanup_(found_clear)

static struct sw_guid guid(const char *text)
{
	struct sw_guid g;

	assert_int_equal(sw_guid_parse(text, &g), 0);
	return g;
}

/* An in-memory disk with a table of two partitions. */
static struct sw_io *gpt_image(uint32_t sector)
{
	struct sw_new_part p[2] = {
		{ MIB, 2 * MIB, guid("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
		  guid("10000000-0000-4000-8000-000000000001"), 0, "ESP" },
		{ 4 * MIB, 11 * MIB, guid("0fc63daf-8483-4772-8e79-3d69d8477de4"),
		  guid("10000000-0000-4000-8000-000000000002"), 1ULL << 60, "data" },
	};
	struct sw_guid id = guid("aaaaaaaa-0000-4000-8000-000000000001");
	struct sw_table_image t;
	struct sw_io *io = NULL;

	assert_int_equal(sw_table_build(SIZE, sector, &id, p, 2, &t, NULL), 0);
	assert_int_equal(sw_io_new_recorder(SIZE, sector, NULL, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_table_commit(io, &t, NULL), 0);
	sw_table_image_clear(&t);
	return io;
}

/* The same content on a disk of another size or sector size. */
static struct sw_io *resized(struct sw_io *from, uint64_t size, uint32_t sector)
{
	_cleanup_free_ uint8_t *data = calloc(1, size);
	struct sw_io *io = NULL;

	assert_non_null(data);
	memcpy(data, sw_io_recorder_data(from), size < from->size ? size : from->size);
	assert_int_equal(sw_io_new_recorder(size, sector, data, NULL, SIZE_MAX, 0, &io), 0);
	return io;
}

static struct found probe(struct sw_io *io)
{
	struct found f = {};
	struct sw_error e = {};

	assert_int_equal(sw_disk_probe(io, &f.d.table, &f.d.signatures, &e), 0);
	assert_int_equal(strlen(f.d.table.digest), 64);
	return f;
}

static void has_our_parts(const struct sw_table *t)
{
	assert_int_equal(t->n_parts, 2);
	assert_string_equal(t->parts[0].label, "ESP");
	assert_int_equal(t->parts[1].number, 2);
	assert_int_equal(t->parts[1].start, 4 * MIB);
	assert_int_equal(t->parts[1].size, 11 * MIB);
	assert_int_equal(t->id.b[15], 1);
}

static void expect(struct sw_io *io, enum sw_table_type type, bool parts, const char *damage)
{
	_cleanup_found_ struct found f = probe(io);

	assert_int_equal(f.d.table.type, type);
	if (parts)
		has_our_parts(&f.d.table);
	else
		assert_int_equal(f.d.table.n_parts, 0);
	if (!damage)
		assert_null(f.d.table.damage);
	else if (!f.d.table.damage || !strstr(f.d.table.damage, damage))
		fail_msg("no \"%s\" in \"%s\"", damage,
			 f.d.table.damage ? f.d.table.damage : "(no damage)");
}

static void test_a_blank_disk_has_nothing(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = NULL, *tiny = NULL;

	assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, SIZE_MAX, 0, &io), 0);
	expect(io, SW_TABLE_NONE, false, NULL);
	_cleanup_found_ struct found f = probe(io);
	_cleanup_free_ char *words = sw_disk_describe(&f.d);

	assert_null(f.d.signatures);
	assert_string_equal(words, "empty");
	char *uses[] = { "sda cannot be read: Input/output error", NULL };
	struct sw_disk unread = { .uses = uses };
	_cleanup_free_ char *none = sw_disk_describe(&unread);

	assert_string_equal(none, "not read");
	assert_int_equal(sw_io_new_recorder(100, 512, NULL, NULL, SIZE_MAX, 0, &tiny), 0);
	expect(tiny, SW_TABLE_NONE, false, NULL);
}

static void test_a_whole_gpt_is_read_for_both_sector_sizes(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *a = gpt_image(512), *b = gpt_image(4096);

	expect(a, SW_TABLE_GPT, true, NULL);
	expect(b, SW_TABLE_GPT, true, NULL);
}

static void test_a_damaged_primary_is_named_and_the_backup_read(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *header = gpt_image(512), *entries = gpt_image(512);

	assert_int_equal(sw_io_zero(header, 512, 512), 0);
	expect(header, SW_TABLE_GPT, true, "the primary GPT copy is damaged");
	assert_int_equal(sw_io_zero(entries, 1024, 512), 0);
	expect(entries, SW_TABLE_GPT, true, "the primary GPT copy is damaged");
}

static void test_a_damaged_backup_is_named(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = gpt_image(512);

	assert_int_equal(sw_io_zero(io, SIZE - 512, 512), 0);
	expect(io, SW_TABLE_GPT, true, "the backup GPT copy is damaged or missing");
}

static void test_a_grown_disk_is_named(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = gpt_image(512), *big = resized(io, 2 * SIZE, 512);

	expect(big, SW_TABLE_GPT, true, "the disk has grown");
}

static void test_a_shrunk_disk_is_a_damaged_gpt_not_an_empty_one(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = gpt_image(512), *small = resized(io, SIZE - MIB, 512);

	expect(small, SW_TABLE_DAMAGED_GPT, true, "whole GPT copy (512-byte sectors) at byte 512");
}

static void test_primary_lost_and_disk_grown_is_found_through_the_pmbr(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = gpt_image(512), *big = resized(io, 2 * SIZE, 512);

	assert_int_equal(sw_io_zero(big, 512, 512), 0);
	expect(big, SW_TABLE_DAMAGED_GPT, true, "at byte 16776704");
}

static void test_both_headers_lost_is_still_not_empty(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = gpt_image(512), *crc = gpt_image(512);

	assert_int_equal(sw_io_zero(io, 512, 512), 0);
	assert_int_equal(sw_io_zero(io, SIZE - 512, 512), 0);
	expect(io, SW_TABLE_DAMAGED_GPT, false, "a protective MBR without any GPT copy");
	assert_int_equal(sw_io_zero(crc, 512 + 40, 8), 0);
	assert_int_equal(sw_io_zero(crc, SIZE - 512 + 40, 8), 0);
	expect(crc, SW_TABLE_DAMAGED_GPT, false, "a broken GPT copy");
}

static void test_a_lost_pmbr_is_found_although_libfdisk_and_blkid_say_nothing(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = gpt_image(512);

	assert_int_equal(sw_io_zero(io, 0, 512), 0);
	expect(io, SW_TABLE_DAMAGED_GPT, true, "the protective MBR is missing");
	assert_int_equal(sw_io_zero(io, 512, 512), 0);
	expect(io, SW_TABLE_DAMAGED_GPT, true, "at byte 16776704");
}

static void test_a_table_for_the_other_sector_size_is_found(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *a = gpt_image(512), *b = gpt_image(4096);
	_cleanup_io_ struct sw_io *a4k = resized(a, SIZE, 4096), *b512 = resized(b, SIZE, 512);

	expect(a4k, SW_TABLE_DAMAGED_GPT, true, "512-byte sectors");
	expect(b512, SW_TABLE_DAMAGED_GPT, true, "4096-byte sectors");
}

static void test_two_copies_that_differ_are_named(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = gpt_image(512);
	struct sw_guid id = guid("aaaaaaaa-0000-4000-8000-000000000009");
	struct sw_table_image t;

	assert_int_equal(sw_table_build(SIZE, 512, &id, NULL, 0, &t, NULL), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			sw_io_write(io, t.piece[i].off, t.piece[i].data, t.piece[i].len), 0);
	expect(io, SW_TABLE_GPT, true, "the two GPT copies differ");
	sw_table_image_clear(&t);
}

/* A DOS table with one Linux partition, as bytes. */
static void write_dos(struct sw_io *io)
{
	uint8_t mbr[512] = {};

	mbr[446 + 4] = 0x83;
	mbr[446 + 8 + 1] = 8;		/* start 2048 */
	mbr[446 + 12 + 1] = 16;		/* 4096 sectors */
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
	assert_int_equal(sw_io_write(io, 0, mbr, sizeof(mbr)), 0);
}

static void test_a_dos_table_is_read_and_an_old_gpt_under_it_named(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = NULL, *over = gpt_image(512);

	assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, SIZE_MAX, 0, &io), 0);
	write_dos(io);
	_cleanup_found_ struct found f = probe(io);

	assert_int_equal(f.d.table.type, SW_TABLE_DOS);
	assert_int_equal(f.d.table.n_parts, 1);
	assert_int_equal(f.d.table.parts[0].start, MIB);
	assert_int_equal(f.d.table.parts[0].size, 2 * MIB);
	assert_true(sw_guid_is_zero(&f.d.table.parts[0].type));
	assert_null(f.d.table.damage);
	write_dos(over);
	_cleanup_found_ struct found g = probe(over);

	assert_int_equal(g.d.table.type, SW_TABLE_DOS);
	assert_int_equal(g.d.table.n_parts, 1);
	assert_non_null(strstr(g.d.table.damage, "a whole GPT copy"));
}

static char *save(struct sw_io *io, const char *name)
{
	char *path = sw_fmt("%s/%s", test_scratch, name);

	assert_int_equal(sw_file_write(path, sw_io_recorder_data(io), io->size, 0600), 0);
	return path;
}

static void test_file_systems_inside_and_around_are_found(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *base = gpt_image(512), *io = NULL, *whole = NULL;
	_cleanup_free_ char *bare = sw_fmt("%s/bare.img", test_scratch);
	_cleanup_free_ char *path = save(base, "fs.img");
	const char *in_part[] = { "mkfs.ext4", "-q", "-F", "-L", "inside", "-U",
				  "20000000-0000-4000-8000-000000000002", "-E", "offset=4194304",
				  path, "11M", NULL };
	const char *on_disk[] = { "mkfs.ext4", "-q", "-F", "-L", "around", bare, "8M", NULL };

	if (!sw_proc_exists("mkfs.ext4")) {
		print_message("mkfs.ext4 is not installed\n");
		skip();
	}
	assert_int_equal(sw_proc_check(in_part, NULL, 60, NULL), 0);
	assert_int_equal(sw_io_open(path, false, false, 512, &io, NULL), 0);
	_cleanup_found_ struct found f = probe(io);

	has_our_parts(&f.d.table);
	assert_null(f.d.table.parts[0].fs_type);
	assert_string_equal(f.d.table.parts[1].fs_type, "ext4");
	assert_string_equal(f.d.table.parts[1].fs_label, "inside");
	assert_string_equal(f.d.table.parts[1].fs_uuid, "20000000-0000-4000-8000-000000000002");
	assert_null(f.d.signatures);
	_cleanup_free_ char *words = sw_disk_describe(&f.d);

	assert_string_equal(words, "GPT, 2 partitions: EFI System 2M ESP, "
				   "Linux filesystem 11M ext4 data");
	assert_int_equal(sw_proc_check(on_disk, NULL, 60, NULL), 0);
	assert_int_equal(sw_io_open(bare, false, false, 512, &whole, NULL), 0);
	_cleanup_found_ struct found g = probe(whole);

	assert_int_equal(g.d.table.type, SW_TABLE_NONE);
	assert_string_equal(g.d.signatures[0], "ext4 \"around\" at 0x438");
	assert_null(g.d.signatures[1]);
}

static void test_a_signature_beside_a_table_is_found(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *io = gpt_image(512);

	/* The superblock of an old btrfs, in the gap between the table and the first partition. */
	assert_int_equal(sw_io_write(io, 65536 + 0x40, "_BHRfS_M", 8), 0);
	assert_int_equal(sw_io_write(io, 65536 + 0x90, "\x00\x10\x00\x00", 4), 0);
	_cleanup_found_ struct found f = probe(io);
	_cleanup_free_ char *words = sw_disk_describe(&f.d);

	assert_int_equal(f.d.table.type, SW_TABLE_GPT);
	assert_non_null(f.d.signatures);
	assert_non_null(strstr(f.d.signatures[0], "btrfs"));
	assert_non_null(strstr(words, "; btrfs"));
}

/* Both lengths of this OCFS header are 65535, and libblkid 2.38 would copy as much. */
static void put_hostile(struct sw_io *io, uint64_t at)
{
	assert_int_equal(sw_io_write(io, at, "OracleCFS", 9), 0);
	assert_int_equal(sw_io_write(io, at + 264, "\xff\xff", 2), 0);
	assert_int_equal(sw_io_write(io, at + 512 + 112, "\xff\xff", 2), 0);
}

static unsigned int regions_of_ocfs(struct sw_io *io, const struct sw_table *t)
{
	struct sw_regions l = {};
	unsigned int n = 0;

	assert_int_equal(sw_regions_find(io, t, &l, NULL), 0);
	for (size_t i = 0; i < l.n; i++)
		n += strncmp(l.v[i].what, "ocfs signature", 14) == 0;
	sw_regions_clear(&l);
	return n;
}

static void hostile_are_named(struct sw_io *part, struct sw_io *whole)
{
	_cleanup_found_ struct found p = probe(part), w = probe(whole);

	has_our_parts(&p.d.table);
	assert_string_equal(p.d.table.parts[1].fs_type, "ocfs");
	assert_non_null(w.d.signatures);
	assert_string_equal(w.d.signatures[0], "ocfs with false lengths at 0x2000");
	if (sw_io_fd(part) >= 0) {
		assert_int_equal(regions_of_ocfs(part, &p.d.table), 1);
		assert_int_equal(regions_of_ocfs(whole, &w.d.table), 1);
	}
}

/* From memory, where all of it is asked for, and from a file, of which pieces are read at once. */
static void test_a_superblock_that_kills_libblkid_is_named_and_not_read(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *part = gpt_image(512), *whole = NULL;
	_cleanup_io_ struct sw_io *part_file = NULL, *whole_file = NULL;
	_cleanup_free_ char *part_path = NULL, *whole_path = NULL;

	assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, SIZE_MAX, 0, &whole), 0);
	put_hostile(part, 4 * MIB + 8192);
	put_hostile(whole, 8192);
	hostile_are_named(part, whole);
	part_path = save(part, "hostile-part.img");
	whole_path = save(whole, "hostile-whole.img");
	assert_int_equal(sw_io_open(part_path, false, false, 512, &part_file, NULL), 0);
	assert_int_equal(sw_io_open(whole_path, false, false, 512, &whole_file, NULL), 0);
	hostile_are_named(part_file, whole_file);
}

/* The first 8 KiB of a volume that vgcreate made, recorded in the fuzz corpus. */
static void test_the_volume_group_is_named_on_a_disk_and_in_a_partition(void **s SW_UNUSED)
{
	static const char group[] = "volume group vg0 (";
	_cleanup_io_ struct sw_io *part = gpt_image(512), *whole = NULL, *none = NULL;
	_cleanup_buf_ struct sw_buf vg = {}, pv = {};

	assert_int_equal(sw_file_read("tests/fuzz/corpus/lvm/vg0", &vg), 0);
	assert_int_equal(sw_file_read("tests/fuzz/corpus/lvm/no-group", &pv), 0);
	assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, SIZE_MAX, 0, &whole), 0);
	assert_int_equal(sw_io_new_recorder(SIZE, 512, NULL, NULL, SIZE_MAX, 0, &none), 0);
	assert_int_equal(sw_io_write(part, 4 * MIB, vg.data, vg.len), 0);
	assert_int_equal(sw_io_write(whole, 0, vg.data, vg.len), 0);
	assert_int_equal(sw_io_write(none, 0, pv.data, pv.len), 0);
	_cleanup_found_ struct found a = probe(part), b = probe(whole), c = probe(none);

	assert_string_equal(a.d.table.parts[1].fs_type, "LVM2_member");
	assert_memory_equal(a.d.table.parts[1].group, group, sizeof(group) - 1);
	assert_null(a.d.table.group);
	assert_string_equal(b.d.table.group, a.d.table.parts[1].group);
	assert_int_equal(strlen(b.d.table.group), sizeof(group) - 1 + 39);
	assert_null(c.d.table.group);
	assert_non_null(strstr(c.d.signatures[0], "LVM2_member"));
}

static void test_probing_writes_nothing(void **s SW_UNUSED)
{
	_cleanup_io_ struct sw_io *base = gpt_image(512), *io = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_buf_ struct sw_buf after = {};

	assert_int_equal(sw_io_zero(base, 512, 512), 0);
	path = save(base, "ro.img");
	assert_int_equal(sw_io_open(path, true, false, 512, &io, NULL), 0);
	found_clear(&(struct found[]){ probe(io) }[0]);
	assert_int_equal(sw_file_read(path, &after), 0);
	assert_int_equal(after.len, SIZE);
	assert_memory_equal(after.data, sw_io_recorder_data(base), SIZE);
}

static void test_the_digest_changes_with_every_byte_of_the_table_and_no_other(void **s SW_UNUSED)
{
	static const uint64_t inside[] = { 0, 511, 512, 1024, 1024 + 16383, SIZE - 512 - 16384,
					   SIZE - 513, SIZE - 512, SIZE - 1 };
	static const uint64_t outside[] = { 1024 + 16384, MIB, SIZE / 2, SIZE - 512 - 16385 };
	_cleanup_io_ struct sw_io *io = gpt_image(512);
	char a[65], b[65];

	assert_int_equal(sw_gpt_digest(io, a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(inside) + ARRAY_SIZE(outside); i++) {
		bool in = i < ARRAY_SIZE(inside);
		uint64_t off = in ? inside[i] : outside[i - ARRAY_SIZE(inside)];
		uint8_t old, flipped;

		assert_int_equal(sw_io_read(io, off, &old, 1), 0);
		flipped = old ^ 1;
		assert_int_equal(sw_io_write(io, off, &flipped, 1), 0);
		assert_int_equal(sw_gpt_digest(io, b), 0);
		assert_int_equal(strcmp(a, b) != 0, in);
		assert_int_equal(sw_io_write(io, off, &old, 1), 0);
	}
}

static void test_the_digest_of_a_blank_disk_is_that_of_zeros(void **s SW_UNUSED)
{
	static const uint32_t sectors[] = { 512, 4096, 512, 4096 };
	/* The last two are smaller than what is hashed of larger ones. */
	static const uint64_t sizes[] = { SIZE, SIZE, 20480, 40960 };
	static const size_t lens[] = { 34304, 45056, 20480, 40960 };

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		_cleanup_io_ struct sw_io *io = NULL;
		_cleanup_free_ uint8_t *zeros = calloc(1, lens[i]);
		char a[65], b[65];

		assert_int_equal(sw_io_new_recorder(sizes[i], sectors[i], NULL, NULL, SIZE_MAX,
						    0, &io), 0);
		assert_non_null(zeros);
		assert_int_equal(sw_sha256(zeros, lens[i], a), 0);
		assert_int_equal(sw_gpt_digest(io, b), 0);
		assert_string_equal(a, b);
		assert_int_equal(sw_io_write(io, sizes[i] - 1, "x", 1), 0);
		assert_int_equal(sw_gpt_digest(io, b), 0);
		assert_string_not_equal(a, b);
	}
}

static void test_words_never_carry_control_characters(void **s SW_UNUSED)
{
	struct sw_part p = { .number = 1, .size = MIB, .label = "a\033[2Jb\n" };
	char *sig[] = { "ext4 \"\033c\" at 0x438", NULL };
	struct sw_disk d = { .table = { .type = SW_TABLE_GPT, .parts = &p, .n_parts = 1 },
			     .signatures = sig };
	_cleanup_free_ char *words = sw_disk_describe(&d);

	assert_null(strpbrk(words, "\033\n"));
	assert_non_null(strstr(words, "a?[2Jb?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_blank_disk_has_nothing),
		cmocka_unit_test(test_a_whole_gpt_is_read_for_both_sector_sizes),
		cmocka_unit_test(test_a_damaged_primary_is_named_and_the_backup_read),
		cmocka_unit_test(test_a_damaged_backup_is_named),
		cmocka_unit_test(test_a_grown_disk_is_named),
		cmocka_unit_test(test_a_shrunk_disk_is_a_damaged_gpt_not_an_empty_one),
		cmocka_unit_test(test_primary_lost_and_disk_grown_is_found_through_the_pmbr),
		cmocka_unit_test(test_both_headers_lost_is_still_not_empty),
		cmocka_unit_test(test_a_lost_pmbr_is_found_although_libfdisk_and_blkid_say_nothing),
		cmocka_unit_test(test_a_table_for_the_other_sector_size_is_found),
		cmocka_unit_test(test_two_copies_that_differ_are_named),
		cmocka_unit_test(test_a_dos_table_is_read_and_an_old_gpt_under_it_named),
		cmocka_unit_test(test_file_systems_inside_and_around_are_found),
		cmocka_unit_test(test_a_signature_beside_a_table_is_found),
		cmocka_unit_test(test_a_superblock_that_kills_libblkid_is_named_and_not_read),
		cmocka_unit_test(
			test_the_volume_group_is_named_on_a_disk_and_in_a_partition),
		cmocka_unit_test(test_probing_writes_nothing),
		cmocka_unit_test(
			test_the_digest_changes_with_every_byte_of_the_table_and_no_other),
		cmocka_unit_test(test_the_digest_of_a_blank_disk_is_that_of_zeros),
		cmocka_unit_test(test_words_never_carry_control_characters),
	};

	return cmocka_run_group_tests(tests, test_scratch_setup, test_scratch_teardown);
}
