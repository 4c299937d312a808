/* SPDX-License-Identifier: Apache-2.0 */
/* Boot entries, their order and the next boot: what is there against what the node wants. */
#include <string.h>

#include "boot/entries-private.h"
#include "boot/memtest.h"
#include "rescue/private.h"

struct boot {
	struct sw_examine *x;
	const struct sw_switch *s;
	const char *prefix;	/* of the IDs, or NULL */
	struct sw_varset set;
	struct sw_boot_list list;
	struct sw_mode_result res;
	bool have;		/* res is a plan */
};

static void boot_clear(struct boot *b)
{
	sw_varset_clear(&b->set);
	sw_boot_list_clear(&b->list);
	sw_mode_result_clear(&b->res);
}

static int copy_writes(const struct sw_entry_plan *from, struct sw_entry_plan *to)
{
	to->writes = calloc(from->n_writes ? from->n_writes : 1, sizeof(*to->writes));
	if (!to->writes)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_writes; i++) {
		_cleanup_json_ json_object *o = sw_entry_write_to_json(&from->writes[i]);

		if (!o || sw_entry_write_from_json(o, &to->writes[to->n_writes]) < 0)
			return -ENOMEM;
		to->n_writes++;
	}
	return 0;
}

static struct sw_finding *found(struct boot *b, const char *id, enum sw_severity severity,
				const char *what, const char *effect)
{
	struct sw_finding *fi = sw_finding_add(b->x, b->prefix, id, severity, SW_SURE_CERTAIN);

	if (!fi)
		return NULL;
	(void)snprintf(fi->what, sizeof(fi->what), "%s", what);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", effect);
	return fi;
}

/* What `slipway mode keep` would write: all of it, since an order names entries. */
static int add_keep(struct boot *b, struct sw_finding *fi)
{
	struct sw_repair *rep;

	if (!b->have || b->res.plan.n_writes == 0)
		return 0;
	rep = sw_finding_repair(fi, NULL);
	if (!rep)
		return -ENOMEM;
	(void)snprintf(rep->text, sizeof(rep->text),
		       "put entries, order and next boot right, as `slipway mode keep` does");
	rep->state = b->res.state;
	rep->state.order_misses = 0;	/* a person asks: counting begins anew */
	rep->state_changed = b->res.state_changed;
	return copy_writes(&b->res.plan, &rep->vars);
}

static unsigned int count_entries(const struct boot *b, const struct sw_node *node, size_t slot)
{
	struct sw_entry_wanted w = sw_node_entry(node, slot);
	unsigned int n = 0;

	for (size_t i = 0; i < b->set.n_entries; i++)
		n += sw_entry_match(b->set.entries[i].data, b->set.entries[i].len, &w) !=
		     SW_ENTRY_FOREIGN;
	return n;
}

/* The one entry that there is would be written anew: switched off, or with another place. */
static bool is_corrected(const struct boot *b, const struct sw_node *node, size_t slot)
{
	struct sw_entry_wanted w = sw_node_entry(node, slot);

	for (size_t i = 0; b->have && i < b->res.plan.n_writes; i++)
		if (b->res.plan.writes[i].kind == SW_ENTRY_SET &&
		    sw_entry_match(b->res.plan.writes[i].data, b->res.plan.writes[i].len, &w) !=
			    SW_ENTRY_FOREIGN)
			return true;
	return false;
}

/* Whether entries are somebody else's business: then one that is not there is no fault. */
static bool is_hands_off(const struct boot *b)
{
	return b->s->wish.mode == SW_NODE_HANDS_OFF;
}

static const char *entry_effect(unsigned int n)
{
	if (n == 0)
		return "it starts only when the firmware looks for something to start by itself";
	return n == 1 ? "the firmware passes over it, or does not find what it names"
		      : "some firmware refuses or removes entries that are alike";
}

