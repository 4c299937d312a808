/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No disk here holds a node. Where the firmware has entries that lead to one, its disk is away,
 * which is a likely reason why a machine does not start, and nothing else tells of it.
 */
#include <string.h>

#include "base/text.h"
#include "rescue/private.h"

/* Adds the disks that are here, for people: "2 disks are here: nvme0n1, sda". */
static void add_disks(const struct sw_facts *f, char *text, size_t size)
{
	const char *before = ": ";
	size_t n = 0;

	for (size_t i = 0; i < f->n_disks; i++)
		n += !f->disks[i].medium;
	if (n == 0)
		(void)snprintf(text + strlen(text), size - strlen(text), "no disk is here");
	else
		(void)snprintf(text + strlen(text), size - strlen(text), "%zu disk%s here", n,
			       n == 1 ? " is" : "s are");
	for (size_t i = 0; i < f->n_disks; i++) {
		if (f->disks[i].medium || strlen(text) + 30 > size)
			continue;
		(void)snprintf(text + strlen(text), size - strlen(text), "%s%.20s", before,
			       f->disks[i].name);
		before = ", ";
	}
}

/* The first entry of a node of ours whose partition is on no disk; NULL: none. */
static const struct sw_boot_entry *missing(const struct sw_boot_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].owner == SW_OWNER_OURS && !l->v[i].memtest &&
		    l->v[i].target == SW_TARGET_MISSING)
			return &l->v[i];
	return NULL;
}

static int disk_gone(struct sw_examine *x, const struct sw_boot_entry *e)
{
	struct sw_finding *fi = sw_finding_add(x, NULL, "disk-gone", SW_FINDING_ERROR,
					       SW_SURE_LIKELY);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what),
		       "the node's disk is not in this machine, or dead");
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "Boot%04X \"%.40s\" starts from a partition that no disk has; ", e->number,
		       e->label ? e->label : "");
	add_disks(x->f, fi->evidence, sizeof(fi->evidence));
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "the firmware finds nothing to start; with the disk, its images and state "
		       "are away");
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "does the firmware setup list it? If so, look for RAID or VMD there and "
		       "choose AHCI or NVMe; if not: power, cable, slot, another slot. If it is "
		       "dead, or was erased, install again");
	return 0;
}

static int no_node(struct sw_examine *x)
{
	struct sw_finding *fi = sw_finding_add(x, NULL, "no-node", SW_FINDING_INFO,
					       SW_SURE_CERTAIN);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "there is no node on this machine");
	add_disks(x->f, fi->evidence, sizeof(fi->evidence));
	(void)snprintf(fi->effect, sizeof(fi->effect), "there is nothing of slipway to start");
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "was there to be one, its disk is away: see what the firmware setup lists; "
		       "else install one");
	return 0;
}

/* A table that is damaged or gone is the cause then, and was found already. */
int sw_examine_no_node(struct sw_examine *x, const struct sw_boot_list *l)
{
	const struct sw_boot_entry *e = l ? missing(l) : NULL;

	if (x->disk || sw_findings_worst(x->out) > SW_FINDING_INFO)
		return 0;
	return e ? disk_gone(x, e) : no_node(x);
}
