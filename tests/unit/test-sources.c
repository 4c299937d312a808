/* SPDX-License-Identifier: Apache-2.0 */
/* Where answers come from: the kernel command line's words, and sticks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "answers/source-private.h"
#include "payload/trust.h"
#include "base/file.h"
#include "base/proc.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void expect_value_of(const char *cmdline, const char *key, const char *wanted)
{
	_cleanup_free_ char *got = NULL;
	int r = sw_cmdline_get(cmdline, key, &got);

	if (!wanted) {
		assert_int_equal(r, -ENOENT);
		return;
	}
	assert_int_equal(r, 0);
	assert_string_equal(got, wanted);
}

static void words_are_split_and_unquoted_as_the_kernel_does(void **state SW_UNUSED)
{
	expect_value_of("a=1 b=2\n", "a", "1");
	expect_value_of("a=1 b=2\n", "b", "2");
	expect_value_of("a=1 a=2", "a", "2");
	expect_value_of("a", "a", "");
	expect_value_of("a=\"x y\" b=2", "a", "x y");
	expect_value_of("a=\"x y\" b=2", "b", "2");
	expect_value_of("\"a=x y\" b=2", "a", "x y");
	expect_value_of("a=x=y&z", "a", "x=y&z");
	expect_value_of("", "a", NULL);
	expect_value_of("   ", "a", NULL);
}

static void a_key_is_not_found_inside_another_word(void **state SW_UNUSED)
{
	expect_value_of("aa=1", "a", NULL);
	expect_value_of("b=a=1", "a", NULL);
	expect_value_of("x=\"q a=1\"", "a", NULL);
	expect_value_of("slipway.answers.sha256=1", "slipway.answers", NULL);
	expect_value_of("b -- a=1", "a", NULL);
	expect_value_of("a=\"unclosed b=2", "b", NULL);
}

static void no_key_gives_no_source(void **state SW_UNUSED)
{
	_cleanup_sources_ struct sw_sources s = {};
	struct sw_error err = {};

	assert_int_equal(sw_sources_from_cmdline("quiet splash", &s, &err), 0);
	assert_int_equal(s.n, 0);
	assert_null(s.text);
}

static void http_is_taken_only_with_a_hash(void **state SW_UNUSED)
{
	_cleanup_sources_ struct sw_sources s = {};
	struct sw_error err = {};

	assert_int_equal(sw_sources_from_cmdline("slipway.answers=http://h/a.yaml", &s, &err),
			 -EINVAL);
	assert_int_equal(err.exit, SW_EXIT_INVALID);
	assert_non_null(strstr(err.hint, "slipway.answers.sha256="));
	err = (struct sw_error){};
	assert_int_equal(sw_sources_from_cmdline("slipway.answers=http://h/a.yaml "
						 "slipway.answers.sha256=" HEX64, &s, &err), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.v[0].kind, SW_SOURCE_CMDLINE);
	assert_string_equal(s.v[0].location, "http://h/a.yaml");
	assert_string_equal(s.v[0].sha256, HEX64);
	assert_int_equal(s.countdown, 0);
}

static void a_hash_that_is_none_and_a_url_that_is_none_are_refused(void **state SW_UNUSED)
{
	static const char *const spreads[] = {
		"slipway.spread=", "slipway.spread=x", "slipway.spread=-1", "slipway.spread=3601",
		"slipway.spread=99999",
	};
	struct sw_sources s = {};
	struct sw_error err = {};

	assert_int_equal(sw_sources_from_cmdline("slipway.answers=https://h/a "
						 "slipway.answers.sha256=abc", &s, &err), -EINVAL);
	assert_int_equal(err.exit, SW_EXIT_INVALID);
	assert_string_equal(err.where, "kernel command line");
	err = (struct sw_error){};
	assert_true(sw_sources_from_cmdline("slipway.answers=gopher://h/a", &s, &err) < 0);
	for (size_t i = 0; i < ARRAY_SIZE(spreads); i++) {
		err = (struct sw_error){};
		assert_int_equal(sw_sources_from_cmdline(spreads[i], &s, &err), -EINVAL);
		assert_string_equal(err.what, "slipway.spread= is no number of seconds");
	}
	assert_int_equal(sw_sources_from_cmdline("slipway.spread=60", &s, NULL), 0);
	assert_int_equal(s.spread_s, 60);
	sw_sources_clear(&s);
	assert_int_equal(s.n, 0);
}

static void several_sources_keep_their_order_and_their_own_hash(void **state SW_UNUSED)
{
	_cleanup_sources_ struct sw_sources s = {};
	struct sw_error err = {};

	assert_int_equal(sw_sources_from_cmdline(
		"slipway.answers=http://h/a.yaml slipway.answers.sha256=" HEX64
		" slipway.set=finish=stay slipway.answers=https://h/${mac}.yaml#pin=sha256:" HEX64
		" slipway.answers=smbios slipway.set=node.hostname=n7", &s, &err), 0);
	assert_int_equal(s.n, 4);
	assert_string_equal(s.v[0].sha256, HEX64);
	assert_string_equal(s.v[1].location, "https://h/${mac}.yaml");
	assert_string_equal(s.v[1].pin, HEX64);
	assert_null(s.v[1].sha256);
	assert_int_equal(s.v[2].form, SW_FORM_SMBIOS);
	assert_int_equal(s.v[3].form, SW_FORM_SET);
	assert_string_equal(s.v[3].location, "finish=stay\nnode.hostname=n7\n");
}

static void refused(const char *name, const char *words)
{
	struct sw_answers_source s = {};
	struct sw_error err = {};
	_cleanup_free_ char *text = NULL;

	assert_int_equal(sw_answers_source_parse(name, SW_SOURCE_CMDLINE, "here", &s, &err),
			 -EINVAL);
	assert_int_equal(err.exit, SW_EXIT_INVALID);
	text = sw_error_text(&err);
	if (!strstr(text, words))
		fail_msg("%s: %s", name, text);
}

static void names_of_sources_that_are_none_are_refused_with_the_reason(void **state SW_UNUSED)
{
	refused("https://h/${nic}.yaml", "${nic}");
	refused("https://h/${mac.yaml", "${mac}");
	refused("https://h/a#sha256=12", "64 hex digits");
	refused("https://h/a#sha256=" HEX64 "&sha256=" HEX64, "twice");
	refused("https://h/a#pin=" HEX64, "neither sha256= nor pin=");
	refused("http://h/a#pin=sha256:" HEX64, "https");
	refused("post:http://h/a", "only sent over https");
	refused("label:", "no name");
	refused("credential:../../etc/shadow", "no name");
	refused("fw_cfg:/etc", "no name");
	refused("base64:", "base64 -w0");
	refused("smbios:x", "neither a URL");
	refused("tftp://h/a", "cannot fetch");
}

static void where_keys_are_known_only_what_can_be_signed_or_is_pinned_counts(void **state SW_UNUSED)
{
	char *keys[] = { (char *)"ssh-ed25519 AAAA", NULL };
	static const struct { const char *name; bool taken; } cases[] = {
		{ "https://h/a", true }, { "http://h/a", true }, { "label:RACK", true },
		{ "post:https://h/a", false }, { "post:https://h/a#pin=sha256:" HEX64, true },
		{ "smbios", false }, { "smbios#sha256=" HEX64, true }, { "credential:a", false },
		{ "fw_cfg:opt/a", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sw_answers_source s = {};
		struct sw_error err = {};
		int r;

		assert_int_equal(sw_answers_source_parse(cases[i].name, SW_SOURCE_MEDIUM, "here",
							 &s, &err), 0);
		s.keys = keys;
		r = sw_source_may(&s, &err);
		if ((r == 0) != cases[i].taken)
			fail_msg("%s: %d", cases[i].name, r);
		s.keys = NULL;
		sw_answers_source_clear(&s);
	}
}

struct strings {
	char text[256];
};

static int note_string(const char *text, void *arg)
{
	struct strings *s = arg;

	(void)strncat(s->text, text, 100);
	(void)strncat(s->text, "|", 2);
	return 0;
}

static void oem_strings_are_read_and_damaged_structures_are_not_run_past(void **state SW_UNUSED)
{
	static const uint8_t whole[] = "\x0b\x05\x00\x01\x02one\0two\0\0behind";
	static const struct { const char *data; size_t len; } bad[] = {
		{ "\x0c\x05..\1x\0", 8 }, { "\x0b\xff..\1x\0", 8 }, { "\x0b\x05..", 4 },
	};
	struct strings s = {};

	assert_int_equal(sw_smbios_strings(whole, sizeof(whole), note_string, &s), 0);
	assert_string_equal(s.text, "one|two|");
	s.text[0] = '\0';
	/* Cut in the middle of a string; of another type; with a length past its end. */
	assert_int_equal(sw_smbios_strings(whole, 7, note_string, &s), 0);
	assert_string_equal(s.text, "on|");
	s.text[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sw_smbios_strings((const uint8_t *)bad[i].data, bad[i].len,
						   note_string, &s), 0);
	assert_string_equal(s.text, "");
}

