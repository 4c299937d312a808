/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One start into the memory test: what is written for it, from a stick and from a CD, and that the
 * boot variables are to the byte what they were when slipway has started again. A power cut after
 * each write of both leaves the order of what was there before, and ends in the same variables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/entries.h"
#include "boot/memtest.h"
#include "boot/restart.h"
#include "disk/table.h"
#include "machine/eltorito.h"
#include "tests/lib/tape.h"

#define MIB ((uint64_t)1 << 20)
#define SIZE (64 * MIB)
#define IMAGE_AT 4096u		/* sectors of 2048: where the CD's EFI image lies */

struct world {
	char *dir, *image;	/* image: of the disk that is the medium */
	struct sw_machine *m;
};

static void write_at(const char *path, uint64_t off, const void *data, size_t len)
{
	_cleanup_io_ struct sw_io *io = NULL;

	assert_int_equal(sw_io_open(path, true, false, 512, &io, NULL), 0);
	assert_int_equal(sw_io_write(io, off, data, len), 0);
}

static void put(const struct world *w, const char *name, const char *text)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", w->dir, name), *dir = NULL;

	dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	assert_int_equal(sw_mkdir_all(dir, 0755), 0);
	assert_int_equal(sw_file_write(path, text, strlen(text), 0644), 0);
}

