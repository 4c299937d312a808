/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "disk/select.h"

#define GIB ((uint64_t)1 << 30)

static struct sw_disk disk(const char *name, const char *serial, uint64_t gib)
{
	return (struct sw_disk){ .name = (char *)name, .serial = (char *)serial,
				 .model = (char *)"Fast [Pro] 1", .transport = (char *)"nvme",
				 .size = gib * GIB, .sector = 512 };
}

/* The selected index, or the negative error; the table must always be there. */
static int pick(const struct sw_disk *disks, size_t n, struct sw_disk_match m, uint64_t min,
		struct sw_error *e)
{
	struct sw_facts f = { .disks = (struct sw_disk *)disks, .n_disks = n };
	const struct sw_disk *d = NULL;
	_cleanup_free_ char *table = NULL;
	int r;

	memset(e, 0, sizeof(*e));
	r = sw_disk_select(&f, &m, min, &d, &table, e);
	assert_non_null(table);
	for (size_t i = 0; i < n; i++)
		assert_non_null(strstr(table, disks[i].name));
	return r < 0 ? r : (int)(d - disks);
}

static void test_one_match_is_chosen_whatever_its_name(void **s SW_UNUSED)
{
	struct sw_disk d[2] = { disk("sda", "AAAA1", 10), disk("sdb", "NODE07SYS", 20) };
	struct sw_error e;

	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .serial = "NODE07SYS" }, 0, &e), 1);
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .serial = "NODE*" }, 0, &e), 1);
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .serial = "node07sys" }, 0, &e),
			 -ENODEV);
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .size = ">=20G" }, 0, &e), 1);
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .size = "<20G" }, 0, &e), 0);
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .size = "10G" }, 0, &e), 0);
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .size = "largest" }, 0, &e), 1);
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .size = "smallest" }, 0, &e), 0);
}

static void test_several_matches_are_refused_with_the_deciding_clause(void **s SW_UNUSED)
{
	struct sw_disk d[3] = { disk("sda", "AAAA1", 10), disk("sdb", NULL, 10),
				disk("sdc", "CCCC3", 10) };
	struct sw_error e;

	d[1].wwn = (char *)"0x5000c500";
	assert_int_equal(pick(d, 3, (struct sw_disk_match){ .model = "fast*" }, 0, &e), -ENOTUNIQ);
	assert_int_equal(e.exit, SW_EXIT_REFUSED);
	assert_string_equal(e.what, "3 disks match");
	assert_non_null(strstr(e.hint, "Add serial: AAAA1 (sda) or wwn: \"0x5000c500\" (sdb)"));
	assert_non_null(strstr(e.why, "model yes"));
	assert_int_equal(pick(d, 3, (struct sw_disk_match){ .size = "largest" }, 0, &e),
			 -ENOTUNIQ);
}

static void test_twins_are_told_apart_by_wwn_or_path_or_not_at_all(void **s SW_UNUSED)
{
	struct sw_disk d[2] = { disk("sda", "SAME1", 10), disk("sdb", "SAME1", 10) };
	struct sw_error e;

	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .serial = "SAME1" }, 0, &e),
			 -ENOTUNIQ);
	assert_null(strstr(e.hint, "serial:"));
	assert_non_null(strstr(e.hint, "leave only the right one"));
	d[0].path = (char *)"pci-0000:00:1f.2-ata-1";
	d[1].path = (char *)"pci-0000:00:1f.2-ata-2";
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .serial = "SAME1" }, 0, &e),
			 -ENOTUNIQ);
	assert_non_null(strstr(e.hint, "path: pci-0000:00:1f.2-ata-1 (sda)"));
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .serial = "SAME1", .path = "*ata-2" },
			      0, &e), 1);
}

