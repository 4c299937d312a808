/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands beside the slots: the rescue image and iPXE. A disk has one copy of each
 * and no source of it, so what is damaged comes back with an install only.
 */
#include <string.h>

#include "boot/slot.h"
#include "rescue/private.h"

#define AGAIN "an install with the same answers, state kept by disk.preserve, writes it again"

static int add(struct sw_examine *x, const struct sw_node *n, const char *prefix, const char *id,
	       const struct sw_part *p, const char *what, const char *evidence, const char *effect)
{
	struct sw_finding *fi = sw_finding_add(x, prefix, id, SW_FINDING_WARNING,
					       SW_SURE_CERTAIN);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%s", what);
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.40s on %.40s: %.160s", p->label,
		       n->disk->name, evidence);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", effect);
	(void)snprintf(fi->advice, sizeof(fi->advice), "%s", AGAIN);
	return 0;
}

static const char *effect_of(const struct sw_node_extra *e)
{
	if (strcmp(e->id, "rescue") == 0)
		return "`slipway mode once rescue` refuses it; rescue is by the medium only";
	return "the node does not start from the network, or from what the install did not put "
	       "there";
}

int sw_examine_extras(struct sw_examine *x, const struct sw_node *n, const char *prefix)
{
	struct sw_node_extra e[SW_NODE_EXTRAS];
	int r = sw_node_extras(x->m, n, e, x->err);

	for (size_t i = 0; i < SW_NODE_EXTRAS && r == 0; i++) {
		char what[64];

		if (e[i].state != SW_EXTRA_BAD)
			continue;
		(void)snprintf(what, sizeof(what), "%s%s is damaged", i == 0 ? "the " : "",
			       e[i].what);
		r = add(x, n, prefix, e[i].id, e[i].part, what, e[i].why, effect_of(&e[i]));
	}
	return r;
}
