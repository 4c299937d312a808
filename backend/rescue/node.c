/* SPDX-License-Identifier: Apache-2.0 */
/* Slots and node data: what they hold, and what can be restored from what is left. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "boot/nodedata.h"
#include "boot/promote.h"
#include "rescue/private.h"

static char upper(const struct sw_node_slot *s)
{
	return (char)(s->letter - 'a' + 'A');
}

static void SW_PRINTF(2, 3) set(char (*field)[320], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(*field, sizeof(*field), fmt, ap);
	va_end(ap);
}

/*
 * The good slot of the same size that a damaged one can be filled from: on the same disk, else
 * on another disk of the node, which becomes *n.
 */
static const struct sw_node_slot *source_for(const struct sw_examine *x,
					     const struct sw_node_slot *to,
					     const struct sw_node **n)
{
	const struct sw_node *own = *n;

	for (size_t i = 0; i <= x->n_nodes; i++) {
		const struct sw_node *o = i ? x->nodes[i - 1] : own;
		int best = sw_node_best_slot(o);

		if (best < 0 || &o->slots[best] == to ||
		    o->slots[best].part->size != to->part->size)
			continue;
		*n = o;
		return &o->slots[best];
	}
	return NULL;
}

static int slot_repair(const struct sw_examine *x, const struct sw_node *n,
		       const struct sw_node_slot *s, struct sw_finding *fi)
{
	const struct sw_node *source = n;
	const struct sw_node_slot *from = source_for(x, s, &source);
	bool other = source != n;
	struct sw_repair *rep;

	if (!from) {
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "fill it from an image, a URL or medium:/FILE or stick:/FILE: "
			       "`slipway doctor --repair %s --image SOURCE`; or start from the "
			       "network", fi->id);
		return 0;
	}
	rep = sw_finding_repair(fi, n->disk);
	if (!rep)
		return -ENOMEM;
	sw_repair_copy_part(rep, source->disk, from->part, s->part);
	(void)snprintf(rep->text, sizeof(rep->text),
		       "copy the image of slot %c%s%.30s over slot %c and read it back",
		       upper(from), other ? " of " : "", other ? source->disk->name : "",
		       upper(s));
	return 0;
}

static int damaged_slot(struct sw_examine *x, const struct sw_node *n,
			const struct sw_node_slot *s, const char *prefix)
{
	bool last = sw_node_best_slot(n) < 0;
	struct sw_finding *fi;
	char id[32];

	(void)snprintf(id, sizeof(id), "slot-%c", s->letter);
	fi = sw_finding_add(x, prefix, id, last ? SW_FINDING_ERROR : SW_FINDING_WARNING,
			    s->filled ? SW_SURE_CERTAIN : SW_SURE_LIKELY);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "slot %c %s", upper(s),
		       s->filled ? "does not hold the image of its manifest"
				 : "is damaged or was half written");
	set(&fi->evidence, "%s on %s: %s", s->part->label, n->disk->name, s->why);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s",
		       last ? "the node starts only over the network or from the medium"
			    : "the node has one image to start from and nothing to go back to");
	return slot_repair(x, n, s, fi);
}

static int empty_slot(struct sw_examine *x, const struct sw_node *n, const struct sw_node_slot *s,
		      const char *prefix)
{
	struct sw_finding *fi;
	char id[32];

	(void)snprintf(id, sizeof(id), "slot-%c", s->letter);
	fi = sw_finding_add(x, prefix, id, SW_FINDING_INFO, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "slot %c is empty", upper(s));
	set(&fi->evidence, "%s on %s begins with zeros", s->part->label, n->disk->name);
	(void)snprintf(fi->effect, sizeof(fi->effect), "the first promote fills it");
	return 0;
}

static int examine_slots(struct sw_examine *x, const struct sw_node *n, const char *prefix)
{
	size_t empty = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n->n_slots; i++) {
		const struct sw_node_slot *s = &n->slots[i];
		if (s->good)
			continue;
		r = s->blank ? empty_slot(x, n, s, prefix) : damaged_slot(x, n, s, prefix);
		empty += s->blank;
	}
	if (r == 0 && empty == n->n_slots) {
		struct sw_finding *fi = sw_finding_add(x, prefix, "slots", SW_FINDING_INFO,
						       SW_SURE_CERTAIN);

		if (!fi)
			return -ENOMEM;
		(void)snprintf(fi->what, sizeof(fi->what), "no slot holds an image yet");
		(void)snprintf(fi->effect, sizeof(fi->effect), "the node starts over the network");
	}
	return r;
}

