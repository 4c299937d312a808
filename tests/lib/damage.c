/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/damage.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/hex.h"
#include "boot/entries-private.h"
#include "boot/memtest.h"
#include "boot/varstore.h"

#define SECTOR 512u
#define MIB (1u << 20)

void damage_look(struct world *w, struct sw_visit *v)
{
	struct sw_error err = {};

	v->m = w->m;
	if (sw_visit_look(v, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
}

const struct sw_finding *damage_found(const struct sw_visit *v, const struct damage *d)
{
	for (size_t i = 0; i < v->found.n; i++) {
		const char *id = v->found.v[i].id, *slash = strchr(id, '/');

		if (strcmp(slash ? slash + 1 : id, d->id) == 0)
			return &v->found.v[i];
	}
	return NULL;
}

/* ---- bytes ---- */

static struct sw_io *open_disk(struct world *w, unsigned int disk)
{
	_cleanup_free_ char *image = world_image(w, disk);
	struct sw_io *io = NULL;

	assert_int_equal(sw_io_open(image, true, false, SECTOR, &io, NULL), 0);
	return io;
}

void damage_bytes(struct world *w, unsigned int disk, uint64_t off, uint8_t byte, size_t len)
{
	_cleanup_io_ struct sw_io *io = open_disk(w, disk);
	_cleanup_free_ uint8_t *d = malloc(len);

	assert_non_null(d);
	memset(d, byte, len);
	assert_int_equal(sw_io_write(io, off, d, len), 0);
}

static void fill(struct world *w, uint64_t off, uint8_t byte, size_t len)
{
	damage_bytes(w, 0, off, byte, len);
}

const struct sw_part *damage_part_of(const struct sw_disk *d, const char *label)
{
	const struct sw_table *t = &d->table;

	for (size_t i = 0; i < t->n_parts; i++)
		if (t->parts[i].label && strcmp(t->parts[i].label, label) == 0)
			return &t->parts[i];
	fail_msg("there is no partition %s", label);
	return NULL;
}

const struct sw_part *damage_part(const struct sw_facts *f, const char *label)
{
	return damage_part_of(&f->disks[0], label);
}

uint64_t damage_start(struct world *w, unsigned int disk, const char *label)
{
	_cleanup_facts_ struct sw_facts *f = NULL;

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	return damage_part_of(&f->disks[disk], label)->start;
}

static uint64_t start_of(struct world *w, const char *label)
{
	return damage_start(w, 0, label);
}

#define OVERLAY 9000u	/* bytes, of no whole sector */

static struct sw_kept_zone zone_b(const struct sw_disk *d)
{
	const struct sw_part *p = damage_part_of(d, "slipway-node");

	return (struct sw_kept_zone){ .offset = p->start, .size = p->size, .slot = 1,
				      .n_slots = 2 };
}

char *damage_image(const struct world *w)
{
	return sw_fmt("%s.uki", w->dir);
}

/* Slot B holds the image of slot A, and its manifest names an overlay. */
static void fill_b(struct world *w, const struct sw_disk *disk, struct sw_io *io)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest mf = {};
	const struct sw_part *a = damage_part_of(disk, "slipway-a");
	const struct sw_part *b = damage_part_of(disk, "slipway-b");
	_cleanup_free_ char *uki = damage_image(w), *slot = sw_fmt("%s.slot", w->dir);
	struct sw_kept_zone z = zone_b(disk);
	uint8_t overlay[OVERLAY];
	struct sw_error err = {};
	bool ok = false;

	for (size_t i = 0; i < sizeof(overlay); i++)
		overlay[i] = (uint8_t)(i * 7);
	assert_int_equal(sw_slot_image(io, a->start, a->size, uki, &err), 0);
	assert_int_equal(sw_slot_read(io, a->start, a->size, &mf, &ok, &err), 0);
	assert_int_equal(sw_sha256(overlay, sizeof(overlay), mf.overlay), 0);
	assert_int_equal(sw_slot_build(uki, &mf, b->size, SECTOR, 0x5a5a, "SLIPWAYB", slot, &err),
			 0);
	assert_int_equal(sw_slot_write(io, b->start, slot, 1, NULL, &err), 0);
	assert_int_equal(sw_kept_write(io, &z, overlay, sizeof(overlay), mf.sha256, NULL, &err), 0);
	assert_int_equal(sw_kept_mirror(io, &z, mf.sha256, &err), 0);
	world_sh("rm \"$0\"", slot, NULL);
}

void damage_world_fill(struct world *w)
{
	_cleanup_facts_ struct sw_facts *f = NULL;

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	for (unsigned int i = 0; i < w->n_disks; i++) {
		_cleanup_io_ struct sw_io *io = open_disk(w, i);

		fill_b(w, &f->disks[i], io);
	}
}

void damage_world(struct world *w)
{
	struct sw_error err = {};

	world_make(w, 1);
	if (world_install(w, 0, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	damage_world_fill(w);
}

/* ---- tables ---- */

static void break_primary(struct world *w)
{
	fill(w, SECTOR + 40, 0xff, 8);
}

static void break_backup(struct world *w)
{
	fill(w, WORLD_DISK - SECTOR, 0, SECTOR);
}

static void break_both(struct world *w)
{
	break_primary(w);
	break_backup(w);
}

static void break_mbr(struct world *w)
{
	fill(w, 0, 0, SECTOR);
}

/* The backup is the one of before the partitions got their names. */
static void make_differ(struct world *w)
{
	_cleanup_io_ struct sw_io *io = open_disk(w, 0);
	_cleanup_free_ uint8_t *old = malloc(33 * SECTOR);
	_cleanup_free_ char *image = world_image(w, 0);

	assert_int_equal(sw_io_read(io, WORLD_DISK - 33 * SECTOR, old, 33 * SECTOR), 0);
	world_sh("sgdisk -U R \"$0\" >/dev/null", image, NULL);
	assert_int_equal(sw_io_write(io, WORLD_DISK - 33 * SECTOR, old, 33 * SECTOR), 0);
}

/* The state's is deleted, and something else has the beginning of its place. */
static void change_table(struct world *w)
{
	_cleanup_free_ char *image = world_image(w, 0);
	char place[64];

	(void)snprintf(place, sizeof(place), "%" PRIu64, start_of(w, "state") / SECTOR);
	world_sh("sgdisk -d 4 -n 4:$1:+1M -t 4:0700 \"$0\" >/dev/null", image, place);
}

/* ---- slots and node data ---- */

/* Half of another image, and the boot sector gone: nothing of it is what the repair writes. */
static void break_b(struct world *w)
{
	uint64_t at = start_of(w, "slipway-b");

	fill(w, at + 32 * 1024, 0xa5, 640 * 1024);
	fill(w, at, 0, SECTOR);
}

static void break_slots(struct world *w)
{
	fill(w, start_of(w, "slipway-a"), 0, SECTOR);
	fill(w, start_of(w, "slipway-b"), 0xff, 2 * SECTOR);
}

static void clear_b(struct world *w)
{
	fill(w, start_of(w, "slipway-b"), 0, MIB);
}

static void break_copy(struct world *w)
{
	fill(w, start_of(w, "slipway-node") + 4096, 'X', 9);
}

static void break_data(struct world *w)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	const struct sw_part *p;

	break_copy(w);
	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	p = damage_part(f, "slipway-node");
	fill(w, p->start + p->size / 2, 'X', 9);	/* where the second copy begins */
}

/* Another header, other content: as an overlay that another image had. */
static void break_overlay(struct world *w)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_kept_copy c[2] = {};
	struct sw_kept_zone z;
	char uki[SW_SHA256_TEXT] = "";
	_cleanup_io_ struct sw_io *io = open_disk(w, 0);

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	z = zone_b(&f->disks[0]);
	assert_int_equal(sw_kept_look(io, &z, uki, NULL, c), 0);
	fill(w, c[1].at, 'X', 512);
	fill(w, c[1].at + 5000, 'Y', 5000);
}

static void break_overlays(struct world *w)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	const struct sw_part *p;

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	p = damage_part(f, "slipway-node");
	break_overlay(w);
	fill(w, p->start + p->size / 4, 'X', p->size / 4);	/* with the places of slot A */
}

