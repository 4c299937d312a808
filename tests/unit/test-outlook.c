/* SPDX-License-Identifier: Apache-2.0 */
/* What status foretells: each problem where its cause is, none where it is not, three at most. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "rescue/outlook.h"

#define DAY 86400
#define NOW 1700000000

static const char good_slots[] =
	"{\"installed\":[{\"slots\":["
	"{\"filled\":true,\"hash_ok\":true,\"time\":1699900000},"
	"{\"filled\":true,\"hash_ok\":true,\"time\":1699800000}]}],"
	"\"admissions\":[{\"url\":\"https://b\"},"
	"{\"admitted\":true,\"url\":\"https://a\"}]}";

static json_object *parse(const char *text)
{
	json_object *o = json_tokener_parse(text);

	assert_non_null(o);
	return o;
}

/* wanted: the IDs of the outlook, with a space after each. */
static void check(struct sw_outlook *in, const char *wanted)
{
	_cleanup_json_ json_object *list = sw_outlook_make(in);
	_cleanup_buf_ struct sw_buf ids = {};

	assert_non_null(list);
	assert_true(json_object_array_length(list) <= SW_OUTLOOK_MAX);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);

		assert_non_null(sw_json_str(o, "what", NULL));
		assert_non_null(sw_json_str(o, "evidence", NULL));
		assert_non_null(sw_json_str(o, "advice", NULL));
		sw_buf_addf(&ids, "%s ", sw_json_str(o, "id", "?"));
	}
	assert_string_equal(sw_buf_text(&ids), wanted);
}

static void test_nothing_is_foretold_of_a_node_that_is_well(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *status = parse(good_slots);
	struct sw_outlook in = { .status = status, .now = NOW, .store_total = 65536,
				 .store_free = 30000, .failures = 1, .failures_max = 31 };

	check(&in, "");
	in.store_total = in.store_free = in.failures_max = in.failures = 0;	/* not known */
	check(&in, "");
}

static void test_each_cause_is_named_and_its_limit_holds(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *status = parse(good_slots);
	struct sw_outlook in = { .status = status, .now = NOW };

	in.now = 1699900000 + (int64_t)90 * DAY - 1;
	check(&in, "");
	in.now++;
	check(&in, "image-old ");
	in.now = 1699900000 - 600;
	check(&in, "");
	in.now--;
	check(&in, "clock-back ");
	in = (struct sw_outlook){ .status = status, .now = NOW, .store_total = 65536,
				  .store_free = 16384 };
	check(&in, "");
	in.store_free--;
	check(&in, "store-filling ");
	in = (struct sw_outlook){ .status = status, .now = NOW, .failures = 15,
				  .failures_max = 31 };
	check(&in, "");
	in.failures = 16;
	check(&in, "tpm-guesses ");
}

static void test_one_good_image_of_two_and_a_refusal_are_told(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *status = parse(
		"{\"installed\":[{\"slots\":["
		"{\"filled\":true,\"hash_ok\":true,\"time\":1699900000},"
		"{\"filled\":true,\"hash_ok\":false,\"time\":1999900000}]}],"
		"\"admissions\":[{\"admitted\":false,\"url\":\"https://a\",\"error\":\"no\"}]}");
	struct sw_outlook in = { .status = status, .now = NOW };

	check(&in, "admission one-image ");
	in.status = parse("{\"installed\":[{\"slots\":[{\"filled\":true,\"hash_ok\":true,"
			  "\"time\":1699900000}]}]}");
	check(&in, "");	/* a layout with one slot has no other to fall back to */
	json_object_put(in.status);
}

static char *token_status(const char *secret, bool admitted, int64_t sealed)
{
	static char text[600];

	(void)snprintf(text, sizeof(text),
		       "{\"installed\":[{\"node\":{\"secrets\":{\"%s\":{\"time\":%lld}}}}],"
		       "\"admissions\":[{\"kind\":\"homeworld\",\"url\":\"https://h\"%s}]}", secret,
		       (long long)sealed, admitted ? ",\"admitted\":true,\"kept_time\":5" : "");
	return text;
}

static void test_a_token_that_is_used_up_or_ends_is_told(void **state SW_UNUSED)
{
	static const struct {
		const char *secret, *ids, *what;
		bool admitted;
		int64_t age;	/* seconds */
	} rows[] = {
		{ "token-homeworld", "token-burnt ", "is used up", true, 5 },
		{ "token-homeworld", "", "", false, 900 * DAY },
		{ "token-kubeadm", "token-expires ", "expires in 23 hours", false, 3600 },
		{ "token-kubeadm", "token-expires ", "expires in 1 hour", false, DAY - 1 },
		{ "token-kubeadm", "token-expires ", "has expired", true, DAY },
		{ "token-rke2", "", "", true, 900 * DAY },	/* the cluster's own: it stays */
		{ "token-other", "", "", true, 900 * DAY },
		{ "homeworld", "", "", true, 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_object *status = parse(
			token_status(rows[i].secret, rows[i].admitted, NOW - rows[i].age));
		const struct sw_outlook in = { .status = status, .now = NOW };
		_cleanup_json_ json_object *list = sw_outlook_make(&in);

		check((struct sw_outlook *)&in, rows[i].ids);
		if (*rows[i].what)
			assert_non_null(strstr(sw_json_str(json_object_array_get_idx(list, 0),
							   "what", ""), rows[i].what));
	}
}

static void test_findings_come_first_and_three_are_enough(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *status = parse("{}");
	struct sw_repair repair = { .text = "write it anew" };
	struct sw_finding v[] = {
		{ .id = "boot-mode", .severity = SW_FINDING_ERROR },
		{ .id = "clock", .severity = SW_FINDING_WARNING, .repair = &repair },
		{ .id = "slot-b", .severity = SW_FINDING_INFO },
	};
	struct sw_findings found = { .v = v, .n = ARRAY_SIZE(v) };
	struct sw_outlook in = { .found = &found, .status = status, .now = NOW,
				 .store_total = 100, .store_free = 1, .failures = 9,
				 .failures_max = 9 };
	_cleanup_json_ json_object *list = sw_outlook_make(&in);
	json_object *second = json_object_array_get_idx(list, 1);

	check(&in, "boot-mode clock tpm-guesses ");
	assert_string_equal(sw_json_str(second, "severity", ""), "warning");
	assert_string_equal(sw_json_str(second, "advice", ""),
			    "`slipway doctor --repair clock`: write it anew");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_foretold_of_a_node_that_is_well),
		cmocka_unit_test(test_each_cause_is_named_and_its_limit_holds),
		cmocka_unit_test(test_one_good_image_of_two_and_a_refusal_are_told),
		cmocka_unit_test(test_a_token_that_is_used_up_or_ends_is_told),
		cmocka_unit_test(test_findings_come_first_and_three_are_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