/* ---- node data ---- */

static int data_finding(struct sw_examine *x, const struct sw_node *n, const char *prefix,
			const struct sw_nodedata_copies *c, struct sw_finding **ret_finding)
{
	bool none = !c->valid[0] && !c->valid[1];
	struct sw_finding *fi = sw_finding_add(x, prefix, none ? "node-data" : "node-data-copy",
					       none ? SW_FINDING_ERROR : SW_FINDING_WARNING,
					       SW_SURE_CERTAIN);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%s of the node data %s damaged",
		       none ? "both copies" : c->valid[0] ? "the second copy" : "the first copy",
		       none ? "are" : "is");
	set(&fi->evidence, "%s on %s: no valid checksum at byte %" PRIu64 "%s",
	    n->data_part->label, n->disk->name, c->at[c->valid[0] ? 1 : 0],
	    none ? " and in the second half" : "");
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s",
		       none ? "host name, admission, trusted keys and mode of the node are lost"
			    : "one more fault loses host name, admission and mode of the node");
	if (none)
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "install again with the node's answers; the slots stay as they are "
			       "until then");
	*ret_finding = fi;
	return 0;
}

static int examine_data(struct sw_examine *x, const struct sw_node *n, struct sw_io *io,
			const char *prefix)
{
	struct sw_nodedata_copies c = {};
	_cleanup_free_ uint8_t *copy = NULL;
	struct sw_finding *fi = NULL;
	struct sw_repair *rep;
	int r, good;

	if (!n->data_part)
		return 0;
	r = sw_nodedata_look(io, n->data_part->start, n->data_part->size, &c);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (c.valid[0] && c.valid[1])
		return 0;
	r = data_finding(x, n, prefix, &c, &fi);
	if (r < 0 || (!c.valid[0] && !c.valid[1]))
		return r;
	good = c.valid[0] ? 0 : 1;
	rep = sw_finding_repair(fi, n->disk);
	copy = malloc(c.len[good]);
	r = rep && copy ? sw_io_read(io, c.at[good], copy, c.len[good]) : -ENOMEM;
	if (r == 0)
		r = sw_repair_add_bytes(rep, io, c.at[!good], copy, c.len[good],
					"node data, from the other copy");
	if (rep)
		(void)snprintf(rep->text, sizeof(rep->text),
			       "write the damaged copy of the node data from the other one");
	return r;
}

/*
 * Node data that name none of the disk's slots were copied from another node's disk. Where a
 * partition's UUID is another one than it was, the table is at fault, and that was found before.
 */
static int other_data(struct sw_examine *x, const struct sw_node *n, const char *prefix)
{
	struct sw_finding *fi;
	char id[64];

	(void)snprintf(id, sizeof(id), "%.30s/table-changed", n->disk->name);
	for (size_t i = 0; i < n->n_slots; i++)
		if (sw_promote_knows(n->data, &n->slots[i].part->uuid))
			return 0;
	if (n->n_slots == 0 || sw_findings_get(x->out, id))
		return 0;
	fi = sw_finding_add(x, prefix, "node-data-other", SW_FINDING_ERROR, SW_SURE_LIKELY);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "the node data are another node's");
	set(&fi->evidence, "they are of \"%.64s\" and name %zu slots, and none of these is on %s",
	    sw_json_str(n->data, "hostname", "?"),
	    json_object_array_length(sw_json_array(n->data, "slots")), n->disk->name);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "the node starts under another's name and is admitted as that one; no image "
		       "is promoted");
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "install again with this node's own answers; disk.preserve keeps what the "
		       "state holds");
	return 0;
}

int sw_examine_node(struct sw_examine *x, const struct sw_node *n, const char *prefix)
{
	_cleanup_io_ struct sw_io *io = NULL;
	int r = sw_machine_open_disk(x->m, n->disk, false, false, &io, x->err);

	if (r == 0)
		r = examine_slots(x, n, prefix);
	if (r == 0)
		r = sw_examine_extras(x, n, prefix);
	if (r == 0)
		r = sw_examine_overlays(x, n, prefix);
	if (r == 0)
		r = sw_examine_signatures(x, n, prefix);
	if (r == 0)
		r = sw_examine_consoles(x, n, prefix);
	if (r == 0)
		r = other_data(x, n, prefix);
	return r < 0 ? r : examine_data(x, n, io, prefix);
}
