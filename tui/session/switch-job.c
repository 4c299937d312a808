/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/switch-job.h"

#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "boot/switch.h"

/* What a person can choose; the words stand here once. */
static const struct choice {
	const char *id, *label, *text;
	enum sw_node_mode mode;
	enum sw_strategy strategy;
	enum sw_once once;
	char letter;
} choices[] = {
	{ "network", N_("Network"), N_("the network is tried at each boot, else the newest good "
		"slot"),
	  SW_NODE_NETWORK, SW_STRATEGY_ARMED, SW_ONCE_NONE, 0 },
	{ "order", N_("Network first"), N_("the network is first in the order; an image that "
	  "panics is tried for ever"), SW_NODE_NETWORK, SW_STRATEGY_ORDER, SW_ONCE_NONE, 0 },
	{ "local", N_("Local"), N_("the newest good slot, then the other; never the network"),
	  SW_NODE_LOCAL, SW_STRATEGY_ARMED, SW_ONCE_NONE, 0 },
	{ "once-network", N_("Once: the network"), N_("only at the next boot; the mode stays"),
	  SW_NODE_LOCAL, SW_STRATEGY_ARMED, SW_ONCE_NETWORK, 0 },
	{ "once-local", N_("Once: the disk"), N_("only at the next boot; the mode stays"),
	  SW_NODE_LOCAL, SW_STRATEGY_ARMED, SW_ONCE_LOCAL, 0 },
	{ "once-a", N_("Once: slot A"), N_("only at the next boot; the mode stays"), SW_NODE_LOCAL,
	  SW_STRATEGY_ARMED, SW_ONCE_SLOT, 'a' },
	{ "once-b", N_("Once: slot B"), N_("only at the next boot; the mode stays"), SW_NODE_LOCAL,
	  SW_STRATEGY_ARMED, SW_ONCE_SLOT, 'b' },
	{ "once-rescue", N_("Once: the rescue image"), N_("only at the next boot; the mode stays"),
	  SW_NODE_LOCAL, SW_STRATEGY_ARMED, SW_ONCE_RESCUE, 0 },
	{ "hands-off", N_("Hands off"), N_("boot order and next boot are left to the operator"),
	  SW_NODE_HANDS_OFF, SW_STRATEGY_ARMED, SW_ONCE_NONE, 0 },
};

struct look {
	struct sw_facts *f;
	json_object *raw;
	struct sw_switch s;
};

static void look_clear(struct look *l)
{
	sw_switch_clear(&l->s);
	json_object_put(l->raw);
	sw_facts_free(l->f);
}

static int look_open(struct sw_machine *m, struct look *l, struct sw_error *err)
{
	struct sw_varstore *vars = NULL;
	int r = sw_machine_facts(m, &l->f, err);

	if (r < 0)
		return r;
	if (!l->f->boot.supported || m->kind == SW_MACHINE_CAPTURED)
		return sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP,
			       "this machine has no EFI variables to switch with");
	r = sw_machine_vars(m, &vars, err);
	if (r == 0)
		r = sw_entries_snapshot(vars, &l->raw, err);
	return r < 0 ? r : sw_switch_open(m, l->f, vars, l->raw, NULL, &l->s, err);
}

static struct sw_mode_wish wish_of(const struct sw_switch *s, const struct choice *c)
{
	struct sw_mode_wish w = s->wish;

	w.explicit = true;
	w.once = c->once;
	w.once_letter = c->letter;
	if (!c->once) {
		w.mode = c->mode;
		w.strategy = c->strategy;
	}
	return w;
}

static bool is_now(const struct sw_switch *s, const struct choice *c)
{
	return !c->once && s->wish.mode == c->mode &&
	       (c->mode != SW_NODE_NETWORK || s->wish.strategy == c->strategy);
}

static void add_write(json_object *list, const char *name, const char *text)
{
	json_object *pair = json_object_new_array();

	json_object_array_add(pair, json_object_new_string(name));
	json_object_array_add(pair, json_object_new_string(text));
	json_object_array_add(list, pair);
}

