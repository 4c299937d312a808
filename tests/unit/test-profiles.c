/* SPDX-License-Identifier: Apache-2.0 */
/* What every profile makes of its server's words; no server is needed for that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admission/ca.h"
#include "admission/cluster-info.h"
#include "admission/homeworld.h"
#include "admission/overlay.h"
#include "admission/profile.h"
#include "admission/tar.h"

static const char *const kinds[] = { "attest", "homeworld", "rke2", "k3s", "kubeadm" };

static void test_each_kind_has_a_whole_profile(void **state SW_UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct sw_profile *p = sw_profile_find(kinds[i]);

		assert_non_null(p);
		assert_string_equal(p->kind, kinds[i]);
		assert_true(p->check && p->run && p->explain);
		assert_true(p->needs_token != p->needs_tpm);
		assert_true(!p->needs_token || (p->port && p->probe));
	}
	assert_null(sw_profile_find("none"));
}

static void test_each_status_is_a_cause_and_a_next_step(void **state SW_UNUSED)
{
	static const long statuses[] = { 302, 400, 401, 403, 404, 405, 407, 408, 413, 418, 429,
					 500, 502, 503, 599 };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t k = 0; k < ARRAY_SIZE(statuses); k++) {
			struct sw_error e = {};
			const bool later = statuses[k] >= 500 || statuses[k] == 408 ||
					   statuses[k] == 429;
			int r = sw_profile_find(kinds[i])->explain(statuses[k], "", "https://h/",
								   &e);

			assert_true(e.what[0] && e.why[0] && e.hint[0]);
			assert_int_equal(e.exit, later ? SW_EXIT_NETWORK : SW_EXIT_ADMISSION);
			/* A token that is taken once is never sent again. */
			assert_int_equal(r, later && strcmp(kinds[i], "homeworld") != 0 ? -EAGAIN
										    : -EACCES);
		}
}

static void test_the_port_follows_the_kind(void **state SW_UNUSED)
{
	static const struct {
		const char *kind, *url, *base;
	} cases[] = {
		{ "rke2", "https://h.example", "https://h.example:9345" },
		{ "rke2", "https://h.example:1/", "https://h.example:1" },
		{ "k3s", "https://[2001:db8::1]//", "https://[2001:db8::1]:6443" },
		{ "k3s", "https://[2001:db8::1]:7", "https://[2001:db8::1]:7" },
		{ "kubeadm", "https://10.0.0.1", "https://10.0.0.1:6443" },
		{ "homeworld", "https://keys.example/", "https://keys.example:20557" },
		{ "rke2", "https://h/v1", NULL },
		{ "rke2", "https:///", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *base = NULL;
		struct sw_error e = {};
		int r = sw_profile_base(sw_profile_find(cases[i].kind), cases[i].url, &base, &e);

		assert_int_equal(r, cases[i].base ? 0 : -EINVAL);
		if (cases[i].base)
			assert_string_equal(base, cases[i].base);
		else
			assert_true(e.why[0] && e.hint[0]);
	}
}

static void test_a_keyserver_answers_with_two_texts(void **state SW_UNUSED)
{
	static const char *const bad[] = {
		"", "[", "{}", "[]", "[\"-----BEGIN CERTIFICATE-----\"]",
		"[\"-----BEGIN CERTIFICATE-----\", 1]", "[\"x\", \"y\"]",
		"[\"-----BEGIN CERTIFICATE-----\", \"a\\u0000b\"]",
		"[\"-----BEGIN CERTIFICATE-----\", \"a\", \"b\"]",
	};
	_cleanup_homeworld_reply_ struct sw_homeworld_reply r = {};
	static const char good[] = "[\"-----BEGIN CERTIFICATE-----\", \"A=b\\n\"]";

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_error e = {};

		assert_int_equal(sw_homeworld_reply_read(bad[i], strlen(bad[i]), &r, &e),
				 -EBADMSG);
		assert_int_equal(e.exit, SW_EXIT_ADMISSION);
		assert_non_null(strstr(e.hint, "new one issued"));
	}
	assert_int_equal(sw_homeworld_reply_read(good, strlen(good), &r, NULL), 0);
	assert_string_equal(r.config, "A=b\n");
}

