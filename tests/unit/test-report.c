/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of telling others: pauses, templates, syslog's form, the outbox, the last failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/template.h"
#include "boot/lastfail.h"
#include "boot/modes.h"
#include "net/syslog.h"
#include "report/outbox.h"
#include "tests/lib/vars-fixture.h"

/* ---- pauses ---- */

static void test_pauses_grow_to_the_ceiling_and_are_uneven(void **state SW_UNUSED)
{
	struct sw_backoff b = { .first_ms = 1000, .max_ms = 30000 };
	unsigned int pause, step = 1000, sum = 0;

	sw_backoff_seed(&b, 7);
	for (int i = 0; i < 50; i++) {
		assert_true(sw_backoff_next(&b, 0, 0, &pause));
		assert_in_range(pause, step / 2, step);
		sum += pause != step;
		step = step * 2 < 30000 ? step * 2 : 30000;
	}
	assert_true(sum > 45);
	sw_backoff_reset(&b);
	assert_true(sw_backoff_next(&b, 0, 0, &pause));
	assert_in_range(pause, 500, 1000);
}

static void test_the_same_seed_gives_the_same_pauses(void **state SW_UNUSED)
{
	struct sw_backoff a = { .first_ms = 1000, .max_ms = 30000 }, b = a, c = a;
	unsigned int x, y, z, differ = 0;

	sw_backoff_seed(&a, 7);
	sw_backoff_seed(&b, 7);
	sw_backoff_seed(&c, 8);
	for (int i = 0; i < 20; i++) {
		assert_true(sw_backoff_next(&a, 0, 0, &x) && sw_backoff_next(&b, 0, 0, &y) &&
			    sw_backoff_next(&c, 0, 0, &z));
		assert_int_equal(x, y);
		differ += x != z;
	}
	assert_true(differ > 15);
}

static void test_it_ends_by_the_clock_or_by_count(void **state SW_UNUSED)
{
	struct sw_backoff b = { .first_ms = 1000, .max_ms = 30000, .end_ms = 5000 };
	struct sw_backoff c = { .first_ms = 1000, .max_ms = 30000, .tries = 2 };
	unsigned int pause;

	sw_backoff_seed(&b, 1);
	sw_backoff_seed(&c, 1);
	assert_true(sw_backoff_next(&b, 3999, 0, &pause));
	assert_false(sw_backoff_next(&b, 4500, 0, &pause));
	assert_true(sw_backoff_next(&c, 0, 0, &pause) && sw_backoff_next(&c, 0, 0, &pause));
	assert_false(sw_backoff_next(&c, 0, 0, &pause));
}

static void test_what_a_server_asks_for_counts_and_is_spread(void **state SW_UNUSED)
{
	struct sw_backoff b = { .first_ms = 1000, .max_ms = 30000 };
	unsigned int pause, above = 0;

	sw_backoff_seed(&b, 3);
	for (int i = 0; i < 50; i++) {
		assert_true(sw_backoff_next(&b, 0, 60000, &pause));
		assert_in_range(pause, 60000, 90000);
		above += pause > 61000;
	}
	assert_true(above > 40);
}

/* ---- templates ---- */

static const char *const words[] = { "host", "text", NULL };

static void test_a_template_is_filled_and_a_value_ends_no_string(void **state SW_UNUSED)
{
	const char *values[] = { "node-07", "a \"quoted\"\nline \\ ${host}" };
	_cleanup_buf_ struct sw_buf b = {};

	assert_int_equal(sw_template_expand(&b, "{\"$\": \"${host}\", \"t\": \"${text}\", ${x} $}",
					    words, values), 0);
	assert_string_equal(sw_buf_text(&b),
			    "{\"$\": \"node-07\", \"t\": \"a \\\"quoted\\\"\\nline "
			    "\\\\ ${host}\", ${x} $}");
}

static void test_an_unknown_word_is_refused_with_the_known_ones(void **state SW_UNUSED)
{
	struct sw_error e = {};

	assert_int_equal(sw_template_check("${host} ${text}, $5, {x}", words, &e), 0);
	assert_int_equal(sw_template_check("${host} ${hots}", words, &e), -EINVAL);
	assert_non_null(strstr(e.why, "${hots}"));
	assert_string_equal(e.hint, "did you mean ${host}?");
	e = (struct sw_error){};
	assert_int_equal(sw_template_check("${serial}", words, &e), -EINVAL);
	assert_string_equal(e.hint, "the words are host, text");
	assert_int_equal(sw_template_check("${host", words, NULL), -EINVAL);
}

