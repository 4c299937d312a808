/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/proc.h"
#include "disk/table.h"
#include "layout/layout.h"
#include "layout/part.h"
#include "layout/specifier.h"
#include "tests/lib/scratch.h"

#define MIB ((uint64_t)1 << 20)
#define SEED "00112233-4455-6677-8899-aabbccddeeff"

/* The source tree's layouts, from build/V/tests/unit/test-layout. */
static char *shipped(const char *name)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	assert_true(n > 0);
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	return sw_fmt("%s/../../../../layouts%s%s", exe, *name ? "/" : "", name);
}

static int parse(const char *text, struct sw_layout_part *p, struct sw_error *e)
{
	_cleanup_free_ char *description = NULL;

	memset(e, 0, sizeof(*e));
	return sw_layout_part_parse(text, strlen(text), "x.conf", "x.conf", p, &description, e);
}

static void refused(const char *text, const char *where, const char *word)
{
	struct sw_layout_part p;
	struct sw_error e;
	_cleanup_free_ char *all = NULL;

	assert_true(parse(text, &p, &e) < 0);
	assert_int_equal(e.exit, SW_EXIT_INVALID);
	assert_string_equal(e.where, where);
	all = sw_error_text(&e);
	if (!strstr(all, word))
		fail_msg("no \"%s\" in: %s", word, all);
}

static void test_every_key_is_read(void **s SW_UNUSED)
{
	struct sw_layout_part p;
	struct sw_error e;

	assert_int_equal(parse("# comment\n; another\n[Partition]\nType = esp\nLabel=a b\n"
			       "UUID=01234567-89ab-4cde-8f01-23456789abcd\nPriority=-3\nWeight=7\n"
			       "PaddingWeight=9\nSizeMinBytes=1.5G\nSizeMaxBytes=2T\n"
			       "PaddingMinBytes=4K\nPaddingMaxBytes=1M\nFormat=vfat\nFlags=0x4\n"
			       "X-Slipway-Role=slot\nX-Other=ignored\n[X-Foo]\nWhat=ever\n",
			       &p, &e),
			 0);
	assert_string_equal(p.label, "a b");
	assert_string_equal(p.format, "vfat");
	assert_int_equal(p.priority, -3);
	assert_int_equal(p.weight, 7);
	assert_int_equal(p.padding_weight, 9);
	assert_int_equal(p.size_min, 1536 * MIB);
	assert_int_equal(p.size_max, (uint64_t)2 << 40);
	assert_int_equal(p.padding_min, 4096);
	assert_int_equal(p.padding_max, MIB);
	assert_int_equal(p.attrs, 4);
	assert_int_equal(p.role, SW_ROLE_SLOT);
	assert_int_equal(p.uuid.b[0], 0x67);
	sw_layout_part_clear(&p);
}

static void test_defaults_are_those_of_repart(void **s SW_UNUSED)
{
	struct sw_layout_part p;
	struct sw_error e;

	assert_int_equal(parse("[Partition]\nType=home\n", &p, &e), 0);
	assert_int_equal(p.size_min, 10 * MIB);
	assert_true(p.size_max == UINT64_MAX && p.padding_max == UINT64_MAX);
	assert_int_equal(p.weight, 1000);
	assert_int_equal(p.padding_weight, 0);
	assert_true(p.attrs == 1ULL << 59);
	sw_layout_part_clear(&p);
}

static void test_the_friendly_flags_override_the_bits_of_flags(void **s SW_UNUSED)
{
	struct sw_layout_part p;
	struct sw_error e;

	assert_int_equal(parse("[Partition]\nType=home\nFlags=0x8800000000000002\nNoAuto=no\n"
			       "GrowFileSystem=no\nReadOnly=yes\n", &p, &e), 0);
	assert_true(p.attrs == (1ULL << 60 | 2));
	sw_layout_part_clear(&p);
	assert_int_equal(parse("[Partition]\nType=usr-verity\n", &p, &e), 0);
	assert_true(p.attrs == 1ULL << 60);
	sw_layout_part_clear(&p);
	assert_int_equal(parse("[Partition]\nType=esp\nFlags=0b100\n", &p, &e), 0);
	assert_true(p.attrs == 4);
	sw_layout_part_clear(&p);
}

