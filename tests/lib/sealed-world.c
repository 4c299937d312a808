/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/sealed-world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "boot/nodedata.h"
#include "disk/mdraid.h"

/* The recovery key into DIR/key, the volume key into DIR/volume. */
static const char open_state[] =
	"cd \"$0\"; base64 -d cms >cms.der;"
	"openssl cms -decrypt -inform DER -in cms.der -inkey keeper.key >key;"
	"cryptsetup luksDump -q --dump-volume-key --volume-key-file volume --key-file key state.img"
	" >/dev/null; rm state.img cms cms.der";

static const struct sw_placed *encrypted(const struct world *w)
{
	for (size_t i = 0; i < w->plan->n_parts; i++)
		if (w->plan->parts[i].encrypt)
			return &w->plan->parts[i];
	fail_msg("nothing is encrypted");
	return NULL;
}

static void write_cms(const struct world *w, struct sw_io *io)
{
	const struct sw_placed *data = sw_plan_find(w->plan, 0, SW_ROLE_NODE_DATA);
	_cleanup_free_ char *path = sw_fmt("%s/cms", w->dir);
	_cleanup_json_ json_object *o = NULL;
	struct sw_error err = {};
	const char *cms;
	uint64_t sequence;

	if (sw_nodedata_read(io, data->start, data->size, &o, &sequence, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	cms = sw_json_str(sw_json_get(o, "recovery_escrow"), "cms", NULL);
	assert_non_null(cms);
	assert_int_equal(sw_file_write(path, cms, strlen(cms), 0600), 0);
}

static void write_state(const struct world *w, struct sw_io *io)
{
	const struct sw_placed *state = encrypted(w);
	uint64_t skip = state->raid ? SW_MD_DATA_OFFSET : 0;
	_cleanup_free_ char *path = sw_fmt("%s/state.img", w->dir);
	_cleanup_free_ uint8_t *data = malloc(state->size);

	assert_non_null(data);
	assert_int_equal(sw_io_read(io, state->start + skip, data, state->size - skip), 0);
	assert_int_equal(sw_file_write(path, data, state->size - skip, 0600), 0);
}

static void take(struct sealed_secret *s, const char *what, const void *data, size_t len)
{
	assert_true(len > 0 && len <= sizeof(s->data));
	s->what = what;
	s->len = len;
	memcpy(s->data, data, len);
}

void sealed_open(const struct world *w, struct sealed_secret secrets[static SEALED_SECRETS])
{
	_cleanup_free_ char *image = world_image(w, 0), *key = sw_fmt("%s/key", w->dir);
	_cleanup_free_ char *volume = sw_fmt("%s/volume", w->dir);
	_cleanup_buf_ struct sw_buf k = {}, v = {};
	_cleanup_io_ struct sw_io *io = NULL;

	assert_int_equal(sw_io_open(image, false, false, 512, &io, NULL), 0);
	write_cms(w, io);
	write_state(w, io);
	world_sh(open_state, w->dir, NULL);
	assert_int_equal(sw_file_read(key, &k), 0);
	assert_int_equal(sw_file_read(volume, &v), 0);
	assert_int_equal(v.len, 64);
	take(&secrets[0], "the recovery key", k.data, k.len);
	take(&secrets[1], "a part of the recovery key", k.data, 17);
	take(&secrets[2], "the volume key", v.data, v.len);
	take(&secrets[3], "half of the volume key", v.data + 32, 32);
	take(&secrets[4], "a file of the state", WORLD_SECRET, strlen(WORLD_SECRET));
}
