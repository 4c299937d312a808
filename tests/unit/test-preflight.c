/* SPDX-License-Identifier: Apache-2.0 */
/* The verdicts of a preflight, from made-up observations; nothing is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admission/preflight.h"

static struct sw_preflight_seen well(void)
{
	struct sw_preflight_seen s = {
		.pinned_ca = true, .host = "attest.example", .source = "192.0.2.7",
		.now = 1700000000, .server_now = 1700000010,
		.answer = { .status = 405, .peer = "192.0.2.1", .peer_port = 443,
			    .server = "nginx", .stuck = SW_STUCK_NOT },
	};

	s.tpm.rsa_cert = true;
	(void)snprintf(s.tpm.vendor, sizeof(s.tpm.vendor), "IFX");
	return s;
}

/* "CLOCK=warning ..." of all that is not ok, and the result's exit code. */
static void expect_verdicts(const struct sw_preflight_seen *s, const char *wanted, int exit)
{
	struct sw_preflight p = {};
	struct sw_error err = {};
	char got[200] = "";

	sw_preflight_judge(s, &p);
	for (unsigned int i = 0; i < SW_N_PREFLIGHT; i++) {
		size_t n = strlen(got);

		if (p.row[i].verdict == SW_VERDICT_OK)
			continue;
		(void)snprintf(got + n, sizeof(got) - n, "%s%s=%s", n ? ", " : "",
			       sw_preflight_name(i), sw_verdict_name(p.row[i].verdict));
		if (p.row[i].verdict != SW_VERDICT_NOT_CHECKED)
			assert_true(p.row[i].fix[0] != '\0');
	}
	assert_string_equal(got, wanted);
	assert_int_equal(sw_preflight_result(&p, s, &err) < 0 ? (int)err.exit : 0, exit);
}

static void test_the_exchange_that_is_allowed_has_to_be_there(void **state SW_UNUSED)
{
	struct sw_preflight_seen s = well();

	s.protocol = SW_ATTEST_STRICT;
	expect_verdicts(&s, "server=failed", SW_EXIT_ADMISSION);
	s.answer.status = 404;
	expect_verdicts(&s, "server=failed", SW_EXIT_ADMISSION);
	s.answer.status = 200;
	expect_verdicts(&s, "server=failed", SW_EXIT_ADMISSION);
	s.protocol = SW_ATTEST_AUTO;
	expect_verdicts(&s, "server=failed", SW_EXIT_ADMISSION);
	s.protocol = SW_ATTEST_PLAIN;
	expect_verdicts(&s, "", 0);
	s.offers = true;
	expect_verdicts(&s, "", 0);
	s.protocol = SW_ATTEST_STRICT;
	expect_verdicts(&s, "", 0);
}

static void test_all_is_well(void **state SW_UNUSED)
{
	struct sw_preflight_seen s = well();

	expect_verdicts(&s, "", 0);
}

static void test_five_minutes_off_are_right_and_a_second_more_is_not(void **state SW_UNUSED)
{
	struct sw_preflight_seen s = well();

	s.server_now = s.now + SW_PREFLIGHT_CLOCK_S;
	expect_verdicts(&s, "", 0);
	s.server_now++;
	expect_verdicts(&s, "clock=warning", 0);
	s.server_now = s.now - SW_PREFLIGHT_CLOCK_S - 1;
	expect_verdicts(&s, "clock=warning", 0);
}

/* 10: X509_V_ERR_CERT_HAS_EXPIRED. The clock decides whose fault it is. */
static void test_an_expired_certificate_is_judged_by_the_clock(void **state SW_UNUSED)
{
	struct sw_preflight_seen s = well();
	struct sw_preflight p = {};

	s.answer.verify = 10;
	s.answer.stuck = SW_STUCK_TRUST;
	(void)sw_fail(&s.error, SW_EXIT_NETWORK, -EKEYREJECTED, "the server is not believed");
	sw_error_hint(&s.error, "look at its certificate");
	expect_verdicts(&s, "TLS=failed, server=not checked", SW_EXIT_NETWORK);
	sw_preflight_judge(&s, &p);
	assert_non_null(strstr(p.row[SW_PREFLIGHT_TLS].fix, "the clock is right"));
	s.now += 400 * 86400;
	expect_verdicts(&s, "clock=failed, TLS=failed, server=not checked", SW_EXIT_NETWORK);
	sw_preflight_judge(&s, &p);
	assert_non_null(strstr(p.row[SW_PREFLIGHT_TLS].fix, "set the clock"));
	assert_non_null(strstr(p.row[SW_PREFLIGHT_CLOCK].fix, "@1700000010"));
}

static void test_what_is_not_reached_is_not_judged(void **state SW_UNUSED)
{
	struct sw_preflight_seen s = well();

	s.answer = (struct sw_http_answer){ .stuck = SW_STUCK_NAME };
	s.server_now = 0;
	(void)sw_fail(&s.error, SW_EXIT_NETWORK, -EHOSTUNREACH, "no such name");
	sw_error_hint(&s.error, "check the name");
	expect_verdicts(&s, "clock=not checked, DNS=failed, TLS=not checked, server=not checked",
			SW_EXIT_NETWORK);
	s.source_r = -ENETUNREACH;
	expect_verdicts(&s, "clock=not checked, route=failed, DNS=failed, TLS=not checked, "
			"server=not checked", SW_EXIT_NETWORK);
}

static void test_a_tpm_that_cannot_attest_comes_first_with_its_exit_code(void **state SW_UNUSED)
{
	struct sw_preflight_seen s = well();

	s.tpm.finding[s.tpm.n_findings++] = (struct sw_tpm_finding){
		.what = "it is locked", .hint = "wait", .stops = SW_TPM_USE_ATTEST };
	s.answer.status = 404;
	expect_verdicts(&s, "TPM=failed, server=failed", SW_EXIT_MISSING);
	s.tpm.finding[0].stops = 0;
	expect_verdicts(&s, "server=failed", SW_EXIT_ADMISSION);
}

static void test_nothing_pinned_is_a_warning(void **state SW_UNUSED)
{
	struct sw_preflight_seen s = well();

	s.pinned_ca = false;
	expect_verdicts(&s, "TLS=warning", 0);
	s.pinned_key = true;
	expect_verdicts(&s, "", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_well),
		cmocka_unit_test(test_the_exchange_that_is_allowed_has_to_be_there),
		cmocka_unit_test(test_five_minutes_off_are_right_and_a_second_more_is_not),
		cmocka_unit_test(test_an_expired_certificate_is_judged_by_the_clock),
		cmocka_unit_test(test_what_is_not_reached_is_not_judged),
		cmocka_unit_test(test_a_tpm_that_cannot_attest_comes_first_with_its_exit_code),
		cmocka_unit_test(test_nothing_pinned_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
