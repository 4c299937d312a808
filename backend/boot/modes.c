/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/modes.h"

#include <stdarg.h>
#include <string.h>

#include "boot/entries-private.h"
#include "boot/loadopt.h"

#define MAX_MISSES 2
#define MAX_SLOTS SW_MODE_SLOTS

struct work {
	struct sw_varset set;
	const struct sw_mode_slot *slots;	/* as given */
	size_t n_slots;
	const struct sw_mode_slot *good[MAX_SLOTS];	/* in the order of preference */
	uint16_t numbers[MAX_SLOTS];	/* of their entries */
	size_t n_good;
	/* Behind all that: rescue images, and iPXE on further disks. */
	uint16_t rest[2 * SW_MODE_DISKS];
	size_t n_rest;
	size_t n_rescue;	/* so many of them are rescue images */
	const struct sw_mode_wish *wish;
	const struct sw_mode_state *old;	/* never NULL */
	const struct sw_mode_evidence *ev;
	bool order_blocked;	/* the firmware owns BootOrder */
	struct sw_mode_result res;
};

static void work_clear(struct work *w)
{
	sw_varset_clear(&w->set);
	sw_mode_result_clear(&w->res);
}

void sw_mode_result_clear(struct sw_mode_result *r)
{
	sw_entry_plan_clear(&r->plan);
	*r = (struct sw_mode_result){ .network = -1 };
}

static SW_PRINTF(2, 3) void note(struct work *w, const char *fmt, ...)
{
	va_list ap;

	if (w->res.n_notes == SW_MODE_NOTES)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(w->res.notes[w->res.n_notes++], sizeof(w->res.notes[0]), fmt, ap);
	va_end(ap);
}

/* ---- slots and their entries ---- */

static bool better(const struct sw_mode_slot *a, const struct sw_mode_slot *b)
{
	if (a->held != b->held)
		return b->held;
	if (a->sequence != b->sequence)
		return a->sequence > b->sequence;
	return a->copy != b->copy ? a->copy < b->copy : a->letter < b->letter;
}

static int sort_slots(struct work *w)
{
	if (w->n_slots > MAX_SLOTS)
		return -E2BIG;
	for (size_t i = 0; i < w->n_slots; i++) {
		size_t at = w->n_good;

		if (!w->slots[i].good)
			continue;
		for (; at > 0 && better(&w->slots[i], w->good[at - 1]); at--)
			w->good[at] = w->good[at - 1];
		w->good[at] = &w->slots[i];
		w->n_good++;
	}
	return 0;
}

/* A label that somebody changed is not worth a write: ours are known by GUID and path. */
static enum sw_entry_match match(const struct sw_varset_entry *e, const struct sw_entry_wanted *w)
{
	enum sw_entry_match m = sw_entry_match(e->data, e->len, w);
	_cleanup_loadopt_ struct sw_loadopt o = {};
	struct sw_entry_wanted same = *w;

	if (m != SW_ENTRY_OTHER_CONTENT || sw_loadopt_parse(e->data, e->len, &o) < 0)
		return m;
	same.label = o.label;
	return sw_entry_match(e->data, e->len, &same);
}

/* Right content first, then the earliest in BootOrder, then the lowest number. */
static const struct sw_varset_entry *choose(const struct work *w, const struct sw_entry_wanted *e,
					    enum sw_entry_match *ret_match)
{
	const struct sw_varset_entry *best = NULL;
	unsigned int best_place = 0;

	*ret_match = SW_ENTRY_FOREIGN;
	for (size_t i = 0; i < w->set.n_entries; i++) {
		const struct sw_varset_entry *c = &w->set.entries[i];
		/* -1 becomes the largest: what is not in the order comes last. */
		unsigned int place = (unsigned int)sw_varset_place(&w->set, c->number);
		enum sw_entry_match m = match(c, e);

		if (m == SW_ENTRY_FOREIGN ||
		    (best && (m < *ret_match || (m == *ret_match && place >= best_place))))
			continue;
		best = c;
		best_place = place;
		*ret_match = m;
	}
	return best;
}

static int put_entry(struct work *w, const struct sw_entry_wanted *e, uint16_t number)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_entry_build(e, &b);

	return r < 0 ? r : sw_varset_put(&w->set, number, b.data, b.len);
}

