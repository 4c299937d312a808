/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "boot/varstore.h"
#include "tests/lib/vars-fixture.h"
#include "tests/lib/varstore-conformance.h"

static const uint8_t option[] = { 1, 0, 0, 0, 4, 0, 'T', 0, 0, 0, 0x7f, 0xff, 4, 0 };

static int set(struct sw_varstore *s, const char *name, const void *data, size_t len)
{
	return sw_var_set(s, &sw_guid_global, name, data, len, SW_VAR_NV_BS_RT);
}

static bool reads(struct sw_varstore *s, const char *name, const void *data, size_t len)
{
	_cleanup_free_ uint8_t *now = NULL;
	uint32_t attrs;
	size_t n;

	return sw_var_get(s, &sw_guid_global, name, &now, &n, &attrs) == 0 && n == len &&
	       memcmp(now, data, len) == 0;
}

static void test_the_file_store_passes_the_conformance_suite(void **state)
{
	struct vars_fixture *f = *state;

	varstore_conformance_prefix = "# ";
	assert_int_equal(varstore_conformance(f->s), 0);
}

static void test_files_have_the_names_and_layout_of_efivarfs(void **state)
{
	static const uint8_t want[] = { 7, 0, 0, 0, 3, 0, 1, 0 };
	struct vars_fixture *f = *state;
	_cleanup_buf_ struct sw_buf b = {};
	_cleanup_free_ char *path =
		sw_fmt("%s/BootOrder-8be4df61-93ca-11d2-aa0d-00e098032b8c", f->dir);

	assert_int_equal(set(f->s, "BootOrder", want + 4, 4), 0);
	assert_int_equal(sw_file_read(path, &b), 0);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
}

static void test_a_full_store_refuses_new_variables_but_takes_equal_overwrites(void **state)
{
	struct vars_fixture *f = *state;
	uint8_t big[2048] = { 1 };
	char name[32];
	int r = 0, n = 0;
	uint64_t total, space;

	assert_int_equal(set(f->s, "BootNext", "\1\0", 2), 0);
	for (; r == 0 && n < 100; n++) {
		(void)snprintf(name, sizeof(name), "Filler%d", n);
		r = set(f->s, name, big, sizeof(big));
	}
	assert_int_equal(r, -ENOSPC);
	/* (65536 - 5120) / (60 + name + 2048) = 28, and the one refused */
	assert_int_equal(n, 29);
	assert_int_equal(sw_var_space(f->s, &total, &space), 0);
	assert_int_equal(total, 65536);
	assert_true(space < 2200);
	assert_int_equal(set(f->s, "BootNext", "\2\0", 2), 0);
	assert_int_equal(sw_var_del(f->s, &sw_guid_global, "Filler0"), 0);
	assert_int_equal(set(f->s, name, big, sizeof(big)), 0);
}

static void test_a_refused_write_leaves_the_old_value(void **state)
{
	struct vars_fixture *f = *state;

	assert_int_equal(set(f->s, "BootOrder", "\1\0", 2), 0);
	assert_int_equal(sw_varstore_inject(f->s, SW_FAULT_ENOSPC, "BootOrder"), 0);
	assert_int_equal(set(f->s, "BootOrder", "\2\0\1\0", 4), -ENOSPC);
	assert_int_equal(sw_varstore_inject(f->s, SW_FAULT_EIO, "Boot"), 0);
	assert_int_equal(set(f->s, "BootOrder", "\2\0\1\0", 4), -EIO);
	assert_int_equal(sw_var_del(f->s, &sw_guid_global, "BootOrder"), -EIO);
	assert_int_equal(sw_varstore_inject(f->s, SW_FAULT_READ_ONLY, ""), 0);
	assert_int_equal(set(f->s, "BootOrder", "\2\0\1\0", 4), -EROFS);
	assert_true(reads(f->s, "BootOrder", "\1\0", 2));
}

static void test_two_spurious_einvals_are_retried(void **state)
{
	struct vars_fixture *f = *state;

	assert_int_equal(sw_varstore_inject(f->s, SW_FAULT_EINVAL_TWICE, "Boot"), 0);
	assert_int_equal(set(f->s, "Boot0001", option, sizeof(option)), 0);
	assert_true(reads(f->s, "Boot0001", option, sizeof(option)));
}

