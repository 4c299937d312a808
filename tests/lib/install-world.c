/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/install-world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/proc.h"
#include "boot/entries.h"
#include "boot/uki.h"
#include "disk/gpt.h"
#include "layout/layout.h"
#include "tests/lib/digest.h"

static const char yaml[] =
	"slipway: 1\nnode:\n  hostname: node-07\ndisk:\n  match: {serial: NODE07SYS}\n"
	"  layout: %s\n  wipe: any\n%s"
	"payload:\n  kernel: medium:/vmlinuz\n  initrd: medium:/initrd\n"
	"  cmdline: \"console=ttyS0 panic=10\"\nboot:\n%sfinish: stay\n%s";

/* Without a TPM a node that attests is not well. */
static const char attesting[] =
	"admission:\n  kind: attest\n  url: https://attest.example/v1\n";

static const char by_ipxe[] =
	"  mode: network\n  network: {via: ipxe, uri: \"http://boot.example/node.efi\", "
	"ipxe: \"medium:/ipxe.efi\"}\nrescue: {uki: \"medium:/rescue.efi\"}\n";

/* Slots of the least size that FAT32 has; on two disks each has its own. */
static const char layouts[] =
	"slot() { printf '[Partition]\\nType=esp\\nLabel=slipway-%s\\n"
	"SizeMinBytes=36M\\nSizeMaxBytes=36M\\nX-Slipway-Role=slot\\n%s\\n' \"$1\" \"$2\"; }\n"
	"node() { printf '[Partition]\\nType=linux-generic\\nLabel=slipway-node\\n"
	"SizeMinBytes=4M\\nSizeMaxBytes=4M\\nX-Slipway-Role=node-data\\n%s\\n' \"$1\"; }\n"
	"beside() { printf '[Partition]\\nType=esp\\nLabel=slipway-%s\\n"
	"SizeMinBytes=36M\\nSizeMaxBytes=36M\\nX-Slipway-Role=%s\\n%s\\n' \"$1\" \"$1\" \"$2\"; }\n"
	"rest() { printf '[Partition]\\nType=%s\\nLabel=state\\nSizeMinBytes=10M\\n"
	"SizeMaxBytes=10M\\nPaddingMinBytes=6M\\nFormat=ext4\\nX-Slipway-Role=state\\n%s\\n' "
	"\"$1\" \"$2\"; }\n"
	"raid=a19d880f-05fc-4d3b-a006-743f0f84911e\n"
	"on='X-Slipway-Disk=system second'; mkdir -p \"$0/tiny\" \"$0/twin\"; cd \"$0\"\n"
	"mkdir sealed; (slot a >sealed/10-a.conf; slot b >sealed/20-b.conf; node >sealed/30-n.conf;"
	" echo " WORLD_SECRET " >sealed/marker; printf '[Partition]\\nType=linux-generic\\n"
	"Label=state\\nSizeMinBytes=30M\\nSizeMaxBytes=30M\\nPaddingMinBytes=6M\\nFormat=ext4\\n"
	"Encrypt=tpm2\\nCopyFiles=%s:/marker\\nX-Slipway-Role=state\\n'"
	" \"$0/sealed/marker\" >sealed/40-s.conf)\n"
	"mkdir sealed-twin; for f in sealed/*.conf; do (cat $f; echo \"$on\") >sealed-twin/${f#*/};"
	" done; sed -i \"s/^Type=.*/Type=$raid/;s/30M/34M/\" sealed-twin/40-s.conf;"
	" echo X-Slipway-Raid=1 >>sealed-twin/40-s.conf\n"
	"slot a >tiny/10-a.conf; slot b >tiny/20-b.conf; node >tiny/30-n.conf\n"
	"slot a \"$on\" >twin/10-a.conf; slot b \"$on\" >twin/20-b.conf\n"
	"node \"$on\" >twin/30-n.conf\n"
	"rest linux-generic >tiny/40-s.conf\n"
	"rest $raid \"$on\" >twin/40-s.conf; echo X-Slipway-Raid=1 >>twin/40-s.conf\n"
	"cp -r tiny tiny-more; cp -r twin twin-more\n"
	"for e in rescue ipxe; do beside $e >tiny-more/35-$e.conf\n"
	"beside $e \"$on\" >twin-more/35-$e.conf; done";