/* ---- syslog ---- */

static void test_syslog_addresses(void **state SW_UNUSED)
{
	static const char *const bad[] = {
		"", "log", "http://a", "udp://", "udp://a:", "udp://a:0", "udp://a:65536",
		"udp://a:x", "udp://a b", "udp://[::1", "udp://[]", "udp://[::1]x", "udp://a/b",
		"udp://a:123456", "tcp://u@a",
	};
	struct sw_syslog_at at;

	assert_int_equal(sw_syslog_parse("udp://log.example", &at), 0);
	assert_string_equal(at.host, "log.example");
	assert_string_equal(at.port, "514");
	assert_int_equal(sw_syslog_parse("tcp://[2001:db8::7]:6514", &at), 0);
	assert_string_equal(at.host, "2001:db8::7");
	assert_string_equal(at.port, "6514");
	assert_true(at.tcp);
	assert_int_equal(sw_syslog_parse("tcp://192.0.2.1", &at), 0);
	assert_string_equal(at.port, "601");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sw_syslog_parse(bad[i], &at), -EINVAL);
}

static void test_a_syslog_message_has_rfc_5424s_form_and_is_bounded(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {}, longer = {};
	char text[4000];

	assert_int_equal(sw_syslog_format(&b, SW_SYSLOG_ERROR, 1795795200123, "node 07", "install",
					  "a\nb\tc"), 0);
	assert_string_equal(sw_buf_text(&b), "<27>1 2026-11-27T16:00:00.123Z node_07 slipway - "
					     "install - a b c");
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[sizeof(text) - 2] = '\0';
	assert_int_equal(sw_syslog_format(&longer, SW_SYSLOG_INFO, 0, "", "install", text), 0);
	assert_in_range(longer.len, SW_SYSLOG_MAX - 1, SW_SYSLOG_MAX);
	assert_int_equal(longer.data[longer.len - 1], 0xa4);
	assert_non_null(strstr(sw_buf_text(&longer), "Z - slipway"));
}

/* ---- the outbox ---- */

static struct sw_parcel parcel(enum sw_message_kind kind, unsigned int n)
{
	return (struct sw_parcel){ .kind = kind, .text = sw_fmt("%u", n) };
}

static void test_a_full_outbox_loses_its_oldest_and_counts(void **state SW_UNUSED)
{
	struct sw_outbox b;
	struct sw_parcel p;

	sw_outbox_init(&b);
	for (unsigned int i = 0; i < SW_OUTBOX_MAX + 5; i++)
		sw_outbox_put(&b, parcel(SW_MESSAGE_NONE, i));
	assert_int_equal(b.lost, 5);
	assert_true(sw_outbox_take(&b, &p));
	assert_string_equal(p.text, "5");
	free(p.text);
	sw_outbox_clear(&b);
}

static void test_only_the_newest_progress_waits_and_none_after_the_end(void **state SW_UNUSED)
{
	struct sw_outbox b;
	struct sw_parcel p;

	sw_outbox_init(&b);
	sw_outbox_put(&b, parcel(SW_MESSAGE_STARTED, 0));
	for (unsigned int i = 1; i < 10; i++)
		sw_outbox_put(&b, parcel(SW_MESSAGE_PROGRESS, i));
	assert_int_equal(b.n, 2);
	sw_outbox_put(&b, parcel(SW_MESSAGE_FAILED, 10));
	sw_outbox_close(&b, sw_now_ms() + 60000);
	assert_true(sw_outbox_take(&b, &p));
	assert_int_equal(p.kind, SW_MESSAGE_STARTED);
	free(p.text);
	assert_true(sw_outbox_take(&b, &p));
	assert_int_equal(p.kind, SW_MESSAGE_FAILED);
	free(p.text);
	assert_false(sw_outbox_take(&b, &p));
	assert_int_equal(b.lost, 0);
	assert_false(sw_outbox_wait(&b, 60000));
}

static void test_nothing_is_fetched_after_its_time(void **state SW_UNUSED)
{
	struct sw_outbox b;
	struct sw_parcel p;

	sw_outbox_init(&b);
	sw_outbox_put(&b, parcel(SW_MESSAGE_FAILED, 1));
	sw_outbox_close(&b, sw_now_ms() - 1);
	assert_false(sw_outbox_take(&b, &p));
	assert_int_equal(b.n, 1);
	sw_outbox_clear(&b);
}

/* ---- the last failure ---- */

