/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway slots`: what each slot of the node holds; `slots verify` fails when one is bad. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "boot/promote.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

struct view {
	struct sw_node node;
	enum sw_road road;
	size_t running;		/* for SW_ROAD_SLOT */
	int first, best;
	struct sw_node_extra extras[SW_NODE_EXTRAS];
	unsigned int overlays[SW_NODE_SLOTS];	/* whole copies of the one that a slot names */
};

/* All copies of the node: of one on a single disk there is one. */
struct views {
	struct sw_target t;
	struct view v[1 + SW_NODE_COPIES];
	size_t n;
};

static void views_clear(struct views *vs)
{
	for (size_t i = 0; i < vs->n; i++)
		sw_node_clear(&vs->v[i].node);
	sw_target_clear(&vs->t);
}

static bool has_overlay(const struct view *v, size_t slot)
{
	return v->node.slots[slot].good && v->node.slots[slot].m.overlay[0];
}

static int read_overlays(struct sw_machine *m, struct view *v, struct sw_error *err)
{
	for (size_t i = 0; i < v->node.n_slots; i++) {
		struct sw_kept_copy c[2];
		int r = has_overlay(v, i) ? sw_node_overlay_look(m, &v->node, i, c, err) : -ENOENT;

		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0)
			v->overlays[i] = (unsigned int)c[0].good + (unsigned int)c[1].good;
	}
	return 0;
}

static int open_view(struct views *vs, const char *disk, struct sw_error *err)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	struct view *v = &vs->v[vs->n];
	struct sw_varstore *store = NULL;
	char why[200];
	int r = sw_node_find(vs->t.m, vs->t.f, disk, &v->node, err);

	if (r < 0)
		return r;
	vs->n++;
	v->first = -1;
	v->best = sw_node_best_slot(&v->node);
	r = sw_node_extras(vs->t.m, &v->node, v->extras, err);
	if (r == 0)
		r = read_overlays(vs->t.m, v, err);
	if (r < 0)
		return r;
	if (!vs->t.vars)	/* BIOS: the slots are there all the same */
		return 0;
	r = sw_machine_vars(vs->t.m, &store, err);
	if (r < 0)
		return r;
	if (sw_varset_load(vs->t.vars, &set) < 0)
		return sw_fail(err, SW_EXIT_FAILED, -EINVAL, "cannot decode the boot variables");
	v->first = sw_node_first_slot(&v->node, &set);
	v->road = sw_node_road(store, &set, &v->node, vs->t.f->boot.current, &v->running, why);
	return 0;
}

static int open_views(const struct sw_cli *cli, struct views *vs, struct sw_error *err)
{
	int r = sw_target_open(cli, &vs->t, err);

	if (r == 0)
		r = open_view(vs, sw_arg(&cli->args, 'd'), err);
	for (size_t i = 0; r == 0 && i < vs->v[0].node.n_copies; i++)
		r = open_view(vs, vs->v[0].node.copies[i]->name, err);
	return r;
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
	sw_json_add_bool(o, "empty", s->blank);
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
	if (has_overlay(v, i)) {
		sw_json_add_str(o, "overlay_sha256", s->m.overlay);
		sw_json_add_u64(o, "overlay_copies", v->overlays[i]);
	}
	return o;
}

static void print_slot(const struct view *v, size_t i)
{
	const struct sw_node_slot *s = &v->node.slots[i];
	char text[SW_TIME_TEXT];

	printf("%c  %s%s%s%s\n", s->letter - 'a' + 'A',
	       s->good ? "good" : s->blank ? "empty" : s->filled ? "BAD" : "DAMAGED",
	       v->first == (int)i ? ", first" : "", is_running(v, i) ? ", running" : "",
	       s->held ? ", rolled back" : "");
	if (!s->good && !s->blank)
		printf("   %s\n", s->why);
	if (!s->filled)
		return;
	printf("   sequence %llu, %s, %s, %s\n   from %s\n   sha256 %s\n",
	       (unsigned long long)s->m.sequence, s->m.build_id ? s->m.build_id : "-",
	       s->m.reason ? s->m.reason : "-", sw_time_text(s->m.time, text),
	       s->m.source ? s->m.source : "-",
	       s->m.sha256);
	if (has_overlay(v, i))
		printf("   overlay %s\n", v->overlays[i] == 2 ? "good"
					 : v->overlays[i] == 1 ? "good, in one copy of two"
							       : "DAMAGED");
}

static json_object *extra_json(const struct sw_node_extra *e)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "what", e->id);
	sw_json_add_str(o, "partition", e->part->label);
	sw_json_add_bool(o, "empty", e->state == SW_EXTRA_NONE);
	sw_json_add_bool(o, "good", e->state == SW_EXTRA_GOOD);
	sw_json_add_bool(o, "damaged", e->state == SW_EXTRA_BAD);
	if (e->why[0])
		sw_json_add_str(o, "why", e->why);
	return o;
}

static void print_extra(const struct sw_node_extra *e)
{
	static const char *const words[] = {
		[SW_EXTRA_NONE] = "empty", [SW_EXTRA_GOOD] = "good",
		[SW_EXTRA_UNPROVEN] = "there", [SW_EXTRA_BAD] = "DAMAGED",
	};

	if (e->part)
		printf("%s  %s%s%s\n", e->what, words[e->state], e->why[0] ? ": " : "", e->why);
}

static int verdict_of_extras(const struct view *v, struct sw_error *err)
{
	for (size_t i = 0; i < SW_NODE_EXTRAS; i++) {
		if (v->extras[i].state != SW_EXTRA_BAD)
			continue;
		sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "%s%s is damaged", i == 0 ? "the " : "",
			v->extras[i].what);
		sw_error_where(err, "%s", v->node.disk->name);
		sw_error_why(err, "%s", v->extras[i].why);
		sw_error_hint(err, "`slipway doctor` takes it from another disk of the node that "
				   "has it, else an install with the same answers, state kept by "
				   "disk.preserve, writes it again");
		return -EBADMSG;
	}
	return 0;
}

static int verdict_of_overlays(const struct view *v, struct sw_error *err)
{
	for (size_t i = 0; i < v->node.n_slots; i++) {
		if (!has_overlay(v, i) || v->overlays[i] > 0)
			continue;
		sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "the overlay of slot %c is damaged",
			v->node.slots[i].letter - 'a' + 'A');
		sw_error_where(err, "%s", v->node.disk->name);
		sw_error_why(err, "neither copy is the one that the slot's manifest names");
		sw_error_hint(err, "`slipway promote` of the image with its overlay writes it "
				   "again, `slipway doctor` from another place that has it");
		return -EBADMSG;
	}
	return verdict_of_extras(v, err);
}

static int verdict_of(const struct view *v, struct sw_error *err)
{
	for (size_t i = 0; i < v->node.n_slots; i++) {
		const struct sw_node_slot *s = &v->node.slots[i];

		if (s->blank || s->good)
			continue;
		sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "slot %c is %s", s->letter - 'a' + 'A',
			s->filled ? "bad" : "damaged");
		sw_error_where(err, "%s", v->node.disk->name);
		sw_error_why(err, "%s", s->why);
		sw_error_hint(err, "`slipway promote` fills it again, `slipway doctor` from the "
				   "other slot");
		return -EBADMSG;
	}
	if (v->best >= 0)
		return verdict_of_overlays(v, err);
	sw_fail(err, SW_EXIT_VERIFY, -ENOENT, "no slot holds a good image");
	sw_error_where(err, "%s", v->node.disk->name);
	sw_error_hint(err, "`slipway promote` fills one");
	return -ENOENT;
}

/* How the copies differ from the first, a line each; malloc'd, NULL: they do not. */
static char *differences(const struct views *vs)
{
	_cleanup_buf_ struct sw_buf b = {};

	for (size_t i = 1; i < vs->n; i++)
		if (sw_node_difference(&vs->v[0].node, &vs->v[i].node, &b) < 0)
			return NULL;
	return b.len ? sw_buf_steal(&b) : NULL;
}

static int verdict(const struct views *vs, const char *differ, struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; i < vs->n && r == 0; i++)
		r = verdict_of(&vs->v[i], err);
	if (r < 0 || !differ)
		return r;
	sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "the node's disks do not hold the same");
	sw_error_why(err, "%.*s", (int)strcspn(differ, "\n"), differ);
	sw_error_hint(err, "each disk starts the node; `slipway promote` of the image makes them "
			   "the same again, `slipway node set` the node data");
	return -EBADMSG;
}

static void add_disk(const struct view *v, json_object *o)
{
	json_object *list = json_object_new_array(), *extras = json_object_new_array();

	sw_json_add_str(o, "disk", v->node.disk->name);
	for (size_t i = 0; i < v->node.n_slots; i++)
		json_object_array_add(list, slot_json(v, i));
	sw_json_add(o, "slots", list);
	for (size_t i = 0; i < SW_NODE_EXTRAS; i++)
		if (v->extras[i].part)
			json_object_array_add(extras, extra_json(&v->extras[i]));
	sw_json_add(o, "extras", extras);
}

static void print_json(const struct views *vs, const char *differ)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *copies = json_object_new_array();

	add_disk(&vs->v[0], o);
	for (size_t i = 1; i < vs->n; i++) {
		json_object *c = json_object_new_object();

		add_disk(&vs->v[i], c);
		json_object_array_add(copies, c);
	}
	sw_json_add(o, "copies", copies);
	sw_json_add_str(o, "differences", differ);
	sw_print_json(o);
}

static void print_text(const struct views *vs, const char *differ)
{
	for (size_t i = 0; i < vs->n; i++) {
		const struct view *v = &vs->v[i];

		printf("%s%s (serial %s)\n", i ? "\n" : "", v->node.disk->name,
		       v->node.disk->serial ? v->node.disk->serial : "-");
		for (size_t k = 0; k < v->node.n_slots; k++)
			print_slot(v, k);
		for (size_t k = 0; k < SW_NODE_EXTRAS; k++)
			print_extra(&v->extras[k]);
	}
	if (differ)
		printf("\nThe disks do not hold the same:\n%s", differ);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(views_clear) struct views vs = {};
	_cleanup_free_ char *differ = NULL;
	bool verify = cli->args.n_rest > 0;
	int r;

	if (verify && strcmp(cli->args.rest[0], "verify") != 0) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "slots: unexpected \"%s\"",
			cli->args.rest[0]);
		sw_error_hint(err, "`slipway slots` or `slipway slots verify`");
		return -EINVAL;
	}
	r = open_views(cli, &vs, err);
	if (r < 0)
		return r;
	differ = differences(&vs);
	if (cli->json)
		print_json(&vs, differ);
	else
		print_text(&vs, differ);
	return verify ? verdict(&vs, differ, err) : 0;
}

static const struct sw_opt opts[] = {
	{ 'd', "disk", "NAME", "only this disk's slots (default: every disk of the node)" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_slots = {
	.name = "slots",
	.summary = "Show what the node's slots hold; every image is hashed",
	.operands = "[verify]",
	.max_rest = 1,
	.opts = opts,
	.details = "Also whether rescue image and iPXE are what the install put there, and the\n"
		   "overlays what the slots name. With verify one of these or a slot that is bad\n"
		   "or damaged, a disk without a good slot, or disks of one node that do not hold\n"
		   "the same, is exit 8.",
	.run = run,
};