void world_sh(const char *script, const char *a, const char *b)
{
	const char *argv[] = { "sh", "-c", script, a, b, NULL };
	struct sw_error err = {};

	if (sw_proc_check(argv, NULL, 120, &err) < 0)
		fail_msg("%s: %s %s", script, err.what, err.why);
}

char *world_image(const struct world *w, unsigned int disk)
{
	return sw_fmt("%s/disk-%u.img", w->dir, disk + 1);
}

static void fail_with(const struct sw_error *err)
{
	_cleanup_free_ char *t = sw_error_text(err);

	fail_msg("%s", t);
}

/* The recovery key goes to a certificate whose private key stays beside the machine. */
static char *sealed_answers(const struct world *w)
{
	_cleanup_free_ char *path = sw_fmt("%s/keeper.pem", w->dir);
	_cleanup_buf_ struct sw_buf pem = {};

	world_sh("openssl req -x509 -newkey rsa:2048 -nodes -keyout \"$0/keeper.key\" -out "
		 "\"$0/keeper.pem\" -subj /CN=keeper -days 2 2>/dev/null", w->dir, NULL);
	assert_int_equal(sw_file_read(path, &pem), 0);
	for (size_t i = 0; i < pem.len; i++)
		if (pem.data[i] == '\n')
			pem.data[i] = ' ';
	return sw_fmt("  recovery: escrow\n  escrow: \"%s\"\n", sw_buf_text(&pem));
}

static const char *layout_of(const struct world *w)
{
	if (w->extras)
		return w->n_disks > 1 ? "twin-more" : "tiny-more";
	if (w->sealed)
		return w->n_disks > 1 ? "sealed-twin" : "sealed";
	return w->n_disks > 1 ? "twin" : "tiny";
}

static void make_plan(struct world *w)
{
	const char *more = w->n_disks > 1 ? "  more:\n  - match: {serial: NODE07TWO}\n"
					    "    wipe: any\n" : "";
	_cleanup_free_ char *keep = w->sealed ? sealed_answers(w) : strdup("");
	_cleanup_free_ char *disk = sw_fmt("%s%s", keep, more);
	_cleanup_free_ char *text = sw_fmt(yaml, layout_of(w), disk,
					   w->extras ? by_ipxe : "  mode: local\n",
					w->sealed ? attesting : "");
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_layout_ struct sw_layout *l = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_json_ json_object *raw = NULL;
	struct sw_varstore *vars = NULL;
	struct sw_error err = {};

	if (sw_answers_parse(text, strlen(text), "a.yaml", &a, &err) < 0 ||
	    sw_layout_find(a->layout, &l, &err) < 0)
		fail_with(&err);
	assert_int_equal(sw_machine_facts(w->m, &f, &err), 0);
	assert_int_equal(sw_machine_vars(w->m, &vars, &err), 0);
	assert_int_equal(sw_entries_snapshot(vars, &raw, &err), 0);
	f->time = 1700000000;
	if (sw_plan_build(f, raw, NULL, a, l, &w->plan, &err) < 0)
		fail_with(&err);
	assert_int_equal(w->plan->n_disks, w->n_disks);
}

/* A table with two partitions, and something in all of the places that an undo restores. */
static void fill_disk(struct world *w, unsigned int disk)
{
	_cleanup_free_ char *image = world_image(w, disk);

	world_sh("yes \"$0\" | head -c 1000000 | dd of=\"$0\" bs=1M seek=16K oflag=seek_bytes "
		 "conv=notrunc status=none 2>/dev/null;"
		 "yes \"$0\" | head -c 1000000 | dd of=\"$0\" bs=512 seek=260104 conv=notrunc "
		 "status=none;"
		 "printf 'label: gpt\\nstart=1MiB,size=64MiB,name=old\\nstart=80MiB,name=last\\n'"
		 " | sfdisk -q --no-tell-kernel --wipe never \"$0\" &&"
		 "mkfs.ext4 -q -F -E offset=1048576 \"$0\" 64M",
		 image, NULL);
}