/* ---- variables ---- */

static uint8_t *get(struct world *w, const char *name, size_t *ret_len)
{
	struct sw_varstore *vars = NULL;
	uint8_t *data = NULL;
	uint32_t attrs;

	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	assert_int_equal(sw_var_get(vars, &sw_guid_global, name, &data, ret_len, &attrs), 0);
	return data;
}

static void set(struct world *w, const char *name, const void *data, size_t len)
{
	struct sw_varstore *vars = NULL;

	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	if (data)
		assert_int_equal(sw_var_set(vars, &sw_guid_global, name, data, len, 7), 0);
	else
		assert_int_equal(sw_var_del(vars, &sw_guid_global, name), 0);
}

/* "Boot0003" of the entry with this label. */
static void name_of(struct world *w, const char *label, char name[static 16])
{
	_cleanup_facts_ struct sw_facts *f = NULL;

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	for (size_t i = 0; i < f->boot.n_entries; i++)
		if (strcmp(f->boot.entries[i].label, label) == 0) {
			(void)snprintf(name, 16, "Boot%04X", f->boot.entries[i].number);
			return;
		}
	fail_msg("there is no entry %s", label);
}

static void lose_a(struct world *w)
{
	char name[16];

	name_of(w, "Slipway A", name);
	set(w, name, NULL, 0);
}

/* As in another machine: what the install noted in the firmware is not there either. */
static void lose_entries(struct world *w)
{
	struct sw_varstore *vars = NULL;
	char name[16];

	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	assert_int_equal(sw_var_del(vars, &sw_guid_slipway, SW_MODE_VARIABLE), 0);

	name_of(w, "Slipway A", name);
	set(w, name, NULL, 0);
	name_of(w, "Slipway B", name);
	set(w, name, NULL, 0);
}

