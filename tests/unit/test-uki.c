/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stub of these tests is a small PE image made here, so that they need no
 * package; systemd's own is used as well where it is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "boot/devpath.h"
#include "boot/uki.h"

#define REAL_STUB "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
#define STUB_LEN 0x600u

struct fixture {
	char *dir, *stub, *kernel, *initrd, *out;
	uint8_t image[STUB_LEN];
	struct sw_uki_parts parts;
};

/* One .text section at 0x1000, headers of 0x400 bytes. */
static void make_image(uint8_t *p)
{
	uint8_t *coff = p + 0x84, *o = coff + 20, *s = o + 240;

	memset(p, 0, STUB_LEN);
	memcpy(p, "MZ", 2);
	sw_put_le32(p + 60, 0x80);
	memcpy(p + 0x80, "PE\0", 4);
	sw_put_le16(coff, 0x8664);
	sw_put_le16(coff + 2, 1);
	sw_put_le16(coff + 16, 240);
	sw_put_le16(o, 0x20b);
	sw_put_le32(o + 32, 0x1000);
	sw_put_le32(o + 36, 0x200);
	sw_put_le32(o + 56, 0x2000);
	sw_put_le32(o + 60, 0x400);
	sw_put_le32(o + 64, 0x12345678);
	sw_put_le32(o + 108, 16);
	memcpy(s, ".text", 5);
	sw_put_le32(s + 8, 0x180);
	sw_put_le32(s + 12, 0x1000);
	sw_put_le32(s + 16, 0x200);
	sw_put_le32(s + 20, 0x400);
	memset(p + 0x400, 0xcc, 0x200);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	_cleanup_free_ uint8_t *initrd = malloc(700001);

	*state = f;
	assert_int_equal(sw_scratch_new("sw-uki", &f->dir), 0);
	f->stub = sw_fmt("%s/stub", f->dir);
	f->kernel = sw_fmt("%s/kernel", f->dir);
	f->initrd = sw_fmt("%s/initrd", f->dir);
	f->out = sw_fmt("%s/out.efi", f->dir);
	make_image(f->image);
	assert_int_equal(sw_file_write(f->stub, f->image, STUB_LEN, 0644), 0);
	assert_int_equal(sw_file_write(f->kernel, f->image, STUB_LEN, 0644), 0);
	for (size_t i = 0; i < 700001; i++)
		initrd[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(sw_file_write(f->initrd, initrd, 700001, 0644), 0);
	f->parts = (struct sw_uki_parts){ .stub = f->stub, .kernel = f->kernel,
		.initrd = f->initrd, .cmdline = "console=ttyS0 panic=10", .osrel = "ID=test\n" };
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)sw_remove_tree(f->dir);
	free(f->dir);
	free(f->stub);
	free(f->kernel);
	free(f->initrd);
	free(f->out);
	free(f);
	return 0;
}

struct section {
	uint32_t vsize, vaddr, raw, off;
};

/* Own walk over the table, so that writer and reader are not judged by themselves. */
static bool find(const struct sw_buf *b, const char *name, struct section *ret)
{
	const uint8_t *coff = b->data + sw_le32(b->data + 60) + 4;
	const uint8_t *s = coff + 20 + sw_le16(coff + 16);

	for (unsigned int i = 0; i < sw_le16(coff + 2); i++, s += 40) {
		if (strncmp((const char *)s, name, 8) != 0)
			continue;
		*ret = (struct section){ sw_le32(s + 8), sw_le32(s + 12), sw_le32(s + 16),
					 sw_le32(s + 20) };
		return true;
	}
	return false;
}

static void expect_section(const struct sw_buf *b, const char *name, const void *data, size_t len)
{
	struct section s;

	assert_true(find(b, name, &s));
	assert_int_equal(s.vsize, len);
	assert_int_equal(s.vaddr % 0x1000, 0);
	assert_int_equal(s.off % 0x200, 0);
	assert_true(s.off + s.raw <= b->len);
	assert_memory_equal(b->data + s.off, data, len);
}

static void check_contents(const struct sw_uki_parts *parts, const char *out)
{
	_cleanup_buf_ struct sw_buf b = {}, kernel = {}, initrd = {};

	assert_int_equal(sw_file_read(out, &b), 0);
	assert_int_equal(sw_file_read(parts->kernel, &kernel), 0);
	assert_int_equal(sw_file_read(parts->initrd, &initrd), 0);
	expect_section(&b, ".osrel", parts->osrel, strlen(parts->osrel));
	expect_section(&b, ".cmdline", parts->cmdline, strlen(parts->cmdline));
	expect_section(&b, ".initrd", initrd.data, initrd.len);
	expect_section(&b, ".linux", kernel.data, kernel.len);
}

