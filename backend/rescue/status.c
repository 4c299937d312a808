/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/status.h"

#include <string.h>

#include "admission/admitted.h"
#include "apply/apply.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/bootlist.h"
#include "boot/lastfail.h"
#include "boot/nodedata.h"
#include "boot/node.h"
#include "boot/varstore.h"
#include "boot/why.h"
#include "disk/health.h"
#include "disk/wipemark.h"
#include "net/http.h"
#include "rescue/count.h"
#include "rescue/outlook.h"
#include "rescue/servers.h"
#include "tpm/facts.h"

/* What is looked at: borrowed from the caller. */
struct look {
	struct sw_machine *m;
	const struct sw_facts *f;
	json_object *vars;
	const struct sw_switch *s;	/* NULL: no UEFI variables, or several nodes */
};

static const char *const states[] = {
	[SW_JOURNAL_NONE] = "none",
	[SW_JOURNAL_RUNNING] = "interrupted",
	[SW_JOURNAL_DONE] = "done",
	[SW_JOURNAL_UNDONE] = "undone",
	[SW_JOURNAL_ALONE] = "alone",
	[SW_JOURNAL_OWED] = "partly undone",
};

static void add_failure(const struct look *t, json_object *o)
{
	struct sw_varstore *vars = NULL;
	struct sw_error ignored = {};
	struct sw_lastfail f;

	if (sw_machine_vars(t->m, &vars, &ignored) < 0 || sw_lastfail_read(vars, &f) < 0)
		return;
	sw_json_add(o, "last_failure", sw_lastfail_to_json(&f));
}

/* The disks of a set: which they are, whether they are here and what is on them. */
static json_object *disks_json(const struct sw_journal_info *i, uint64_t set)
{
	json_object *list = json_object_new_array();

	for (size_t k = 0; k < i->plan->n_disks + i->plan->n_asides && k < 64; k++) {
		bool names = k >= i->plan->n_disks;
		const struct sw_plan_disk *d = names ? &i->plan->asides[k - i->plan->n_disks].disk
						     : &i->plan->disks[k];
		_cleanup_free_ char *holds = set >> k & 1 ? sw_undo_holds(i, k) : NULL;
		_cleanup_free_ char *text = holds ? sw_undo_disk(i, k) : NULL;
		json_object *o;

		if (!text)
			continue;
		o = json_object_new_object();
		if (!names)
			sw_json_add_u64(o, "disk", k + 1);
		sw_json_add_bool(o, "names", names);
		sw_json_add_str(o, "model", d->model);
		sw_json_add_str(o, "serial", d->serial);
		sw_json_add_str(o, "wwn", d->wwn);
		sw_json_add_str(o, "holds", holds);
		sw_json_add_str(o, "text", text);
		sw_json_add_bool(o, "here", !((i->absent | i->names_away) >> k & 1));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *journal_json(const struct sw_journal_info *i)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "disk", i->disk_name);
	sw_json_add_str(o, "state", states[i->state]);
	sw_json_add_u64(o, "step", i->step);
	sw_json_add_u64(o, "steps", i->steps);
	sw_json_add_str(o, "title", i->step_title);
	sw_json_add_str(o, "alone", i->alone);
	sw_json_add_u64(o, "disks", i->plan->n_disks);
	sw_json_add(o, "absent", disks_json(i, i->absent));
	sw_json_add(o, "owed", disks_json(i, i->state == SW_JOURNAL_UNDONE ? 0 : i->owed));
	json_object_object_add(o, "time", json_object_new_int64(i->time));
	return o;
}

static int journals(const struct look *t, json_object *o, struct sw_error *err)
{
	struct sw_journal_info *infos = NULL;
	json_object *list;
	size_t n = 0;
	int r = sw_journal_scan(t->m, t->f, &infos, &n, err);

	if (r < 0)
		return r;
	list = json_object_new_array();
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, journal_json(&infos[i]));
	sw_json_add(o, "journals", list);
	sw_journal_infos_free(infos, n);
	return 0;
}

