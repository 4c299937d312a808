/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/promote.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/entries-private.h"

int sw_node_first_slot(const struct sw_node *n, const struct sw_varset *s)
{
	for (size_t i = 0; i < s->n_order; i++) {
		const struct sw_varset_entry *e = sw_varset_find(s, s->order[i]);

		for (size_t k = 0; e && k < n->n_slots; k++) {
			struct sw_entry_wanted w = sw_node_entry(n, k);

			if (sw_entry_match(e->data, e->len, &w) != SW_ENTRY_FOREIGN)
				return (int)k;
		}
	}
	return -1;
}

static int best_but(const struct sw_node *n, int but)
{
	int best = -1;

	for (size_t i = 0; i < n->n_slots; i++) {
		const struct sw_node_slot *a = &n->slots[i];
		const struct sw_node_slot *b = best < 0 ? NULL : &n->slots[best];

		if (!a->good || (int)i == but)
			continue;
		if (!b || (b->held && !a->held) ||
		    (a->held == b->held && a->m.sequence > b->m.sequence))
			best = (int)i;
	}
	return best;
}

int sw_node_best_slot(const struct sw_node *n)
{
	return best_but(n, -1);
}

static int refuse(struct sw_error *err, const char *what, const char *why, const char *hint)
{
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "%s", what);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return -EPERM;
}

/*
 * What stays: the running slot, else the first in the order, else the best. A
 * running slot that is damaged on the disk is no support for anything.
 */
static int choose(const struct sw_switch *s, const struct sw_varset *set, struct sw_promote *p,
		  struct sw_error *err)
{
	const struct sw_node *n = &s->node;
	int first = sw_node_first_slot(n, set), running = -1;

	if (s->road == SW_ROAD_SLOT)
		running = (int)s->road_slot;
	if (running >= 0 && !n->slots[running].good)
		return refuse(err, "promote is refused: the running slot is damaged on the disk",
			      n->slots[running].why,
			      "start from the network or the medium and repair it first");
	p->stays = running >= 0 ? running
		   : first >= 0 && n->slots[first].good ? first
							: sw_node_best_slot(n);
	for (size_t i = 0; i < n->n_slots; i++) {
		if ((int)i == p->stays)
			continue;
		p->target = i;
		return 0;
	}
	return refuse(err, "promote is refused: there is no second slot",
		      "the only slot must stay as it is",
		      "install with a layout that has two slots");
}

static bool listed(json_object *list, const struct sw_guid *uuid)
{
	char text[SW_GUID_TEXT];

	sw_guid_format(uuid, text);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (json_object_is_type(o, json_type_string) &&
		    strcasecmp(json_object_get_string(o), text) == 0)
			return true;
	}
	return false;
}

bool sw_promote_knows(json_object *data, const struct sw_guid *uuid)
{
	json_object *list = sw_json_array(data, "slots");

	return !list || listed(list, uuid);
}

/*
 * A slot is written only where it is ours: the partition is one that the install
 * made (node data names them), and it is empty or holds an image of ours. Type and
 * name alone would also fit what somebody else put there.
 */
static int check_ours(const struct sw_node *n, size_t target, struct sw_error *err)
{
	const struct sw_node_slot *s = &n->slots[target];
	char why[200];

	if (!sw_promote_knows(n->data, &s->part->uuid)) {
		(void)snprintf(why, sizeof(why), "partition %u is called %s but is none that the "
			       "install made", s->part->number, s->part->label);
		return refuse(err, "promote is refused: the slot to write is not ours", why,
			      "look at what it is; a new install makes it a slot again");
	}
	if (s->filled || !s->part->fs_type)
		return 0;
	(void)snprintf(why, sizeof(why), "partition %u (%s) holds %s without a manifest of ours",
		       s->part->number, s->part->label, s->part->fs_type);
	return refuse(err, "promote is refused: the slot to write holds something else", why,
		      "save what is in it and clear it (wipefs -a), or install again");
}