static void test_sizes_round_to_4096_min_up_and_max_down(void **s SW_UNUSED)
{
	struct sw_layout_part p;
	struct sw_error e;

	assert_int_equal(parse("[Partition]\nType=esp\nSizeMinBytes=1\nSizeMaxBytes=12287\n", &p,
			       &e), 0);
	assert_int_equal(p.size_min, 4096);
	assert_int_equal(p.size_max, 8192);
	sw_layout_part_clear(&p);
}

static void test_a_backslash_joins_lines_and_keeps_counting_them(void **s SW_UNUSED)
{
	struct sw_layout_part p;
	struct sw_error e;

	assert_int_equal(parse("[Partition]\nType=\\\n# between\n  esp\nLabel=x\\\n y", &p, &e), 0);
	assert_string_equal(p.label, "x y");
	sw_layout_part_clear(&p);
	refused("[Partition]\nType=\\\nesp\nBad=1\n", "x.conf:4:1", "Bad=");
}

static void test_errors_name_file_line_column_and_the_likely_key(void **s SW_UNUSED)
{
	refused("[Partition]\nType=esp\nSizeMinByte=1\n", "x.conf:3:1",
		"Did you mean SizeMinBytes=?");
	refused("[Partition]\n  Type=epS\n", "x.conf:2:8", "Did you mean \"esp\"?");
	refused("[Partition]\nType=esp\nWeight=-1\n", "x.conf:3:8", "0 to 1000000");
	refused("[Partition]\nType=esp\nWeight=1000001\n", "x.conf:3:8", "0 to 1000000");
	refused("[Partition]\nType=esp\nPriority=2147483648\n", "x.conf:3:10", "32 bits");
	refused("[Partition]\nType=esp\nSizeMinBytes=many\n", "x.conf:3:14", "not a size");
	refused("[Partition]\nType=esp\nCopyFiles=a:/b\n", "x.conf:3:11", "absolute");
	refused("[Partition]\nType=esp\nCopyFiles=/a:/b/../../c\n", "x.conf:3:11", "absolute");
	refused("[Partition]\nType=esp\nMakeDirectories=/a b\n", "x.conf:3:17", "absolute");
	refused("[Partition]\nType=esp\nEncrypt=tpm\n", "x.conf:3:9", "no kind of encryption");
	refused("[Partition]\nType=esp\nX-Slipway-Role=slot\nEncrypt=tpm2\n", "x.conf:4:1",
		"in clear");
	refused("[Partition]\nType=esp\nCopyBlocks=auto\n", "x.conf:3:12", "auto");
	refused("[Partition]\nType=esp\nCopyBlocks=/x\nFormat=ext4\n", "x.conf:4:1",
		"does not go with");
	refused("[Partition]\nType=esp\nFormat=swap\nCopyFiles=/x\n", "x.conf:4:1",
		"does not go with");
	refused("[Partition]\nType=esp\nVerity=data\n", "x.conf:3:1", "not supported");
	refused("[Partition]\nType=esp\nSplitName=-\n", "x.conf:3:1", "not supported");
	refused("[Partition]\nType=esp\nMinimize=best\n", "x.conf:3:1", "version 253");
	refused("[Partition]\nType=esp\nSubvolumes=/a\n", "x.conf:3:1", "version 255");
	refused("[Partition]\nType=esp\nFormat=f2fs\n", "x.conf:3:8", "does not make");
	refused("[Partition]\nType=esp\nLabel=%m\n", "x.conf:3:7", "not known here");
	refused("[Partition]\nType=esp\nLabel=%y\n", "x.conf:3:7", "no such specifier");
	refused("[Partition]\nType=esp\nLabel=%\n", "x.conf:3:7", "no such specifier");
	refused("[Partition]\nType=esp\nLabel=0123456789012345678901234567890123456\n",
		"x.conf:3:7", "36");
	refused("[Partition]\nType=esp\nLabel=a\xe2\x80\xae" "b\n", "x.conf:3:7", "plain text");
	refused("[Partition]\nType=esp\nCopyFiles=/a\x1b[2J:/b\n", "x.conf:3:11", "plain text");
	refused("[Partition]\nType=esp\nMakeDirectories=/\xff\n", "x.conf:3:17", "plain text");
	refused("[Partition]\nType=esp\nX-Slipway-Rule=slot\n", "x.conf:3:1", "X-Slipway-Role=");
	refused("[Partition]\nType=esp\nX-Slipway-Role=slots\n", "x.conf:3:16", "node-data");
	refused("[Partition]\nType=esp\nUUID=12\n", "x.conf:3:6", "not a UUID");
	refused("[Partition]\nType=esp\nUUID=%m\n", "x.conf:3:6", "not known here");
	refused("[Partition]\nType=esp\nUUID=%%\n", "x.conf:3:6", "not a UUID");
	refused("[Partition]\nType=esp\nFlags=0xfg\n", "x.conf:3:7", "64 bits");
	refused("[Partition]\nType=esp\nFlags=0x8\n", "x.conf:3:7", "reserved");
	refused("[Partition]\nType=home\nNoAuto=maybe\n", "x.conf:3:8", "yes nor no");
	refused("[Partition]\nType=esp\nReadOnly=yes\n", "x.conf:2:1", "no meaning");
	refused("[Partition]\nType=esp\nSizeMinBytes=2M\nSizeMaxBytes=1M\n", "x.conf:4:1", "below");
	refused("[Partition]\nType=esp\nPaddingMinBytes=2M\nPaddingMaxBytes=1M\n", "x.conf:4:1",
		"below");
	refused("[Partition]\nLabel=x\n", "x.conf:1:1", "Type= is missing");
	refused("[Partition]\nType=esp\nX-Slipway-Role=slot\nLabel=\n", "x.conf:4:1",
		"needs a label");
	refused("Type=esp\n", "x.conf:1:1", "before any section");
	refused("[Partitions]\n", "x.conf:1:1", "[Partition]");
	refused("[Partition\n", "x.conf:1:1", "no end");
	refused("[Partition]\nwords\n", "x.conf:2:1", "neither");
	refused("", "x.conf:1:1", "no [Partition]");
}

