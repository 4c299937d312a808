/* SPDX-License-Identifier: Apache-2.0 */
/* Facts as JSON: nothing is lost on the way, nothing wrong gets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "machine/facts.h"
#include "base/strv.h"
#include "base/text.h"

static char *text_of(const struct sw_facts *f)
{
	_cleanup_json_ json_object *o = sw_facts_to_json(f);

	assert_non_null(o);
	return strdup(json_object_to_json_string(o));
}

static int parse(const char *text, struct sw_facts **ret_facts, struct sw_error *err)
{
	_cleanup_json_ json_object *o = NULL;

	assert_int_equal(sw_json_parse(text, strlen(text), "f.json", &o, err), 0);
	return sw_facts_from_json(o, "f.json", ret_facts, err);
}

static void fill_disk(struct sw_disk *d, const char *name)
{
	struct sw_part *p = calloc(2, sizeof(*p));

	assert_non_null(p);
	d->name = strdup(name);
	d->node = strdup("/dev/x");
	d->serial = strdup("S\"1\\");
	d->wwn = strdup("0x5000c500a1b2c3d4");
	d->model = strdup("Größe 1");
	d->vendor = strdup("ACME");
	d->transport = strdup("sas");
	d->path = strdup("pci-0000:00:1f.2-ata-1");
	d->size = 9223372036854775296ULL;
	d->sector = 4096;
	d->diskseq = UINT64_MAX;
	d->rotational = d->removable = d->read_only = d->medium = true;
	assert_int_equal(sw_strv_add(&d->uses, "sda1 is mounted at /"), 0);
	assert_int_equal(sw_strv_add(&d->uses, "used as swap"), 0);
	assert_int_equal(sw_strv_add(&d->signatures, "LVM2_member"), 0);
	d->table.type = SW_TABLE_DAMAGED_GPT;
	memset(d->table.id.b, 0x5a, 16);
	memset(d->table.digest, 'a', 64);
	d->table.damage = strdup("the backup header is missing");
	d->table.parts = p;
	d->table.n_parts = 2;
	p[0] = (struct sw_part){ .number = 1, .start = 1 << 20, .size = 1ULL << 40,
				 .attrs = 1ULL << 63 | 1, .label = strdup("ESP"),
				 .fs_type = strdup("vfat"), .fs_label = strdup("E"),
				 .fs_uuid = strdup("ABCD-0123") };
	memset(p[0].type.b, 1, 16);
	memset(p[0].uuid.b, 2, 16);
	p[1] = (struct sw_part){ .number = 128, .start = 2, .size = 3 };
}

static void fill_boot(struct sw_bootvars *b)
{
	b->supported = b->writable = true;
	b->current = 0;
	b->next = 65535;
	b->n_order = 3;
	b->order = calloc(3, sizeof(*b->order));
	assert_non_null(b->order);
	b->order[0] = 65535;
	b->order[2] = 7;
	b->n_entries = 1;
	b->entries = calloc(1, sizeof(*b->entries));
	assert_non_null(b->entries);
	b->entries[0].number = 0xfffe;
	b->entries[0].attrs = 0x80000001;
	b->entries[0].label = strdup("Slipway A");
	b->entries[0].path = strdup("HD(1,GPT,…)/\\EFI\\BOOT");
	b->entries[0].owner = strdup("ours");
	memset(b->digest, '0', 64);
}

static struct sw_facts *full(void)
{
	struct sw_facts *f = sw_facts_new();

	assert_non_null(f);
	f->machine_name = strdup("node-07");
	f->vendor = strdup("V");
	f->product = strdup("P");
	f->serial = strdup("X");
	f->uuid = strdup("U");
	f->firmware = SW_FIRMWARE_UEFI;
	f->secure_boot = f->setup_mode = f->tpm_present = true;
	f->tpm_version = strdup("2.0");
	f->tpm_vendor = strdup("INTC");
	f->boot_id = strdup("b");
	f->time = -5;
	f->memory = 1ULL << 44;
	fill_boot(&f->boot);
	f->disks = calloc(2, sizeof(*f->disks));
	f->links = calloc(1, sizeof(*f->links));
	assert_true(f->disks && f->links);
	f->n_disks = 2;
	fill_disk(&f->disks[0], "nvme2n1");
	f->disks[1].name = strdup("nvme10n1");
	f->disks[1].sector = 512;
	f->n_links = 1;
	f->links[0].name = strdup("eth0");
	f->links[0].mac = strdup("52:54:00:00:00:01");
	f->links[0].driver = strdup("virtio_net");
	f->links[0].carrier = true;
	assert_int_equal(sw_strv_add(&f->links[0].addresses, "192.0.2.1/24"), 0);
	assert_int_equal(sw_strv_add(&f->notes, "the TPM does not answer"), 0);
	return f;
}

static void test_every_field_survives_the_round_trip(void **state SW_UNUSED)
{
	_cleanup_facts_ struct sw_facts *f = full(), *g = NULL;
	_cleanup_free_ char *one = text_of(f), *two = NULL;
	const struct sw_disk *d;

	assert_int_equal(parse(one, &g, NULL), 0);
	two = text_of(g);
	assert_string_equal(one, two);
	/* Same text could also mean that a field is lost on the way out: look at the extremes. */
	d = &g->disks[0];
	assert_int_equal(d->diskseq, UINT64_MAX);
	assert_int_equal(d->size, 9223372036854775296ULL);
	assert_true(d->rotational && d->removable && d->read_only && d->medium);
	assert_string_equal(d->serial, "S\"1\\");
	assert_string_equal(d->model, "Größe 1");
	assert_string_equal(d->uses[1], "used as swap");
	assert_null(d->uses[2]);
	assert_int_equal(d->table.type, SW_TABLE_DAMAGED_GPT);
	assert_int_equal(d->table.id.b[15], 0x5a);
	assert_int_equal(d->table.parts[0].attrs, 1ULL << 63 | 1);
	assert_int_equal(d->table.parts[0].uuid.b[3], 2);
	assert_int_equal(d->table.parts[1].number, 128);
	assert_null(d->table.parts[1].label);
	assert_int_equal(g->boot.next, 65535);
	assert_int_equal(g->boot.order[0], 65535);
	assert_int_equal(g->boot.entries[0].attrs, 0x80000001);
	assert_int_equal(g->time, -5);
	assert_string_equal(g->links[0].addresses[0], "192.0.2.1/24");
	assert_string_equal(g->notes[0], "the TPM does not answer");
}