/* The variables as they would be after these writes. */
static int simulate(json_object *raw, const struct sw_entry_plan *p, json_object **ret_raw)
{
	_cleanup_json_ json_object *o = NULL;

	if (json_object_deep_copy(raw, &o, NULL) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_writes; i++) {
		const struct sw_entry_write *w = &p->writes[i];
		_cleanup_free_ char *hex = sw_hex_encode(w->data, w->len);

		if (!hex)
			return -ENOMEM;
		if (w->len)
			sw_json_add_str(o, w->name, hex);
		else
			json_object_object_del(o, w->name);
	}
	*ret_raw = TAKE_PTR(o);
	return 0;
}

/* Our slots are written as `slots` has them: the order that the mode wants. */
static int plan_order(const struct sw_switch *s, json_object *raw,
		      const struct sw_mode_slot *slots, size_t n,
		      struct sw_mode_result *ret_result, struct sw_error *err)
{
	struct sw_mode_wish w = s->wish;

	w.explicit = false;
	w.keep_next = true;
	w.once = SW_ONCE_NONE;
	return sw_switch_reconcile(s, raw, slots, n, &w, ret_result, err);
}

static int plan_before(const struct sw_switch *s, const struct sw_varset *set,
		       struct sw_promote *p, struct sw_error *err)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	struct sw_mode_slot slots[SW_MODE_SLOTS];
	size_t n;
	int r;

	if (p->stays < 0 || sw_node_first_slot(&s->node, set) == p->stays ||
	    s->wish.mode == SW_NODE_HANDS_OFF)
		return 0;
	n = sw_switch_slots(s, slots);
	for (size_t i = 0; i < s->node.n_slots; i++)
		slots[i].held = (int)i != p->stays;
	r = plan_order(s, s->raw, slots, n, &res, err);
	if (r < 0)
		return r;
	p->before = res.plan;
	res.plan = (struct sw_entry_plan){};
	return 0;
}

/* Hands-off, or a firmware that owns the order: the slot that starts is never overwritten. */
static int check_first(const struct sw_switch *s, json_object *raw, const struct sw_promote *p,
		       struct sw_error *err)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	int r = sw_varset_load(raw, &set);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot decode the boot variables");
	if (p->stays < 0 || sw_node_first_slot(&s->node, &set) != (int)p->target)
		return 0;
	return refuse(err, "promote is refused: the slot to write comes first",
		      "the boot order may not be written",
		      "put the other slot first with `slipway boot order`");
}

static int plan_after(const struct sw_switch *s, struct sw_promote *p, struct sw_error *err)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	struct sw_mode_slot slots[SW_MODE_SLOTS];
	_cleanup_json_ json_object *raw = NULL;
	size_t n;
	int r = simulate(s->raw, &p->before, &raw);

	if (r < 0)
		return sw_fail_oom(err);
	r = check_first(s, raw, p, err);
	if (r < 0)
		return r;
	n = sw_switch_slots(s, slots);
	slots[p->target].good = true;
	slots[p->target].held = false;
	slots[p->target].sequence = p->sequence;
	r = plan_order(s, raw, slots, n, &res, err);
	if (r < 0)
		return r;
	p->after = res.plan;
	res.plan = (struct sw_entry_plan){};
	p->state = res.state;
	p->state_changed = res.state_changed && s->wish.mode != SW_NODE_HANDS_OFF;
	memcpy(p->notes, res.notes, sizeof(p->notes));
	p->n_notes = res.n_notes;
	return 0;
}

static uint64_t highest(const struct sw_node *n)
{
	uint64_t most = 0;

	for (size_t i = 0; i < n->n_slots; i++)
		if (n->slots[i].filled && n->slots[i].m.sequence > most)
			most = n->slots[i].m.sequence;
	return most;
}

uint64_t sw_promote_highest(const struct sw_switch *s)
{
	uint64_t most = highest(&s->node);

	for (size_t i = 0; i < s->n_copies; i++)
		if (highest(&s->copies[i]) > most)
			most = highest(&s->copies[i]);
	return most;
}

int sw_promote_plan(const struct sw_switch *s, uint64_t sequence, struct sw_promote *ret_promote,
		    struct sw_error *err)
{
	_cleanup_(sw_promote_clear) struct sw_promote p = { .sequence = sequence };
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	int r;