static void reopen(struct world *w)
{
	struct sw_error err = {};

	w->m = sw_machine_free(w->m);
	if (sw_machine_open_standin(w->dir, &w->m, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
}

static int setup_with(void **state, bool bios)
{
	static const struct sw_standin_disk disks[] = {
		{ "NODE07SYS", "Alpha", "nvme", SIZE, 512 }, { "STICK", "Ultra", "usb", SIZE, 512 },
	};
	const struct sw_standin_config c = { .disks = disks, .n_disks = 2, .no_tpm = true,
					     .medium_serial = "STICK", .bios = bios };
	struct world *w = calloc(1, sizeof(*w));

	assert_int_equal(sw_scratch_new("slipway-memtest", &w->dir), 0);
	assert_int_equal(sw_standin_create(w->dir, &c, NULL), 0);
	w->image = sw_fmt("%s/disk-2.img", w->dir);
	put(w, "medium/boot/memtest.efi", "MZ");
	put(w, "proc/cmdline", "quiet console=tty0 console=ttyS1,115200 panic=30\n");
	reopen(w);
	*state = w;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, false);
}

static int setup_bios(void **state)
{
	return setup_with(state, true);
}

static int teardown(void **state)
{
	struct world *w = *state;

	sw_machine_free(w->m);
	assert_int_equal(sw_remove_tree(w->dir), 0);
	free(w->dir);
	free(w->image);
	free(w);
	return 0;
}

/* ---- media ---- */

/* A table as that of slipway's ISO on a stick: the ISO, then its EFI system partition. */
static void make_stick(struct world *w)
{
	struct sw_new_part parts[2] = {
		{ .start = MIB, .size = 40 * MIB, .label = "ISO9660" },
		{ .start = 41 * MIB, .size = 5 * MIB, .label = "Appended2" },
	};
	struct sw_table_image t = {};
	struct sw_guid disk;

	assert_int_equal(sw_guid_parse("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", &parts[0].type), 0);
	assert_int_equal(sw_guid_parse("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", &parts[1].type), 0);
	memset(parts[0].uuid.b, 0x11, 16);
	memset(parts[1].uuid.b, 0x22, 16);
	memset(disk.b, 0x33, 16);
	assert_int_equal(sw_table_build(SIZE, 512, &disk, parts, 2, &t, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t.piece); i++)
		write_at(w->image, t.piece[i].off, t.piece[i].data, t.piece[i].len);
	sw_table_image_clear(&t);
}

/* A boot record and a catalogue with an entry for BIOS before that for UEFI. */
static void make_catalogue(uint8_t sectors[static 4 * SW_CD_SECTOR], unsigned int blocks)
{
	uint8_t *volume = sectors, *record = sectors + SW_CD_SECTOR;
	uint8_t *cat = sectors + 3 * SW_CD_SECTOR;

	memset(sectors, 0, 4 * SW_CD_SECTOR);
	sw_put_le32(volume + 80, IMAGE_AT + 700);
	memcpy(record, "\0CD001\1EL TORITO SPECIFICATION", 31);
	sw_put_le32(record + 0x47, 19);
	cat[0] = 1;
	memcpy(cat + 28, "\xaa\x55\x55\xaa", 4);	/* the checksum, and the mark */
	sw_put_le16(cat + 28, (uint16_t)(0x10000 - 0xaa55 - 1));
	cat[32] = 0x88;
	sw_put_le32(cat + 40, 20);
	cat[64] = 0x91;
	cat[65] = 0xef;
	cat[96] = 0x88;
	sw_put_le16(cat + 96 + 6, (uint16_t)blocks);
	sw_put_le32(cat + 96 + 8, IMAGE_AT);
}

static void make_cd(struct world *w)
{
	uint8_t sectors[4 * SW_CD_SECTOR];

	make_catalogue(sectors, 10240);
	write_at(w->image, 16 * SW_CD_SECTOR, sectors, sizeof(sectors));
}

static void test_the_catalogue_of_a_cd_names_its_image(void **state SW_UNUSED)
{
	static uint8_t cd[20 * SW_CD_SECTOR];
	uint8_t *cat = cd + 19 * SW_CD_SECTOR;
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_eltorito t;

	make_catalogue(cd + 16 * SW_CD_SECTOR, 10240);
	assert_int_equal(sw_io_new_recorder(sizeof(cd), 512, cd, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_eltorito_read(io, &t), 0);
	assert_int_equal(t.entry, 1);
	assert_int_equal(t.start, IMAGE_AT);
	assert_int_equal(t.size, 10240);
	for (unsigned int i = 0; i < 4; i++) {
		static const size_t spoil[] = { 3, 65, 96, 33 };
		_cleanup_io_ struct sw_io *bad = NULL;

		make_catalogue(cd + 16 * SW_CD_SECTOR, 10240);
		(i == 0 ? cd + 17 * SW_CD_SECTOR : cat)[spoil[i]] ^= i == 3 ? 0xef : 0xff;
		assert_int_equal(sw_io_new_recorder(sizeof(cd), 512, cd, NULL, SIZE_MAX, 0, &bad),
				 0);
		/* An entry of BIOS that has another emulation is none the less counted. */
		assert_int_equal(sw_eltorito_read(bad, &t), i == 3 ? 0 : -ENOENT);
	}
}

static void test_an_image_of_a_cd_without_a_size_goes_to_its_end(void **state SW_UNUSED)
{
	static uint8_t cd[20 * SW_CD_SECTOR];
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_eltorito t;

	make_catalogue(cd + 16 * SW_CD_SECTOR, 1);
	assert_int_equal(sw_io_new_recorder(sizeof(cd), 512, cd, NULL, SIZE_MAX, 0, &io), 0);
	assert_int_equal(sw_eltorito_read(io, &t), 0);
	assert_int_equal(t.size, 700);
}

/* ---- what is written ---- */

static void snapshot(struct world *w, struct sw_varset *set, char digest[static 65])
{
	_cleanup_json_ json_object *raw = NULL;
	struct sw_varstore *vars;

	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	assert_int_equal(sw_entries_snapshot(vars, &raw, NULL), 0);
	assert_int_equal(sw_entries_digest(raw, digest), 0);
	assert_int_equal(sw_varset_load(raw, set), 0);
}

static void ask(struct world *w)
{
	struct sw_error err = {};

	if (sw_restart_memtest(w->m, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
}

/* The next start of the machine: the firmware has used BootNext up, and nothing is in /run. */
static void next_start(struct world *w)
{
	_cleanup_free_ char *run = sw_fmt("%s/run/memtest", w->dir);
	struct sw_varstore *vars;

	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	(void)sw_var_del(vars, &sw_guid_global, "BootNext");
	(void)unlink(run);
	reopen(w);
}

static size_t clear(struct world *w)
{
	struct sw_error err = {};
	size_t n = 9;

	if (sw_memtest_clear(w->m, &n, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	return n;
}

/* Its path as text, and the words for the test itself. */
static void assert_entry(const struct sw_varset *set, uint16_t number, const char *path)
{
	static const char words[] = "c\0o\0n\0s\0o\0l\0e\0=\0t\0t\0y\0S\0001\0,\0001\0001\0005\0"
				    "2\0000\0000\0";
	const struct sw_varset_entry *e = sw_varset_find(set, number);
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_free_ char *text = NULL;

	assert_non_null(e);
	assert_int_equal(sw_loadopt_parse(e->data, e->len, &o), 0);
	assert_int_equal(o.attrs, SW_LOADOPT_ACTIVE | SW_LOADOPT_APP);
	assert_string_equal(o.label, SW_MEMTEST_LABEL);
	assert_int_equal(sw_devpath_text(o.path, o.path_len, &text), 0);
	assert_string_equal(text, path);
	assert_int_equal(o.optional_len, sizeof(words) + 1);
	assert_memory_equal(o.optional, words, sizeof(words));
	assert_true(sw_memtest_is_entry(&o));
}

static void check_one_start(struct world *w, const char *path)
{
	_cleanup_varset_ struct sw_varset before = {}, set = {}, after = {};
	char was[65], now[65];

	snapshot(w, &before, was);
	ask(w);
	snapshot(w, &set, now);
	assert_int_equal(set.next, 3);
	assert_int_equal(set.n_order, before.n_order + 1);
	assert_memory_equal(set.order, before.order, 2 * before.n_order);
	assert_int_equal(set.order[before.n_order], 3);
	assert_entry(&set, 3, path);
	/* Until the machine has restarted it stays, whatever starts. */
	assert_int_equal(clear(w), 0);
	next_start(w);
	assert_int_equal(clear(w), 1);
	snapshot(w, &after, now);
	assert_string_equal(now, was);
	assert_int_equal(clear(w), 0);
}

static void test_from_a_stick_by_its_partition(void **state)
{
	make_stick(*state);
	reopen(*state);
	check_one_start(*state, "HD(2,GPT,22222222-2222-2222-2222-222222222222,0x14800,0x2800)/"
				"File(\\EFI\\BOOT\\memtest.efi)");
}

static void test_from_a_cd_by_its_drive_and_the_image_on_it(void **state)
{
	make_cd(*state);
	reopen(*state);
	check_one_start(*state, "PciRoot(0x0)/Pci(0x14,0x0)/USB(0x1,0x0)/CDROM(1,0x1000,0x2800)/"
				"File(\\EFI\\BOOT\\memtest.efi)");
}

/* Its table can be read there as well, but firmware does not look for one in sectors of 2048. */
static void test_the_image_of_a_stick_in_a_drive_is_a_cd(void **state)
{
	_cleanup_varset_ struct sw_varset set = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct world *w = *state;
	char digest[65];

	make_stick(w);
	make_cd(w);
	reopen(w);
	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	assert_int_equal(f->disks[1].table.n_parts, 2);
	f->disks[1].sector = 2048;
	snapshot(w, &set, digest);
	assert_int_equal(sw_memtest_set(w->m, f, &set, NULL), 0);
	assert_entry(&set, 3, "PciRoot(0x0)/Pci(0x14,0x0)/USB(0x1,0x0)/CDROM(1,0x1000,0x2800)/"
			      "File(\\EFI\\BOOT\\memtest.efi)");
}

static void test_what_is_left_is_used_again(void **state)
{
	_cleanup_varset_ struct sw_varset set = {};
	char digest[65];

	make_stick(*state);
	reopen(*state);
	ask(*state);
	next_start(*state);
	ask(*state);
	snapshot(*state, &set, digest);
	assert_int_equal(set.next, 3);
	assert_int_equal(set.n_entries, 4);
	assert_int_equal(set.n_order, 4);
}

/* It would be the first of such an order, and the machine would never start anything else. */
static void test_an_empty_order_stays_empty(void **state)
{
	_cleanup_varset_ struct sw_varset set = {};
	struct world *w = *state;
	struct sw_varstore *vars;
	char digest[65];

	make_stick(w);
	reopen(w);
	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	assert_int_equal(sw_var_del(vars, &sw_guid_global, "BootOrder"), 0);
	ask(w);
	snapshot(w, &set, digest);
	assert_int_equal(set.next, 3);
	assert_int_equal(set.n_order, 0);
}

static void test_firmware_that_did_not_take_it_is_cleaned_up_too(void **state)
{
	_cleanup_varset_ struct sw_varset before = {}, after = {};
	struct world *w = *state;
	char was[65], now[65];
	_cleanup_free_ char *mark = sw_fmt("%s/run/memtest", w->dir);

	make_stick(w);
	reopen(w);
	snapshot(w, &before, was);
	ask(w);
	assert_int_equal(unlink(mark), 0);	/* BootNext is still there in another start */
	assert_int_equal(clear(w), 1);
	snapshot(w, &after, now);
	assert_string_equal(now, was);
}

/* ---- power cuts ---- */

/* All that there was is there in its order, and first. */
static void assert_order_kept(struct world *w, const struct sw_varset *before)
{
	_cleanup_varset_ struct sw_varset set = {};
	char digest[65];

	snapshot(w, &set, digest);
	assert_true(set.n_order == before->n_order || set.n_order == before->n_order + 1);
	assert_memory_equal(set.order, before->order, 2 * before->n_order);
	for (size_t i = 0; i < before->n_entries; i++) {
		const struct sw_varset_entry *e = sw_varset_find(&set, before->entries[i].number);

		assert_non_null(e);
		assert_int_equal(e->len, before->entries[i].len);
		assert_memory_equal(e->data, before->entries[i].data, e->len);
	}
	/* What is asked for is there. */
	assert_true(set.next < 0 || sw_varset_find(&set, (uint16_t)set.next));
}

/* The power goes at the nth write; false: there are fewer. */
static bool cut_off(struct world *w, bool asking, size_t n)
{
	struct tape t = { .silent = true, .fail_at = n, .fail_errno = EROFS, .pulled = true };
	struct sw_error err = {};
	size_t gone;
	bool cut;

	tape_attach(&t, w->m);
	if (asking)
		(void)sw_restart_memtest(w->m, &err);
	else
		(void)sw_memtest_clear(w->m, &gone, &err);
	cut = t.count > n;
	next_start(w);
	tape_clear(&t);
	return cut;
}

static void test_a_cut_anywhere_ends_in_the_variables_of_before(void **state)
{
	_cleanup_varset_ struct sw_varset before = {};
	struct world *w = *state;
	unsigned int states = 0;
	char was[65], now[65];
	bool more = true;

	make_stick(w);
	reopen(w);
	snapshot(w, &before, was);
	for (size_t n = 0; more; n++) {
		bool again = true;

		for (size_t k = 0; again; k++, states++) {
			_cleanup_varset_ struct sw_varset after = {};

			more = cut_off(w, true, n);
			assert_order_kept(w, &before);
			again = cut_off(w, false, k);
			assert_order_kept(w, &before);
			(void)clear(w);
			snapshot(w, &after, now);
			assert_string_equal(now, was);
		}
	}
	print_message("# %u states\n", states);
	assert_true(states >= 8);
}

/* ---- refusals ---- */

static void assert_refused(struct world *w, int r, enum sw_exit exit, const char *words)
{
	_cleanup_varset_ struct sw_varset before = {}, after = {};
	char was[65] = "", now[65] = "";
	struct sw_error err = {};

	if (r != -EOPNOTSUPP)
		snapshot(w, &before, was);
	assert_int_equal(sw_restart_memtest(w->m, &err), r);
	assert_int_equal(err.exit, exit);
	assert_non_null(strstr(err.what, words));
	if (r != -EOPNOTSUPP) {
		assert_true(err.why[0] || err.where[0]);
		assert_true(err.hint[0]);
		snapshot(w, &after, now);
	}
	assert_string_equal(was, now);
}

/* What the firmware itself says. */
static void plant(struct world *w, const char *name, const void *data, size_t len)
{
	struct sw_varstore *vars;

	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	assert_int_equal(sw_varstore_plant(vars, &sw_guid_global, name, data, len,
					   SW_VAR_BOOTSERVICE | SW_VAR_RUNTIME), 0);
}

static void test_with_secure_boot_it_is_refused_before_anything_is_written(void **state)
{
	struct world *w = *state;

	make_stick(w);
	reopen(w);
	plant(w, "SecureBoot", "\1", 1);
	assert_refused(w, -EPERM, SW_EXIT_REFUSED, "Secure Boot is on");
}

static void test_without_a_medium_or_its_file_it_is_refused(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *file = sw_fmt("%s/medium/boot/memtest.efi", w->dir);

	make_stick(w);
	reopen(w);
	assert_int_equal(unlink(file), 0);
	assert_refused(w, -ENOENT, SW_EXIT_MISSING, "this medium has no memory test");
	free(w->m->medium);
	w->m->medium = NULL;
	assert_refused(w, -ENOENT, SW_EXIT_MISSING, "not started from slipway's medium");
}

/* Neither a stick's partition nor a CD's catalogue; then a CD that the network entry started. */
static void test_a_medium_that_cannot_be_named_is_refused(void **state)
{
	struct world *w = *state;

	assert_refused(w, -ENOENT, SW_EXIT_MISSING, "not known how the firmware finds");
	make_cd(w);
	reopen(w);
	plant(w, "BootCurrent", "\1\0", 2);
	assert_refused(w, -ENOENT, SW_EXIT_MISSING, "not known how the firmware finds");
}

static void test_bios_has_nothing_to_ask(void **state)
{
	size_t n = 9;

	make_stick(*state);
	reopen(*state);
	assert_refused(*state, -EOPNOTSUPP, SW_EXIT_MISSING, "no EFI variables");
	assert_int_equal(sw_memtest_clear(((struct world *)*state)->m, &n, NULL), 0);
	assert_int_equal(n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_catalogue_of_a_cd_names_its_image),
		cmocka_unit_test(test_an_image_of_a_cd_without_a_size_goes_to_its_end),
		TEST(test_from_a_stick_by_its_partition),
		TEST(test_from_a_cd_by_its_drive_and_the_image_on_it),
		TEST(test_the_image_of_a_stick_in_a_drive_is_a_cd),
		TEST(test_what_is_left_is_used_again),
		TEST(test_an_empty_order_stays_empty),
		TEST(test_firmware_that_did_not_take_it_is_cleaned_up_too),
		TEST(test_a_cut_anywhere_ends_in_the_variables_of_before),
		TEST(test_with_secure_boot_it_is_refused_before_anything_is_written),
		TEST(test_without_a_medium_or_its_file_it_is_refused),
		TEST(test_a_medium_that_cannot_be_named_is_refused),
		cmocka_unit_test_setup_teardown(test_bios_has_nothing_to_ask, setup_bios, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