static void test_two_ways_to_one_disk_are_no_choice(void **s SW_UNUSED)
{
	struct sw_disk d[2] = { disk("sda", "AAAA1", 10), disk("sdb", "AAAA1", 10) };
	struct sw_disk_match serial = { .serial = (char *)"AAAA1" };
	struct sw_error e;

	d[0].wwn = d[1].wwn = (char *)"0x5000c500a1";
	d[0].path = (char *)"pci-1";
	d[1].path = (char *)"pci-2";
	assert_int_equal(pick(d, 2, serial, 0, &e), -ENOTUNIQ);
	assert_string_equal(e.what, "sda and sdb are two ways to one disk");
	assert_string_equal(e.hint, "Add path: pci-1 (sda) or path: pci-2 (sdb) to disk.match");
	/* What only one of them says of itself is no reason to take that one. */
	d[0].transport = (char *)"sas";
	serial.transport = (char *)"sas";
	assert_int_equal(pick(d, 2, serial, 0, &e), -ENOTUNIQ);
	assert_string_equal(e.what, "sda and sdb are two ways to one disk");
	/* When one may not be touched, neither may the other, not even by its path. */
	d[0].read_only = true;
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .path = (char *)"pci-2" }, 0, &e),
			 -ENODEV);
	assert_string_equal(e.what, "sdb matches but cannot be used: it may be the same disk as "
				    "sda: it is read-only");
}

static void test_a_serial_that_a_used_disk_has_too_is_no_name(void **s SW_UNUSED)
{
	struct sw_disk d[2] = { disk("sda", "0001", 10), disk("sdb", "0001", 20) };
	struct sw_error e;

	d[0].medium = true;
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .serial = (char *)"0001" }, 0, &e),
			 -ENOTUNIQ);
	assert_string_equal(e.what, "sdb matches, but sda has the same name and cannot be used");
	assert_string_equal(e.hint, "Add size: 20G (sdb) to disk.match");
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .model = (char *)"Fast*" }, 0, &e), 1);
}

static void test_a_number_that_a_hundred_disks_have_is_no_name(void **s SW_UNUSED)
{
	struct sw_disk d[100];
	char names[100][16], paths[100][16];
	struct sw_error e;

	for (unsigned int i = 0; i < 100; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "nvme%un1", i);
		(void)snprintf(paths[i], sizeof(paths[i]), "pci-%u", i);
		d[i] = disk(names[i], "0001", 10);
		d[i].path = paths[i];
	}
	assert_int_equal(pick(d, 100, (struct sw_disk_match){ .serial = (char *)"0001" }, 0, &e),
			 -ENOTUNIQ);
	assert_string_equal(e.hint, "Add path: pci-0 (nvme0n1) or path: pci-1 (nvme1n1) or path: "
				    "pci-2 (nvme2n1) or path: pci-3 (nvme3n1) (and 96 more) to "
				    "disk.match");
	assert_int_equal(pick(d, 100, (struct sw_disk_match){ .path = (char *)"pci-77" }, 0, &e),
			 77);
	d[50].uses = (char *[]){ (char *)"md0 is made of it", NULL };
	assert_int_equal(pick(d, 100, (struct sw_disk_match){ .path = (char *)"pci-77" }, 0, &e),
			 -ENODEV);
	assert_non_null(strstr(e.what, "it may be the same disk as nvme50n1: md0 is made of it"));
}

static void test_no_clause_is_never_a_choice_even_with_one_disk(void **s SW_UNUSED)
{
	struct sw_disk d[1] = { disk("sda", "AAAA1", 10) };
	struct sw_error e;

	assert_int_equal(pick(d, 1, (struct sw_disk_match){}, 0, &e), -ENODEV);
	assert_non_null(strstr(e.what, "nothing says which disk"));
	assert_non_null(strstr(e.hint, "serial: AAAA1"));
}

static void test_excluded_disks_are_refused_with_their_reason(void **s SW_UNUSED)
{
	char *uses[] = { "sda1 is mounted on /srv", NULL };
	struct sw_disk base = disk("sda", "AAAA1", 10);
	struct sw_disk_match m = { .serial = "AAAA1" };
	struct sw_error e;

	for (int i = 0; i < 6; i++) {
		static const char *const words[] = { "started from it", "read-only",
						     "mounted on /srv", "too small",
						     "no medium",	"sector size" };
		struct sw_disk d = base;

		d.medium = i == 0;
		d.read_only = i == 1;
		d.uses = i == 2 ? uses : NULL;
		d.size = i == 4 ? 0 : d.size;
		d.sector = i == 5 ? 520 : 512;
		assert_int_equal(pick(&d, 1, m, i == 3 ? 11 * GIB : 0, &e), -ENODEV);
		assert_int_equal(e.exit, SW_EXIT_REFUSED);
		assert_non_null(strstr(e.what, words[i]));
	}
}