static int slot_entry(struct boot *b, const struct sw_node *node, size_t slot)
{
	const struct sw_node_slot *s = &node->slots[slot];
	unsigned int n = count_entries(b, node, slot);
	struct sw_finding *fi;
	char id[32], what[160];

	if (!s->good || (n == 1 && !is_corrected(b, node, slot)))
		return 0;
	(void)snprintf(id, sizeof(id), "entry-%c", s->letter);
	(void)snprintf(what, sizeof(what),
		       n == 0   ? "slot %c has no boot entry"
		       : n == 1 ? "the boot entry of slot %c is switched off or not the wanted one"
				: "slot %c has %u boot entries",
		       s->letter - 'a' + 'A', n);
	fi = found(b, id, n == 0 && is_hands_off(b) ? SW_FINDING_INFO : SW_FINDING_WARNING, what,
		   entry_effect(n));
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "%u of %zu entries name the partition of %s and its file", n,
		       b->set.n_entries, s->part->label);
	return add_keep(b, fi);
}

/* No entry for any slot that could have one, and nothing that we remember. */
static bool is_stranger(const struct boot *b)
{
	const struct sw_node *n = &b->s->node;
	size_t good = 0;

	for (size_t i = 0; i < n->n_slots; i++) {
		if (count_entries(b, n, i))
			return false;
		good += n->slots[i].good;
	}
	return good > 0 && !b->s->have_state;
}

/* The entry of what stands beside the slots, when the node's mode wants it and it is lost. */
static int extra_entry(struct boot *b, const char *id, const struct sw_part *part,
		       const struct sw_entry_wanted *w, const char *effect)
{
	struct sw_finding *fi;
	bool there = false, wanted = false;
	char what[160];

	for (size_t i = 0; i < b->set.n_entries; i++)
		there |= sw_entry_match(b->set.entries[i].data, b->set.entries[i].len, w) !=
			 SW_ENTRY_FOREIGN;
	for (size_t i = 0; b->have && i < b->res.plan.n_writes; i++)
		wanted |= sw_entry_match(b->res.plan.writes[i].data, b->res.plan.writes[i].len,
					 w) != SW_ENTRY_FOREIGN;
	if (there || !wanted || is_stranger(b))
		return 0;
	(void)snprintf(what, sizeof(what), "%.40s has no boot entry", part->label);
	fi = found(b, id, SW_FINDING_WARNING, what, effect);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "none of %zu entries names the partition of %.40s and its file",
		       b->set.n_entries, part->label);
	return add_keep(b, fi);
}

static int extra_entries(struct boot *b, const struct sw_node *n)
{
	struct sw_entry_wanted w;
	int r = 0;

	if (n->rescue_part) {
		w = sw_node_rescue_entry(n);
		r = extra_entry(b, "entry-rescue", n->rescue_part, &w,
				"`slipway mode once rescue` cannot start it");
	}
	if (r == 0 && n->ipxe_part) {
		w = sw_node_ipxe_entry(n);
		r = extra_entry(b, "entry-ipxe", n->ipxe_part, &w,
				"the node does not start from the network");
	}
	return r;
}

/* Ours alone: another system's entry may wait for a disk that comes back. */
static int dangling(struct boot *b, const struct sw_boot_entry *e)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	struct sw_repair *rep;
	struct sw_finding *fi;
	char id[32], what[160];
	int r;

	(void)snprintf(id, sizeof(id), "entry-%04X", e->number);
	(void)snprintf(what, sizeof(what),
		       "Boot%04X \"%.60s\" leads to a partition that is not here", e->number,
		       e->label ? e->label : "");
	fi = found(b, id, SW_FINDING_WARNING, what,
		   "the firmware loses time with it at each start");
	if (!fi)
		return -ENOMEM;
	fi->sure = SW_SURE_LIKELY;
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.120s: %.160s",
		       e->path ? e->path : "", e->target_text ? e->target_text : "");
	rep = sw_finding_repair(fi, NULL);
	r = rep ? sw_varset_load(b->x->raw, &set) : -ENOMEM;
	if (r < 0)
		return r;
	sw_varset_remove(&set, e->number);
	(void)snprintf(rep->text, sizeof(rep->text),
		       "delete Boot%04X; right only when that disk does not come back", e->number);
	return sw_varset_plan(&set, &rep->vars);
}

