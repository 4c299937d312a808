/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node with an encrypted state on a mirror, whose TPM was replaced: sealed again by the recovery
 * key on both members, and that and its undo cut off at every torn sector. md reads a mirror from
 * whichever member it likes, block by block: so what a cut leaves is judged as such a mixture,
 * which cryptsetup has to open by the recovery key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "disk/luks.h"
#include "disk/mdraid.h"
#include "tests/lib/damage-cut.h"
#include "tests/lib/sealed-world.h"
#include "tests/lib/tape.h"

#define BLOCK 4096U
#define LEN (SW_LUKS_HEADER + (1ULL << 20))

static struct world healthy;

static int setup(void **state SW_UNUSED)
{
	struct sealed_secret secrets[SEALED_SECRETS];
	struct sw_error err = {};

	world_make_sealed_mirror(&healthy);
	if (world_install(&healthy, 0, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	damage_world_fill(&healthy);
	sealed_open(&healthy, secrets);	/* leaves the recovery key in a file */
	return 0;
}

static int teardown(void **state SW_UNUSED)
{
	world_sh("rm -rf \"$0\".*", healthy.dir, NULL);
	world_free(&healthy);
	return 0;
}

static void replace_tpm(struct world *w)
{
	w->m = sw_machine_free(w->m);	/* and its TPM, which runs for it */
	world_sh("rm -rf \"$0/tpm\" && mkdir \"$0/tpm\"", w->dir, NULL);
	world_reopen(w);
}

/* ---- what md may read ---- */

static uint8_t *member(const struct world *w, unsigned int disk, uint64_t start)
{
	_cleanup_free_ char *image = world_image(w, disk);
	_cleanup_io_ struct sw_io *io = NULL;
	uint8_t *data = malloc(LEN);

	assert_non_null(data);
	assert_int_equal(sw_io_open(image, false, false, 512, &io, NULL), 0);
	assert_int_equal(sw_io_read(io, start + SW_MD_DATA_OFFSET, data, LEN), 0);
	return data;
}

static uint64_t next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

/* Each block from one of both; also all from one, and the metadata from one and the rest not. */
static void mix(uint8_t *a, const uint8_t *b)
{
	static uint64_t s;
	uint64_t how;

	if (!s)
		s = tape_seed() | 1;
	how = next(&s) % 8;
	for (uint64_t at = 0; at < LEN; at += BLOCK) {
		bool other = how == 0 ? false : how == 1 ? true : how == 2 ? at < 32768
			   : how == 3 ? at >= 32768 : next(&s) & 1;

		if (other)
			memcpy(a + at, b + at, BLOCK);
	}
}

static void mixture_opens(const struct world *from, const struct world *w)
{
	_cleanup_free_ char *path = sw_fmt("%s.mixture", from->dir);
	_cleanup_free_ uint8_t *a = NULL, *b = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	const struct sw_part *p;

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	p = damage_part(f, "state");
	a = member(w, 0, p->start);
	b = member(w, 1, p->start);
	mix(a, b);
	assert_int_equal(sw_file_write(path, a, LEN, 0600), 0);
	world_sh("cryptsetup open --test-passphrase --key-file \"$0/key\" \"$1\" && rm \"$1\"",
		 from->dir, path);
}

static const struct damage seal = {
	.id = "seal-state", .severity = SW_FINDING_ERROR, .make = replace_tpm, .given = "key",
	.anew = true, .holds = mixture_opens, .holds_every = 4, .every = 16,
};

/* ---- tests ---- */

static void test_a_healthy_mirror_opens(void **state SW_UNUSED)
{
	_cleanup_visit_ struct sw_visit v = {};

	damage_look(&healthy, &v);
	assert_null(damage_found(&v, &seal));
	mixture_opens(&healthy, &healthy);
}

static void test_both_members_get_the_same(void **state SW_UNUSED)
{
	struct world w = damage_break(&healthy, &seal);
	uint64_t start = damage_start(&w, 0, "state");
	_cleanup_free_ uint8_t *a = NULL, *b = NULL, *old = member(&w, 0, start);
	_cleanup_visit_ struct sw_visit v = {};

	damage_repair(&healthy, &w, &seal, "");
	a = member(&w, 0, start);
	b = member(&w, 1, start);
	assert_memory_not_equal(a, old, SW_LUKS_HEADER);
	assert_memory_equal(a, b, SW_LUKS_HEADER);
	damage_look(&w, &v);
	assert_null(damage_found(&v, &seal));
	world_free(&w);
}

static void test_no_cut_leaves_a_mirror_that_opens_only_by_luck(void **state SW_UNUSED)
{
	damage_cut(&healthy, &seal);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_mirror_opens),
		cmocka_unit_test(test_both_members_get_the_same),
		cmocka_unit_test(test_no_cut_leaves_a_mirror_that_opens_only_by_luck),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