/* Disks that say that a wipe of them did not end. */
static void wipes(const struct look *t, json_object *o)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < t->f->n_disks; i++) {
		const struct sw_disk *d = &t->f->disks[i];
		_cleanup_io_ struct sw_io *io = NULL;
		struct sw_error ignored = {};
		struct sw_wipe_mark m;
		json_object *item;

		if (d->medium || sw_machine_open_disk(t->m, d, false, false, &io, &ignored) < 0 ||
		    sw_wipe_mark_read(io, &m) < 0)
			continue;
		item = json_object_new_object();
		sw_json_add_str(item, "disk", d->name);
		sw_json_add_str(item, "node", d->node);
		sw_json_add_str(item, "method", sw_wipe_method_name(m.method));
		sw_json_add_u64(item, "percent", sw_wipe_mark_percent(&m));
		json_object_object_add(item, "time", json_object_new_int64(m.time));
		json_object_array_add(list, item);
	}
	sw_json_add(o, "wipes", list);
}

/* The slot in that partition where it was read already; NULL: it was not. */
static const struct sw_node_slot *known_slot(const struct look *t, const struct sw_part *p)
{
	for (size_t i = 0; t->s && i <= t->s->n_copies; i++) {
		const struct sw_node *n = i ? &t->s->copies[i - 1] : &t->s->node;

		for (size_t k = 0; k < n->n_slots; k++)
			if (n->slots[k].part == p)
				return &n->slots[k];
	}
	return NULL;
}

static json_object *slot_json(const struct look *t, struct sw_io *io, const struct sw_part *p)
{
	const struct sw_node_slot *s = known_slot(t, p);
	json_object *o = json_object_new_object();
	struct sw_node_slot own = { .part = p };

	if (!s)
		sw_node_slot_read(io, NULL, &own);
	s = s ? s : &own;
	sw_json_add_str(o, "partition", p->label);
	sw_json_add_u64(o, "number", p->number);
	sw_json_add_bool(o, "filled", s->filled);
	if (!s->filled) {
		sw_json_add_bool(o, "damaged", !s->blank);
		sw_json_add_str(o, "why", s->why);
		return o;
	}
	sw_json_add_bool(o, "hash_ok", s->good);
	sw_json_add_u64(o, "sequence", s->m.sequence);
	sw_json_add_str(o, "build_id", s->m.build_id);
	sw_json_add_str(o, "sha256", s->m.sha256);
	sw_json_add_str(o, "source", s->m.source);
	sw_json_add_str(o, "reason", s->m.reason);
	json_object_object_add(o, "time", json_object_new_int64(s->m.time));
	sw_slot_manifest_clear(&own.m);
	return o;
}

/* NULL when nothing of ours is on the disk. */
static json_object *disk_json(const struct look *t, const struct sw_disk *d)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *slots = json_object_new_array(), *node = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error err = {};
	uint64_t sequence;

	sw_json_add_str(o, "disk", d->name);
	sw_json_add_str(o, "serial", d->serial);
	sw_json_add(o, "slots", slots);
	for (size_t i = 0; i < d->table.n_parts; i++) {
		const struct sw_part *p = &d->table.parts[i];

		if (!sw_part_is_slot(p) && !sw_part_is_node_data(p))
			continue;
		if (!io && sw_machine_open_disk(t->m, d, false, false, &io, &err) < 0) {
			sw_json_add_str(o, "error", err.what);
			return TAKE_PTR(o);
		}
		if (sw_part_is_slot(p))
			json_object_array_add(slots, slot_json(t, io, p));
		else if (!node && sw_nodedata_read(io, p->start, p->size, &node, &sequence,
						   &err) == 0)
			sw_json_add(o, "node", node);
	}
	return node || json_object_array_length(slots) ? TAKE_PTR(o) : NULL;
}

/* A node without a disk has its data in the firmware. */
static void add_diskless(const struct look *t, json_object *list)
{
	struct sw_node node = {};
	json_object *o;

	if (!t->vars || sw_node_read_variable(t->m, &node) < 0)
		return;
	o = json_object_new_object();
	sw_json_add_str(o, "disk", SW_NO_DISK);
	sw_json_add(o, "slots", json_object_new_array());
	sw_json_add(o, "node", node.data);
	json_object_array_add(list, o);
}