/* Two disks with a vfat each; the caller changes what matters. */
struct sticks {
	struct sw_facts f;
	struct sw_disk disks[2];
	struct sw_part parts[2];
};

static void sticks_init(struct sticks *t)
{
	static char *const nodes[] = { (char *)"/dev/sda", (char *)"/dev/sdb" };

	*t = (struct sticks){ .f = { .disks = t->disks, .n_disks = 2 } };
	for (size_t i = 0; i < 2; i++) {
		t->parts[i] = (struct sw_part){ .number = 1, .start = 1 << 20, .size = 1 << 24 };
		t->parts[i].fs_type = (char *)"vfat";
		t->parts[i].fs_label = (char *)"SLIPWAY";
		t->disks[i].name = nodes[i] + 5;
		t->disks[i].node = nodes[i];
		t->disks[i].table.parts = &t->parts[i];
		t->disks[i].table.n_parts = 1;
	}
}

static void only_a_removable_disk_is_a_stick(void **state SW_UNUSED)
{
	_cleanup_answers_source_ struct sw_answers_source s = {};
	struct sw_error err = {};
	struct sticks t;

	sticks_init(&t);
	assert_int_equal(sw_source_from_stick(&t.f, &s, &err), 0);
	assert_int_equal(s.kind, SW_SOURCE_NONE);
	t.disks[1].removable = true;
	assert_int_equal(sw_source_from_stick(&t.f, &s, &err), 0);
	assert_int_equal(s.kind, SW_SOURCE_STICK);
	assert_string_equal(s.location, "/dev/sdb");
	assert_int_equal(s.offset, 1 << 20);
	assert_int_equal(s.countdown, SW_STICK_COUNTDOWN);
}

