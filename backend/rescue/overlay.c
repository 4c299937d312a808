/* SPDX-License-Identifier: Apache-2.0 */
/* The overlays that the slots' manifests name: two copies each, and again on further disks. */
#include <string.h>

#include "rescue/private.h"

struct place {
	const struct sw_node *n;
	size_t slot;
	struct sw_kept_copy copy;
};

/* The same image with the same overlay. */
static bool alike(const struct sw_node_slot *a, const struct sw_node_slot *b)
{
	return b->good && strcmp(a->m.sha256, b->m.sha256) == 0 &&
	       strcmp(a->m.overlay, b->m.overlay) == 0;
}

/* A whole copy in this other place that fits where one is wanted. -ENOENT. */
static int look_there(struct sw_examine *x, const struct sw_node *o, size_t slot, uint64_t max,
		      struct place *ret)
{
	struct sw_kept_copy c[2];
	int r = sw_node_overlay_look(x->m, o, slot, c, NULL);

	for (size_t k = 0; r == 0 && k < ARRAY_SIZE(c); k++)
		if (c[k].good && c[k].len <= max + SW_KEPT_HEADER) {
			*ret = (struct place){ .n = o, .slot = slot, .copy = c[k] };
			return 0;
		}
	return r == -ENOMEM ? r : -ENOENT;
}

/* That of another slot with this image, on this disk or another one of the node. -ENOENT. */
static int find_source(struct sw_examine *x, const struct sw_node *n, size_t slot,
		       struct place *ret)
{
	uint64_t max = sw_node_overlay_max(n, slot);
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && i < x->n_nodes; i++)
		for (size_t k = 0; r == -ENOENT && k < x->nodes[i]->n_slots; k++)
			if ((x->nodes[i] != n || k != slot) &&
			    alike(&n->slots[slot], &x->nodes[i]->slots[k]))
				r = look_there(x, x->nodes[i], k, max, ret);
	return r;
}

static int add_repair(struct sw_finding *fi, const struct sw_node *n, size_t slot,
		      const struct place *from, const struct sw_kept_copy *to)
{
	struct sw_repair *rep = sw_finding_repair(fi, n->disk);
	char source[64] = "its other copy";

	if (!rep)
		return -ENOMEM;
	if (from->n != n || from->slot != slot)
		(void)snprintf(source, sizeof(source), "that of slot %c on %.30s",
			       from->n->slots[from->slot].letter - 'a' + 'A',
			       from->n->disk->name);
	rep->copy = (struct sw_rescue_copy){ .from_disk = from->n->disk, .from = from->copy.at,
					     .to = to->at, .len = from->copy.len,
					     .header = SW_KEPT_HEADER };
	(void)snprintf(rep->copy.to_name, sizeof(rep->copy.to_name), "%.30s", n->data_part->label);
	(void)snprintf(rep->copy.from_name, sizeof(rep->copy.from_name), "%s", source);
	(void)snprintf(rep->text, sizeof(rep->text), "write the overlay from %s and read it back",
		       source);
	return 0;
}

static int finding(struct sw_examine *x, const struct sw_node *n, size_t slot, const char *prefix,
		   const struct sw_kept_copy c[2], struct sw_finding **ret)
{
	const struct sw_node_slot *s = &n->slots[slot];
	bool none = !c[0].good && !c[1].good;
	struct sw_finding *fi;
	char id[32];

	(void)snprintf(id, sizeof(id), "overlay-%c%s", s->letter, none ? "" : "-copy");
	fi = sw_finding_add(x, prefix, id, SW_FINDING_WARNING, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), none ? "the overlay of slot %c is damaged"
		       : "one of two copies of the overlay of slot %c is damaged",
		       s->letter - 'a' + 'A');
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "%.40s on %.40s: the manifest names the overlay %.12s..., and at byte "
		       "%llu%s there is another or none",
		       n->data_part->label, n->disk->name, s->m.overlay,
		       (unsigned long long)c[none || !c[0].good ? 0 : 1].at,
		       none ? " and in the second half" : "");
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", none
		       ? "while the servers are away the slot starts without what it cannot fetch"
		       : "one more fault loses what a start without the servers needs");
	*ret = fi;
	return 0;
}

static int examine_one(struct sw_examine *x, const struct sw_node *n, size_t slot,
		       const char *prefix)
{
	struct place from = { .n = n, .slot = slot };
	struct sw_finding *fi = NULL;
	struct sw_kept_copy c[2];
	int r = sw_node_overlay_look(x->m, n, slot, c, NULL);
	size_t good;

	if (r < 0 || (c[0].good && c[1].good))
		return r == -ENOMEM ? r : 0;	/* what cannot be read, others say */
	good = c[0].good ? 0 : 1;
	from.copy = c[good];
	r = finding(x, n, slot, prefix, c, &fi);
	if (r == 0 && !c[good].good)
		r = find_source(x, n, slot, &from);
	if (r == 0)
		r = add_repair(fi, n, slot, &from, &c[c[0].good ? 1 : 0]);
	if (r == -ENOENT)
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "`slipway promote` of the image with its overlay writes it again");
	return r == -ENOENT ? 0 : r;
}

int sw_examine_overlays(struct sw_examine *x, const struct sw_node *n, const char *prefix)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n->n_slots; i++)
		if (n->slots[i].good && n->slots[i].m.overlay[0])
			r = examine_one(x, n, i, prefix);
	return r;
}
