/* SPDX-License-Identifier: Apache-2.0 */
/* Who is believed about the time, and what an NTP server's answer says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/strv.h"
#include "net/networkd.h"
#include "net/sntp.h"
#include "net/time.h"

#define FLOOR 1700000000LL
#define DAY_MS 86400000LL

/* ---- an answer ---- */

static const uint8_t nonce[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void answer(uint8_t p[static SW_SNTP_LEN], uint64_t ntp_s)
{
	memset(p, 0, SW_SNTP_LEN);
	p[0] = 0x24;		/* no leap, version 4, server */
	p[1] = 2;
	memcpy(p + 24, nonce, 8);
	for (unsigned int i = 0; i < 4; i++)
		p[40 + i] = (uint8_t)(ntp_s >> (24 - 8 * i));
	p[44] = 0x80;		/* half a second */
}

static int parse(const uint8_t *p, size_t len, int64_t *ret_ms)
{
	const char *why = NULL;
	int r = sw_sntp_parse(p, len, nonce, FLOOR, ret_ms, &why);

	assert_true(r == 0 || (why && *why));
	return r;
}

static void test_an_answer_is_read_to_the_millisecond(void **state SW_UNUSED)
{
	uint8_t p[SW_SNTP_LEN];
	int64_t ms;

	answer(p, 2208988800ULL + 1800000000);
	assert_int_equal(parse(p, sizeof(p), &ms), 0);
	assert_int_equal(ms, 1800000000500LL);
}

static void test_seconds_begin_anew_in_2036(void **state SW_UNUSED)
{
	uint8_t p[SW_SNTP_LEN];
	int64_t ms;

	answer(p, (2208988800ULL + 2200000000) & 0xffffffff);	/* the year 2039 */
	assert_int_equal(parse(p, sizeof(p), &ms), 0);
	assert_int_equal(ms, 2200000000500LL);
}

static void test_what_was_not_asked_is_not_heard(void **state SW_UNUSED)
{
	uint8_t p[SW_SNTP_LEN];
	int64_t ms;

	answer(p, 2208988800ULL + 1800000000);
	p[24] ^= 1;
	assert_int_equal(parse(p, sizeof(p), &ms), -EPROTO);
	answer(p, 2208988800ULL + 1800000000);
	p[0] = 0x23;		/* a question */
	assert_int_equal(parse(p, sizeof(p), &ms), -EPROTO);
	answer(p, 2208988800ULL + 1800000000);
	assert_int_equal(parse(p, sizeof(p) - 1, &ms), -EPROTO);
}

static void test_a_server_that_does_not_know_is_not_believed(void **state SW_UNUSED)
{
	uint8_t p[SW_SNTP_LEN];
	int64_t ms;

	answer(p, 2208988800ULL + 1800000000);
	p[1] = 0;		/* kiss-o'-death */
	assert_int_equal(parse(p, sizeof(p), &ms), -EAGAIN);
	p[1] = 16;		/* not synchronised */
	assert_int_equal(parse(p, sizeof(p), &ms), -EAGAIN);
	p[1] = 2;
	p[0] |= 0xc0;
	assert_int_equal(parse(p, sizeof(p), &ms), -EAGAIN);
	answer(p, 0);
	assert_int_equal(parse(p, sizeof(p), &ms), -EAGAIN);
}

static void test_a_question_tells_nothing(void **state SW_UNUSED)
{
	uint8_t p[SW_SNTP_LEN], zeros[40] = {};

	sw_sntp_question(p, nonce);
	assert_int_equal(p[0], 0x23);
	assert_memory_equal(p + 1, zeros, 39);
	assert_memory_equal(p + 40, nonce, 8);
}

static void test_the_leases_name_time_servers(void **state SW_UNUSED)
{
	_cleanup_strv_ char **list = NULL;

	assert_int_equal(sw_networkd_parse_ntp("OPER_STATE=routable\nDNS=10.0.2.3\n"
					       "NTP=10.0.2.4 ntp.example\n", &list), 0);
	assert_int_equal(sw_strv_len(list), 2);
	assert_string_equal(list[1], "ntp.example");
}

/* ---- the rule ---- */

struct heard {
	enum sw_time_who who;
	int64_t ahead_ms;
	bool silent;
};

/* This clock stands a day after the floor, or where now_s says. */
static struct sw_time_verdict judge(enum sw_time_from from, int64_t now_s,
				    const struct heard *heard, size_t n)
{
	struct sw_time_seen s = { .now_ms = now_s * 1000, .floor_s = FLOOR, .from = from, .n = n };
	struct sw_time_verdict v;

	for (size_t i = 0; i < n; i++) {
		s.heard[i].who = heard[i].who;
		s.heard[i].ahead_ms = heard[i].ahead_ms;
		if (heard[i].silent)
			(void)sw_fail(&s.heard[i].error, SW_EXIT_NETWORK, -ETIMEDOUT, "silent");
	}
	sw_time_judge(&s, &v);
	return v;
}

#define SAYS(whom, ahead) { .who = SW_TIME_##whom, .ahead_ms = (ahead) }
#define SILENT(whom) { .who = SW_TIME_##whom, .silent = true }
#define NOW (FLOOR + 86400)
#define JUDGE(from, now, ...) \
	judge(from, now, (const struct heard[]){ __VA_ARGS__ }, \
	      sizeof((const struct heard[]){ __VA_ARGS__ }) / sizeof(struct heard))

static void test_where_both_agree_ntp_is_finer(void **state SW_UNUSED)
{
	struct sw_time_verdict v = JUDGE(SW_TIME_ANY, NOW, SAYS(NTP, 100 * DAY_MS + 700),
					 SAYS(SERVER, 100 * DAY_MS));

	assert_int_equal(v.by, 0);
	assert_true(v.wrong);
	assert_false(v.disputed);
	assert_int_equal(v.ahead_ms, 100 * DAY_MS + 700);
}

static void test_a_server_outweighs_ntp(void **state SW_UNUSED)
{
	struct sw_time_verdict v = JUDGE(SW_TIME_ANY, NOW, SAYS(NTP, 100 * DAY_MS),
					 SAYS(SERVER, 0));

	assert_int_equal(v.by, 1);
	assert_false(v.wrong);
	assert_true(v.disputed);
}

static void test_of_ntp_servers_the_middle_one_counts(void **state SW_UNUSED)
{
	struct sw_time_verdict v = JUDGE(SW_TIME_ANY, NOW, SAYS(NTP, 900 * DAY_MS),
					 SAYS(NTP, 10000), SILENT(NTP),
					 SAYS(NTP, 11000));

	assert_int_equal(v.by, 3);
	assert_true(v.disputed);
}

static void test_what_is_before_the_program_is_no_time(void **state SW_UNUSED)
{
	struct sw_time_verdict v = JUDGE(SW_TIME_ANY, NOW, SAYS(NTP, -3000 * DAY_MS),
					 SILENT(SERVER));

	assert_int_equal(v.by, -1);
	assert_false(v.wrong);
}

static void test_alone_a_clock_is_turned_to_the_floor_only(void **state SW_UNUSED)
{
	struct sw_time_verdict v = judge(SW_TIME_ANY, FLOOR - 1000, NULL, 0);

	assert_int_equal(v.by, -2);
	assert_true(v.wrong);
	assert_int_equal(v.ahead_ms, 1000000);
	v = judge(SW_TIME_ANY, FLOOR + 900000000, NULL, 0);
	assert_int_equal(v.by, -1);
	assert_false(v.wrong);
}

static void test_a_clock_that_is_nearly_right_is_left_alone(void **state SW_UNUSED)
{
	struct sw_time_verdict v = JUDGE(SW_TIME_ANY, NOW, SAYS(NTP, -4900));

	assert_int_equal(v.by, 0);
	assert_false(v.wrong);
	v = JUDGE(SW_TIME_ANY, NOW, SAYS(NTP, -5100));
	assert_true(v.wrong);
}

static void test_the_board_is_only_shown(void **state SW_UNUSED)
{
	struct sw_time_verdict v = JUDGE(SW_TIME_ANY, NOW, SAYS(BOARD, 900000));

	assert_int_equal(v.by, -1);
	assert_false(v.disputed);
}

static void test_the_answers_say_who_may(void **state SW_UNUSED)
{
	const struct heard both[] = { SAYS(NTP, 100000), SAYS(SERVER, 200000) };

	assert_int_equal(judge(SW_TIME_NTP_ONLY, NOW, both, 2).by, 0);
	assert_int_equal(judge(SW_TIME_SERVER_ONLY, NOW, both, 2).by, 1);
	assert_int_equal(judge(SW_TIME_LEAVE, FLOOR - 9, both, 2).by, -1);
	assert_int_equal(judge(SW_TIME_NTP_ONLY, NOW, both + 1, 1).by, -1);
}

static void test_a_clock_of_another_decade_is_doubtful(void **state SW_UNUSED)
{
	assert_false(sw_time_is_doubtful());
	sw_wall_shift(-3650 * DAY_MS);
	assert_true(sw_time_is_doubtful());
	sw_wall_shift(3650 * DAY_MS);
	assert_true(sw_time_is_doubtful());
	sw_wall_shift(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_is_read_to_the_millisecond),
		cmocka_unit_test(test_seconds_begin_anew_in_2036),
		cmocka_unit_test(test_what_was_not_asked_is_not_heard),
		cmocka_unit_test(test_a_server_that_does_not_know_is_not_believed),
		cmocka_unit_test(test_a_question_tells_nothing),
		cmocka_unit_test(test_the_leases_name_time_servers),
		cmocka_unit_test(test_where_both_agree_ntp_is_finer),
		cmocka_unit_test(test_a_server_outweighs_ntp),
		cmocka_unit_test(test_of_ntp_servers_the_middle_one_counts),
		cmocka_unit_test(test_what_is_before_the_program_is_no_time),
		cmocka_unit_test(test_alone_a_clock_is_turned_to_the_floor_only),
		cmocka_unit_test(test_a_clock_that_is_nearly_right_is_left_alone),
		cmocka_unit_test(test_the_board_is_only_shown),
		cmocka_unit_test(test_the_answers_say_who_may),
		cmocka_unit_test(test_a_clock_of_another_decade_is_doubtful),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