	if (!s->have_node)
		return sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no node on this machine");
	if (s->road == SW_ROAD_UNKNOWN)
		return refuse(err, "promote is refused: how this system was started is unknown",
			      s->why, "start the node by one of its entries and try again");
	r = sw_varset_load(s->raw, &set);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot decode the boot variables");
	if (p.sequence == 0)
		p.sequence = sw_promote_highest(s) + 1;
	if (p.sequence == 0)
		return sw_fail(err, SW_EXIT_REFUSED, -EOVERFLOW, "the sequence is used up");
	r = choose(s, &set, &p, err);
	if (r == 0)
		r = check_ours(&s->node, p.target, err);
	if (r == 0)
		r = plan_before(s, &set, &p, err);
	if (r == 0)
		r = plan_after(s, &p, err);
	if (r < 0)
		return r;
	p.zone = sw_node_overlay_zone(&s->node, p.target);
	if (s->node.slots[p.target].filled)
		memcpy(p.keep, s->node.slots[p.target].m.sha256, sizeof(p.keep));
	*ret_promote = p;
	p = (struct sw_promote){};
	return 0;
}

void sw_promote_clear(struct sw_promote *p)
{
	sw_entry_plan_clear(&p->before);
	sw_entry_plan_clear(&p->after);
}

static int check_slot(struct sw_io *io, uint64_t offset, uint64_t size, const char *sha256,
		      struct sw_error *err)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	bool ok = false;
	int r = sw_io_drop(io);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_VERIFY, r, "the disk's cache cannot be dropped");
	r = sw_slot_read(io, offset, size, &m, &ok, err);
	if (r < 0)
		return r;
	if (ok && strcasecmp(m.sha256, sha256) == 0)
		return 0;
	sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "the slot does not read back as written");
	sw_error_where(err, "%s at byte %llu", io->path, (unsigned long long)offset);
	sw_error_hint(err, "the old slot is still the first; look at the disk's health");
	return -EBADMSG;
}

int sw_promote_write(struct sw_io *io, struct sw_varstore *vars, const struct sw_promote *p,
		     uint64_t offset, uint64_t size, const char *image, const char *sha256,
		     const struct sw_sink *sink, struct sw_error *err)
{
	int r = sw_entry_plan_apply(vars, &p->before, NULL, err);

	if (r == 0 && p->overlay)
		r = sw_kept_write(io, &p->zone, p->overlay, p->overlay_len, sha256,
				     p->keep[0] ? p->keep : NULL, err);
	if (r == 0)
		r = sw_slot_write(io, offset, image, 1, sink, err);
	if (r == 0)
		r = check_slot(io, offset, size, sha256, err);
	if (r < 0)
		return r;
	r = sw_entry_plan_apply(vars, &p->after, NULL, err);
	if (r < 0 && err) {	/* the slot was written, whatever the variables say */
		err->exit = SW_EXIT_DIRTY;
		(void)snprintf(err->hint, sizeof(err->hint),
			       "the new slot is complete and the old one still starts; `slipway "
			       "mode keep` puts the new one first when the firmware takes writes");
	}
	return r == 0 && p->overlay ? sw_kept_mirror(io, &p->zone, sha256, err) : r;
}

/* The best slot of a copy holds the image, and no copy has a newer one. */
static bool holds_newest(const struct sw_switch *s, const struct sw_node *n,
			 const struct sw_slot_manifest *m)
{
	int best = sw_node_best_slot(n);

	return best >= 0 && sw_slot_holds(&n->slots[best], m) &&
	       n->slots[best].m.sequence == sw_promote_highest(s);
}

uint64_t sw_promote_sequence(const struct sw_switch *s, const struct sw_slot_manifest *m)
{
	bool held = holds_newest(s, &s->node, m);

	for (size_t i = 0; i < s->n_copies && !held; i++)
		held = holds_newest(s, &s->copies[i], m);
	return held ? sw_promote_highest(s) : 0;
}

int sw_promote_copy(const struct sw_switch *s, struct sw_varstore *vars, struct sw_promote *p,
		    const struct sw_promote_image *image, const struct sw_sink *sink,
		    struct sw_error *err)
{
	const struct sw_part *part = s->node.slots[p->target].part;
	_cleanup_free_ char *slot = sw_fmt("%s/slot.img", image->dir);
	_cleanup_io_ struct sw_io *io = NULL;
	uint32_t volume_id;
	int r;