static void test_content_keys_are_read_and_copyfiles_implies_ext4(void **s SW_UNUSED)
{
	struct sw_layout_part p;
	struct sw_error e;

	assert_int_equal(parse("[Partition]\nType=home\nCopyFiles=/a:/b\nCopyFiles=/c\n"
			       "MakeDirectories=/d /e/f\nFactoryReset=yes\nEncrypt=off\n",
			       &p, &e), 0);
	assert_string_equal(p.format, "ext4");
	assert_string_equal(p.copy_files[1], "/b");
	assert_string_equal(p.copy_files[2], "/c");
	assert_string_equal(p.copy_files[3], "/c");
	assert_null(p.copy_files[4]);
	assert_string_equal(p.make_directories[1], "/e/f");
	assert_true(p.factory_reset);
	sw_layout_part_clear(&p);
	assert_int_equal(parse("[Partition]\nType=home\nUUID=null\nCopyBlocks=/x\n", &p, &e), 0);
	assert_true(p.uuid_null && sw_guid_is_zero(&p.uuid));
	assert_string_equal(p.copy_blocks, "/x");
	sw_layout_part_clear(&p);
}

static void test_encryption_is_read_and_implies_ext4(void **s SW_UNUSED)
{
	static const struct {
		const char *text;
		unsigned int want;
	} cases[] = {
		{ "off", 0 }, { "No", 0 }, { "", 0 }, { "tpm2", SW_ENCRYPT_TPM2 },
		{ "key-file", SW_ENCRYPT_KEY_FILE }, { "yes", SW_ENCRYPT_KEY_FILE },
		{ "key-file+tpm2", SW_ENCRYPT_KEY_FILE | SW_ENCRYPT_TPM2 },
	};
	struct sw_layout_part p;
	struct sw_error e;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = sw_fmt("[Partition]\nType=home\n%s%s\n",
						   cases[i].text[0] ? "Encrypt=" : "",
						   cases[i].text);
		unsigned int back = 9;

		assert_int_equal(parse(text, &p, &e), 0);
		assert_int_equal(p.encrypt, cases[i].want);
		assert_string_equal(p.format ? p.format : "none", p.encrypt ? "ext4" : "none");
		assert_int_equal(sw_encrypt_parse(sw_encrypt_name(p.encrypt), &back), 0);
		assert_int_equal(back, p.encrypt);
		sw_layout_part_clear(&p);
	}
}

