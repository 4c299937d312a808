/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rescue image and iPXE of a node with two disks, spoilt or lost on one of them and copied from
 * the other; the copy and its undo are cut off at every torn sector. Whatever a cut leaves, one
 * disk has each of them whole, the slots start, and the doctor goes on or back from there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "boot/ipxe.h"
#include "boot/nodedata.h"
#include "tests/lib/damage-cut.h"
#include "tests/lib/depth.h"
#include "tests/lib/tape.h"

#define MIB (1u << 20)

static struct world healthy;

/* With the second slots filled another order is wanted than the install wrote. */
static void put_in_order(void)
{
	static const struct damage other = { .id = "boot-order" };

	damage_repair(&healthy, &healthy, &other, "");
}

static int setup(void **state SW_UNUSED)
{
	struct sw_error err = {};

	world_make_extras(&healthy, 2);
	if (world_install(&healthy, 0, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	damage_world_fill(&healthy);
	put_in_order();
	return 0;
}

static int teardown(void **state SW_UNUSED)
{
	world_sh("rm -rf \"$0\".*", healthy.dir, NULL);
	world_free(&healthy);
	return 0;
}

/* ---- the damages ---- */

/* Behind the boot sector and into the image, so that much of it is written again. */
static void spoil(struct world *w, unsigned int disk, const char *label)
{
	uint64_t at = damage_start(w, disk, label);

	damage_bytes(w, disk, at, 0, 512);
	damage_bytes(w, disk, at + 16384, 0xa5, 640 * 1024);
}

static void spoil_rescue(struct world *w)
{
	spoil(w, 0, "slipway-rescue");
}

static void spoil_ipxe(struct world *w)
{
	spoil(w, 0, "slipway-ipxe");
}

static void lose_rescue(struct world *w)
{
	damage_bytes(w, 1, damage_start(w, 1, "slipway-rescue"), 0, MIB);
}

static void lose_ipxe(struct world *w)
{
	damage_bytes(w, 1, damage_start(w, 1, "slipway-ipxe"), 0, MIB);
}

static bool is_whole(const struct world *w, const struct sw_disk *d, unsigned int disk,
		     const char *label)
{
	const struct sw_part *p = damage_part_of(d, label), *n = sw_disk_node_data(d);
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_free_ char *image = world_image(w, disk);
	_cleanup_json_ json_object *data = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	char why[200];
	uint64_t sequence;
	bool ok = false;

	assert_int_equal(sw_io_open(image, false, false, 512, &io, NULL), 0);
	if (strcmp(label, "slipway-rescue") == 0)
		return sw_slot_read(io, p->start, p->size, &m, &ok, NULL) == 0 && ok;
	assert_int_equal(sw_nodedata_read(io, n->start, n->size, &data, &sequence, NULL), 0);
	return sw_ipxe_verify(io, p->start, p->size, data, why) == 0;
}

static void one_is_whole(const struct world *from SW_UNUSED, const struct world *w)
{
	static const char *const labels[] = { "slipway-rescue", "slipway-ipxe" };
	_cleanup_facts_ struct sw_facts *f = NULL;

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (!is_whole(w, &f->disks[0], 0, labels[i]) &&
		    !is_whole(w, &f->disks[1], 1, labels[i]))
			fail_msg("no disk has %s whole", labels[i]);
}

static const struct damage extras[] = {
	{ .id = "rescue", .severity = SW_FINDING_WARNING, .make = spoil_rescue,
	  .holds = one_is_whole, .every = 4 },
	{ .id = "ipxe", .severity = SW_FINDING_WARNING, .make = spoil_ipxe,
	  .holds = one_is_whole, .every = 4 },
	{ .id = "rescue", .severity = SW_FINDING_WARNING, .make = lose_rescue,
	  .holds = one_is_whole, .every = 4 },
	{ .id = "ipxe", .severity = SW_FINDING_WARNING, .make = lose_ipxe,
	  .holds = one_is_whole, .every = 4 },
};

/* ---- tests ---- */

static void test_a_healthy_node_has_no_finding(void **state SW_UNUSED)
{
	_cleanup_visit_ struct sw_visit v = {};

	damage_look(&healthy, &v);
	for (size_t i = 0; i < v.found.n; i++)
		print_message("# found: %s: %s\n", v.found.v[i].id, v.found.v[i].evidence);
	assert_int_equal(v.found.n, 0);
}

static void test_no_cut_of_a_copy_from_the_other_disk_leaves_the_node_worse(void **s SW_UNUSED)
{
	unsigned int step = test_at_depth(4, 2, 1);
	uint64_t seed = tape_seed();

	for (size_t i = seed % step; i < ARRAY_SIZE(extras); i += step)
		damage_cut(&healthy, &extras[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_node_has_no_finding),
		cmocka_unit_test(test_no_cut_of_a_copy_from_the_other_disk_leaves_the_node_worse),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