static void test_a_size_rule_that_cannot_be_read_is_an_error_not_a_mismatch(void **s SW_UNUSED)
{
	static const char *const bad[] = { "", "=>1G", ">", "big", ">=1X", "==1G", "<>1G" };
	struct sw_disk d[1] = { disk("sda", "AAAA1", 10) };
	struct sw_error e;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_disk_match m = { .size = (char *)bad[i] };

		assert_int_equal(pick(d, 1, m, 0, &e), -EINVAL);
		assert_int_equal(e.exit, SW_EXIT_INVALID);
	}
}

/* The selected index of a choice, or the negative error. */
static int choose(struct sw_disk *disks, size_t n, struct sw_disk_match *m, size_t n_match,
		  const struct sw_disk *taken, struct sw_error *e)
{
	struct sw_facts f = { .disks = disks, .n_disks = n };
	struct sw_disk_choice c = { .match = m, .n_match = n_match };
	const struct sw_disk *d = NULL;
	int r;

	memset(e, 0, sizeof(*e));
	r = sw_disk_choose(&f, &c, 0, &taken, taken ? 1 : 0, &d, NULL, e);
	return r < 0 ? r : (int)(d - disks);
}

static void test_alternatives_are_tried_in_order_but_never_past_a_doubt(void **s SW_UNUSED)
{
	char a1[] = "AAAA1", no[] = "NONE", fast[] = "Fast*", b2[] = "BBBB2";
	struct sw_disk d[3] = { disk("sda", "AAAA1", 10), disk("sdb", "BBBB2", 20),
				disk("sdc", "CCCC3", 20) };
	struct sw_disk_match both[2] = { { .serial = b2 }, { .serial = a1 } };
	struct sw_disk_match second[2] = { { .serial = no }, { .serial = a1 } };
	struct sw_disk_match doubt[2] = { { .model = fast }, { .serial = a1 } };
	struct sw_disk_match none[2] = { { .serial = no }, { .wwn = no } };
	struct sw_error e;

	assert_int_equal(choose(d, 3, both, 2, NULL, &e), 1);
	assert_int_equal(choose(d, 3, second, 2, NULL, &e), 0);
	assert_int_equal(choose(d, 3, doubt, 2, NULL, &e), -ENOTUNIQ);
	assert_string_equal(e.what, "3 disks match");
	assert_int_equal(choose(d, 3, none, 2, NULL, &e), -ENODEV);
	assert_int_equal(e.exit, SW_EXIT_REFUSED);
	/* A disk that is there but cannot be used is none, too. */
	d[1].read_only = true;
	assert_int_equal(choose(d, 3, both, 2, NULL, &e), 0);
}

static void test_a_disk_is_not_chosen_twice(void **s SW_UNUSED)
{
	char a1[] = "AAAA1", fast[] = "Fast*", largest[] = "largest";
	struct sw_disk d[2] = { disk("sda", "AAAA1", 10), disk("sdb", "BBBB2", 20) };
	struct sw_disk_match serial = { .serial = a1 }, model = { .model = fast };
	struct sw_disk_match size = { .size = largest };
	struct sw_error e;

	assert_int_equal(choose(d, 2, &serial, 1, &d[0], &e), -ENODEV);
	assert_string_equal(e.what, "sda matches but cannot be used: chosen already");
	assert_non_null(strstr(e.why, "excluded: chosen already"));
	assert_int_equal(choose(d, 2, &model, 1, &d[0], &e), 1);
	assert_int_equal(choose(d, 2, &size, 1, &d[1], &e), 0);
}