static void test_specifiers_come_from_the_facts_that_are_handed_in(void **s SW_UNUSED)
{
	struct sw_layout_machine m = {
		.architecture = (char *)"x86-64", .hostname = (char *)"n7.example",
		.short_hostname = (char *)"n7", .os_id = (char *)"debian", .tmp = (char *)"/t",
	};
	static const struct {
		const char *text, *want;
		int r;
	} cases[] = {
		{ "plain", "plain", 0 },     { "%a/%H/%l", "x86-64/n7.example/n7", 0 },
		{ "100%%", "100%", 0 },	     { "%o-%w%W%A%B%M.", "debian-.", 0 },
		{ "%T", "/t", 0 },	     { "%m", NULL, -ENODATA },
		{ "%v", NULL, -ENODATA },    { "%n", NULL, -EINVAL },
		{ "end%", NULL, -EINVAL },   { "", "", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = NULL;
		char which;

		assert_int_equal(sw_specifier_expand(cases[i].text, &m, &got, &which), cases[i].r);
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
		else
			assert_null(got);
	}
}

static void test_type_names_of_repart_are_known(void **s SW_UNUSED)
{
	static const char *const names[] = {
		"esp", "xbootldr", "swap", "home", "srv", "var", "tmp", "user-home",
		"linux-generic",
		"root", "root-verity", "root-verity-sig", "usr", "usr-verity", "usr-verity-sig",
		"root-secondary", "usr-secondary-verity-sig", "root-x86-64", "usr-arm64-verity",
		"root-riscv64-verity-sig", "0fc63daf-8483-4772-8e79-3d69d8477de4",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *text = sw_fmt("[Partition]\nType=%s\n", names[i]);
		struct sw_layout_part p;
		struct sw_error e;

		assert_int_equal(parse(text, &p, &e), 0);
		sw_layout_part_clear(&p);
	}
}

/* ---- solving ---- */

static struct sw_layout *read_dir(const char *dir)
{
	struct sw_layout *l = NULL;
	struct sw_error e = {};
	int r = sw_layout_read(dir, &l, &e);

	if (r < 0)
		print_message("%s: %s: %s\n", e.where, e.what, e.why);
	assert_int_equal(r, 0);
	return l;
}

static struct sw_layout *node_layout(void)
{
	_cleanup_free_ char *dir = shipped("node");

	return read_dir(dir);
}

static int solve(const struct sw_layout *l, uint64_t size, uint32_t sector,
		 struct sw_placement **p, size_t *n, struct sw_guid *id, struct sw_error *e)
{
	struct sw_guid seed;

	assert_int_equal(sw_guid_parse(SEED, &seed), 0);
	return sw_layout_solve(l, size, sector, &seed, p, n, id, e);
}

static void test_the_node_layout_leaves_the_journal_zone_free_on_odd_disks(void **s SW_UNUSED)
{
	_cleanup_layout_ struct sw_layout *l = node_layout();
	static const uint64_t odd[] = { 0, 512, 4096, 4608, MIB - 512, MIB - 4096, MIB / 2,
					17 * 512, 1234567 * 512ULL, 3 * MIB + 33 * 512 };
	static const uint64_t sizes[] = { 2048, 65536, 1 << 20, 4 << 20 };	/* MiB */

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t k = 0; k < ARRAY_SIZE(odd) * 2; k++) {
			uint32_t sector = k < ARRAY_SIZE(odd) ? 512 : 4096;
			uint64_t size = sizes[i] * MIB + odd[k % ARRAY_SIZE(odd)];
			uint64_t zone = (size - MIB) / MIB * MIB - 4 * MIB;
			_cleanup_free_ struct sw_placement *p = NULL;
			struct sw_guid id;
			size_t n;

			assert_int_equal(solve(l, size, sector, &p, &n, &id, NULL), 0);
			assert_int_equal(n, 4);
			assert_true(p[3].start + p[3].size <= zone);
			/* and not needlessly more than the 6 MiB and the ends of the table */
			assert_true(p[3].start + p[3].size + 8 * MIB > size);
		}
}