/* As its install left it: the operator says what starts. */
static int no_entry(struct boot *b)
{
	struct sw_finding *fi = found(b, "firmware-new", SW_FINDING_INFO,
				      "no boot entry leads to the node",
				      "it starts only when the firmware looks for something to "
				      "start by itself");

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "mode hands-off leaves entries and order to the operator, and none of %zu "
		       "entries leads to a slot on %s", b->set.n_entries,
		       b->s->node.disk->name);
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "`slipway mode local` makes the entries and sets the order");
	return 0;
}

/* One cause, said once: the disk came from another machine, or the firmware was set back. */
static int stranger(struct boot *b)
{
	const struct sw_node *n = &b->s->node;
	struct sw_finding *fi = found(b, "firmware-new", SW_FINDING_WARNING,
				      "this machine's firmware does not know the node",
				      "the node starts only when the firmware looks for something "
				      "to start by itself, and its mode is not kept");

	if (!fi)
		return -ENOMEM;
	fi->sure = SW_SURE_LIKELY;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "none of %zu entries leads to a slot on %s and no record of a mode is there"
		       ": the disk was in another machine, or the firmware was reset or replaced",
		       b->set.n_entries, n->disk->name);
	return add_keep(b, fi);
}

/* Of one disk; the IDs of what is on a further copy begin with its name. */
static int disk_entries(struct boot *b, const struct sw_node *n, const char *prefix)
{
	int r = 0;

	b->prefix = prefix;
	for (size_t i = 0; r == 0 && i < n->n_slots; i++)
		r = slot_entry(b, n, i);
	if (r == 0)
		r = extra_entries(b, n);
	b->prefix = NULL;
	return r;
}

static int entries(struct boot *b)
{
	int r = disk_entries(b, &b->s->node, NULL);

	for (size_t i = 0; r == 0 && i < b->s->n_copies; i++)
		r = disk_entries(b, &b->s->copies[i], b->s->copies[i].disk->name);
	for (size_t i = 0; r == 0 && i < b->list.n; i++)
		if (b->list.v[i].owner == SW_OWNER_OURS && !b->list.v[i].memtest &&
		    b->list.v[i].target == SW_TARGET_MISSING)
			r = dangling(b, &b->list.v[i]);
	return r;
}

static const struct sw_entry_write *planned(const struct boot *b, enum sw_entry_write_kind kind)
{
	for (size_t i = 0; b->have && i < b->res.plan.n_writes; i++)
		if (b->res.plan.writes[i].kind == kind)
			return &b->res.plan.writes[i];
	return NULL;
}

/* By name, as what is wanted is told: as many as fit. */
static void order_text(const struct sw_varset *s, char *text, size_t size)
{
	char name[64];
	size_t at = 0;

	(void)snprintf(text, size, "empty");
	for (size_t i = 0; i < s->n_order; i++) {
		const char *shown = sw_varset_name(s, s->order[i], name);

		if (at + strlen(shown) + sizeof(", , ...") > size) {
			(void)snprintf(text + at, size - at, ", ...");
			return;
		}
		at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "", shown);
	}
}

static int order(struct boot *b)
{
	const struct sw_entry_write *w = planned(b, SW_ENTRY_ORDER);
	struct sw_finding *fi;
	char now[140];

	if (!w)
		return 0;
	fi = found(b, "boot-order", SW_FINDING_WARNING, "the boot order is not the wanted one",
		   "the machine starts something else first, or the wrong slot");
	if (!fi)
		return -ENOMEM;
	order_text(&b->set, now, sizeof(now));
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "it is %.140s; for mode %s: %.150s",
		       now, sw_node_mode_name(b->res.mode), w->text);
	return add_keep(b, fi);
}

/* Where the mode wants the next start to go; -1: by the order. */
static int wanted_next(const struct boot *b)
{
	bool armed = b->have && b->res.mode == SW_NODE_NETWORK &&
		     b->s->wish.strategy == SW_STRATEGY_ARMED;

	return armed ? b->res.network : -1;
}

/* `slipway mode once` or the memory test, asked for in this very start: no news to anybody. */
static bool is_asked_for(const struct boot *b)
{
	const struct sw_mode_state *s = &b->s->state;

	return (b->s->have_state && s->once && b->s->ev.same_boot && b->set.next == s->next) ||
	       b->set.next == sw_memtest_find(&b->set);
}