/* Second entries for the same partition and file are provably ours, and some firmware chokes. */
static void remove_doubles(struct work *w, const struct sw_entry_wanted *e, uint16_t keep)
{
	for (size_t i = w->set.n_entries; i > 0; i--) {
		const struct sw_varset_entry *c = &w->set.entries[i - 1];

		if (c->number != keep && match(c, e) != SW_ENTRY_FOREIGN)
			sw_varset_remove(&w->set, c->number);
	}
}

static int ensure_slot(struct work *w, const struct sw_entry_wanted *e, uint16_t *ret_number)
{
	enum sw_entry_match m;
	const struct sw_varset_entry *c = choose(w, e, &m);
	int n = c ? c->number : sw_varset_free_number(&w->set), r = n < 0 ? n : 0;

	if (r == 0 && m != SW_ENTRY_RIGHT)
		r = put_entry(w, e, (uint16_t)n);
	if (r < 0)
		return r;
	if (w->wish->mode != SW_NODE_HANDS_OFF)
		remove_doubles(w, e, (uint16_t)n);
	*ret_number = (uint16_t)n;
	return 0;
}

static bool by_ipxe(const struct sw_mode_wish *wish)
{
	return wish->mode == SW_NODE_NETWORK && wish->net.via == SW_VIA_IPXE;
}

static int ensure_rest(struct work *w, const struct sw_entry_wanted *e)
{
	return w->n_rest == ARRAY_SIZE(w->rest) ? -E2BIG
						: ensure_slot(w, e, &w->rest[w->n_rest++]);
}

static int ensure_slots(struct work *w)
{
	int r = sort_slots(w);

	for (size_t i = 0; r == 0 && i < w->n_good; i++)
		r = ensure_slot(w, &w->good[i]->entry, &w->numbers[i]);
	for (size_t i = 0; r == 0 && i < w->wish->n_rescue; i++)
		r = ensure_rest(w, &w->wish->rescue[i]);
	w->n_rescue = w->n_rest;
	for (size_t i = 0; r == 0 && by_ipxe(w->wish) && i < w->wish->net.n_ipxe_copies; i++)
		r = ensure_rest(w, &w->wish->net.ipxe_copies[i]);
	return r;
}

/* ---- what the firmware made of the last time ---- */

static bool order_is_kept(const struct work *w)
{
	int last = -1;

	for (size_t i = 0; i < w->old->n_order; i++) {
		bool ours = false;
		int place;

		/* The firmware gives its own entries new numbers at will; ours are stable. */
		for (size_t k = 0; k < w->n_good; k++)
			ours = ours || w->numbers[k] == w->old->order[i];
		place = sw_varset_place(&w->set, w->old->order[i]);
		if (!ours)
			continue;
		if (place <= last || (i == 0 && place != 0))
			return false;
		last = place;
	}
	return true;
}

static void judge_order(struct work *w)
{
	struct sw_mode_state *s = &w->res.state;

	s->order_misses = w->wish->explicit ? 0 : w->old->order_misses;
	if (w->wish->explicit)
		return;
	if (!w->wish->keep_next && !w->ev->same_boot && w->old->n_order)
		s->order_misses = order_is_kept(w) ? 0 : s->order_misses + 1;
	if (s->order_misses < MAX_MISSES) {
		if (s->order_misses)
			note(w, "the firmware changed the boot order since it was written");
		return;
	}
	s->order_misses = MAX_MISSES;
	w->order_blocked = true;
	note(w, "the firmware owns the boot order: it changed it %d times, so it is not written "
		"any more; look for a boot order lock in its setup", MAX_MISSES);
}

/* By the network's entry, or by iPXE on another disk. */
static bool came_from_network(const struct work *w)
{
	bool came = w->res.network >= 0 && w->ev->current == w->res.network;

	for (size_t i = w->n_rescue; i < w->n_rest; i++)
		came = came || w->ev->current == w->rest[i];
	return came;
}

/*
 * Lost is what the firmware did not even try: still set after a restart, or gone
 * without one. A BootNext that was used up says nothing: the network may have
 * failed, and that is what the slots are for.
 */