static void test_min_size_is_enough_and_a_little_less_than_that_is_not(void **s SW_UNUSED)
{
	_cleanup_layout_ struct sw_layout *l = node_layout();
	_cleanup_free_ struct sw_placement *p = NULL;
	struct sw_guid id;
	struct sw_error e = {};
	size_t n;

	assert_int_equal(l->min_size, (512 + 512 + 16 + 256 + 6 + 2) * MIB);
	assert_int_equal(solve(l, l->min_size, 512, &p, &n, &id, &e), 0);
	assert_int_equal(solve(l, l->min_size - MIB, 512, &p, &n, &id, &e), -ENOSPC);
	assert_int_equal(e.exit, SW_EXIT_INVALID);
	assert_non_null(strstr(e.what, "bytes too few"));
}

static void test_the_shipped_layout_is_found_by_name_and_by_path(void **s SW_UNUSED)
{
	_cleanup_free_ char *root = shipped("");
	_cleanup_layout_ struct sw_layout *l = NULL, *m = NULL;
	struct sw_layout *none = NULL;
	_cleanup_free_ char *path = shipped("node/");
	struct sw_error e = {};

	setenv("SLIPWAY_LAYOUTS", root, 1);
	assert_int_equal(sw_layout_find("node", &l, &e), 0);
	assert_string_equal(l->name, "node");
	assert_non_null(strstr(l->description, "Two boot slots"));
	assert_int_equal(l->n_parts, 4);
	assert_int_equal(l->parts[0].role, SW_ROLE_SLOT);
	assert_int_equal(l->parts[2].role, SW_ROLE_NODE_DATA);
	assert_int_equal(l->parts[3].role, SW_ROLE_STATE);
	assert_int_equal(sw_layout_find(path, &m, &e), 0);
	assert_string_equal(m->name, "node");
	assert_int_equal(sw_layout_find("nod", &none, &e), -ENOENT);
	assert_non_null(strstr(e.hint, "node"));
	unsetenv("SLIPWAY_LAYOUTS");
}

/* ---- against the real tool ---- */

static void write_part(const char *dir, unsigned int no, const char *text)
{
	_cleanup_free_ char *path = sw_fmt("%s/%02u.conf", dir, no);

	assert_int_equal(sw_file_write(path, text, strlen(text), 0644), 0);
}

static uint32_t rng;

static uint32_t roll(uint32_t n)
{
	rng = rng * 1664525U + 1013904223U;
	return (rng >> 8) % n;
}