/* A UKI, and an EFI program with the words in it by which a new iPXE is known. */
static void make_extras(const struct world *w)
{
	_cleanup_free_ char *kernel = sw_fmt("%s/medium/vmlinuz", w->dir);
	_cleanup_free_ char *initrd = sw_fmt("%s/medium/initrd", w->dir);
	_cleanup_free_ char *out = sw_fmt("%s/medium/rescue.efi", w->dir);
	struct sw_uki_parts parts = { .kernel = kernel, .initrd = initrd, .cmdline = "panic=10",
				      .osrel = "ID=rescue\n",
				      .stub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub" };
	struct sw_error err = {};

	if (sw_uki_assemble(&parts, out, &err) < 0)
		fail_with(&err);
	world_sh("cp \"$0/medium/vmlinuz\" \"$0/medium/ipxe.efi\";"
		 "printf '#!ipxe\\n\\0autoexec.ipxe\\0' >>\"$0/medium/ipxe.efi\"", w->dir, NULL);
}

static void make(struct world *w, unsigned int n_disks, bool sealed, bool extras)
{
	uint64_t size = extras ? WORLD_DISK_EXTRAS : WORLD_DISK;
	const struct sw_standin_disk disks[] = {
		{ .serial = "NODE07SYS", .model = "Test", .transport = "nvme", .size = size,
		  .sector = 512 },
		{ .serial = "NODE07TWO", .model = "Test", .transport = "nvme", .size = size,
		  .sector = 512 },
	};
	struct sw_standin_config c = { .disks = disks, .n_disks = n_disks, .no_tpm = !sealed };
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_free_ char *defs = NULL;
	struct sw_error err = {};

	*w = (struct world){ .n_disks = n_disks, .sealed = sealed, .extras = extras,
			     .disk_size = size };
	assert_int_equal(sw_scratch_new("slipway-world", &w->dir), 0);
	if (sw_standin_create(w->dir, &c, &err) < 0)
		fail_with(&err);
	defs = sw_fmt("%s/layouts", w->dir);
	world_sh(layouts, defs, NULL);
	setenv("SLIPWAY_LAYOUTS", defs, 1);
	/* Any EFI program does for a kernel here: what counts is that it is one; VM tests boot. */
	world_sh("mkdir -p \"$0/medium\"; cp /usr/lib/systemd/boot/efi/systemd-bootx64.efi "
		 "\"$0/medium/vmlinuz\"; echo initrd >\"$0/medium/initrd\"", w->dir, NULL);
	if (extras)
		make_extras(w);
	for (unsigned int i = 0; i < n_disks; i++)
		fill_disk(w, i);
	assert_int_equal(sw_machine_open_standin(w->dir, &w->m, &err), 0);
	make_plan(w);
	assert_int_equal(sw_machine_facts(w->m, &f, &err), 0);
	for (unsigned int i = 0; i < n_disks; i++)
		memcpy(w->old_table[i], f->disks[i].table.digest, sizeof(w->old_table[i]));
	world_vars(w, w->old_vars);
}

void world_make(struct world *w, unsigned int n_disks)
{
	make(w, n_disks, false, false);
}

void world_make_sealed(struct world *w)
{
	make(w, 1, true, false);
}

void world_make_sealed_mirror(struct world *w)
{
	make(w, 2, true, false);
}

void world_make_extras(struct world *w, unsigned int n_disks)
{
	make(w, n_disks, false, true);
}

void world_free(struct world *w)
{
	sw_machine_free(w->m);
	sw_plan_free(w->plan);
	if (w->dir)
		(void)sw_remove_tree(w->dir);
	free(w->dir);
	*w = (struct world){};
}

void world_reopen(struct world *w)
{
	struct sw_error err = {};

	w->m = sw_machine_free(w->m);
	assert_int_equal(sw_machine_open_standin(w->dir, &w->m, &err), 0);
}

void world_copy(const struct world *w, const char *to, struct world *ret)
{
	_cleanup_json_ json_object *o = sw_plan_to_json(w->plan);
	struct sw_error err = {};

	world_sh("rm -rf \"$1\" && cp -a \"$0\" \"$1\"", w->dir, to);
	*ret = *w;
	ret->dir = strdup(to);
	ret->m = NULL;
	ret->plan = NULL;
	if (sw_plan_from_json(o, &ret->plan, &err) < 0)
		fail_with(&err);
	world_reopen(ret);
}

/* Keys are new each time, so what they encrypt and their escrow are, too. */
static bool is_random(const struct world *w, uint64_t off)
{
	for (size_t i = 0; w->sealed && i < w->plan->n_parts; i++) {
		const struct sw_placed *part = &w->plan->parts[i];

		if ((part->encrypt || part->role == SW_ROLE_NODE_DATA) && off >= part->start &&
		    off < part->start + part->size)
			return true;
	}
	return false;
}

struct digested {
	const struct world *w;
	bool ends;
};

static bool does_not_count(uint64_t off, void *userdata)
{
	const struct digested *d = userdata;
	uint64_t zone = sw_plan_journal_offset(d->w->disk_size);

	if (off >= zone && off < zone + SW_JOURNAL_LEN)
		return true;
	return d->ends ? off != 0 && off + DIGEST_PIECE != d->w->disk_size : is_random(d->w, off);
}

void world_digest(const struct world *w, bool ends, char ret[static SW_SHA256_TEXT])
{
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	struct digested d = { .w = w, .ends = ends };

	for (unsigned int i = 0; i < w->n_disks; i++) {
		_cleanup_free_ char *image = world_image(w, i);

		digest_image(image, does_not_count, &d, h);
	}
	assert_int_equal(sw_hash_final(h, ret), 0);
}

void world_vars(const struct world *w, char ret[static SW_SHA256_TEXT])
{
	_cleanup_json_ json_object *raw = NULL;
	struct sw_varstore *vars = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_machine_vars(w->m, &vars, &err), 0);
	assert_int_equal(sw_entries_snapshot(vars, &raw, &err), 0);
	assert_int_equal(sw_entries_digest(raw, ret), 0);
}