static void test_rotational_is_a_clause(void **s SW_UNUSED)
{
	struct sw_disk d[2] = { disk("sda", "AAAA1", 10), disk("sdb", "BBBB2", 20) };
	struct sw_error e;

	d[1].rotational = true;
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .rotational = SW_ROTATIONAL_YES }, 0,
			      &e), 1);
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .rotational = SW_ROTATIONAL_NO }, 0,
			      &e), 0);
	d[1].rotational = false;
	assert_int_equal(pick(d, 2, (struct sw_disk_match){ .rotational = SW_ROTATIONAL_NO }, 0,
			      &e), -ENOTUNIQ);
}

static void test_glob_characters_in_a_model_match_themselves(void **s SW_UNUSED)
{
	struct sw_disk d[1] = { disk("sda", "AAAA1", 10) };
	struct sw_error e;

	assert_int_equal(pick(d, 1, (struct sw_disk_match){ .model = "Fast [Pro] 1" }, 0, &e), 0);
}

static void test_control_characters_of_a_disk_do_not_reach_the_table(void **s SW_UNUSED)
{
	struct sw_disk d[1] = { disk("sda", "AA\033[2J", 10) };
	struct sw_facts f = { .disks = d, .n_disks = 1 };
	const struct sw_disk *found;
	_cleanup_free_ char *table = NULL;
	struct sw_disk_match m = { .serial = "x" };
	struct sw_error e = {};

	assert_true(sw_disk_select(&f, &m, 0, &found, &table, &e) < 0);
	assert_null(strchr(table, '\033'));
	assert_null(strchr(e.hint, '\033'));
}

/* ---- wiping ---- */

/* Which clauses are enough for wipe: any on a disk that is not ours. */
static const struct {
	struct sw_disk_match m;
	bool enough;
} any[] = {
	{ { .serial = "AAAA1" }, true },   { { .serial = "A1" }, true },
	{ { .serial = "*" }, false },	   { { .serial = "A*" }, false },
	{ { .serial = "AAAA*" }, true },   { { .serial = "[A-Z][A-Z][0-9]*" }, false },
	{ { .wwn = "0x5000" }, true },	   { { .path = "pci-1" }, true },
	{ { .size = "largest" }, false },  { { .model = "Fast*" }, false },
	{ { .transport = "nvme" }, false }, { {}, false },
};

static void test_wipe_rules(void **s SW_UNUSED)
{
	static char *sig[] = { "ext4 at 0x438", NULL };
	struct sw_part ours[] = { { .number = 1, .label = "slipway-a" },
				  { .number = 2, .label = "state" } };
	struct sw_part state[] = { { .number = 1, .label = "state" } };
	struct sw_part mixed[] = { { .number = 1, .label = "slipway-a" },
				   { .number = 2, .label = "data" } };
#define GPT(p, n) { .type = SW_TABLE_GPT, .parts = (p), .n_parts = (n) }
	const struct {
		const char *what;
		struct sw_table table;
		char **sig;
		bool blank, ours;
	} cases[] = {
		{ "nothing", {}, NULL, true, true },
		{ "signature only", {}, sig, false, false },
		{ "empty GPT", GPT(NULL, 0), NULL, false, true },
		{ "empty damaged GPT", { .type = SW_TABLE_DAMAGED_GPT, .damage = "x" }, NULL, false,
		  false },
		{ "GPT, empty primary, other backup", { .type = SW_TABLE_GPT, .damage = "x" }, NULL,
		  false, false },
		{ "ours", GPT(ours, 2), NULL, false, true },
		{ "ours, cut off",
		  { .type = SW_TABLE_DAMAGED_GPT, .parts = ours, .n_parts = 2, .damage = "x" },
		  NULL, false, true },
		{ "ours and a signature", GPT(ours, 2), sig, false, false },
		{ "a lone state", GPT(state, 1), NULL, false, false },
		{ "mixed", GPT(mixed, 2), NULL, false, false },
		{ "DOS", { .type = SW_TABLE_DOS, .parts = ours, .n_parts = 1 }, NULL, false,
		  false },
	};
	struct sw_disk_match serial = { .serial = "AAAA1" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sw_disk d = disk("sda", "AAAA1", 10);
		struct sw_error e = {};

		d.table = cases[i].table;
		d.signatures = cases[i].sig;
		if ((sw_disk_wipe_allowed(&d, SW_WIPE_BLANK, &serial, NULL) == 0) != cases[i].blank)
			fail_msg("blank: %s", cases[i].what);
		if ((sw_disk_wipe_allowed(&d, SW_WIPE_OURS, &serial, NULL) == 0) != cases[i].ours)
			fail_msg("ours: %s", cases[i].what);
		for (size_t k = 0; k < ARRAY_SIZE(any); k++)
			if ((sw_disk_wipe_allowed(&d, SW_WIPE_ANY, &any[k].m, &e) == 0) !=
			    (cases[i].ours || any[k].enough))
				fail_msg("any: %s, match %zu", cases[i].what, k);
	}
}

