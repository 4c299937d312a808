/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that are opened at their first use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/library.h"

static char *(*version)(void);
static void *(*nothing)(void);
static int prepared;

static void prepare(void)
{
	/* The pointers are there by now. */
	assert_non_null(version);
	prepared++;
}

static const struct sw_library_symbol here[] = { { "zlibVersion", &version } };
static const struct sw_library_symbol absent[] = { { "no_such_function", &nothing } };

static void opens_once(void **state SW_UNUSED)
{
	struct sw_library l = { .soname = "libz.so.1", .package = "zlib1g", .symbols = here,
				.n_symbols = 1, .ready = prepare,
				.lock = PTHREAD_MUTEX_INITIALIZER };
	struct sw_error e = {};

	assert_int_equal(sw_library_open(&l, &e), 0);
	assert_int_equal(sw_library_open(&l, &e), 0);
	assert_int_equal(prepared, 1);
	assert_non_null(strchr(version(), '.'));
}

static void assert_missing(struct sw_library *l)
{
	for (int i = 0; i < 2; i++) {
		struct sw_error e = {};

		assert_int_equal(sw_library_open(l, &e), -ENOPKG);
		assert_int_equal(e.exit, SW_EXIT_MISSING);
		assert_non_null(strstr(e.what, l->soname));
		assert_non_null(strstr(e.hint, l->package));
	}
}

static void a_missing_library_is_named_with_its_package(void **state SW_UNUSED)
{
	struct sw_library l = { .soname = "libslipway-none.so.9", .package = "libnone9",
				.symbols = here, .n_symbols = 1,
				.lock = PTHREAD_MUTEX_INITIALIZER };

	assert_missing(&l);
}

static void a_library_without_a_function_is_not_used(void **state SW_UNUSED)
{
	struct sw_library l = { .soname = "libz.so.1", .package = "zlib1g", .symbols = absent,
				.n_symbols = 1, .lock = PTHREAD_MUTEX_INITIALIZER };

	assert_missing(&l);
	assert_null(nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_once),
		cmocka_unit_test(a_missing_library_is_named_with_its_package),
		cmocka_unit_test(a_library_without_a_function_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
