/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/switch-private.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"

/*
 * Below run_dir, which a restart empties: the boot id under which we last wrote, then a line for
 * each thing that this start had shown until then; what we write makes it invisible otherwise.
 */
#define MARK "boot-switch"

static const char *const vias[] = { "auto", "http", "pxe", "ipxe" };

static void wish_from_data(json_object *data, struct sw_mode_wish *w)
{
	json_object *net = sw_json_get(data, "network");
	const char *via = sw_json_str(net, "via", "auto"), *mac = sw_json_str(net, "nic", NULL);

	(void)sw_node_mode_parse(sw_json_str(data, "mode", "local"), &w->mode);
	(void)sw_strategy_parse(sw_json_str(data, "strategy", "armed"), &w->strategy);
	for (size_t i = 0; i < ARRAY_SIZE(vias); i++)
		if (strcmp(via, vias[i]) == 0)
			w->net.via = (enum sw_via)i;
	w->net.uri = sw_json_str(net, "uri", NULL);
	w->net.have_mac = mac && sw_mac_parse(mac, w->net.mac) == 0;
}

static bool same_boot(const struct sw_machine *m, const char *boot_id)
{
	_cleanup_free_ char *path = sw_fmt("%s/" MARK, m->run_dir), *line = NULL;

	return path && boot_id && sw_file_read_line(path, &line) == 0 &&
	       strcmp(line, boot_id) == 0;
}

static void read_tried(struct sw_switch *s)
{
	_cleanup_free_ char *path = sw_fmt("%s/" MARK, s->m->run_dir);
	_cleanup_buf_ struct sw_buf b = { .max = sizeof(s->tried) + 200 };
	char *line, *rest;

	if (!s->ev.same_boot || !path || sw_file_read(path, &b) < 0)
		return;
	rest = (char *)sw_buf_text(&b);
	(void)strsep(&rest, "\n");	/* the boot id */
	while ((line = strsep(&rest, "\n")) && s->n_tried < SW_MODE_NOTES)
		if (*line)
			(void)snprintf(s->tried[s->n_tried++], sizeof(s->tried[0]), "%s", line);
}

/* What `slipway status` can tell only until something is written. */
static void note_tried(struct sw_switch *s)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };

	if (s->ev.same_boot || sw_switch_plan(s, &s->wish, &res, NULL) < 0)
		return;
	for (size_t i = 0; i < res.n_notes; i++)
		memcpy(s->tried[i], res.notes[i], sizeof(s->tried[i]));
	s->n_tried = res.n_notes;
}

static int write_mark(const struct sw_machine *m, const char *boot_id,
		      const char (*tried)[200], size_t n_tried)
{
	_cleanup_free_ char *path = sw_fmt("%s/" MARK, m->run_dir);
	_cleanup_buf_ struct sw_buf b = {};
	int r = path ? 0 : -ENOMEM;

	if (r < 0 || !boot_id || same_boot(m, boot_id))
		return r;
	r = sw_buf_addf(&b, "%s\n", boot_id);
	for (size_t i = 0; r == 0 && i < n_tried; i++)
		r = sw_buf_addf(&b, "%s\n", tried[i]);
	if (r == 0)
		r = sw_mkdir_all(m->run_dir, 0700);
	return r < 0 ? r : sw_file_write(path, b.data, b.len, 0600);
}

int sw_switch_mark(const struct sw_machine *m, const char *boot_id)
{
	return write_mark(m, boot_id, NULL, 0);
}

static int read_node(struct sw_switch *s, const char *disk, struct sw_error *err)
{
	struct sw_error e = {};
	int r = sw_node_find(s->m, s->f, disk, &s->node, &e);

	s->have_node = r == 0;
	if (r == 0)
		r = sw_switch_read_copies(s, &e);
	if (r == -ENOENT && !disk && !s->have_node)
		(void)sw_node_read_variable(s->m, &s->node);
	if (r == 0 || (r == -ENOENT && !disk && !s->have_node))
		return 0;
	if (err)
		*err = e;
	return r;
}

int sw_switch_find_road(struct sw_switch *s)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	int r = sw_varset_load(s->raw, &set);

	if (r == 0)
		s->road = sw_node_road(s->vars, &set, &s->node, s->ev.current, &s->road_slot,
				       s->why);
	return r;
}

int sw_switch_open(struct sw_machine *m, const struct sw_facts *f, struct sw_varstore *vars,
		   json_object *raw, const char *disk, struct sw_switch *ret_switch,
		   struct sw_error *err)
{
	_cleanup_switch_ struct sw_switch s = { .m = m, .f = f, .vars = vars, .raw = raw };
	int r = read_node(&s, disk, err);

	if (r < 0)
		return r;
	s.have_state = sw_mode_state_read(vars, &s.state) == 0;
	s.ev.same_boot = same_boot(m, f->boot_id);
	read_tried(&s);
	s.ev.current = f->boot.current;
	if (s.node.data) {
		wish_from_data(s.node.data, &s.wish);
	} else if (s.have_state) {
		s.wish.mode = s.state.mode;
		s.wish.strategy = s.state.strategy;
	}
	r = sw_switch_find_road(&s);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot decode the boot variables");
	*ret_switch = s;
	s = (struct sw_switch){};
	return 0;
}

void sw_switch_clear(struct sw_switch *s)
{
	sw_node_clear(&s->node);
	for (size_t i = 0; i < s->n_copies; i++)
		sw_node_clear(&s->copies[i]);
	free(s->copies);
	if (s->own_raw)
		json_object_put(s->own_raw);
	*s = (struct sw_switch){};
}

