/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node with an encrypted state and a secret, whose TPM was replaced: each is sealed again by the
 * recovery key, and what is written for it, and for its undo, is cut off at every torn sector.
 * Whatever a cut leaves, cryptsetup opens the state by the recovery key, the secret's copy opens
 * as well, and the doctor goes on or back from there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "boot/nodedata.h"
#include "boot/secrets.h"
#include "disk/recovery.h"
#include "tests/lib/damage-cut.h"
#include "tests/lib/depth.h"
#include "tests/lib/sealed-world.h"
#include "tests/lib/tape.h"

#define SECRET "what the node was entrusted with"
#define NAME "join"

static struct world healthy;

/* ---- the world ---- */

static struct sw_secret *recovery_key(void)
{
	_cleanup_free_ char *path = sw_fmt("%s/key", healthy.dir);
	_cleanup_secret_ struct sw_secret *read = NULL;
	struct sw_secret *key = NULL;

	assert_int_equal(sw_secret_read(path, 4096, &read, NULL), 0);
	assert_int_equal(sw_recovery_passphrase(read, &key, NULL), 0);
	return key;
}

static json_object *node_data(const struct world *w, struct sw_io **ret_io, struct sw_part *ret)
{
	_cleanup_free_ char *image = world_image(w, 0);
	_cleanup_facts_ struct sw_facts *f = NULL;
	json_object *data = NULL;
	uint64_t sequence;

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	*ret = *damage_part(f, "slipway-node");
	assert_int_equal(sw_io_open(image, true, false, 512, ret_io, NULL), 0);
	assert_int_equal(sw_nodedata_read(*ret_io, ret->start, ret->size, &data, &sequence, NULL),
			 0);
	return data;
}

static void entrust(void)
{
	_cleanup_secret_ struct sw_secret *key = recovery_key(), *secret = NULL;
	struct sw_secret_seal seal = { .by = { .recovery = key }, .name = NAME,
				       .pcrs = SW_TPM_PCRS_DEFAULT };
	_cleanup_json_ json_object *data = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_secret_sealed done;
	struct sw_error err = {};
	struct sw_part p;

	data = node_data(&healthy, &io, &p);
	assert_int_equal(sw_secret_new(strlen(SECRET), &secret, NULL), 0);
	memcpy(secret->data, SECRET, strlen(SECRET));
	if (sw_machine_tcti(healthy.m, &seal.by.tcti, &err) < 0 ||
	    sw_secrets_seal(data, &seal, secret, &done, &err) < 0 ||
	    sw_nodedata_write(io, p.start, p.size, data, true, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
}

static int setup(void **state SW_UNUSED)
{
	struct sealed_secret secrets[SEALED_SECRETS];
	struct sw_error err = {};

	world_make_sealed(&healthy);
	if (world_install(&healthy, 0, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	damage_world_fill(&healthy);
	sealed_open(&healthy, secrets);	/* leaves the recovery key in a file */
	entrust();
	return 0;
}

static int teardown(void **state SW_UNUSED)
{
	world_sh("rm -rf \"$0\".*", healthy.dir, NULL);
	world_free(&healthy);
	return 0;
}

/* ---- the damages ---- */

static void replace_tpm(struct world *w)
{
	w->m = sw_machine_free(w->m);	/* and its TPM, which runs for it */
	world_sh("rm -rf \"$0/tpm\" && mkdir \"$0/tpm\"", w->dir, NULL);
	world_reopen(w);
}

static void state_opens(const struct world *from, const struct world *w)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_free_ char *image = world_image(w, 0), *script = NULL;
	const struct sw_part *p;

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	p = damage_part(f, "state");
	script = sw_fmt("dd if=\"$0\" of=\"$0.state\" bs=1M iflag=skip_bytes skip=%llu count=30 "
			"conv=sparse status=none &&"
			"cryptsetup open --test-passphrase --key-file \"$1/key\" \"$0.state\" &&"
			"rm \"$0.state\"", (unsigned long long)p->start);
	world_sh(script, image, from->dir);
}

static void secret_opens(const struct world *from SW_UNUSED, const struct world *w)
{
	_cleanup_secret_ struct sw_secret *key = recovery_key(), *secret = NULL;
	const struct sw_secret_keys by = { .recovery = key };
	_cleanup_json_ json_object *data = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error err = {};
	struct sw_part p;

	data = node_data(w, &io, &p);
	if (sw_secrets_open(data, &by, NAME, &secret, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	assert_int_equal(secret->len, strlen(SECRET));
	assert_memory_equal(secret->data, SECRET, strlen(SECRET));
}

static const struct damage seals[] = {
	{ .id = "seal-state", .severity = SW_FINDING_ERROR, .make = replace_tpm, .given = "key",
	  .anew = true, .holds = state_opens, .holds_every = 4, .every = 8 },
	{ .id = "secret-" NAME, .severity = SW_FINDING_WARNING, .make = replace_tpm,
	  .given = "key", .anew = true, .holds = secret_opens },
};

/* ---- tests ---- */

static void test_a_healthy_node_opens_what_is_sealed(void **state SW_UNUSED)
{
	_cleanup_visit_ struct sw_visit v = {};

	damage_look(&healthy, &v);
	for (size_t i = 0; i < ARRAY_SIZE(seals); i++)
		assert_null(damage_found(&v, &seals[i]));
	state_opens(&healthy, &healthy);
	secret_opens(&healthy, &healthy);
}

static void test_no_cut_of_another_seal_or_its_undo_locks_anybody_out(void **state SW_UNUSED)
{
	unsigned int step = test_at_depth(2, 2, 1);
	uint64_t seed = tape_seed();

	for (size_t i = seed % step; i < ARRAY_SIZE(seals); i += step)
		damage_cut(&healthy, &seals[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_node_opens_what_is_sealed),
		cmocka_unit_test(test_no_cut_of_another_seal_or_its_undo_locks_anybody_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