static void test_absent_boot_numbers_stay_absent(void **state SW_UNUSED)
{
	_cleanup_facts_ struct sw_facts *f = NULL, *g = NULL;

	assert_int_equal(parse("{\"version\":1,\"firmware\":\"uefi\",\"disks\":[],\"boot\":{}}", &f,
			       NULL), 0);
	assert_int_equal(f->boot.current, -1);
	assert_int_equal(f->boot.next, -1);
	assert_int_equal(parse("{\"version\":1,\"firmware\":\"bios\",\"disks\":[]}", &g, NULL), 0);
	assert_int_equal(g->boot.current, -1);
}

static void test_disks_are_sorted_as_people_count(void **state SW_UNUSED)
{
	_cleanup_facts_ struct sw_facts *f = NULL;

	assert_int_equal(parse("{\"version\":1,\"firmware\":\"bios\",\"disks\":["
			       "{\"name\":\"nvme10n1\",\"size\":0,\"sector\":512},"
			       "{\"name\":\"nvme2n1\",\"size\":0,\"sector\":512}]}", &f, NULL), 0);
	assert_string_equal(f->disks[0].name, "nvme2n1");
}

#define DISK(more) "{\"version\":1,\"firmware\":\"bios\",\"disks\":[{\"name\":\"sda\"," \
	"\"size\":1024,\"sector\":512" more "}]}"
#define PART(more) DISK(",\"table\":{\"type\":\"gpt\",\"parts\":[{" more "}]}")
#define TOP(more) "{\"version\":1,\"firmware\":\"bios\",\"disks\":[]" more "}"