static int put_next(struct boot *b, struct sw_finding *fi)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	struct sw_repair *rep = sw_finding_repair(fi, NULL);
	int r = rep ? sw_varset_load(b->x->raw, &set) : -ENOMEM;

	if (r < 0)
		return r;
	set.next = wanted_next(b);
	(void)snprintf(rep->text, sizeof(rep->text), "%s", set.next < 0
		       ? "take BootNext away: the next start follows the boot order"
		       : "set BootNext to the network, as the mode wants it");
	return sw_varset_plan(&set, &rep->vars);
}

/*
 * Somebody else's: a BMC, a firmware update, another system. Once, and maybe with good reason, so
 * that `mode keep` leaves it alone.
 */
static int next_of_others(struct boot *b)
{
	const struct sw_boot_entry *e;
	struct sw_finding *fi;
	char name[64];
	bool there;

	if (b->set.next < 0 || b->set.next == wanted_next(b) || is_asked_for(b))
		return 0;
	e = sw_boot_list_find(&b->list, (uint16_t)b->set.next);
	there = sw_varset_find(&b->set, (uint16_t)b->set.next);
	fi = found(b, "boot-next", SW_FINDING_INFO, "",
		   there ? "the start after that follows the mode again"
			 : "the firmware passes over it, and some says so on the screen");
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what),
		       there ? "the next start goes to %.64s, once"
			     : "the next start is to go to %.64s, which is not there",
		       sw_varset_name(&b->set, (uint16_t)b->set.next, name));
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "BootNext is %04X%s%.160s; mode %s did not set it",
		       (unsigned int)b->set.next, there && e && e->path ? ", " : "",
		       there && e && e->path ? e->path : "",
		       sw_node_mode_name(b->s->wish.mode));
	return put_next(b, fi);
}

/* Used up by the last start it is as it should be, until `mode keep` arms it again. */
static int next(struct boot *b)
{
	const struct sw_entry_write *w = planned(b, SW_ENTRY_NEXT);
	bool lost = b->s->have_state && b->s->state.armed && b->s->ev.same_boot;
	bool armed = b->res.mode == SW_NODE_NETWORK;
	struct sw_finding *fi;

	if (!w)
		return next_of_others(b);
	if (!armed || w->len == 0)
		fi = found(b, "boot-next", SW_FINDING_INFO, "the next start is set apart",
			   "it does not follow the mode, once");
	else
		fi = found(b, "boot-next", lost ? SW_FINDING_WARNING : SW_FINDING_INFO,
			   lost ? "BootNext was set in this start and is gone"
				: "the next start is not armed yet",
			   "the next start does not try the network");
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "mode %s%s: %.200s",
		       sw_node_mode_name(b->res.mode), armed ? ", strategy armed" : "", w->text);
	return add_keep(b, fi);
}

static int cannot_plan(struct boot *b, const struct sw_error *e)
{
	struct sw_finding *fi = found(b, "boot-mode", SW_FINDING_ERROR,
				      "the node's mode cannot be kept as it is", e->why);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "mode %s: %.200s",
		       sw_node_mode_name(b->s->wish.mode), e->what);
	(void)snprintf(fi->advice, sizeof(fi->advice), "%.200s", e->hint);
	return 0;
}

int sw_examine_boot(struct sw_examine *x, const struct sw_switch *s)
{
	_cleanup_(boot_clear) struct boot b = { .x = x, .s = s, .set.next = -1,
						.res.network = -1 };
	struct sw_error e = {};
	int r = sw_varset_load(x->raw, &b.set);

	if (r == 0)
		r = sw_boot_list_make(&b.set, x->f, &b.list);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (!s->have_node)	/* one without a disk has its data in the firmware */
		return s->node.data ? 0 : sw_examine_no_node(x, &b.list);
	r = sw_switch_plan(s, &s->wish, &b.res, &e);
	if (r == -ENOMEM)
		return r;
	b.have = r == 0;
	r = b.have ? 0 : cannot_plan(&b, &e);
	if (r == 0 && b.have && is_stranger(&b))
		return is_hands_off(&b) ? no_entry(&b) : stranger(&b);
	if (r == 0)
		r = entries(&b);
	if (r == 0)
		r = order(&b);
	return r < 0 ? r : next(&b);
}
