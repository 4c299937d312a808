/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strv.h"
#include "payload/trust.h"

/* Keys and signatures made by ssh-keygen itself, in a directory of their own. */
struct fixture {
	char *dir, *key[3], *file;
};

static void run(const char *const *argv)
{
	struct sw_error e = {};

	if (sw_proc_check(argv, NULL, 60, &e) < 0)
		fail_msg("%s %s: %s", argv[0], e.what, e.why);
}

static char *read_key(const char *dir, unsigned int i)
{
	_cleanup_free_ char *path = sw_fmt("%s/k%u.pub", dir, i);
	char *line = NULL;

	assert_int_equal(sw_file_read_line(path, &line), 0);
	return line;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	assert_int_equal(sw_scratch_new("sw-trust", &f->dir), 0);
	for (unsigned int i = 0; i < 3; i++) {
		_cleanup_free_ char *path = sw_fmt("%s/k%u", f->dir, i);
		_cleanup_free_ char *name = sw_fmt("signer %u", i);
		const char *argv[] = { "ssh-keygen", "-q", "-t", i == 2 ? "ecdsa" : "ed25519",
				       "-N", "", "-C", i == 1 ? "" : name, "-f", path, NULL };

		run(argv);
		f->key[i] = read_key(f->dir, i);
	}
	f->file = sw_fmt("%s/image", f->dir);
	assert_int_equal(sw_file_write(f->file, "an image", 8, 0600), 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)sw_remove_tree(f->dir);
	for (unsigned int i = 0; i < 3; i++)
		free(f->key[i]);
	free(f->file);
	free(f->dir);
	free(f);
	return 0;
}

/* The signature of content under name_space, as a file of its own. */
static char *sign(struct fixture *f, unsigned int key, const char *name_space, const char *content)
{
	_cleanup_free_ char *k = sw_fmt("%s/k%u", f->dir, key);
	_cleanup_free_ char *file = sw_fmt("%s/s%u-%s-%zu", f->dir, key, name_space,
					   strlen(content));
	const char *argv[] = { "ssh-keygen", "-q", "-Y", "sign", "-n", name_space, "-f", k, file,
			       NULL };
	char *sig = sw_fmt("%s.sig", file);

	assert_int_equal(sw_file_write(file, content, strlen(content), 0600), 0);
	(void)unlink(sig);
	run(argv);
	return sig;
}

static struct sw_trust trust_of(struct fixture *f, unsigned int threshold, unsigned int n)
{
	struct sw_trust t = { .threshold = threshold };

	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(sw_strv_add(&t.keys, f->key[i]), 0);
	return t;
}

static void test_only_a_trusted_signature_of_this_content_counts(void **state)
{
	struct fixture *f = *state;
	_cleanup_trust_ struct sw_trust t = trust_of(f, 1, 2);
	_cleanup_free_ char *good = sign(f, 0, SW_TRUST_IMAGES, "an image");
	_cleanup_free_ char *other = sign(f, 0, SW_TRUST_IMAGES, "another image");
	_cleanup_free_ char *answers = sign(f, 0, SW_TRUST_ANSWERS, "an image");
	_cleanup_free_ char *stranger = sign(f, 2, SW_TRUST_IMAGES, "an image"), *who = NULL;
	char *bad[] = { other, answers, stranger };

	assert_int_equal(sw_trust_verify(&t, SW_TRUST_IMAGES, f->file, (char *[]){ good, NULL },
					 &who, NULL), 0);
	assert_string_equal(who, "signer 0");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_error e = {};

		assert_int_equal(sw_trust_verify(&t, SW_TRUST_IMAGES, f->file,
						 (char *[]){ bad[i], NULL }, NULL, &e),
				 -EKEYREJECTED);
		assert_int_equal(e.exit, SW_EXIT_VERIFY);
		assert_non_null(strstr(e.why, i == 2 ? "none of the trusted keys"
						     : "not for this content"));
	}
	assert_int_equal(sw_trust_verify(&t, SW_TRUST_IMAGES, f->file, NULL, NULL, NULL),
			 -EKEYREJECTED);
}

