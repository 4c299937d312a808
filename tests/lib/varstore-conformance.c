/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules were measured on Linux 6.1 with OVMF. The same list is run against
 * the file store (so that tests on it mean something) and against efivarfs in a
 * VM (so that the list itself stays true).
 */
#include "tests/lib/varstore-conformance.h"

#include <string.h>

static const struct sw_guid own_guid = { { 0x1f, 0x6b, 0x0c, 0x57, 0x1d, 0x62, 0x4e, 0x4a, 0x9c,
					   0x70, 0x5d, 0x2b, 0x33, 0x9a, 0x81, 0xe4 } };

const char *varstore_conformance_prefix = "";

struct suite {
	struct sw_varstore *s;
	int n, failed;
	char free_name[16];	/* a Boot#### that nobody uses */
};

static void check(struct suite *t, bool ok, const char *what)
{
	printf("%s%s %d - varstore: %s\n", varstore_conformance_prefix, ok ? "ok" : "not ok",
	       ++t->n, what);
	(void)fflush(stdout);
	if (!ok)
		t->failed++;
}

static bool reads(struct suite *t, const struct sw_guid *g, const char *name, const void *data,
		  size_t len)
{
	_cleanup_free_ uint8_t *now = NULL;
	uint32_t attrs = 0;
	size_t n = 0;

	return sw_var_get(t->s, g, name, &now, &n, &attrs) == 0 && n == len &&
	       memcmp(now, data, len) == 0 && attrs == SW_VAR_NV_BS_RT;
}

static bool absent(struct suite *t, const struct sw_guid *g, const char *name)
{
	_cleanup_free_ uint8_t *now = NULL;
	uint32_t attrs;
	size_t n;

	return sw_var_get(t->s, g, name, &now, &n, &attrs) == -ENOENT;
}

static int set(struct suite *t, const char *name, const void *data, size_t len)
{
	return t->s->ops->set(t->s, &own_guid, name, data, len, SW_VAR_NV_BS_RT);
}

static void test_values(struct suite *t)
{
	static const char odd[] = "SlipwayTest-a.b_c";

	check(t, absent(t, &own_guid, "SlipwayTest"), "a missing variable is ENOENT");
	check(t, t->s->ops->del(t->s, &own_guid, "SlipwayTest") == -ENOENT,
	      "deleting a missing variable is ENOENT");
	check(t, set(t, "SlipwayTest", "12345678", 8) == 0 &&
			 reads(t, &own_guid, "SlipwayTest", "12345678", 8),
	      "a value reads back as it was set");
	check(t, set(t, "SlipwayTest", "abc", 3) == 0 &&
			 reads(t, &own_guid, "SlipwayTest", "abc", 3),
	      "a shorter value replaces the whole of a longer one");
	check(t, set(t, "SlipwayTest", "", 0) == 0 && absent(t, &own_guid, "SlipwayTest"),
	      "setting nothing deletes");
	check(t, set(t, odd, "\0\1\2", 3) == 0 && reads(t, &own_guid, odd, "\0\1\2", 3) &&
			 t->s->ops->del(t->s, &own_guid, odd) == 0 && absent(t, &own_guid, odd),
	      "names with hyphens and dots, and zero bytes, are fine");
}

static void test_attributes(struct suite *t)
{
	const uint32_t v = SW_VAR_BOOTSERVICE | SW_VAR_RUNTIME;

	check(t, t->s->ops->set(t->s, &own_guid, "SlipwayTest", "x", 1, v) == -EINVAL &&
			 absent(t, &own_guid, "SlipwayTest"),
	      "a volatile variable cannot be made by the running system");
	check(t, set(t, "SlipwayTest", "abc", 3) == 0 &&
			 t->s->ops->set(t->s, &own_guid, "SlipwayTest", "xyz", 3, v) == -EINVAL &&
			 reads(t, &own_guid, "SlipwayTest", "abc", 3),
	      "other attributes are refused and the old value stays");
	check(t, t->s->ops->del(t->s, &own_guid, "SlipwayTest") == 0, "and it can be deleted");
}

struct found {
	const char *want;
	int seen;
};

static int see(const struct sw_guid *g, const char *name, void *userdata)
{
	struct found *f = userdata;

	f->seen += sw_guid_equal(g, &own_guid) && strcmp(name, f->want) == 0;
	return 0;
}

static int stop(const struct sw_guid *g SW_UNUSED, const char *name SW_UNUSED, void *userdata)
{
	++*(int *)userdata;
	return 42;
}

static void test_list(struct suite *t)
{
	struct found f = { .want = "SlipwayTestList" };
	int calls = 0;

	(void)set(t, "SlipwayTestList", "1", 1);
	check(t, sw_var_list(t->s, see, &f) == 0 && f.seen == 1, "list names a variable once");
	check(t, sw_var_list(t->s, stop, &calls) == 42 && calls == 1,
	      "list stops when it is told and hands the value on");
	f.seen = 0;
	check(t, sw_var_list(t->s, see, &f) == 0 && f.seen == 1,
	      "a stopped list does not disturb the next");
	(void)t->s->ops->del(t->s, &own_guid, "SlipwayTestList");
	f.seen = 0;
	check(t, sw_var_list(t->s, see, &f) == 0 && f.seen == 0, "a deleted one is not listed");
}