static const struct {
	const char *text, *key;
} bad[] = {
	{ "[]", "the document" },
	{ "{\"firmware\":\"bios\",\"disks\":[]}", "version" },
	{ "{\"version\":2}", "version" },
	{ "{\"version\":\"1\"}", "version" },
	{ "{\"version\":1,\"disks\":[]}", "firmware" },
	{ "{\"version\":1,\"firmware\":\"bios\"}", "disks" },
	{ "{\"version\":1,\"firmware\":\"coreboot\",\"disks\":[]}", "firmware" },
	{ "{\"version\":1,\"firmware\":0,\"disks\":[]}", "firmware" },
	{ "{\"version\":1,\"firmware\":\"bios\",\"disks\":{}}", "disks" },
	{ "{\"version\":1,\"firmware\":\"bios\",\"disks\":[7]}", "disks[0]" },
	{ TOP(",\"memory\":-1"), "memory" },
	{ TOP(",\"memory\":1.5"), "memory" },
	{ TOP(",\"tpm_present\":1"), "tpm_present" },
	{ TOP(",\"serial\":[]"), "serial" },
	{ TOP(",\"notes\":[null]"), "notes[0]" },
	{ "{\"version\":1,\"firmware\":\"bios\",\"disks\":null}", "disks" },
	{ TOP(",\"serial\":\"a\\u0000b\""), "serial" },
	{ TOP(",\"vendor\":\"\\u001b[2J\""), "vendor" },
	{ TOP(",\"vendor\":\"\\u202eevil\""), "vendor" },
	{ TOP(",\"vendr\":\"x\""), "vendr" },
	{ TOP(",\"notes\":\"x\""), "notes" },
	{ TOP(",\"notes\":[\"x\",3]"), "notes[1]" },
	{ TOP(",\"boot\":{\"next\":65536}"), "boot.next" },
	{ TOP(",\"boot\":{\"current\":-1}"), "boot.current" },
	{ TOP(",\"boot\":{\"order\":[1,65536]}"), "boot.order[1]" },
	{ TOP(",\"boot\":{\"digest\":\"abc\"}"), "boot.digest" },
	{ TOP(",\"boot\":{\"entries\":[{\"label\":\"x\"}]}"), "boot.entries[0].number" },
	{ TOP(",\"links\":[{\"name\":\"e\",\"addresses\":[0]}]"), "links[0].addresses[0]" },
	{ DISK(",\"sector\":513"), "disks[0]" },
	{ DISK(",\"sector\":0"), "disks[0]" },
	{ DISK(",\"sector\":4294967296"), "disks[0].sector" },
	{ DISK(",\"name\":\"../sda\""), "disks[0]" },
	{ DISK(",\"size\":9223372036854775808"), "disks[0].size" },
	{ DISK(",\"uses\":[[]]"), "disks[0].uses[0]" },
	{ DISK(",\"table\":{}"), "disks[0].table.type" },
	{ DISK(",\"table\":{\"type\":\"gpt\",\"id\":\"x\"}"), "disks[0].table.id" },
	{ PART("\"number\":1,\"start\":0"), "disks[0].table.parts[0].size" },
	{ PART("\"number\":0,\"start\":0,\"size\":1"), "disks[0]" },
	{ PART("\"number\":1,\"start\":9223372036854775807,\"size\":1"), "disks[0]" },
	{ PART("\"number\":1,\"start\":0,\"size\":1,\"uuid\":\"zz\""),
	  "disks[0].table.parts[0].uuid" },
};

static void test_hostile_facts_are_refused_with_the_key_named(void **state SW_UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_facts *f = NULL;
		struct sw_error err = {};
		const char *at;

		if (parse(bad[i].text, &f, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i].text);
		assert_null(f);
		assert_int_equal(err.exit, SW_EXIT_INVALID);
		assert_string_equal(err.where, "f.json");
		assert_true(err.why[0] != '\0');
		at = strstr(err.what, ": ");
		assert_non_null(at);
		assert_string_equal(at + 2, bad[i].key);
	}
}

static void test_two_disks_of_one_name_are_refused(void **state SW_UNUSED)
{
	struct sw_facts *f = NULL;
	struct sw_error err = {};

	assert_int_equal(parse("{\"version\":1,\"firmware\":\"bios\",\"disks\":["
			       "{\"name\":\"sda\",\"size\":0,\"sector\":512},"
			       "{\"name\":\"sda\",\"size\":0,\"sector\":512}]}", &f, &err),
			 -EINVAL);
	assert_string_equal(err.why, "two disks have the same name");
}

static void test_lists_are_bounded(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_facts *f = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_buf_adds(&b, "{\"version\":1,\"firmware\":\"bios\",\"disks\":[],"
					 "\"notes\":[\"\""), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(sw_buf_adds(&b, ",\"\""), 0);
	assert_int_equal(sw_buf_adds(&b, "]}"), 0);
	assert_int_equal(parse(sw_buf_text(&b), &f, &err), -EINVAL);
	assert_string_equal(err.why, "the list is too long");
}

static void test_text_is_made_harmless(void **state SW_UNUSED)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "  SERIAL 1  \n", "SERIAL 1" },
		{ "a\033[2Jb", "a?[2Jb" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "caf\xe9", "caf?" },
		{ "\xc0\xaf", "??" },			/* overlong */
		{ "\xed\xa0\x80", "???" },		/* surrogate */
		{ "\xf4\x90\x80\x80", "????" },		/* past the end */
		{ "\xe2\x80\xae" "dm", "???dm" },	/* right-to-left override */
		{ "\xc2\x9b" "2J", "??2J" },		/* C1 control */
		{ "\xe2\x82", "??" },			/* cut off */
		{ "", "" },
		{ "   ", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char s[32];

		(void)snprintf(s, sizeof(s), "%s", cases[i].in);
		assert_string_equal(sw_text_clean(s), cases[i].out);
		assert_true(sw_text_is_clean(s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_survives_the_round_trip),
		cmocka_unit_test(test_absent_boot_numbers_stay_absent),
		cmocka_unit_test(test_disks_are_sorted_as_people_count),
		cmocka_unit_test(test_hostile_facts_are_refused_with_the_key_named),
		cmocka_unit_test(test_two_disks_of_one_name_are_refused),
		cmocka_unit_test(test_lists_are_bounded),
		cmocka_unit_test(test_text_is_made_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