int sw_switch_reconcile(const struct sw_switch *s, json_object *raw,
			const struct sw_mode_slot *slots, size_t n_slots,
			const struct sw_mode_wish *wish, struct sw_mode_result *ret_result,
			struct sw_error *err)
{
	struct sw_entry_wanted rescue[SW_MODE_DISKS], ipxe[SW_MODE_DISKS];
	struct sw_mode_wish w = *wish;
	bool starts = w.net.via == SW_VIA_IPXE &&
		      (w.once ? w.once == SW_ONCE_NETWORK : w.mode == SW_NODE_NETWORK);
	size_t n = sw_switch_ipxes(s, starts, ipxe);
	int r = 0;

	w.kept = s->have_node && s->node.data;
	w.rescue = rescue;
	w.n_rescue = sw_switch_rescues(s, rescue);
	if (w.once == SW_ONCE_RESCUE)
		r = sw_switch_whole_rescue(s, rescue, w.n_rescue, err);
	if (r < 0)
		return r;
	w.net.ipxe = n ? ipxe : NULL;
	w.net.ipxe_copies = ipxe + 1;
	w.net.n_ipxe_copies = n ? n - 1 : 0;
	return sw_mode_reconcile(raw, slots, n_slots, &w, s->have_state ? &s->state : NULL, &s->ev,
				 ret_result, err);
}

int sw_switch_plan(const struct sw_switch *s, const struct sw_mode_wish *wish,
		   struct sw_mode_result *ret_result, struct sw_error *err)
{
	struct sw_mode_slot slots[SW_MODE_SLOTS];
	size_t n = sw_switch_slots(s, slots);

	return sw_switch_reconcile(s, s->raw, slots, n, wish, ret_result, err);
}

/* ---- carrying it out ---- */

static json_object *net_to_json(const struct sw_netwish *w)
{
	json_object *o = json_object_new_object();
	char mac[18];

	if (w->via != SW_VIA_AUTO)
		sw_json_add_str(o, "via", vias[w->via]);
	if (w->uri && *w->uri)
		sw_json_add_str(o, "uri", w->uri);
	if (w->have_mac) {
		(void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", w->mac[0],
			       w->mac[1], w->mac[2], w->mac[3], w->mac[4], w->mac[5]);
		sw_json_add_str(o, "nic", mac);
	}
	return o;
}

/* Sets the key unless it holds just this; takes the reference. */
static bool put_key(json_object *data, const char *key, json_object *value)
{
	json_object *now = sw_json_get(data, key);

	if (now && json_object_equal(now, value)) {
		json_object_put(value);
		return false;
	}
	sw_json_add(data, key, value);
	return true;
}

/* False when the node data say so already. Strings of the wish may be gone then. */
static bool put_wish(json_object *d, const struct sw_mode_wish *w,
		     const struct sw_mode_result *res)
{
	json_object *net;
	bool changed;

	changed = put_key(d, "mode", json_object_new_string(sw_node_mode_name(res->mode)));
	/* Node data that never had a strategy needs no write to say the default. */
	if (sw_json_get(d, "strategy") || w->strategy != SW_STRATEGY_ARMED)
		changed |= put_key(d, "strategy",
				   json_object_new_string(sw_strategy_name(w->strategy)));
	net = net_to_json(&w->net);
	if (sw_json_get(d, "network") || json_object_object_length(net))
		changed |= put_key(d, "network", net);
	else
		json_object_put(net);
	return changed;
}

bool sw_switch_changes_data(const struct sw_switch *s, const struct sw_mode_wish *wish,
			    const struct sw_mode_result *res)
{
	_cleanup_json_ json_object *d = NULL;

	return s->node.data && !wish->once &&
	       json_object_deep_copy(s->node.data, &d, NULL) == 0 && put_wish(d, wish, res);
}

/* 1 when the node data was written, 0 when it says so already. */
static int keep_wish(struct sw_switch *s, const struct sw_mode_wish *w,
		     const struct sw_mode_result *res, struct sw_error *err)
{
	int r;

	if (!s->node.data || w->once || !put_wish(s->node.data, w, res))
		return 0;
	r = sw_node_write_data(s->m, &s->node, err);
	return r < 0 ? r : 1;
}

int sw_switch_keep_state(struct sw_switch *s, const struct sw_mode_state *state,
			 struct sw_error *err)
{
	struct sw_error e = {};
	int r = sw_mode_state_write(s->vars, state, &e);

	if (r == 0)
		return 1;
	/* Without node data it is the mode itself; of a single start keep would know nothing. */
	if (!s->node.data || state->once) {
		if (err)
			*err = e;
		return r;
	}
	(void)snprintf(s->unkept, sizeof(s->unkept), "%.80s: %.60s; lost starts are not counted",
		       e.what, e.why);
	return 0;
}

int sw_switch_apply(struct sw_switch *s, const struct sw_mode_wish *wish,
		    const struct sw_mode_result *res, size_t *ret_written, struct sw_error *err)
{
	size_t done = 0;
	int kept, r;

	note_tried(s);
	kept = keep_wish(s, wish, res, err);
	if (kept < 0)
		return kept;
	r = sw_entry_plan_apply(s->vars, &res->plan, &done, err);
	*ret_written = done;
	if (r < 0 && kept && err)
		err->exit = SW_EXIT_DIRTY;	/* the wish is on the disk */
	if (r < 0)
		return r;
	r = res->state_changed ? sw_switch_keep_state(s, &res->state, err) : 0;
	if (r < 0)
		return r;
	*ret_written += (size_t)r;
	r = write_mark(s->m, s->f->boot_id, (const char (*)[200])s->tried, s->n_tried);
	if (r < 0)
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "cannot note that this boot was seen");
	return r;
}