static void test_every_part_is_found_in_its_section(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sw_uki_assemble(&f->parts, f->out, NULL), 0);
	check_contents(&f->parts, f->out);
}

static void test_sections_do_not_overlap_and_the_image_holds_them(void **state)
{
	static const char *const names[] = { ".text", ".osrel", ".cmdline", ".initrd", ".linux" };
	struct fixture *f = *state;
	_cleanup_buf_ struct sw_buf b = {};
	uint32_t va = 0, off = 0;

	assert_int_equal(sw_uki_assemble(&f->parts, f->out, NULL), 0);
	assert_int_equal(sw_file_read(f->out, &b), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct section s;

		assert_true(find(&b, names[i], &s));
		assert_true(s.vaddr >= va && s.off >= off);
		va = s.vaddr + s.vsize;
		off = s.off + s.raw;
	}
	assert_true(sw_le32(b.data + 0x84 + 20 + 56) >= va);
	assert_int_equal(sw_le32(b.data + 0x84 + 20 + 56) % 0x1000, 0);
	assert_int_equal(sw_le32(b.data + 0x84 + 20 + 64), 0);	/* the old checksum is gone */
	assert_int_equal(off, b.len);
}

static void test_the_same_parts_give_the_same_bytes(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *again = sw_fmt("%s/again", f->dir);
	char a[65], b[65];

	assert_int_equal(sw_uki_assemble(&f->parts, f->out, NULL), 0);
	assert_int_equal(sw_uki_assemble(&f->parts, again, NULL), 0);
	assert_int_equal(sw_sha256_file(f->out, a), 0);
	assert_int_equal(sw_sha256_file(again, b), 0);
	assert_string_equal(a, b);
}

static void test_inspect_tells_what_was_assembled(void **state)
{
	struct fixture *f = *state;
	_cleanup_(sw_uki_info_clear) struct sw_uki_info info = {};

	assert_int_equal(sw_uki_assemble(&f->parts, f->out, NULL), 0);
	assert_int_equal(sw_uki_inspect(f->out, &info, NULL), 0);
	assert_true(info.is_uki);
	assert_false(info.is_signed);
	assert_string_equal(info.cmdline, "console=ttyS0 panic=10");
}