static bool next_was_lost(struct work *w)
{
	bool armed = w->old->armed && w->wish->strategy == SW_STRATEGY_ARMED;

	if (!armed || w->wish->explicit || w->wish->keep_next)
		return false;
	if (w->ev->same_boot && w->set.next < 0) {
		note(w, "BootNext was lost: it is gone although the machine did not restart");
		return true;
	}
	if (!w->ev->same_boot && w->set.next >= 0 && w->set.next == w->old->next) {
		note(w, "BootNext was lost: the firmware did not use it");
		return true;
	}
	if (!w->ev->same_boot && w->set.next < 0 && w->ev->current >= 0 && !came_from_network(w))
		note(w, "the last start from the network did not work out");
	return false;
}

static void judge_next(struct work *w)
{
	struct sw_mode_state *s = &w->res.state;

	s->next_misses = w->wish->explicit ? 0 : w->old->next_misses;
	if (next_was_lost(w))
		s->next_misses++;
	else if (!w->ev->same_boot && came_from_network(w))
		s->next_misses = 0;
	if (s->next_misses < MAX_MISSES)
		return;
	s->next_misses = MAX_MISSES;
	if (w->n_good == 0) {
		note(w, "BootNext was lost %d times, but no slot is good: the mode stays network",
		     MAX_MISSES);
		return;
	}
	w->res.mode = SW_NODE_LOCAL;
	note(w, "BootNext was lost %d times: the mode is local now; `slipway mode network` tries "
		"again, --strategy order does without BootNext", MAX_MISSES);
}

/* ---- BootOrder and BootNext ---- */

static int set_order(struct work *w)
{
	uint16_t first[MAX_SLOTS + 1 + ARRAY_SIZE(w->rest)];
	bool net = w->res.mode == SW_NODE_NETWORK && w->res.network >= 0;
	bool net_first = net && w->wish->strategy == SW_STRATEGY_ORDER;
	size_t n = 0;

	if (w->order_blocked)
		return 0;
	if (net_first)
		first[n++] = (uint16_t)w->res.network;
	for (size_t i = 0; i < w->n_good; i++)
		first[n++] = w->numbers[i];
	if (net && !net_first)
		first[n++] = (uint16_t)w->res.network;
	/* A lost one comes back behind these; where it is, it stays. */
	for (size_t i = 0; i < w->n_rest; i++)
		if (sw_varset_place(&w->set, w->rest[i]) < 0)
			first[n++] = w->rest[i];
	return sw_varset_first(&w->set, first, n);
}

/* Somebody else's BootNext (a BMC, a firmware update) is waited for, not overwritten. */
static bool others_next(const struct work *w)
{
	return !w->wish->explicit && w->set.next >= 0 && w->set.next != w->res.network &&
	       !((w->old->armed || w->old->once) && w->set.next == w->old->next);
}

static bool once_is_pending(const struct work *w)
{
	return !w->wish->explicit && w->old->once && w->ev->same_boot && w->set.next >= 0 &&
	       w->set.next == w->old->next;
}

/* In another mode than network nobody looked which of them is whole: any of them is ours. */
static bool next_is_ipxe(const struct work *w)
{
	const struct sw_netwish *net = &w->wish->net;
	const struct sw_varset_entry *e =
		w->set.next >= 0 ? sw_varset_find(&w->set, (uint16_t)w->set.next) : NULL;

	for (size_t i = 0; e && i < net->n_ipxe_copies; i++)
		if (match(e, &net->ipxe_copies[i]) != SW_ENTRY_FOREIGN)
			return true;
	return false;
}

static bool is_ours_next(const struct work *w)
{
	for (size_t i = 0; i < w->n_good; i++)
		if (w->set.next == w->numbers[i])
			return true;
	return w->set.next == w->res.network || next_is_ipxe(w) ||
	       ((w->old->armed || w->old->once) && w->set.next == w->old->next);
}

