/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway rollback`: the other good slot first, until the next promote. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "boot/promote.h"
#include "tui/commands/boot-writes.h"
#include "tui/commands/list.h"

/* The image is put back wherever it is: a node on several disks has it on each. */
static void hold(struct sw_node *n, const char *sha256)
{
	for (size_t i = 0; i < n->n_slots; i++)
		n->slots[i].held = n->slots[i].good &&
				   strcasecmp(n->slots[i].m.sha256, sha256) == 0;
}

/* The node data remembers the image that is put back, so that `mode keep` leaves it there. */
static int plan(struct sw_switch *s, struct sw_mode_wish *w, struct sw_mode_result *res,
		struct sw_error *err)
{
	size_t from, to;
	int r = sw_rollback_choose(&s->node, &from, &to, err);

	if (r < 0)
		return r;
	if (!s->node.data) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the node has no node data");
		sw_error_why(err, "it would not be remembered that this image was put back");
		sw_error_hint(err, "`slipway boot order` moves the entry by hand");
		return -ENOENT;
	}
	hold(&s->node, s->node.slots[from].m.sha256);
	for (size_t i = 0; i < s->n_copies; i++)
		hold(&s->copies[i], s->node.slots[from].m.sha256);
	sw_json_add_str(s->node.data, "rolled_back", s->node.slots[from].m.sha256);
	w->explicit = true;
	w->keep_next = true;
	return sw_switch_plan(s, w, res, err);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	_cleanup_boot_target_ struct sw_boot_target b = {};
	_cleanup_switch_ struct sw_switch s = {};
	bool dry = sw_arg(&cli->args, 'D') != NULL;
	struct sw_mode_wish w;
	int r = sw_boot_target_open(cli, &b, err);

	if (r == 0 && !b.store)
		r = sw_fail(err, SW_EXIT_REFUSED, -EROFS, "captured facts do not hold the slots");
	if (r == 0)
		r = sw_switch_open(b.t.m, b.t.f, b.store, b.t.vars, sw_arg(&cli->args, 'd'), &s,
				   err);
	if (r == 0) {
		w = s.wish;
		r = plan(&s, &w, &res, err);
	}
	if (r == 0 && !dry)
		r = sw_node_write_data(s.m, &s.node, err);
	if (r == 0) {
		r = sw_boot_write(cli, b.store, &res.plan, dry, NULL, NULL, err);
		if (r < 0 && !dry)	/* the node data says it already: `mode keep` goes on */
			err->exit = SW_EXIT_DIRTY;
	}
	if (r == 0 && !dry && res.state_changed && w.mode != SW_NODE_HANDS_OFF)
		r = sw_switch_keep_state(&s, &res.state, err);
	if (s.unkept[0])
		fprintf(stderr, "slipway: warning: %s\n", s.unkept);
	return r < 0 ? r : 0;
}

static const struct sw_opt opts[] = {
	{ 'D', "dry-run", NULL, "show the writes and stop" },
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_rollback = {
	.name = "rollback",
	.summary = "Put the other good slot first again",
	.operands = "",
	.opts = opts,
	.details = "The image that is put back stays on the disk and stays behind until the next\n"
		   "promote. In mode hands-off only that is noted; the order is the operator's.",
	.run = run,
};