static void add_size(struct sw_buf *b, const char *what, uint32_t min)
{
	uint32_t lo = min + roll(60), hi = lo + roll(80);

	if (roll(2))
		(void)sw_buf_addf(b, "%sMinBytes=%uK\n", what, lo * 1024 + 4 * roll(200));
	if (roll(3) == 0)
		(void)sw_buf_addf(b, "%sMaxBytes=%uK\n", what, (hi + 1) * 1024 + 4 * roll(200));
}

/*
 * Random definitions: 1 to 7 partitions over all the keys that decide geometry.
 * Left out is what 252 does against its own manual: it ignores Flags= and
 * GrowFileSystem=no, and rounds uneven sizes the wrong way.
 */
static void generate(const char *dir)
{
	static const char *const types[] = { "esp", "home", "linux-generic", "root", "usr-verity",
					     "swap", "xbootldr", "var" };
	unsigned int n = 1 + roll(7);

	for (unsigned int i = 0; i < n; i++) {
		_cleanup_buf_ struct sw_buf b = {};
		uint32_t t = roll(8);

		(void)sw_buf_addf(&b, "[Partition]\nType=%s\n", types[t]);
		if (roll(2))
			(void)sw_buf_addf(&b, "Label=part %u\n", i);
		if (roll(3) == 0)
			(void)sw_buf_addf(&b, "Weight=%u\n", roll(4) ? roll(5000) : 0);
		if (roll(4) == 0)
			(void)sw_buf_addf(&b, "PaddingWeight=%u\n", roll(2000));
		if (roll(3) == 0)
			(void)sw_buf_addf(&b, "Priority=%d\n", (int)roll(5) - 1);
		if (roll(6) == 0 && t == 1)
			(void)sw_buf_adds(&b, "ReadOnly=yes\n");
		if (roll(6) == 0 && t == 7)
			(void)sw_buf_adds(&b, "NoAuto=yes\n");
		add_size(&b, "Size", 1);
		if (roll(4) == 0)
			add_size(&b, "Padding", 0);
		write_part(dir, i, sw_buf_text(&b));
	}
}