static int set_next(struct work *w)
{
	bool armed = w->res.mode == SW_NODE_NETWORK && w->res.network >= 0 &&
		     w->wish->strategy == SW_STRATEGY_ARMED && !w->wish->unarmed;
	struct sw_mode_state *s = &w->res.state;

	if (w->wish->keep_next || once_is_pending(w)) {
		s->armed = w->old->armed;
		s->once = w->old->once;
		s->next = w->old->next;
		if (!w->wish->keep_next)
			note(w, "a single start is pending and stays");
		return 0;
	}
	if (!armed) {
		if (w->set.next >= 0 && is_ours_next(w))
			w->set.next = -1;
		return 0;
	}
	if (others_next(w)) {
		note(w, "BootNext was set to Boot%04X by somebody else and stays",
		     (unsigned int)w->set.next);
		return 0;
	}
	w->set.next = w->res.network;
	s->armed = true;
	s->next = (uint16_t)w->res.network;
	/* Some firmware starts only what is in the order; one that owns it is left alone. */
	return w->order_blocked ? 0 : sw_varset_append(&w->set, (uint16_t)w->res.network);
}

static int no_slot(struct sw_error *err, const char *what)
{
	sw_fail(err, SW_EXIT_REFUSED, -ENOENT, "%s is refused: no slot holds a good image", what);
	sw_error_why(err, "the node would have nothing to start");
	sw_error_hint(err, "`slipway slots` says what is wrong; `slipway promote` fills one");
	return -ENOENT;
}

/* Of several disks' slots with this letter one is enough, so none was found. */
static int no_such_slot(const struct work *w, struct sw_error *err)
{
	char name = (char)(w->wish->once_letter - 'a' + 'A');
	bool there = false;

	for (size_t i = 0; i < w->n_slots; i++)
		there = there || w->slots[i].letter == w->wish->once_letter;
	if (w->n_good == 0)
		return no_slot(err, "a start from this slot");
	sw_fail(err, SW_EXIT_REFUSED, -ENOENT,
		there ? "slot %c holds no good image" : "the node has no slot %c", name);
	sw_error_why(err, "the firmware would find nothing to start there");
	sw_error_hint(err, "`slipway slots` says what each slot holds");
	return -ENOENT;
}

static int once_target(struct work *w, uint16_t *ret_number, struct sw_error *err)
{
	switch (w->wish->once) {
	case SW_ONCE_NETWORK:
		return sw_netentry_ensure(&w->set, &w->wish->net, ret_number, err);
	case SW_ONCE_LOCAL:
		if (w->n_good == 0)
			return no_slot(err, "a start from the disk");
		*ret_number = w->numbers[0];
		return 0;
	case SW_ONCE_RESCUE:
		*ret_number = w->rest[0];
		return w->n_rescue ? 0 : -ENOENT;
	default:
		for (size_t i = 0; i < w->n_good; i++) {
			if (w->good[i]->letter != w->wish->once_letter)
				continue;
			*ret_number = w->numbers[i];
			return 0;
		}
		return no_such_slot(w, err);
	}
}

/* Only BootNext, and what it needs; the mode and the order stay. */
static int reconcile_once(struct work *w, struct sw_error *err)
{
	uint16_t number;
	int r;

	if (w->wish->mode == SW_NODE_HANDS_OFF) {
		sw_fail(err, SW_EXIT_REFUSED, -EPERM,
			"the mode is hands-off: BootNext is not ours");
		sw_error_hint(err, "`slipway boot next NUMBER` sets it all the same");
		return -EPERM;
	}
	r = once_target(w, &number, err);
	if (r == 0)
		r = sw_varset_append(&w->set, number);
	if (r < 0)
		return r;
	w->set.next = number;
	w->res.state = *w->old;
	w->res.state.mode = w->wish->mode;
	w->res.state.strategy = w->wish->strategy;
	w->res.state.armed = false;
	w->res.state.once = true;
	w->res.state.next = number;
	return 0;
}

static int find_network(struct work *w, struct sw_error *err)
{
	const struct sw_varset_entry *e;
	uint16_t number;
	int r;

	if (w->wish->mode == SW_NODE_NETWORK) {
		bool asked = w->wish->explicit && !w->wish->keep_next;

		r = sw_netentry_ensure(&w->set, &w->wish->net, &number,
				       asked ? err : NULL);
		if (r == 0)
			w->res.network = number;
		if (r != -ENOENT || asked)
			return r;
		/* A card that is away must not keep the slots from being put right. */
		note(w, "the network has no boot entry now: only the slots start");
		return 0;
	}
	e = sw_netentry_find(&w->set, &w->wish->net);
	w->res.network = e ? e->number : -1;
	return 0;
}