static void test_a_wipe_refusal_says_what_would_be_lost(void **s SW_UNUSED)
{
	char *sig[] = { "LVM2_member at 0x218", NULL };
	struct sw_disk d = disk("sda", "AAAA1", 10);
	struct sw_disk_match m = { .model = "x" };
	struct sw_error e = {};

	d.signatures = sig;
	assert_int_equal(sw_disk_wipe_allowed(&d, SW_WIPE_ANY, &m, &e), -EPERM);
	assert_int_equal(e.exit, SW_EXIT_REFUSED);
	assert_string_equal(e.where, "sda");
	assert_non_null(strstr(e.why, "LVM2_member"));
	assert_non_null(strstr(e.hint, "serial"));
}

static void check_confirm(const struct sw_disk *d, size_t n, size_t at, const char *want)
{
	struct sw_facts f = { .disks = (struct sw_disk *)d, .n_disks = n };
	_cleanup_free_ char *text = sw_disk_confirm_text(&f, &d[at]);

	assert_string_equal(text, want);
}

static void test_the_confirmation_is_the_unique_end_of_the_serial(void **s SW_UNUSED)
{
	struct sw_disk d[5] = { disk("a", "XX100SYS1", 10), disk("b", "YY200SYS1", 10),
				disk("c", "ZZ3", 10), disk("d", NULL, 64),
			      disk("e", "UNIQUE99", 1) };

	check_confirm(d, 5, 0, "100SYS1");
	check_confirm(d, 5, 4, "UE99");
	check_confirm(d, 5, 2, "ZZ3");
	check_confirm(d, 5, 3, "64G");
	d[1].serial = (char *)"XX100SYS1";
	d[0].path = (char *)"pci-1";
	check_confirm(d, 5, 0, "pci-1");
}

static void test_what_is_typed_may_be_more_of_the_serial_but_never_another(void **s SW_UNUSED)
{
	assert_true(sw_disk_confirmed("4711", "4711", "DATA4711"));
	assert_true(sw_disk_confirmed(" 4711\t\n", "4711", "DATA4711"));
	assert_true(sw_disk_confirmed("data4711", "4711", "DATA4711"));
	assert_true(sw_disk_confirmed("TA4711", "4711", "DATA4711"));
	assert_true(sw_disk_confirmed("PCI-1", "pci-1", "DATA4711"));
	assert_true(sw_disk_confirmed("64g", "64G", NULL));
	assert_false(sw_disk_confirmed("", "4711", "DATA4711"));
	assert_false(sw_disk_confirmed("  ", "4711", "DATA4711"));
	assert_false(sw_disk_confirmed("711", "4711", "DATA4711"));
	assert_false(sw_disk_confirmed("47 11", "4711", "DATA4711"));
	assert_false(sw_disk_confirmed("DATX4711", "4711", "DATA4711"));
	assert_false(sw_disk_confirmed("XDATA4711", "4711", "DATA4711"));
	assert_false(sw_disk_confirmed("DATA4711", "pci-1", "DATA4711"));
	assert_false(sw_disk_confirmed("", "", ""));
}