static void test_a_threshold_counts_keys_and_not_signatures(void **state)
{
	struct fixture *f = *state;
	_cleanup_trust_ struct sw_trust t = trust_of(f, 2, 3);
	_cleanup_free_ char *a = sign(f, 0, SW_TRUST_IMAGES, "an image");
	_cleanup_free_ char *c = sign(f, 2, SW_TRUST_IMAGES, "an image");
	_cleanup_free_ char *both = sw_fmt("%s/both", f->dir);
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_error e = {};

	assert_int_equal(sw_trust_verify(&t, SW_TRUST_IMAGES, f->file, (char *[]){ a, a, NULL },
					 NULL, &e), -EKEYREJECTED);
	assert_non_null(strstr(e.why, "1 of 2: signer 0"));
	assert_int_equal(sw_trust_verify(&t, SW_TRUST_IMAGES, f->file, (char *[]){ a, c, NULL },
					 NULL, NULL), 0);
	/* Several signatures in one file. */
	assert_int_equal(sw_file_read(a, &b), 0);
	assert_int_equal(sw_file_read(c, &b), 0);
	assert_int_equal(sw_file_write(both, b.data, b.len, 0600), 0);
	assert_int_equal(sw_trust_verify(&t, SW_TRUST_IMAGES, f->file, (char *[]){ both, NULL },
					 NULL, NULL), 0);
}

static void test_what_is_no_public_key_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *cut = strdup(f->key[1]), *other = sw_fmt("ssh-rsa%s", f->key[0] + 11);
	const char *bad[] = { "", "ssh-ed25519", "ssh-ed25519 ", "restrict ssh-ed25519 AAAA",
			      "-----BEGIN OPENSSH PRIVATE KEY-----", "ssh-ed25519 !!!!",
			      "ssh-ed25519 AAAA", other, cut };

	cut[strcspn(cut, " ") + 12] = '\0';
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(sw_trust_check_key(f->key[i], NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sw_trust_check_key(bad[i], NULL), -EINVAL);
}

static void test_a_set_of_keys_must_make_sense(void **state)
{
	struct fixture *f = *state;
	_cleanup_trust_ struct sw_trust t = trust_of(f, 3, 2);
	struct sw_error e = {};

	assert_int_equal(sw_trust_check(&t, &e), -EINVAL);
	assert_int_equal(e.exit, SW_EXIT_INVALID);
	t.threshold = 2;
	assert_int_equal(sw_trust_check(&t, NULL), 0);
	t.none = true;
	assert_int_equal(sw_trust_check(&t, NULL), -EINVAL);
	assert_false(sw_trust_asks(&t));
	t.none = false;
	assert_int_equal(sw_strv_add(&t.keys, f->key[0]), 0);
	assert_int_equal(sw_trust_check(&t, NULL), -EINVAL);
}

static void test_a_file_of_keys_names_its_bad_line(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *good = sw_fmt("# ours\n\n  %s \r\n%s\n", f->key[0], f->key[1]);
	_cleanup_strv_ char **keys = NULL;
	struct sw_error e = {};

	assert_int_equal(sw_trust_parse_keys(good, strlen(good), "k", &keys, NULL), 0);
	assert_int_equal(sw_strv_len(keys), 2);
	assert_string_equal(keys[0], f->key[0]);
	assert_int_equal(sw_trust_parse_keys("#\nx y\n", 6, "k", &keys, &e), -EINVAL);
	assert_string_equal(e.where, "k:2:1");
	assert_int_equal(sw_trust_parse_keys("# no\n", 5, "k", &keys, NULL), -ENOENT);
}

static void test_trust_survives_the_node_data_and_damage_trusts_nobody(void **state)
{
	struct fixture *f = *state;
	_cleanup_trust_ struct sw_trust t = trust_of(f, 2, 2), back = {}, none = {}, bad = {};
	_cleanup_json_ json_object *o = sw_trust_to_json(&t), *n = json_object_new_object();

	assert_int_equal(sw_trust_from_json(o, &back), 0);
	assert_int_equal(back.threshold, 2);
	assert_string_equal(back.keys[1], f->key[1]);
	sw_json_add_bool(n, "none", true);
	assert_int_equal(sw_trust_from_json(n, &none), 0);
	assert_true(none.none);
	sw_json_add_u64(o, "threshold", 5);
	assert_int_equal(sw_trust_from_json(o, &bad), 0);
	assert_false(sw_trust_asks(&bad) || bad.none);
	assert_null(sw_trust_to_json(&bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_a_trusted_signature_of_this_content_counts),
		cmocka_unit_test(test_a_threshold_counts_keys_and_not_signatures),
		cmocka_unit_test(test_what_is_no_public_key_is_refused),
		cmocka_unit_test(test_a_set_of_keys_must_make_sense),
		cmocka_unit_test(test_a_file_of_keys_names_its_bad_line),
		cmocka_unit_test(test_trust_survives_the_node_data_and_damage_trusts_nobody),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