struct sw_journal_info *world_journal(const struct world *w)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_journal_info *infos = NULL;
	struct sw_error err = {};
	size_t n = 0;

	assert_int_equal(sw_machine_facts(w->m, &f, &err), 0);
	assert_int_equal(sw_journal_scan(w->m, f, &infos, &n, &err), 0);
	if (n != 1)
		fail_msg("%zu journals instead of one", n);
	return infos;
}

struct stopper {
	unsigned int after, seen;
};

static void count_ends(const struct sw_event *ev, void *userdata)
{
	((struct stopper *)userdata)->seen += ev->type == SW_EVENT_FINISH;
}

static _Bool stop_now(void *userdata)
{
	const struct stopper *s = userdata;

	return s->after && s->seen >= s->after;
}

int world_install(struct world *w, unsigned int stop, struct sw_error *err)
{
	struct stopper s = { .after = stop };
	struct sw_sink sink = { .fn = count_ends, .userdata = &s, .cancelled = stop_now };

	return sw_apply_run(w->m, w->plan, &sink, err);
}

int world_resume(struct world *w, struct sw_error *err)
{
	struct sw_journal_info *info = world_journal(w);
	int r = sw_apply_resume(w->m, info, NULL, err);

	sw_journal_infos_free(info, 1);
	return r;
}

int world_undo(struct world *w, struct sw_error *err)
{
	return world_undo_without(w, 0, err);
}

int world_undo_without(struct world *w, uint64_t without, struct sw_error *err)
{
	struct sw_journal_info *info = world_journal(w);
	int r = sw_undo_run(w->m, info, without, NULL, err);

	sw_journal_infos_free(info, 1);
	return r;
}