static void test_a_command_line_gets_what_saves_a_hung_node_unless_refused(void **state SW_UNUSED)
{
	static const char *const cases[][3] = {
		{ "", NULL, "panic=10 watchdog.open_timeout=300" },
		{ "quiet", "https://a/v1",
		  "quiet panic=10 watchdog.open_timeout=300 ember.attest_url=https://a/v1" },
		{ "panic=0 watchdog.open_timeout=0", "", "panic=0 watchdog.open_timeout=0" },
		{ "x.panic=3 a=\"b panic=4\"", NULL,
		  "x.panic=3 a=\"b panic=4\" panic=10 watchdog.open_timeout=300" },
		{ "ember.attest_url=https://b watchdog.open_timeout=9", "https://a",
		  "ember.attest_url=https://b watchdog.open_timeout=9 panic=10" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *line = sw_uki_cmdline(cases[i][0], cases[i][1]);

		assert_string_equal(line, cases[i][2]);
	}
}

static void test_inspect_names_sections_and_release(void **state)
{
	struct fixture *f = *state;
	_cleanup_(sw_uki_info_clear) struct sw_uki_info info = {};
	_cleanup_free_ char *version = NULL, *none = NULL, *quoted = NULL;

	f->parts.osrel = "ID=test\nIMAGE_VERSION=7\nNAME=\"A node\"\nX_NAME=no\n";
	assert_int_equal(sw_uki_assemble(&f->parts, f->out, NULL), 0);
	assert_int_equal(sw_uki_inspect(f->out, &info, NULL), 0);
	assert_int_equal(info.n_sections, 5);
	assert_string_equal(info.sections[3].name, ".initrd");
	assert_int_equal(info.sections[3].size, 700001);
	version = sw_uki_osrel(&info, "IMAGE_VERSION");
	quoted = sw_uki_osrel(&info, "NAME");
	none = sw_uki_osrel(&info, "VERSION");
	assert_string_equal(version, "7");
	assert_string_equal(quoted, "A node");
	assert_null(none);
	assert_int_equal(sw_uki_check(&info, false, "x", NULL), 0);
	assert_int_equal(sw_uki_check(&info, true, "x", NULL), -EPERM);
}

static void test_systemds_stub_is_taken(void **state)
{
	struct fixture *f = *state;
	_cleanup_(sw_uki_info_clear) struct sw_uki_info info = {};

	if (access(REAL_STUB, R_OK) < 0)
		skip();
	f->parts.stub = REAL_STUB;
	assert_int_equal(sw_uki_assemble(&f->parts, f->out, NULL), 0);
	check_contents(&f->parts, f->out);
	assert_int_equal(sw_uki_inspect(f->out, &info, NULL), 0);
	assert_true(info.is_uki);
}

static void test_a_plain_program_is_no_uki(void **state)
{
	struct fixture *f = *state;
	struct sw_uki_info info = {};

	assert_int_equal(sw_uki_inspect(f->stub, &info, NULL), 0);
	assert_false(info.is_uki);
	assert_null(info.cmdline);
	assert_int_equal(info.size, STUB_LEN);
}

static void test_a_certificate_table_means_signed(void **state)
{
	struct fixture *f = *state;
	struct sw_uki_info info = {};
	struct sw_error err = {};

	sw_put_le32(f->image + 0x84 + 20 + 112 + 32, 0x500);
	sw_put_le32(f->image + 0x84 + 20 + 112 + 36, 0x100);
	assert_int_equal(sw_file_write(f->stub, f->image, STUB_LEN, 0644), 0);
	assert_int_equal(sw_uki_inspect(f->stub, &info, NULL), 0);
	assert_true(info.is_signed);
	assert_int_equal(sw_uki_assemble(&f->parts, f->out, &err), -EINVAL);
	assert_non_null(strstr(err.why, "signed"));
}

static void expect_bad(struct fixture *f, size_t len, const char *why)
{
	struct sw_uki_info info = {};
	struct sw_error err = {};

	assert_int_equal(sw_file_write(f->stub, f->image, len, 0644), 0);
	assert_int_equal(sw_uki_inspect(f->stub, &info, &err), -EINVAL);
	assert_int_equal(err.exit, SW_EXIT_INVALID);
	assert_string_equal(err.where, f->stub);
	assert_non_null(strstr(err.why, why));
}

static void test_bad_images_are_refused_with_the_reason(void **state)
{
	struct fixture *f = *state;

	expect_bad(f, 10, "begin");
	expect_bad(f, 0x82, "truncated before");
	expect_bad(f, 0x120, "optional header is truncated");
	expect_bad(f, 0x500, "a section lies past its end");
	sw_put_le16(f->image + 0x84, 0xaa64);
	expect_bad(f, STUB_LEN, "another processor");
	memcpy(f->image + 0x80, "NE", 2);
	expect_bad(f, STUB_LEN, "no PE header");
	sw_put_le32(f->image + 60, 0xffffff00);
	expect_bad(f, STUB_LEN, "truncated before");
}

static void expect_refused(struct fixture *f, const char *words)
{
	struct sw_error err = {};
	_cleanup_free_ char *text = NULL;

	assert_true(sw_uki_assemble(&f->parts, f->out, &err) < 0);
	text = sw_error_text(&err);
	assert_non_null(strstr(text, words));
	assert_int_equal(access(f->out, F_OK), -1);
}

static void test_parts_that_cannot_boot_are_refused_before_anything_is_written(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *longest = malloc(4098), *empty = sw_fmt("%s/empty", f->dir);

	f->parts.kernel = f->initrd;
	expect_refused(f, "CONFIG_EFI_STUB");
	f->parts.kernel = f->kernel;
	f->parts.initrd = "/nonexistent/initrd";
	expect_refused(f, "/nonexistent/initrd");
	assert_int_equal(sw_file_write(empty, "", 0, 0644), 0);
	f->parts.initrd = empty;
	expect_refused(f, "empty");
	f->parts.initrd = f->initrd;
	memset(longest, 'x', 4097);
	longest[4097] = '\0';
	f->parts.cmdline = longest;
	expect_refused(f, "4096");
	f->parts.cmdline = "quiet";
	/* Headers too short for more sections. */
	sw_put_le32(f->image + 0x84 + 20 + 60, 0x200);
	assert_int_equal(sw_file_write(f->stub, f->image, STUB_LEN, 0644), 0);
	expect_refused(f, "no room");
}

static void test_a_uki_is_no_stub(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *uki = sw_fmt("%s/uki", f->dir);

	assert_int_equal(sw_uki_assemble(&f->parts, uki, NULL), 0);
	f->parts.stub = uki;
	expect_refused(f, "carries a kernel already");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_every_part_is_found_in_its_section),
		T(test_sections_do_not_overlap_and_the_image_holds_them),
		T(test_the_same_parts_give_the_same_bytes),
		T(test_inspect_tells_what_was_assembled),
		T(test_a_command_line_gets_what_saves_a_hung_node_unless_refused),
		T(test_inspect_names_sections_and_release),
		T(test_systemds_stub_is_taken),
		T(test_a_plain_program_is_no_uki),
		T(test_a_certificate_table_means_signed),
		T(test_bad_images_are_refused_with_the_reason),
		T(test_parts_that_cannot_boot_are_refused_before_anything_is_written),
		T(test_a_uki_is_no_stub),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
