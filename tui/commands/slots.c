/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway slots`: what each slot of the node holds; `slots verify` fails when one is bad. */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "boot/promote.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

struct view {
	struct sw_target t;
	struct sw_node node;
	enum sw_road road;
	size_t running;		/* for SW_ROAD_SLOT */
	int first, best;
};

static void view_clear(struct view *v)
{
	sw_node_clear(&v->node);
	sw_target_clear(&v->t);
}

static int open_view(const struct sw_cli *cli, struct view *v, struct sw_error *err)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	struct sw_varstore *store = NULL;
	char why[200];
	int r = sw_target_open(cli, &v->t, err);

	if (r == 0)
		r = sw_node_find(v->t.m, v->t.f, sw_arg(&cli->args, 'd'), &v->node, err);
	if (r < 0)
		return r;
	v->first = -1;
	v->best = sw_node_best_slot(&v->node);
	if (!v->t.vars)		/* BIOS: the slots are there all the same */
		return 0;
	r = sw_machine_vars(v->t.m, &store, err);
	if (r < 0)
		return r;
	if (sw_varset_load(v->t.vars, &set) < 0)
		return sw_fail(err, SW_EXIT_FAILED, -EINVAL, "cannot decode the boot variables");
	v->first = sw_node_first_slot(&v->node, &set);
	v->road = sw_node_road(store, &set, &v->node, v->t.f->boot.current, &v->running, why);
	return 0;
}

static bool is_running(const struct view *v, size_t i)
{
	return v->road == SW_ROAD_SLOT && v->running == i;
}

static json_object *slot_json(const struct view *v, size_t i)
{
	const struct sw_node_slot *s = &v->node.slots[i];
	json_object *o = json_object_new_object();
	char letter[2] = { s->letter };

	sw_json_add_str(o, "slot", letter);
	sw_json_add_str(o, "partition", s->part->label);
	sw_json_add_bool(o, "filled", s->filled);
	sw_json_add_bool(o, "good", s->good);
	sw_json_add_bool(o, "running", is_running(v, i));
	sw_json_add_bool(o, "first", v->first == (int)i);
	sw_json_add_bool(o, "rolled_back", s->held);
	if (!s->good)
		sw_json_add_str(o, "why", s->why);
	if (!s->filled)
		return o;
	sw_json_add_u64(o, "sequence", s->m.sequence);
	sw_json_add_str(o, "build_id", s->m.build_id);
	sw_json_add_str(o, "sha256", s->m.sha256);
	sw_json_add_str(o, "source", s->m.source);
	sw_json_add_str(o, "reason", s->m.reason);
	json_object_object_add(o, "time", json_object_new_int64(s->m.time));
	return o;
}

static void print_slot(const struct view *v, size_t i)
{
	const struct sw_node_slot *s = &v->node.slots[i];
	time_t when = (time_t)s->m.time;
	char text[32] = "";
	struct tm tm;

	printf("%c  %s%s%s%s\n", s->letter - 'a' + 'A',
	       s->good ? "good" : s->filled ? "BAD" : "empty or damaged",
	       v->first == (int)i ? ", first" : "", is_running(v, i) ? ", running" : "",
	       s->held ? ", rolled back" : "");
	if (!s->good)
		printf("   %s\n", s->why);
	if (!s->filled)
		return;
	if (gmtime_r(&when, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	printf("   sequence %llu, %s, %s, %s\n   from %s\n   sha256 %s\n",
	       (unsigned long long)s->m.sequence, s->m.build_id ? s->m.build_id : "-",
	       s->m.reason ? s->m.reason : "-", text, s->m.source ? s->m.source : "-",
	       s->m.sha256);
}

static int verdict(const struct view *v, struct sw_error *err)
{
	for (size_t i = 0; i < v->node.n_slots; i++) {
		const struct sw_node_slot *s = &v->node.slots[i];

		if (!s->filled || s->good)
			continue;
		sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "slot %c is bad", s->letter - 'a' + 'A');
		sw_error_why(err, "%s", s->why);
		sw_error_hint(err, "`slipway promote` fills it again");
		return -EBADMSG;
	}
	if (v->best < 0)
		return sw_fail(err, SW_EXIT_VERIFY, -ENOENT, "no slot holds a good image");
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(view_clear) struct view v = {};
	bool verify = cli->args.n_rest > 0;
	int r;

	if (verify && strcmp(cli->args.rest[0], "verify") != 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "slots: unexpected \"%s\"",
			       cli->args.rest[0]);
	r = open_view(cli, &v, err);
	if (r < 0)
		return r;
	if (cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();
		json_object *list = json_object_new_array();

		sw_json_add_str(o, "disk", v.node.disk->name);
		for (size_t i = 0; i < v.node.n_slots; i++)
			json_object_array_add(list, slot_json(&v, i));
		sw_json_add(o, "slots", list);
		sw_print_json(o);
	} else {
		printf("%s (serial %s)\n", v.node.disk->name,
		       v.node.disk->serial ? v.node.disk->serial : "-");
		for (size_t i = 0; i < v.node.n_slots; i++)
			print_slot(&v, i);
	}
	return verify ? verdict(&v, err) : 0;
}

static const struct sw_opt opts[] = {
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_slots = {
	.name = "slots",
	.summary = "Show what the node's slots hold; every image is hashed",
	.operands = "[verify]",
	.max_rest = 1,
	.opts = opts,
	.details = "With verify a filled slot that is bad, or none that is good, is exit 8.",
	.run = run,
};