static void double_b(struct world *w)
{
	_cleanup_free_ uint8_t *data = NULL;
	char name[16];
	size_t n;

	name_of(w, "Slipway B", name);
	data = get(w, name, &n);
	set(w, "Boot0055", data, n);
}

/* Ours by name and path, on a partition that no disk here has. */
static void leave_behind(struct world *w)
{
	_cleanup_free_ uint8_t *data = NULL;
	char name[16];
	uint8_t *hd;
	size_t n;

	name_of(w, "Slipway A", name);
	data = get(w, name, &n);
	hd = memmem(data, n, "\4\1\52\0", 4);
	assert_non_null(hd);
	memset(hd + 24, 0x5a, 16);
	set(w, "Boot0055", data, n);
}

/* For one start, and slipway did not come since; the stick that it names is not here. */
static void leave_memory_test(struct world *w)
{
	struct sw_devpath_hd hd = { .number = 2, .start = 92688, .size = 10240 };
	_cleanup_free_ uint8_t *order = NULL;
	_cleanup_buf_ struct sw_buf b = {}, longer = {};
	size_t n;

	memset(hd.guid.b, 0x36, 16);
	assert_int_equal(sw_loadopt_build_file(SW_MEMTEST_LABEL, &hd, SW_MEMTEST_PATH, &b), 0);
	set(w, "Boot0056", b.data, b.len);
	order = get(w, "BootOrder", &n);
	assert_int_equal(sw_buf_add(&longer, order, n), 0);
	assert_int_equal(sw_buf_add(&longer, "\x56\x00", 2), 0);
	set(w, "BootOrder", longer.data, longer.len);
}

static void reverse_order(struct world *w)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t n;

	data = get(w, "BootOrder", &n);
	for (size_t i = 0; i + 1 < n / 2; i += 2) {
		size_t k = n - 2 - i;
		uint8_t low = data[i], high = data[i + 1];

		if (k <= i)
			break;
		data[i] = data[k];
		data[i + 1] = data[k + 1];
		data[k] = low;
		data[k + 1] = high;
	}
	set(w, "BootOrder", data, n);
}

/* To the last of the order, once. */
static void send_elsewhere(struct world *w)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t n;

	data = get(w, "BootOrder", &n);
	assert_true(n >= 4);
	set(w, "BootNext", data + n - 2, 2);
}

static void leave_dumps(struct world *w)
{
	struct sw_varstore *vars = NULL;
	struct sw_guid crash;
	char name[40];

	assert_int_equal(sw_guid_parse("cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0", &crash), 0);
	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	for (unsigned int i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "dump-type0-%u-1-1700000000-C", i);
		assert_int_equal(sw_var_set(vars, &crash, name, "Panic#1", 7, SW_VAR_NV_BS_RT), 0);
	}
}

const struct damage damages[] = {
	{ .id = "gpt-primary", .severity = SW_FINDING_ERROR, .make = break_primary },
	{ .id = "gpt-backup", .severity = SW_FINDING_WARNING, .make = break_backup },
	{ .id = "gpt-mbr", .severity = SW_FINDING_ERROR, .make = break_mbr },
	{ .id = "gpt-differ", .severity = SW_FINDING_WARNING, .make = make_differ },
	{ .id = "gpt-lost", .severity = SW_FINDING_ERROR, .make = break_both, .dead = true },
	{ .id = "slot-b", .severity = SW_FINDING_WARNING, .make = break_b, .every = 4 },
	{ .id = "slot-b", .severity = SW_FINDING_WARNING, .make = break_b, .image = true,
	  .every = 4 },
	{ .id = "slot-a", .severity = SW_FINDING_ERROR, .make = break_slots, .no_repair = true },
	{ .id = "slot-b", .severity = SW_FINDING_INFO, .make = clear_b, .no_repair = true },
	{ .id = "node-data-copy", .severity = SW_FINDING_WARNING, .make = break_copy },
	{ .id = "node-data", .severity = SW_FINDING_ERROR, .make = break_data, .no_repair = true },
	{ .id = "overlay-b-copy", .severity = SW_FINDING_WARNING, .make = break_overlay },
	{ .id = "overlay-b", .severity = SW_FINDING_WARNING, .make = break_overlays,
	  .no_repair = true },
	{ .id = "entry-a", .severity = SW_FINDING_WARNING, .make = lose_a },
	{ .id = "firmware-new", .severity = SW_FINDING_WARNING, .make = lose_entries },
	{ .id = "entry-b", .severity = SW_FINDING_WARNING, .make = double_b },
	{ .id = "entry-0055", .severity = SW_FINDING_WARNING, .make = leave_behind },
	{ .id = "memtest-entry", .severity = SW_FINDING_INFO, .make = leave_memory_test },
	{ .id = "nvram-dumps", .severity = SW_FINDING_INFO, .make = leave_dumps },
	{ .id = "boot-order", .severity = SW_FINDING_WARNING, .make = reverse_order },
	{ .id = "boot-next", .severity = SW_FINDING_INFO, .make = send_elsewhere },
	{ .id = "table-changed", .severity = SW_FINDING_ERROR, .make = change_table },
};
const size_t n_damages = ARRAY_SIZE(damages);