static json_object *choice_to_json(const struct sw_switch *s, const struct choice *c)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	json_object *o = json_object_new_object(), *writes = json_object_new_array();
	json_object *notes = json_object_new_array();
	struct sw_mode_wish w = wish_of(s, c);
	struct sw_error err = {};

	sw_json_add_str(o, "id", c->id);
	sw_json_add_str(o, "label", _(c->label));
	sw_json_add_str(o, "text", _(c->text));
	sw_json_add_bool(o, "now", is_now(s, c));
	if (sw_switch_plan(s, &w, &res, &err) < 0)
		sw_json_add_str(o, "off", err.what);
	for (size_t i = 0; i < res.plan.n_writes; i++)
		add_write(writes, res.plan.writes[i].name, res.plan.writes[i].text);
	if (res.state_changed && !err.r)
		add_write(writes, SW_MODE_VARIABLE, _("what was set, to compare at the next boot"));
	for (size_t i = 0; i < res.n_notes; i++)
		json_object_array_add(notes, json_object_new_string(res.notes[i]));
	sw_json_add(o, "writes", writes);
	sw_json_add(o, "notes", notes);
	return o;
}

static void add_labels(const struct sw_switch *s, json_object *out)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	json_object *order = json_object_new_array();
	char name[64];

	if (sw_varset_load(s->raw, &set) == 0) {
		for (size_t i = 0; i < set.n_order; i++)
			json_object_array_add(order, json_object_new_string(
				sw_varset_name(&set, set.order[i], name)));
		if (set.next >= 0)
			sw_json_add_str(out, "next",
					sw_varset_name(&set, (uint16_t)set.next, name));
	}
	sw_json_add(out, "order", order);
}

static void describe(const struct sw_switch *s, json_object *out)
{
	static const char *const roads[] = {
		[SW_ROAD_UNKNOWN] = N_("unknown"), [SW_ROAD_SLOT] = "",
		[SW_ROAD_NETWORK] = N_("the network"), [SW_ROAD_OTHER] = N_("something else"),
	};
	json_object *list = json_object_new_array();
	char road[64];

	if (s->road == SW_ROAD_SLOT)
		(void)snprintf(road, sizeof(road), _("slot %c"),
			       s->node.slots[s->road_slot].letter - 'a' + 'A');
	else
		(void)snprintf(road, sizeof(road), "%s", _(roads[s->road]));
	sw_json_add_str(out, "running", road);
	sw_json_add_str(out, "why", s->why);
	sw_json_add_str(out, "mode", sw_node_mode_name(s->wish.mode));
	sw_json_add_str(out, "strategy", sw_strategy_name(s->wish.strategy));
	sw_json_add_bool(out, "have_node", s->have_node);
	add_labels(s, out);
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		json_object_array_add(list, choice_to_json(s, &choices[i]));
	sw_json_add(out, "choices", list);
}

static int carry_out(struct sw_machine *m, const char *id, size_t *ret_written,
		     char unkept[static 200], struct sw_error *err)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	_cleanup_(look_clear) struct look l = {};
	const struct choice *c = NULL;
	struct sw_mode_wish w;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		if (strcmp(choices[i].id, id) == 0)
			c = &choices[i];
	if (!c)
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "there is no such choice");
	r = look_open(m, &l, err);
	if (r < 0)
		return r;
	w = wish_of(&l.s, c);
	r = sw_switch_plan(&l.s, &w, &res, err);
	if (r == 0)
		r = sw_switch_apply(&l.s, &w, &res, ret_written, err);
	memcpy(unkept, l.s.unkept, sizeof(l.s.unkept));
	return r;
}

int sw_switch_job(struct sw_machine *m, const char *choice, json_object *out,
		  struct sw_error *err)
{
	_cleanup_(look_clear) struct look l = {};
	size_t written = 0;
	char unkept[200] = "";
	int r = choice ? carry_out(m, choice, &written, unkept, err) : 0;

	if (r == 0)
		r = look_open(m, &l, err);
	if (r < 0)
		return r;
	describe(&l.s, out);
	if (choice)
		sw_json_add_u64(out, "written", written);
	if (unkept[0])
		sw_json_add_str(out, "unkept", unkept);
	return 0;
}
