/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each answer of a TPM that a person can meet: a sentence and a next step, never a bare code.
 * tests/commands/test-tpm-errors.py and test-count.py bring swtpm, or somebody on the bus, to
 * most of them. Only here: 0x126, of a policy that slipway does not use; 0x14c, as the place is
 * looked at before it is defined; a device that is busy or forbidden, as root is neither, and
 * stand-ins have none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tpm/context.h"

/* The codes as they come: with the handle, session or parameter that they are about. */
static const struct {
	TSS2_RC rc;
	int r;
	const char *why, *hint;
} table[] = {
	{ 0x922, -EAGAIN, "stays busy", "try again" },
	{ 0x90a, -EAGAIN, "testing itself", "try again" },
	{ 0x908, -EAGAIN, "stays busy", "try again" },
	{ 0x902, -EIO, "full of other programs' keys", "restart" },
	{ 0x903, -EIO, "full of other programs' sessions", "restart" },
	{ 0x905, -EIO, "no room for a session", "restart" },
	{ 0x904, -EIO, "memory is full", "restart" },
	{ 0x921, -EIO, "too many wrong attempts", "tells how long" },
	{ 0x98e, -EIO, "owner password", "clear the TPM" },
	{ 0x9a2, -EIO, "owner password", "clear the TPM" },
	{ 0x920, -EAGAIN, "wear", "wait a minute" },
	{ 0x923, -EAGAIN, "cannot be written just now", "wait a minute" },
	{ 0x100, -EIO, "not started it", "firmware setup" },
	{ 0x101, -EIO, "failure mode", "off and on" },
	{ 0x120, -EIO, "turned off", "firmware setup" },
	{ 0x185, -EIO, "hierarchy is turned off", "firmware setup" },
	{ 0x18b, -ENOENT, "does not have this key or index", "tpm facts" },
	{ 0x14a, -ENOENT, "never written", "tpm facts" },
	{ 0x14b, -EIO, "no room for another index", "tpm2_nvundefine" },
	{ 0x14c, -EEXIST, "there already", "clear the TPM" },
	{ 0x128, -EAGAIN, "PCR changed while", "try again" },
	{ 0x99d, -EPERM, "PCRs do not hold", "recovery key" },
	{ 0x124, -EIO, "password where it wants a policy", "report it" },
	{ 0x126, -EPERM, "older than the TPM allows", "newest image" },
	{ 0x1df, -EPERM, "another TPM, or the TPM was cleared", "recovery key" },
	{ 0x1d5, -EBADMSG, "of a size", "report it" },
	{ 0x2c4, -EOPNOTSUPP, "does not support this algorithm", "newer firmware" },
	{ 0xa000a, -ENODEV, "does not answer", "firmware setup" },
	{ 0x7001b, -EBADMSG, "changed on the way", "off and on" },
};

static void check(TSS2_RC rc, int r, const char *why, const char *hint)
{
	struct sw_error err = {};
	struct sw_tpm t = SW_TPM_NONE(&err);

	assert_int_equal(sw_tss2_open(&err), 0);
	if (sw_tpm_fail(&t, rc, "it failed") != r || !strstr(err.why, why) ||
	    !strstr(err.hint, hint) || strstr(err.why, "0x"))
		fail_msg("0x%x: %d, \"%s\", \"%s\"", rc, err.r, err.why, err.hint);
	assert_int_equal(err.exit, SW_EXIT_MISSING);
}

static void every_code_of_the_table_has_a_sentence_and_a_next_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		check(table[i].rc, table[i].r, table[i].why, table[i].hint);
}

static void a_device_that_cannot_be_opened_says_which_way(void **state)
{
	static const struct {
		int r;
		const char *why, *hint;
	} ways[] = {
		{ -ENOENT, "there is none", "firmware setup" },
		{ -EBUSY, "another program holds it", "raw device" },
		{ -EACCES, "may not use it", "root" },
		{ -EIO, "", "dmesg" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct sw_error err = {};
		struct sw_tpm t = SW_TPM_NONE(&err);

		assert_int_equal(sw_tpm_fail_device(&t, ways[i].r), ways[i].r);
		assert_non_null(strstr(err.why, ways[i].why));
		assert_non_null(strstr(err.hint, ways[i].hint));
	}
}

static void a_device_that_is_not_there_is_told_when_it_is_opened(void **state)
{
	struct sw_error err = {};
	struct sw_tpm t = SW_TPM_NONE(&err);

	(void)state;
	assert_int_equal(sw_tpm_open(&t, "device:/nowhere/tpmrm0"), -ENOENT);
	assert_int_equal(err.exit, SW_EXIT_MISSING);
	assert_non_null(strstr(err.why, "there is none"));
	sw_tpm_close(&t);
}

static void a_code_that_nobody_knows_is_the_librarys_words(void **state)
{
	(void)state;
	check(0x18c, -EIO, "tpm:", "restart the machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_of_the_table_has_a_sentence_and_a_next_step),
		cmocka_unit_test(a_device_that_cannot_be_opened_says_which_way),
		cmocka_unit_test(a_device_that_is_not_there_is_told_when_it_is_opened),
		cmocka_unit_test(a_code_that_nobody_knows_is_the_librarys_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