/* A TPM that never counted is not asked. */
static void add_tpm(const struct sw_switch *s, json_object *o)
{
	struct sw_count c;

	if (s->m->kind != SW_MACHINE_CAPTURED && sw_count_is_kept(s->node.data) &&
	    sw_count_look(s, &c) == 0)
		sw_json_add(o, "tpm", sw_count_to_json(&c));
}

/* Nothing of it where there are no UEFI variables, or several nodes to choose from. */
static void add_why(const struct look *t, json_object *o)
{
	const char *proc = t->m->proc_root ? t->m->proc_root : "/proc";
	_cleanup_free_ char *path = sw_fmt("%s/cmdline", proc);
	_cleanup_free_ char *cmdline = NULL;
	_cleanup_why_ struct sw_why w = {};
	json_object *lines;

	if (!t->s)
		return;
	add_tpm(t->s, o);
	if (path)
		(void)sw_file_read_line(path, &cmdline);
	if (sw_why_make(t->s, cmdline, t->f->time, &w) < 0)
		return;
	lines = json_object_new_array();
	for (size_t i = 0; i < w.n_lines; i++)
		json_object_array_add(lines, json_object_new_string(sw_text_clean(w.lines[i])));
	sw_json_add(w.json, "text", lines);
	sw_json_add(o, "here", json_object_get(w.json));
}

/* Ours by partition and path: a label that somebody changed does not hide an entry. */
static int add_entries(const struct look *t, json_object *list)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	struct sw_boot_list l = {};
	int r = t->vars ? sw_varset_load(t->vars, &set) : 0;

	if (r == 0)
		r = sw_boot_list_make(&set, t->f, &l);
	for (size_t i = 0; i < l.n; i++) {
		json_object *item;

		if (l.v[i].owner != SW_OWNER_OURS || l.v[i].memtest)
			continue;
		item = json_object_new_object();
		sw_json_add_u64(item, "number", l.v[i].number);
		sw_json_add_str(item, "label", l.v[i].label);
		json_object_array_add(list, item);
	}
	sw_boot_list_clear(&l);
	return r;
}

/* True when what runs is the node's own system, which is to be admitted. */
static bool is_node(json_object *status)
{
	const char *road = sw_json_str(sw_json_get(status, "here"), "road", "");

	return strcmp(road, "slot") == 0 || strcmp(road, "network") == 0;
}

static bool is_noted(json_object *list, const char *kind)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (strcmp(sw_json_str(json_object_array_get_idx(list, i), "kind", ""), kind) == 0)
			return true;
	return false;
}

/*
 * After a restart nothing was tried yet, but a node that runs from a slot knows more: with the
 * image the overlay was kept that its servers had given it, and its start was accepted with that.
 */
static void add_kept(const struct look *t, json_object *one)
{
	const struct sw_node_slot *slot;

	if (t->s->road != SW_ROAD_SLOT || t->s->road_slot >= t->s->node.n_slots)
		return;
	slot = &t->s->node.slots[t->s->road_slot];
	if (!slot->filled || !slot->m.overlay[0])
		return;
	sw_json_add_bool(one, "admitted", true);
	sw_json_add_str(one, "kept_overlay", slot->m.overlay);
	json_object_object_add(one, "kept_time", json_object_new_int64(slot->m.time));
}

/* How those of this start went, and which of the node's have not been tried in it. */
static void add_admissions(const struct look *t, json_object *o)
{
	_cleanup_(sw_admit_list_clear) struct sw_admit_list node = {};
	json_object *list = sw_admitted_look(t->m);

	if (!list)
		list = json_object_new_array();
	if (is_node(o) && t->s->node.data)	/* that there is a road needs the switch */
		(void)sw_admit_from_data(t->s->node.data, &node, NULL);
	for (size_t i = 0; i < node.n; i++) {
		_cleanup_free_ char *url = sw_http_show(node.v[i].url ? node.v[i].url : "");
		json_object *one;

		if (is_noted(list, node.v[i].profile->kind))
			continue;
		one = json_object_new_object();
		sw_json_add_str(one, "kind", node.v[i].profile->kind);
		sw_json_add_str(one, "url", url);
		add_kept(t, one);
		json_object_array_add(list, one);
	}
	sw_json_add(o, "admissions", list);
}