	if (!slot)
		return sw_fail_oom(err);
	(void)unlink(slot);	/* of the copy before */
	memcpy(&volume_id, part->uuid.b, sizeof(volume_id));
	image->m->sequence = p->sequence;
	p->overlay = image->overlay;
	p->overlay_len = image->overlay_len;
	r = sw_slot_build(image->uki, image->m, part->size, s->node.disk->sector, volume_id,
			  "SLIPWAY", slot, err);
	if (r == 0)
		r = sw_machine_open_disk(s->m, s->node.disk, true, true, &io, err);
	return r < 0 ? r : sw_promote_write(io, vars, p, part->start, part->size, slot,
					    image->m->sha256, sink, err);
}

static int take_writes(struct sw_switch *s, const struct sw_entry_plan *p)
{
	json_object *raw = NULL;
	int r = simulate(s->raw, p, &raw);

	if (r < 0)
		return r;
	if (s->own_raw)
		json_object_put(s->own_raw);
	s->own_raw = s->raw = raw;
	return 0;
}

int sw_promote_take(struct sw_switch *s, const struct sw_promote *p,
		    const struct sw_slot_manifest *m, struct sw_error *err)
{
	struct sw_node_slot *slot = &s->node.slots[p->target];
	char *version = m->version ? strdup(m->version) : NULL;

	if (take_writes(s, &p->before) < 0 || take_writes(s, &p->after) < 0 ||
	    (m->version && !version))
		return sw_fail_oom(err);
	sw_slot_manifest_clear(&slot->m);
	slot->m = (struct sw_slot_manifest){ .sequence = p->sequence, .time = m->time,
					     .version = version };
	memcpy(slot->m.sha256, m->sha256, sizeof(slot->m.sha256));
	memcpy(slot->m.overlay, m->overlay, sizeof(slot->m.overlay));
	slot->filled = slot->good = true;
	slot->held = false;
	if (p->state_changed) {
		s->state = p->state;
		s->have_state = true;
	}
	return 0;
}

bool sw_slot_holds(const struct sw_node_slot *s, const struct sw_slot_manifest *m)
{
	return s->good && strcasecmp(s->m.sha256, m->sha256) == 0 &&
	       (!m->overlay[0] || strcasecmp(s->m.overlay, m->overlay) == 0);
}

static int forget_lost(struct sw_machine *m, struct sw_node *n, struct sw_error *err)
{
	for (size_t i = 0; i < n->n_slots; i++) {
		struct sw_kept_copy c[2];
		int r = sw_node_overlay_look(m, n, i, c, err);

		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0 && !c[0].good && !c[1].good)
			n->slots[i].m.overlay[0] = '\0';
	}
	return 0;
}

int sw_promote_look_at_overlays(struct sw_switch *s, struct sw_error *err)
{
	int r = forget_lost(s->m, &s->node, err);

	for (size_t i = 0; i < s->n_copies && r == 0; i++)
		r = forget_lost(s->m, &s->copies[i], err);
	return r;
}

int sw_promote_check_age(const struct sw_node *n, const char *version, struct sw_error *err)
{
	int best = sw_node_best_slot(n);
	const char *have = best >= 0 ? n->slots[best].m.version : NULL;

	if (!have || !*have || (version && *version && strverscmp(version, have) >= 0))
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "promote is refused: the image is older");
	if (version && *version)
		sw_error_why(err, "it is version %s and slot %c holds version %s", version,
			     n->slots[best].letter - 'a' + 'A', have);
	else
		sw_error_why(err, "it has no IMAGE_VERSION and slot %c holds version %s",
			     n->slots[best].letter - 'a' + 'A', have);
	sw_error_hint(err, "an old image may have holes that are known; --allow-older takes it");
	return -EPERM;
}

int sw_rollback_choose(const struct sw_node *n, size_t *ret_from, size_t *ret_to,
		       struct sw_error *err)
{
	int from = sw_node_best_slot(n), to = from < 0 ? -1 : best_but(n, from);

	if (to < 0)
		return refuse(err, "rollback is refused: there is no other good slot",
			      "the node would have nothing to go back to",
			      "`slipway slots` says what each slot holds");
	*ret_from = (size_t)from;
	*ret_to = (size_t)to;
	return 0;
}