static void test_firmware_that_ignores_a_write_is_found_out(void **state)
{
	struct vars_fixture *f = *state;

	assert_int_equal(set(f->s, "BootOrder", "\1\0", 2), 0);
	assert_int_equal(sw_varstore_inject(f->s, SW_FAULT_IGNORE, "BootO"), 0);
	assert_int_equal(set(f->s, "BootOrder", "\2\0", 2), -EBADMSG);
	assert_int_equal(sw_var_del(f->s, &sw_guid_global, "BootOrder"), -EBADMSG);
	/* Another name is not touched by the fault. */
	assert_int_equal(set(f->s, "BootNext", "\2\0", 2), 0);
}

static void test_setting_the_same_value_writes_nothing(void **state)
{
	struct vars_fixture *f = *state;

	assert_int_equal(set(f->s, "BootOrder", "\1\0", 2), 0);
	assert_int_equal(sw_varstore_inject(f->s, SW_FAULT_EIO, ""), 0);
	assert_int_equal(set(f->s, "BootOrder", "\1\0", 2), 0);
}

static void test_planted_volatile_variables_cannot_be_changed_or_deleted(void **state)
{
	const uint32_t v = SW_VAR_BOOTSERVICE | SW_VAR_RUNTIME;
	struct vars_fixture *f = *state;

	assert_int_equal(sw_varstore_plant(f->s, &sw_guid_global, "BootCurrent", "\1\0", 2, v), 0);
	assert_int_equal(set(f->s, "BootCurrent", "\2\0", 2), -EINVAL);
	assert_int_equal(sw_var_set(f->s, &sw_guid_global, "BootCurrent", "\2\0", 2, v), -EROFS);
	assert_int_equal(sw_var_del(f->s, &sw_guid_global, "BootCurrent"), -EROFS);
	assert_true(reads(f->s, "BootCurrent", "\1\0", 2));
}

static int count(const struct sw_guid *g SW_UNUSED, const char *name SW_UNUSED, void *userdata)
{
	++*(int *)userdata;
	return 0;
}

static void test_stray_files_do_not_end_the_list(void **state)
{
	struct vars_fixture *f = *state;
	_cleanup_free_ char *a = sw_fmt("%s/README", f->dir), *b = sw_fmt("%s/-x", f->dir);
	int n = 0;

	assert_int_equal(sw_file_write(a, "x", 1, 0644), 0);
	assert_int_equal(sw_file_write(b, "x", 1, 0644), 0);
	assert_int_equal(set(f->s, "BootNext", "\1\0", 2), 0);
	assert_int_equal(set(f->s, "BootOrder", "\1\0", 2), 0);
	assert_int_equal(sw_var_list(f->s, count, &n), 0);
	assert_int_equal(n, 2);
}

static void test_names_cannot_leave_the_directory(void **state)
{
	struct vars_fixture *f = *state;

	assert_int_equal(set(f->s, "../evil", "x", 1), -EINVAL);
	assert_int_equal(set(f->s, "", "x", 1), -EINVAL);
}

static void test_a_missing_directory_is_named(void **state SW_UNUSED)
{
	struct sw_error err = {};
	struct sw_varstore *s = NULL;

	assert_int_equal(sw_varstore_open_files("/nonexistent/vars", 0, &s, &err), -ENOENT);
	assert_string_equal(err.where, "/nonexistent/vars");
	assert_int_equal(err.exit, SW_EXIT_MISSING);
	assert_null(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, vars_fixture_setup, vars_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_file_store_passes_the_conformance_suite),
		T(test_files_have_the_names_and_layout_of_efivarfs),
		T(test_a_full_store_refuses_new_variables_but_takes_equal_overwrites),
		T(test_a_refused_write_leaves_the_old_value),
		T(test_two_spurious_einvals_are_retried),
		T(test_firmware_that_ignores_a_write_is_found_out),
		T(test_setting_the_same_value_writes_nothing),
		T(test_planted_volatile_variables_cannot_be_changed_or_deleted),
		T(test_stray_files_do_not_end_the_list),
		T(test_names_cannot_leave_the_directory),
		cmocka_unit_test(test_a_missing_directory_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
