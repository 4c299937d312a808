/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway node overlay DIR`: a configuration overlay as a tree, as the server
 * gave it or as it was kept for the image that runs. The same check and the same
 * result on both roads, so that a start without the servers is configured alike.
 */
#include <inttypes.h>
#include <string.h>


#include "admission/overlay.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "boot/switch.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

enum { OPT_FILE = 300 };

struct source {
	uint8_t *data;
	size_t len;
	char from[300];
};

static void source_clear(struct source *s)
{
	if (s->data)
		explicit_bzero(s->data, s->len);
	free(s->data);
}

static int from_file(const char *file, struct source *s, struct sw_error *err)
{
	struct sw_buf b = { .max = (size_t)SW_OVERLAY_MAX_BYTES };
	int r = sw_file_read(file, &b);

	if (r < 0) {
		sw_buf_clear(&b);
		sw_fail_errno(err, SW_EXIT_MISSING, r, "the overlay cannot be read");
		sw_error_where(err, "%s", file);
		return r;
	}
	s->len = b.len;
	s->data = (uint8_t *)sw_buf_steal(&b);
	(void)snprintf(s->from, sizeof(s->from), "%s", file);
	return s->data ? 0 : sw_fail_oom(err);
}

static int none(const struct sw_switch *s, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "no overlay is kept for the image that runs");
	if (s->road != SW_ROAD_SLOT)
		sw_error_why(err, "%s, so the image is not known to be a slot's", s->why);
	sw_error_hint(err, "get it from the server and give it with --file; `slipway promote "
			   "--overlay FILE` keeps it for starts without the server");
	return -ENOENT;
}

static int from_slot(const struct sw_cli *cli, struct source *s, struct sw_error *err)
{
	_cleanup_target_ struct sw_target t = {};
	_cleanup_switch_ struct sw_switch sw = {};
	_cleanup_kept_ struct sw_kept o = {};
	struct sw_varstore *vars = NULL;
	int r = sw_target_open(cli, &t, err);

	if (r == 0 && t.vars)
		r = sw_machine_vars(t.m, &vars, err);
	if (r == 0 && vars)
		r = sw_switch_open(t.m, t.f, vars, t.vars, sw_arg(&cli->args, 'd'), &sw, err);
	if (r < 0)
		return r;
	if (!sw.have_node || sw.road != SW_ROAD_SLOT ||
	    !sw.node.slots[sw.road_slot].m.overlay[0])
		return none(&sw, err);
	r = sw_node_overlay(t.m, &sw.node, sw.road_slot, &o, err);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read what is kept");
	(void)snprintf(s->from, sizeof(s->from), "slot %c",
		       sw.node.slots[sw.road_slot].letter - 'a' + 'A');
	s->data = TAKE_PTR(o.data);
	s->len = o.len;
	return 0;
}

static int say(const struct sw_cli *cli, const struct source *s, const struct sw_overlay *o,
	       struct sw_error *err)
{
	_cleanup_json_ json_object *j = json_object_new_object();
	char sha256[SW_SHA256_TEXT];

	if (!cli->json) {
		printf("%zu entries, %" PRIu64 " bytes in %s, from %s\n", o->n, o->bytes,
		       cli->args.rest[0], s->from);
		return 0;
	}
	if (sw_sha256(s->data, s->len, sha256) < 0)
		return sw_fail_oom(err);
	sw_json_add_str(j, "directory", cli->args.rest[0]);
	sw_json_add_str(j, "from", s->from);
	sw_json_add_str(j, "sha256", sha256);
	sw_json_add_u64(j, "entries", o->n);
	sw_json_add_u64(j, "bytes", o->bytes);
	sw_print_json(j);
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, OPT_FILE);
	_cleanup_overlay_ struct sw_overlay *o = NULL;
	_cleanup_(source_clear) struct source s = {};
	int r;

	sw_secret_guard();
	r = file ? from_file(file, &s, err) : sw_cli_needs_disks(cli, "node overlay", err);
	if (r == 0 && !file)
		r = from_slot(cli, &s, err);
	if (r == 0)
		r = sw_overlay_unpack(s.data, s.len, cli->args.rest[0], &o, err);
	return r < 0 ? r : say(cli, &s, o, err);
}

static const struct sw_opt opts[] = {
	{ OPT_FILE, "file", "FILE", "this overlay, not the one that is kept" },
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_node_overlay = {
	.name = "node overlay",
	.summary = "Unpack a configuration overlay, checked first, into a new directory",
	.operands = "DIR",
	.min_rest = 1,
	.max_rest = 1,
	.opts = opts,
	.details = "What `slipway promote --overlay` kept for the image that runs, or FILE:\n"
		   "a tar, plain or compressed. One entry that leads out of DIR, or is\n"
		   "no file, directory or link, and nothing of it is unpacked. DIR must not exist.",
	.run = run,
};