static int set_global(struct suite *t, const char *name, const void *data, size_t len)
{
	return t->s->ops->set(t->s, &sw_guid_global, name, data, len, SW_VAR_NV_BS_RT);
}

static bool pick_free_number(struct suite *t)
{
	for (unsigned int n = 0x0ff0; n < 0x1000; n++) {
		(void)snprintf(t->free_name, sizeof(t->free_name), "Boot%04X", n);
		if (absent(t, &sw_guid_global, t->free_name))
			return true;
	}
	return false;
}

/* Attributes, path length, "T", an empty path. */
static const uint8_t good_option[] = { 0, 0, 0, 0, 4, 0, 'T', 0, 0, 0, 0x7f, 0xff, 4, 0 };

static void test_boot_options(struct suite *t)
{
	uint8_t bad[sizeof(good_option)];

	if (!pick_free_number(t)) {
		check(t, false, "a free Boot#### number is needed");
		return;
	}
	memcpy(bad, good_option, sizeof(bad));
	bad[4] = 40;
	check(t, set_global(t, t->free_name, "garbage!", 8) == -EINVAL,
	      "garbage in Boot#### is EINVAL");
	check(t, set_global(t, t->free_name, bad, sizeof(bad)) == -EINVAL,
	      "a Boot#### whose path is longer than itself is EINVAL");
	memcpy(bad, good_option, sizeof(bad));
	bad[12] = 3;
	check(t, set_global(t, t->free_name, bad, sizeof(bad)) == -EINVAL,
	      "a Boot#### with a node of three bytes is EINVAL");
	check(t, absent(t, &sw_guid_global, t->free_name), "and nothing of these was stored");
	check(t, set_global(t, t->free_name, good_option, sizeof(good_option)) == 0 &&
			 reads(t, &sw_guid_global, t->free_name, good_option, sizeof(good_option)),
	      "a good Boot#### is stored");
	check(t, sw_var_del(t->s, &sw_guid_global, t->free_name) == 0, "and deleted");
}

static void put_back(struct suite *t, const char *name, const uint8_t *old, size_t len)
{
	check(t, sw_var_set(t->s, &sw_guid_global, name, old, len, SW_VAR_NV_BS_RT) == 0,
	      "the old value is put back");
}

static void test_order(struct suite *t)
{
	_cleanup_free_ uint8_t *order = NULL, *next = NULL;
	size_t n_order = 0, n_next = 0;
	uint32_t attrs;

	(void)sw_var_get(t->s, &sw_guid_global, "BootOrder", &order, &n_order, &attrs);
	(void)sw_var_get(t->s, &sw_guid_global, "BootNext", &next, &n_next, &attrs);
	check(t, set_global(t, "BootOrder", "\1\0\2", 3) == -EINVAL, "an odd BootOrder is EINVAL");
	check(t, set_global(t, "BootNext", "\1\0\2", 3) == -EINVAL,
	      "a BootNext of 3 bytes is EINVAL");
	check(t, set_global(t, "BootOrder", "\xfe\x0f\xfd\x0f", 4) == 0 &&
			 reads(t, &sw_guid_global, "BootOrder", "\xfe\x0f\xfd\x0f", 4),
	      "BootOrder may name entries that do not exist");
	check(t, set_global(t, "BootNext", "\xfe\x0f", 2) == 0, "and so may BootNext");
	put_back(t, "BootNext", next, n_next);
	put_back(t, "BootOrder", order, n_order);
}

static void test_common_layer(struct suite *t)
{
	uint64_t total = 0, space = 0;
	int r;

	check(t, sw_var_set(t->s, &own_guid, "SlipwayTest", "v", 1, SW_VAR_NV_BS_RT) == 0 &&
			 sw_var_set(t->s, &own_guid, "SlipwayTest", "v", 1, SW_VAR_NV_BS_RT) == 0,
	      "setting what is there already succeeds");
	check(t, sw_var_set(t->s, &own_guid, "SlipwayTest", NULL, 0, SW_VAR_NV_BS_RT) == 0 &&
			 sw_var_set(t->s, &own_guid, "SlipwayTest", NULL, 0, SW_VAR_NV_BS_RT) == 0,
	      "deleting what is gone already succeeds");
	r = sw_var_space(t->s, &total, &space);
	check(t, r == -EOPNOTSUPP || (r == 0 && total > 0 && space <= total),
	      "space is told, or said to be unknown");
}

int varstore_conformance(struct sw_varstore *s)
{
	struct suite t = { .s = s };

	/* Left over from a run that was cut off. */
	(void)s->ops->del(s, &own_guid, "SlipwayTest");
	test_values(&t);
	test_attributes(&t);
	test_list(&t);
	test_boot_options(&t);
	test_order(&t);
	test_common_layer(&t);
	printf("%s1..%d\n", varstore_conformance_prefix, t.n);
	return t.failed;
}
