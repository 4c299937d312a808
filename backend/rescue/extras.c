/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands beside the slots: the rescue image and iPXE. A disk has one copy of each, so
 * what is damaged comes back from another disk of the node or with an install only.
 */
#include <string.h>

#include "boot/slot.h"
#include "rescue/private.h"

#define AGAIN "an install with the same answers, state kept by disk.preserve, writes it again"

/* Another disk of the node that has it whole, on a partition of this size. -ENOENT. */
static int find_source(struct sw_examine *x, const struct sw_node *n, size_t which,
		       const struct sw_part *p, const struct sw_node **ret_node,
		       const struct sw_part **ret_part)
{
	for (size_t i = 0; i < x->n_nodes; i++) {
		struct sw_node_extra e[SW_NODE_EXTRAS] = {};
		int r = x->nodes[i] == n ? -ENOENT : sw_node_extras(x->m, x->nodes[i], e, NULL);

		if (r == -ENOMEM)
			return r;
		if (r < 0 || e[which].state != SW_EXTRA_GOOD || e[which].part->size != p->size)
			continue;
		*ret_node = x->nodes[i];
		*ret_part = e[which].part;
		return 0;
	}
	return -ENOENT;
}

static int add(struct sw_examine *x, const struct sw_node *n, const char *prefix,
	       const struct sw_node_extra *e, const char *what, const char *effect,
	       struct sw_finding **ret)
{
	struct sw_finding *fi = sw_finding_add(x, prefix, e->id, SW_FINDING_WARNING,
					       SW_SURE_CERTAIN);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%s", what);
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.40s on %.40s: %.160s",
		       e->part->label, n->disk->name,
		       e->state == SW_EXTRA_BAD ? e->why : "it begins with zeros");
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", effect);
	*ret = fi;
	return 0;
}

static int add_repair(struct sw_finding *fi, const struct sw_node *n,
		      const struct sw_node_extra *e, size_t which,
		      const struct sw_node *source, const struct sw_part *from)
{
	struct sw_repair *rep = sw_finding_repair(fi, n->disk);

	if (!rep)
		return -ENOMEM;
	sw_repair_copy_part(rep, source->disk, from, e->part);
	(void)snprintf(rep->text, sizeof(rep->text), "copy %s%.20s from %.30s and read it back",
		       which == 0 ? "the " : "", e->what, source->disk->name);
	return 0;
}

static const char *effect_of(const struct sw_node_extra *e)
{
	if (strcmp(e->id, "rescue") == 0)
		return "`slipway mode once rescue` refuses it; rescue is by the medium only";
	return "the node does not start from the network, or from what the install did not put "
	       "there";
}

static int examine_one(struct sw_examine *x, const struct sw_node *n, const char *prefix,
		       const struct sw_node_extra *e, size_t which)
{
	const struct sw_node *source = NULL;
	const struct sw_part *from = NULL;
	struct sw_finding *fi = NULL;
	int found, r;
	char what[80];

	if (!e->part || e->state == SW_EXTRA_GOOD || e->state == SW_EXTRA_UNPROVEN)
		return 0;
	found = find_source(x, n, which, e->part, &source, &from);
	/* An empty partition is one that nothing was put on, unless another disk has it. */
	if (found == -ENOMEM || (e->state == SW_EXTRA_NONE && found < 0))
		return found == -ENOMEM ? found : 0;
	(void)snprintf(what, sizeof(what), "%s%s is %s", which == 0 ? "the " : "", e->what,
		       e->state == SW_EXTRA_BAD ? "damaged" : "missing on this disk");
	r = add(x, n, prefix, e, what, effect_of(e), &fi);
	if (r == 0 && found == 0)
		return add_repair(fi, n, e, which, source, from);
	if (r == 0)
		(void)snprintf(fi->advice, sizeof(fi->advice), "%s", AGAIN);
	return r;
}

int sw_examine_extras(struct sw_examine *x, const struct sw_node *n, const char *prefix)
{
	struct sw_node_extra e[SW_NODE_EXTRAS];
	int r = sw_node_extras(x->m, n, e, x->err);

	for (size_t i = 0; i < SW_NODE_EXTRAS && r == 0; i++)
		r = examine_one(x, n, prefix, &e[i], i);
	return r;
}
