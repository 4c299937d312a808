/* SPDX-License-Identifier: Apache-2.0 */
/* What smartctl says of a disk becomes one of four verdicts and a line of words, or is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "disk/health.h"

#define CORPUS "tests/fuzz/corpus/health/"

/* words: what the line must be, or NULL. */
static void judged(const char *json, enum sw_health wanted, const char *words)
{
	enum sw_health health = SW_HEALTH_UNKNOWN;
	_cleanup_free_ char *text = NULL;

	assert_int_equal(sw_health_parse(json, strlen(json), &health, &text), 0);
	assert_int_equal(health, wanted);
	if (words)
		assert_string_equal(text ? text : "(none)", words);
	else
		assert_null(text);
}

static void judged_file(const char *path, enum sw_health wanted, const char *words)
{
	_cleanup_buf_ struct sw_buf b = {};

	assert_int_equal(sw_file_read(path, &b), 0);
	judged(sw_buf_text(&b), wanted, words);
}

static void test_nvme(void **state SW_UNUSED)
{
	judged_file(CORPUS "nvme-good", SW_HEALTH_GOOD, NULL);
	judged_file(CORPUS "nvme-failing", SW_HEALTH_FAILING, "it has made itself read-only");
	judged_file(CORPUS "nvme-worn", SW_HEALTH_WORN,
		    "104 percent of its rated life are used, 7 media errors");
}

#define NVME(fields) "{\"smart_status\":{\"passed\":false}," \
	"\"nvme_smart_health_information_log\":{" fields "}}"

static void test_nvme_warning_bits(void **state SW_UNUSED)
{
	/* Being hot is no end, although smartctl calls the test failed. */
	judged(NVME("\"critical_warning\":2"), SW_HEALTH_WORN, "it is too hot or too cold");
	judged(NVME("\"critical_warning\":5,\"available_spare\":1,"
		    "\"available_spare_threshold\":10"), SW_HEALTH_FAILING,
	       "hardly any spare blocks are left, its reliability is degraded");
	judged(NVME("\"critical_warning\":64"), SW_HEALTH_WORN,
	       "it gives a warning that slipway does not know");
	judged(NVME("\"critical_warning\":0,\"available_spare\":9,"
		    "\"available_spare_threshold\":10"), SW_HEALTH_FAILING,
	       "fewer spare blocks are left than it needs");
	/* Without the warning, the test's word counts. */
	judged(NVME("\"percentage_used\":1"), SW_HEALTH_FAILING,
	       "its own check expects it to fail soon");
}

static void test_ata(void **state SW_UNUSED)
{
	judged_file(CORPUS "ata-good", SW_HEALTH_GOOD, NULL);
	judged_file(CORPUS "ata-failing", SW_HEALTH_FAILING,
		    "its own check expects it to fail soon, 2040 sectors were replaced");
	judged("{\"smart_status\":{\"passed\":true},\"ata_smart_attributes\":{\"table\":["
	       "{\"id\":197,\"raw\":{\"value\":3}},"
	       "{\"id\":5,\"raw\":{\"value\":281474976710655}}]}}",
	       SW_HEALTH_WORN, "3 sectors wait to be replaced");
}

static void test_says_nothing(void **state SW_UNUSED)
{
	judged("{}", SW_HEALTH_UNKNOWN, NULL);
	judged("{\"smart_status\":null,\"ata_smart_attributes\":[]}", SW_HEALTH_UNKNOWN, NULL);
	judged_file(CORPUS "odd", SW_HEALTH_UNKNOWN, NULL);
}

static void refused(const char *text, size_t len, int wanted)
{
	enum sw_health health = SW_HEALTH_WORN;
	char *words = NULL;

	assert_int_equal(sw_health_parse(text, len, &health, &words), wanted);
	assert_int_equal(health, SW_HEALTH_WORN);
	assert_null(words);
}

static void test_garbage(void **state SW_UNUSED)
{
	refused("", 0, -EINVAL);
	refused("smartctl: not found", 19, -EINVAL);
	refused("[1]", 3, -EINVAL);
	refused("{\"smart_status\":{\"passed\":fal", 28, -EINVAL);
}

static void test_huge(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {};
	_cleanup_free_ char *text = NULL;
	enum sw_health health;

	assert_int_equal(sw_buf_adds(&b, "{\"ata_smart_attributes\":{\"table\":["), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(sw_buf_adds(&b, "{\"id\":5,\"raw\":{\"value\":1}},"), 0);
	assert_int_equal(sw_buf_adds(&b, "0]}}"), 0);
	assert_int_equal(sw_health_parse(sw_buf_text(&b), b.len, &health, &text), 0);
	assert_int_equal(health, SW_HEALTH_WORN);
	assert_true(strlen(text) < 300);
	while (b.len <= SW_HEALTH_JSON_MAX)
		assert_int_equal(sw_buf_adds(&b, "                                "), 0);
	refused(sw_buf_text(&b), b.len, -EFBIG);
}

static void test_words(void **state SW_UNUSED)
{
	struct sw_disk d = { .health = SW_HEALTH_FAILING, .health_text = (char *)"why" };
	_cleanup_free_ char *failing = sw_health_words(&d), *good = NULL;

	assert_string_equal(failing, "FAILING: why");
	d.health = SW_HEALTH_GOOD;
	good = sw_health_words(&d);
	assert_string_equal(good, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nvme),
		cmocka_unit_test(test_nvme_warning_bits),
		cmocka_unit_test(test_ata),
		cmocka_unit_test(test_says_nothing),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