/* Made by Python's hmac, base64 and json. */
#define HEAD "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9"
#define CONFIG                                                                                \
	"clusters:\\n- cluster:\\n    certificate-authority-data: Q0E=\\n"                       \
	"    server: https://h:6443\\n"
#define INFO(signature)                                                                       \
	"{\"data\": {\"kubeconfig\": \"" CONFIG "\", \"jws-kubeconfig-abcdef\": \"" signature "\"}}"

static void test_a_cluster_info_counts_when_the_token_signed_it(void **state SW_UNUSED)
{
	static const char good[] = INFO(HEAD "..AaE4m8gQw5jLh3EUrOW0XZhVaIf92czRSDfr8TnMUz4");
	static const struct {
		const char *json;
		int r;
	} bad[] = {
		{ INFO(HEAD "..AaE4m8gQw5jLh3EUrOW0XZhVaIf92czRSDfr8TnMUz4x"), -EKEYREJECTED },
		{ INFO(HEAD ".."), -EKEYREJECTED },
		{ INFO(HEAD), -EKEYREJECTED },
		{ INFO(""), -EKEYREJECTED },
		{ INFO("..AaE4m8gQw5jLh3EUrOW0XZhVaIf92czRSDfr8TnMUz4"), -EKEYREJECTED },
		{ "{\"data\": {\"kubeconfig\": \"x\"}}", -ENOKEY },
		{ "{\"data\": {}}", -EBADMSG },
		{ "{", -EBADMSG },
	};
	_cleanup_cluster_info_ struct sw_cluster_info i = {};

	assert_int_equal(sw_cluster_info_read(good, strlen(good), "abcdef.0123456789abcdef", &i,
					      NULL), 0);
	assert_string_equal(i.server, "https://h:6443");
	assert_string_equal(i.ca, "CA");
	sw_cluster_info_clear(&i);
	assert_int_equal(sw_cluster_info_read(good, strlen(good), "abcdef.0123456789abcdee", &i,
					      NULL), -EKEYREJECTED);
	for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
		struct sw_error e = {};

		assert_int_equal(sw_cluster_info_read(bad[k].json, strlen(bad[k].json),
						      "abcdef.0123456789abcdef", &i, &e), bad[k].r);
		assert_true(e.why[0] && e.hint[0]);
	}
}

static void test_tars_are_joined_and_seen_as_overlays(void **state SW_UNUSED)
{
	static const struct sw_archive_file one = { "etc/a", "AAAA", 4, 0600, 0 };
	static const struct sw_archive_file two[] = { { "etc/b", "", 0, 0644, 0 },
						  { "etc/c/d", "DD", 2, 0600, 0 } };
	_cleanup_wipe_ struct sw_buf a = {}, b = {}, both = {}, twice = {};
	_cleanup_overlay_ struct sw_overlay *o = NULL;

	assert_int_equal(sw_tar_make(&one, 1, &a, NULL), 0);
	assert_int_equal(sw_tar_make(two, 2, &b, NULL), 0);
	assert_int_equal(sw_tar_join(&a, &b, &both, NULL), 0);
	assert_int_equal(sw_overlay_list(both.data, both.len, &o, NULL), 0);
	assert_int_equal(o->n, 3);
	assert_string_equal(o->items[2].path, "etc/c/d");
	assert_int_equal(o->items[0].mode & 07777, 0600);
	assert_int_equal(o->items[0].size, 4);
	/* The same name in both is for the overlay's rules to refuse. */
	assert_int_equal(sw_tar_join(&a, &a, &twice, NULL), 0);
	o = sw_overlay_free(o);
	assert_int_equal(sw_overlay_list(twice.data, twice.len, &o, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_has_a_whole_profile),
		cmocka_unit_test(test_each_status_is_a_cause_and_a_next_step),
		cmocka_unit_test(test_the_port_follows_the_kind),
		cmocka_unit_test(test_a_keyserver_answers_with_two_texts),
		cmocka_unit_test(test_a_cluster_info_counts_when_the_token_signed_it),
		cmocka_unit_test(test_tars_are_joined_and_seen_as_overlays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