static void test_a_code_names_step_exit_and_kind(void **state SW_UNUSED)
{
	char code[SW_FAILURE_CODE];
	struct sw_error e = {};

	sw_fail(&e, SW_EXIT_DIRTY, -EIO, "x");
	sw_failure_code("node-data", &e, code);
	assert_string_equal(code, "NODE_DATA-7-EIO");
	sw_failure_code("a-step-whose-name-is-far-too-long", &e, code);
	assert_true(strlen(code) < SW_FAILURE_CODE);
	e.r = -99999;
	sw_failure_code("slot", &e, code);
	assert_string_equal(code, "SLOT-7-UNKNOWN");
}

static void test_a_failure_is_kept_within_its_bound_and_comes_back(void **state)
{
	struct vars_fixture *f = *state;
	struct sw_lastfail in = { .code = "SLOT-7-EIO", .time = 1795795200, .step = 4, .steps = 9,
				  .host = "node-07" }, out;
	_cleanup_free_ uint8_t *raw = NULL;
	_cleanup_free_ char *text = NULL;
	uint32_t attrs;
	size_t n;

	/* Each quote takes two bytes in JSON, so the whole does not fit. */
	memset(in.text, '"', sizeof(in.text) - 1);
	assert_int_equal(sw_lastfail_read(f->s, &out), -ENOENT);
	assert_int_equal(sw_lastfail_write(f->s, &in), 0);
	assert_int_equal(sw_var_get(f->s, &sw_guid_slipway, SW_FAILURE_VARIABLE, &raw, &n, &attrs),
			 0);
	assert_in_range(n, 300, SW_LASTFAIL_MAX);
	assert_int_equal(sw_lastfail_read(f->s, &out), 0);
	assert_string_equal(out.code, in.code);
	assert_int_equal(out.step, 4);
	assert_memory_equal(out.text, in.text, 200);
	text = sw_lastfail_text(&out);
	assert_non_null(strstr(text, "SLOT-7-EIO at step 4 of 9, node-07, 2026-11-27"));
	assert_int_equal(sw_lastfail_clear(f->s), 0);
	assert_int_equal(sw_lastfail_clear(f->s), 0);
	assert_int_equal(sw_lastfail_read(f->s, &out), -ENOENT);
}

static void test_a_firmware_that_refuses_it_is_an_error_and_no_more(void **state)
{
	struct vars_fixture *f = *state;
	const struct sw_lastfail in = { .code = "SLOT-7-EIO" };
	struct sw_lastfail out;

	assert_int_equal(sw_varstore_inject(f->s, SW_FAULT_ENOSPC, "Slipway"), 0);
	assert_int_equal(sw_lastfail_write(f->s, &in), -ENOSPC);
	assert_int_equal(sw_varstore_inject(f->s, SW_FAULT_NONE, ""), 0);
	assert_int_equal(sw_lastfail_read(f->s, &out), -ENOENT);
}

static void test_somebody_elses_bytes_are_no_failure_of_ours(void **state SW_UNUSED)
{
	static const char *const bad[] = { "", "{}", "{\"slipway_failure\":2}", "[1]", "\xff\xfe",
					   "{\"slipway_failure\":1" };
	struct sw_lastfail f;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sw_lastfail_parse(bad[i], strlen(bad[i]), &f), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_grow_to_the_ceiling_and_are_uneven),
		cmocka_unit_test(test_the_same_seed_gives_the_same_pauses),
		cmocka_unit_test(test_it_ends_by_the_clock_or_by_count),
		cmocka_unit_test(test_what_a_server_asks_for_counts_and_is_spread),
		cmocka_unit_test(test_a_template_is_filled_and_a_value_ends_no_string),
		cmocka_unit_test(test_an_unknown_word_is_refused_with_the_known_ones),
		cmocka_unit_test(test_syslog_addresses),
		cmocka_unit_test(test_a_syslog_message_has_rfc_5424s_form_and_is_bounded),
		cmocka_unit_test(test_a_full_outbox_loses_its_oldest_and_counts),
		cmocka_unit_test(test_only_the_newest_progress_waits_and_none_after_the_end),
		cmocka_unit_test(test_nothing_is_fetched_after_its_time),
		cmocka_unit_test(test_a_code_names_step_exit_and_kind),
		cmocka_unit_test_setup_teardown(
			test_a_failure_is_kept_within_its_bound_and_comes_back,
			vars_fixture_setup, vars_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_firmware_that_refuses_it_is_an_error_and_no_more,
			vars_fixture_setup, vars_fixture_teardown),
		cmocka_unit_test(test_somebody_elses_bytes_are_no_failure_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