/* "name: why" of all that were left when this rule chose disks[at], a line each. */
static void expect_left(const struct sw_disk *disks, size_t n, struct sw_disk_match m, size_t at,
			size_t max, const char *rule, const char *left)
{
	struct sw_facts f = { .disks = (struct sw_disk *)disks, .n_disks = n };
	struct sw_disk_choice c = { .match = &m, .n_match = 1 };
	const struct sw_disk *chosen = NULL;
	struct sw_disk_reasons why;
	char text[512] = "";

	assert_int_equal(sw_disk_choose(&f, &c, 0, NULL, 0, &chosen, NULL, NULL), 0);
	assert_ptr_equal(chosen, &disks[at]);
	assert_int_equal(sw_disk_choice_reasons(&f, &c, 0, &chosen, 1, 0, max, &why), 0);
	assert_string_equal(why.rule, rule);
	for (size_t i = 0; i < why.n_left; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s: %s\n",
			       why.left[i].name, why.left[i].why);
	assert_string_equal(text, left);
	assert_int_equal(why.n_left + why.n_more, n - 1);
	sw_disk_reasons_clear(&why);
}

static void test_every_disk_that_is_left_has_a_reason(void **s SW_UNUSED)
{
	struct sw_disk d[4] = { disk("sda", "AAAA1", 10), disk("sdb", NULL, 20),
				disk("sdc", "CCCC3", 30), disk("sdd", "DDDD4", 40) };

	d[3].medium = true;
	d[2].rotational = true;
	d[1].transport = (char *)"sata";
	expect_left(d, 4, (struct sw_disk_match){ .serial = "AAAA1" }, 0, 9, "serial: AAAA1",
		    "sdb: no serial\nsdc: another serial\nsdd: slipway was started from it\n");
	expect_left(d, 4, (struct sw_disk_match){ .size = "largest" }, 2, 9, "size: largest",
		    "sda: not the largest\nsdb: not the largest\n"
		    "sdd: the rule fits it, but slipway was started from it\n");
	expect_left(d, 4, (struct sw_disk_match){ .size = "smallest" }, 0, 9, "size: smallest",
		    "sdb: not the smallest\nsdc: not the smallest\n"
		    "sdd: the rule fits it, but slipway was started from it\n");
	expect_left(d, 4, (struct sw_disk_match){ .model = "*1", .size = "<30G",
						  .transport = "nvme" }, 0, 9,
		    "model: \"*1\", transport: nvme, size: <30G",
		    "sdb: another transport\nsdc: another size\n"
		    "sdd: slipway was started from it\n");
	expect_left(d, 4, (struct sw_disk_match){ .rotational = SW_ROTATIONAL_YES }, 2, 9,
		    "rotational: yes", "sda: not rotational\nsdb: not rotational\n"
		    "sdd: slipway was started from it\n");
	/* What the rule fits stands first, also where there is no room for all. */
	expect_left(d, 4, (struct sw_disk_match){ .size = "largest" }, 2, 1, "size: largest",
		    "sda: not the largest\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_match_is_chosen_whatever_its_name),
		cmocka_unit_test(test_several_matches_are_refused_with_the_deciding_clause),
		cmocka_unit_test(test_twins_are_told_apart_by_wwn_or_path_or_not_at_all),
		cmocka_unit_test(test_two_ways_to_one_disk_are_no_choice),
		cmocka_unit_test(test_a_serial_that_a_used_disk_has_too_is_no_name),
		cmocka_unit_test(test_a_number_that_a_hundred_disks_have_is_no_name),
		cmocka_unit_test(test_no_clause_is_never_a_choice_even_with_one_disk),
		cmocka_unit_test(test_excluded_disks_are_refused_with_their_reason),
		cmocka_unit_test(test_a_size_rule_that_cannot_be_read_is_an_error_not_a_mismatch),
		cmocka_unit_test(test_alternatives_are_tried_in_order_but_never_past_a_doubt),
		cmocka_unit_test(test_a_disk_is_not_chosen_twice),
		cmocka_unit_test(test_rotational_is_a_clause),
		cmocka_unit_test(test_every_disk_that_is_left_has_a_reason),
		cmocka_unit_test(test_glob_characters_in_a_model_match_themselves),
		cmocka_unit_test(test_control_characters_of_a_disk_do_not_reach_the_table),
		cmocka_unit_test(test_wipe_rules),
		cmocka_unit_test(test_a_wipe_refusal_says_what_would_be_lost),
		cmocka_unit_test(test_the_confirmation_is_the_unique_end_of_the_serial),
		cmocka_unit_test(test_what_is_typed_may_be_more_of_the_serial_but_never_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