static uint64_t attr_bits(const char *text)
{
	uint64_t bits = 0;
	const char *p = strstr(text, "GUID:");

	for (p = p ? p + 5 : NULL; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		bits |= 1ULL << (strtoul(p, NULL, 10) & 63);
	return bits;
}

static json_object *sfdisk(const char *img)
{
	_cleanup_buf_ struct sw_buf out = {};
	const char *argv[] = { "sfdisk", "-J", img, NULL };
	json_object *o = NULL;

	assert_int_equal(sw_proc_run(argv, NULL, 20, &out), 0);
	assert_int_equal(sw_json_parse(sw_buf_text(&out), out.len, "sfdisk", &o, NULL), 0);
	return o;
}

/* Our table on an image of its own, so that both sides are read by the same tool. */
static json_object *our_table(const struct sw_layout *l, const struct sw_placement *p, size_t n,
			      const struct sw_guid *id, uint64_t size, const char *img)
{
	_cleanup_free_ struct sw_new_part *np = calloc(n ? n : 1, sizeof(*np));
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_fclose_ FILE *f = fopen(img, "w");
	struct sw_table_image t;
	struct sw_error e = {};

	assert_non_null(f);
	assert_non_null(l);
	assert_int_equal(ftruncate(fileno(f), (off_t)size), 0);
	for (size_t i = 0; i < n; i++)
		np[i] = (struct sw_new_part){ p[i].start, p[i].size, p[i].part->type, p[i].uuid,
					      p[i].part->attrs, p[i].part->label };
	assert_int_equal(sw_table_build(size, 512, id, np, n, &t, &e), 0);
	assert_int_equal(sw_io_open(img, true, false, 512, &io, &e), 0);
	assert_int_equal(sw_table_commit(io, &t, &e), 0);
	sw_table_image_clear(&t);
	return sfdisk(img);
}

static void compare(json_object *theirs, json_object *ours, const char *what)
{
	json_object *a = sw_json_get(theirs, "partitiontable");
	json_object *b = sw_json_get(ours, "partitiontable");
	json_object *pa = sw_json_array(a, "partitions"), *pb = sw_json_array(b, "partitions");
	size_t n = pa ? json_object_array_length(pa) : 0;
	static const char *const text[] = { "type", "uuid", "name" };

	assert_string_equal(sw_json_str(a, "id", "?"), sw_json_str(b, "id", ""));
	assert_int_equal(sw_json_int(a, "firstlba", -1), sw_json_int(b, "firstlba", -2));
	assert_int_equal(sw_json_int(a, "lastlba", -1), sw_json_int(b, "lastlba", -2));
	assert_int_equal(n, pb ? json_object_array_length(pb) : 0);
	for (size_t i = 0; i < n; i++) {
		json_object *x = json_object_array_get_idx(pa, i);
		json_object *y = json_object_array_get_idx(pb, i);

		if (sw_json_u64(x, "start", 0) != sw_json_u64(y, "start", 1) ||
		    sw_json_u64(x, "size", 0) != sw_json_u64(y, "size", 1))
			fail_msg("%s, partition %zu: repart %s, slipway %s", what, i + 1,
				 json_object_to_json_string(x), json_object_to_json_string(y));
		for (size_t k = 0; k < 3; k++)
			assert_string_equal(sw_json_str(x, text[k], ""),
					    sw_json_str(y, text[k], ""));
		if (attr_bits(sw_json_str(x, "attrs", "")) !=
		    attr_bits(sw_json_str(y, "attrs", "")))
			fail_msg("%s, partition %zu: repart %s, slipway %s", what, i + 1,
				 json_object_to_json_string(x), json_object_to_json_string(y));
	}
}

/* True when both made a table (the same one), false when both refused. */
static bool differ(const char *dir, uint64_t size, const char *what)
{
	_cleanup_layout_ struct sw_layout *l = read_dir(dir);
	_cleanup_free_ char *theirs = sw_fmt("%s/theirs.img", test_scratch);
	_cleanup_free_ char *ours = sw_fmt("%s/ours.img", test_scratch);
	_cleanup_free_ char *size_arg = sw_fmt("--size=%llu", (unsigned long long)size);
	_cleanup_free_ char *def_arg = sw_fmt("--definitions=%s", dir);
	const char *argv[] = { "systemd-repart", "--pretty=no", "--empty=create", size_arg,
			       "--seed=" SEED, def_arg, "--dry-run=no", theirs, NULL };
	_cleanup_free_ struct sw_placement *p = NULL;
	_cleanup_buf_ struct sw_buf out = {};
	_cleanup_json_ json_object *a = NULL, *b = NULL;
	struct sw_guid id;
	size_t n = 0;
	int theirs_r, ours_r;

	(void)unlink(theirs);
	theirs_r = sw_proc_run(argv, NULL, 30, &out);
	ours_r = solve(l, size, 512, &p, &n, &id, NULL);
	if ((theirs_r == 0) != (ours_r == 0))
		fail_msg("%s: repart %d, slipway %d: %s", what, theirs_r, ours_r,
			 sw_buf_text(&out));
	if (ours_r < 0) {
		assert_int_equal(ours_r, -ENOSPC);
		assert_non_null(strstr(sw_buf_text(&out), "Can't fit requested"));
		return false;
	}
	a = sfdisk(theirs);
	b = our_table(l, p, n, &id, size, ours);
	compare(a, b, what);
	return true;
}

static void need_tools(void)
{
	const char *version[] = { "systemd-repart", "--version", NULL };
	_cleanup_buf_ struct sw_buf out = {};

	if (!sw_proc_exists("systemd-repart") || !sw_proc_exists("sfdisk")) {
		print_message("not run: systemd-repart or sfdisk is not installed\n");
		skip();
	}
	assert_int_equal(sw_proc_run(version, NULL, 20, &out), 0);
	if (!strstr(sw_buf_text(&out), "systemd 252")) {
		print_message("not run: systemd-repart is not version 252\n");
		skip();
	}
}

/* The node layout without Format=: repart would format through a loop device, which needs root. */
static void copy_without_format(const char *from, const char *to)
{
	static const char *const files[] = { "10-slot-a.conf", "20-slot-b.conf",
					     "30-node-data.conf", "40-state.conf" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *src = sw_fmt("%s/%s", from, files[i]);
		_cleanup_free_ char *dst = sw_fmt("%s/%s", to, files[i]);
		_cleanup_buf_ struct sw_buf b = {};
		char *f;

		assert_int_equal(sw_file_read(src, &b), 0);
		f = strstr((char *)b.data, "\nFormat=");
		if (f)
			f[1] = '#';
		assert_int_equal(sw_file_write(dst, b.data, b.len, 0644), 0);
	}
}

static void test_the_node_layout_equals_systemd_repart(void **s SW_UNUSED)
{
	_cleanup_free_ char *from = shipped("node"), *dir = sw_fmt("%s/node", test_scratch);
	static const uint64_t sizes[] = { 2048 * MIB, 65536 * MIB, 3000 * MIB + 12288 };

	need_tools();
	assert_int_equal(sw_mkdir_all(dir, 0755), 0);
	copy_without_format(from, dir);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_true(differ(dir, sizes[i], "node"));
	assert_false(differ(dir, 1024 * MIB, "node, too small"));
}

static void test_generated_layouts_equal_systemd_repart(void **s SW_UNUSED)
{
	const char *env = getenv("SLIPWAY_TEST_SEED");
	unsigned int seed = env ? (unsigned int)strtoul(env, NULL, 10) : 20240611;
	unsigned int made = 0, refused_n = 0;

	need_tools();
	print_message("seed %u\n", seed);
	for (unsigned int i = 0; i < 40; i++) {
		_cleanup_free_ char *dir = sw_fmt("%s/gen-%u", test_scratch, i);
		char what[64];

		rng = (seed + 1) * 2654435761U ^ i * 40503U;
		(void)roll(2);
		(void)snprintf(what, sizeof(what), "seed %u set %u", seed, i);
		assert_int_equal(sw_mkdir_all(dir, 0755), 0);
		generate(dir);
		if (differ(dir, (100 + roll(400)) * MIB + roll(2000) * 4096ULL, what))
			made++;
		else
			refused_n++;
	}
	print_message("%u equal tables, %u refused by both\n", made, refused_n);
	assert_true(made >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key_is_read),
		cmocka_unit_test(test_defaults_are_those_of_repart),
		cmocka_unit_test(test_the_friendly_flags_override_the_bits_of_flags),
		cmocka_unit_test(test_sizes_round_to_4096_min_up_and_max_down),
		cmocka_unit_test(test_a_backslash_joins_lines_and_keeps_counting_them),
		cmocka_unit_test(test_errors_name_file_line_column_and_the_likely_key),
		cmocka_unit_test(test_content_keys_are_read_and_copyfiles_implies_ext4),
		cmocka_unit_test(test_encryption_is_read_and_implies_ext4),
		cmocka_unit_test(test_specifiers_come_from_the_facts_that_are_handed_in),
		cmocka_unit_test(test_type_names_of_repart_are_known),
		cmocka_unit_test(test_the_node_layout_leaves_the_journal_zone_free_on_odd_disks),
		cmocka_unit_test(test_min_size_is_enough_and_a_little_less_than_that_is_not),
		cmocka_unit_test(test_the_shipped_layout_is_found_by_name_and_by_path),
		cmocka_unit_test(test_the_node_layout_equals_systemd_repart),
		cmocka_unit_test(test_generated_layouts_equal_systemd_repart),
	};

	return cmocka_run_group_tests(tests, test_scratch_setup, test_scratch_teardown);
}