static void another_label_or_file_system_is_no_stick(void **state SW_UNUSED)
{
	_cleanup_answers_source_ struct sw_answers_source s = {};
	struct sw_error err = {};
	struct sticks t;

	sticks_init(&t);
	t.disks[0].removable = t.disks[1].removable = true;
	t.parts[0].fs_label = (char *)"SLIPWAY2";
	t.parts[1].fs_type = (char *)"ext4";
	assert_int_equal(sw_source_from_stick(&t.f, &s, &err), 0);
	assert_int_equal(s.kind, SW_SOURCE_NONE);
}

static void two_sticks_are_refused_by_name(void **state SW_UNUSED)
{
	struct sw_answers_source s = {};
	struct sw_error err = {};
	struct sticks t;

	sticks_init(&t);
	t.disks[0].removable = t.disks[1].removable = true;
	assert_int_equal(sw_source_from_stick(&t.f, &s, &err), -ENOTUNIQ);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	assert_non_null(strstr(err.why, "sda"));
	assert_non_null(strstr(err.why, "sdb"));
	assert_int_equal(s.kind, SW_SOURCE_NONE);
}

static void test_answers_must_be_signed_when_the_command_line_names_keys(void **state SW_UNUSED)
{
	_cleanup_free_ char *dir = NULL, *key = NULL, *pub = NULL, *line = NULL, *cmdline = NULL;
	_cleanup_free_ char *file = NULL, *sig = NULL;
	_cleanup_sources_ struct sw_sources s = {};
	_cleanup_answers_ struct sw_answers *a = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_scratch_new("sw-sources", &dir), 0);
	key = sw_fmt("%s/key", dir);
	pub = sw_fmt("%s.pub", key);
	file = sw_fmt("%s/a.yaml", dir);
	sig = sw_fmt("%s.sig", file);
	const char *make[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f",
			       key, NULL };
	const char *sign[] = { "ssh-keygen", "-q", "-Y", "sign", "-n", SW_TRUST_ANSWERS, "-f", key,
			       file, NULL };

	assert_int_equal(sw_proc_check(make, NULL, 60, NULL), 0);
	assert_int_equal(sw_file_read_line(pub, &line), 0);
	assert_int_equal(sw_file_write(file, "slipway: 1\n", 11, 0600), 0);
	cmdline = sw_fmt("slipway.answers=%s slipway.trust=\"%s\"", file, line);
	assert_int_equal(sw_sources_from_cmdline(cmdline, &s, &err), 0);
	assert_string_equal(s.v[0].keys[0], line);
	assert_true(sw_source_read(NULL, &s.v[0], 0, NULL, &a, NULL, NULL) < 0);
	assert_int_equal(sw_proc_check(sign, NULL, 60, NULL), 0);
	assert_int_equal(sw_source_read(NULL, &s.v[0], 0, NULL, &a, NULL, NULL), 0);
	assert_int_equal(sw_file_write(file, "slipway: 1 \n", 12, 0600), 0);
	assert_int_equal(sw_source_read(NULL, &s.v[0], 0, NULL, &a, NULL, &err), -EKEYREJECTED);
	assert_int_equal(err.exit, SW_EXIT_VERIFY);
	(void)sw_remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_must_be_signed_when_the_command_line_names_keys),
		cmocka_unit_test(words_are_split_and_unquoted_as_the_kernel_does),
		cmocka_unit_test(a_key_is_not_found_inside_another_word),
		cmocka_unit_test(no_key_gives_no_source),
		cmocka_unit_test(http_is_taken_only_with_a_hash),
		cmocka_unit_test(a_hash_that_is_none_and_a_url_that_is_none_are_refused),
		cmocka_unit_test(several_sources_keep_their_order_and_their_own_hash),
		cmocka_unit_test(names_of_sources_that_are_none_are_refused_with_the_reason),
		cmocka_unit_test(where_keys_are_known_only_what_can_be_signed_or_is_pinned_counts),
		cmocka_unit_test(oem_strings_are_read_and_damaged_structures_are_not_run_past),
		cmocka_unit_test(only_a_removable_disk_is_a_stick),
		cmocka_unit_test(another_label_or_file_system_is_no_stick),
		cmocka_unit_test(two_sticks_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