/* A TPM that cannot be asked is for the doctor to judge. */
static void ask_tpm(const struct look *t, json_object *machine, struct sw_outlook *in)
{
	struct sw_tpm_facts tpm = {};
	const char *tcti;

	sw_json_add_bool(machine, "tpm", t->f->tpm_present);
	sw_json_add_str(machine, "tpm_version", t->f->tpm_version);
	if (!t->f->tpm_present || sw_machine_tcti(t->m, &tcti, NULL) < 0 ||
	    sw_tpm_read_facts(tcti, &tpm, NULL) < 0)
		return;
	sw_json_add_bool(machine, "tpm_attests", tpm.attests);
	sw_json_add_bool(machine, "tpm_seals", tpm.seals);
	sw_json_add_bool(machine, "tpm_locked", tpm.locked);
	in->failures = tpm.failures;
	in->failures_max = tpm.failures_max;
}

static void add_disks(const struct look *t, json_object *machine)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < t->f->n_disks; i++) {
		const struct sw_disk *d = &t->f->disks[i];
		json_object *o = json_object_new_object();

		sw_json_add_str(o, "disk", d->name);
		sw_json_add_u64(o, "size", d->size);
		sw_json_add_str(o, "health", sw_health_name(d->health));
		sw_json_add_bool(o, "medium", d->medium);
		json_object_array_add(list, o);
	}
	sw_json_add(machine, "disks", list);
}

/* What it runs on, and what is likely to go wrong next. */
static int add_machine(const struct look *t, json_object *o)
{
	_cleanup_findings_ struct sw_findings found = {};
	struct sw_outlook in = { .status = o, .now = t->f->time };
	json_object *machine = json_object_new_object(), *soon;
	struct sw_varstore *vars = NULL;

	sw_json_add(o, "machine", machine);
	sw_json_add_str(machine, "firmware",
			t->f->firmware == SW_FIRMWARE_BIOS ? "bios" : "uefi");
	sw_json_add_bool(machine, "secure_boot", t->f->secure_boot);
	add_disks(t, machine);
	ask_tpm(t, machine, &in);
	if (t->vars && sw_machine_vars(t->m, &vars, NULL) == 0)
		(void)sw_var_space(vars, &in.store_total, &in.store_free);
	if (sw_rescue_examine(t->m, t->f, vars, t->vars, NULL, t->s, NULL, &found, NULL) == 0)
		in.found = &found;
	soon = sw_outlook_make(&in);
	if (!soon)
		return -ENOMEM;
	sw_json_add(o, "soon", soon);
	return 0;
}

static int collect(const struct look *t, json_object **ret_status, struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *list = json_object_new_array(), *ours = json_object_new_array();
	int r = journals(t, o, err);

	wipes(t, o);
	sw_json_add(o, "installed", list);
	sw_json_add(o, "entries", ours);
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->f->n_disks; i++) {
		json_object *d = disk_json(t, &t->f->disks[i]);

		if (d)
			json_object_array_add(list, d);
	}
	if (json_object_array_length(list) == 0)
		add_diskless(t, list);
	r = add_entries(t, ours);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot decode the boot variables");
	add_why(t, o);
	add_admissions(t, o);
	add_failure(t, o);
	if (add_machine(t, o) < 0)
		return sw_fail_oom(err);
	*ret_status = TAKE_PTR(o);
	return 0;
}

int sw_status_look(struct sw_machine *m, const struct sw_facts *f, json_object *vars,
		   json_object **ret_status, struct sw_error *err)
{
	struct look t = { .m = m, .f = f, .vars = vars };
	_cleanup_switch_ struct sw_switch s = {};
	struct sw_varstore *store = NULL;

	/* Once for all that follows: it hashes every image of the node. */
	if (vars && sw_machine_vars(m, &store, NULL) == 0 &&
	    sw_switch_open(m, f, store, vars, NULL, &s, NULL) == 0)
		t.s = &s;
	return collect(&t, ret_status, err);
}