static int reconcile_mode(struct work *w, struct sw_error *err)
{
	struct sw_mode_state *s = &w->res.state;
	int r = find_network(w, err);

	if (r < 0)
		return r;
	if (w->wish->mode == SW_NODE_LOCAL && w->n_good == 0)
		return no_slot(err, "mode local");
	if (w->wish->mode == SW_NODE_HANDS_OFF)
		return 0;
	if (w->wish->mode == SW_NODE_NETWORK && w->n_good == 0)
		note(w, "no slot holds a good image: nothing starts when the network fails");
	judge_order(w);
	if (w->wish->mode == SW_NODE_NETWORK)
		judge_next(w);
	else if (!w->wish->explicit)	/* why it is local now */
		s->next_misses = w->old->next_misses;
	r = set_order(w);
	if (r == 0)
		r = set_next(w);
	if (r < 0)
		return r;
	s->n_order = w->set.n_order < ARRAY_SIZE(s->order) ? w->set.n_order
							    : ARRAY_SIZE(s->order);
	memcpy(s->order, w->set.order, s->n_order * sizeof(s->order[0]));
	if (w->order_blocked) {
		memcpy(s->order, w->old->order, sizeof(s->order));
		s->n_order = w->old->n_order;
	}
	return 0;
}

/*
 * Each write of our variable wears the flash, so that what nobody will read is left as it is:
 * a switch there and back costs BootNext alone. Not after once: that must not look pending.
 */
static void leave_unread(struct work *w)
{
	struct sw_mode_state *s = &w->res.state;

	if (!w->wish->kept || w->wish->once || w->old->once)
		return;
	if (w->res.mode == SW_NODE_HANDS_OFF) {
		*s = *w->old;
		return;
	}
	s->mode = w->old->mode;
	s->strategy = w->old->strategy;
	if (w->res.mode == SW_NODE_NETWORK)
		return;
	s->armed = w->old->armed;
	s->next = w->old->next;
}

int sw_mode_reconcile(json_object *raw, const struct sw_mode_slot *slots, size_t n_slots,
		      const struct sw_mode_wish *wish, const struct sw_mode_state *old,
		      const struct sw_mode_evidence *ev, struct sw_mode_result *ret_result,
		      struct sw_error *err)
{
	static const struct sw_mode_state nothing;
	_cleanup_(work_clear) struct work w = { .set = { .next = -1 }, .slots = slots,
						.n_slots = n_slots, .wish = wish, .ev = ev,
						.old = old ? old : &nothing };
	int r;

	w.res.network = -1;
	w.res.mode = wish->mode;
	r = sw_varset_load(raw, &w.set);
	if (r == 0)
		r = ensure_slots(&w);
	if (r == 0)
		r = wish->once ? reconcile_once(&w, err) : reconcile_mode(&w, err);
	if (r == 0)
		r = sw_varset_plan(&w.set, &w.res.plan);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot work out the boot entries");
	if (!wish->once) {
		w.res.state.mode = w.res.mode;
		w.res.state.strategy = wish->strategy;
	}
	if (old)
		leave_unread(&w);
	w.res.state_changed = !old || !sw_mode_state_same(old, &w.res.state);
	*ret_result = w.res;
	w.res = (struct sw_mode_result){ .network = -1 };
	return 0;
}

/* ---- names ---- */

static const char *const modes[] = { "local", "network", "hands-off" };
static const char *const strategies[] = { "armed", "order" };

const char *sw_node_mode_name(enum sw_node_mode m)
{
	return modes[m];
}

const char *sw_strategy_name(enum sw_strategy s)
{
	return strategies[s];
}

int sw_node_mode_parse(const char *text, enum sw_node_mode *ret_mode)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(text, modes[i]) != 0)
			continue;
		*ret_mode = (enum sw_node_mode)i;
		return 0;
	}
	return -EINVAL;
}

int sw_strategy_parse(const char *text, enum sw_strategy *ret_strategy)
{
	for (size_t i = 0; i < ARRAY_SIZE(strategies); i++) {
		if (strcmp(text, strategies[i]) != 0)
			continue;
		*ret_strategy = (enum sw_strategy)i;
		return 0;
	}
	return -EINVAL;
}
