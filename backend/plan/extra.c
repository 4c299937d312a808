/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions that the answers ask for and the layout does not have: one for iPXE,
 * one for a rescue image, on each disk that has slots. A layout may define them
 * itself, by their roles.
 */
#include <string.h>

#include "boot/ipxe.h"
#include "boot/slot.h"
#include "layout/types.h"
#include "plan/extra.h"

#define RESCUE_SIZE (512ULL << 20)
/* The least FAT32 with sectors of 4096 bytes, which the disk may turn out to have. */
#define IPXE_SIZE (272ULL << 20)

static bool has_role(const struct sw_layout *l, enum sw_role role)
{
	for (size_t i = 0; i < l->n_parts; i++)
		if (l->parts[i].role == role)
			return true;
	return false;
}

/* Behind the slots and the node data, before what takes the rest of the disk. */
static size_t place(const struct sw_layout *l)
{
	size_t at = 0;

	for (size_t i = 0; i < l->n_parts; i++)
		if (l->parts[i].role == SW_ROLE_SLOT || l->parts[i].role == SW_ROLE_NODE_DATA)
			at = i + 1;
	return at;
}

static const struct sw_layout_part *first_slot(const struct sw_layout *l)
{
	for (size_t i = 0; i < l->n_parts; i++)
		if (l->parts[i].role == SW_ROLE_SLOT)
			return &l->parts[i];
	return NULL;
}

static void insert(struct sw_layout *l, enum sw_role role, const char *label, uint64_t size)
{
	size_t at = place(l);
	struct sw_layout_part *p = &l->parts[at];
	const struct sw_layout_part *slot = first_slot(l);
	struct sw_guid type = slot ? slot->type : (struct sw_guid){};
	char **disks = slot ? slot->disks : NULL;

	memmove(p + 1, p, (l->n_parts++ - at) * sizeof(*p));
	*p = (struct sw_layout_part){ .file = (char *)"(boot.network.ipxe or rescue.uki)",
		.type = type, .label = (char *)label, .own_label = true, .type_name = "esp",
		.weight = 1000, .size_min = size, .size_max = size, .padding_max = UINT64_MAX,
		.role = role, .disks = disks };
	for (size_t k = 0; k < l->n_disks; k++)
		if (sw_layout_part_is_on(p, l->disks[k].name))
			l->disks[k].min_size += size;
	l->min_size += size;
}

int sw_plan_complete_layout(const struct sw_layout *l, const struct sw_answers *a,
			    struct sw_layout *ret_own)
{
	bool rescue = a->rescue && *a->rescue && !has_role(l, SW_ROLE_RESCUE);
	bool ipxe = sw_answers_by_ipxe(a) && !has_role(l, SW_ROLE_IPXE);

	*ret_own = *l;
	ret_own->parts = calloc(l->n_parts + 2, sizeof(*l->parts));
	ret_own->disks = calloc(l->n_disks + 1, sizeof(*l->disks));
	if (!ret_own->parts || !ret_own->disks) {
		sw_plan_drop_layout(ret_own);
		return -ENOMEM;
	}
	if (l->n_parts)
		memcpy(ret_own->parts, l->parts, l->n_parts * sizeof(*l->parts));
	if (l->n_disks)
		memcpy(ret_own->disks, l->disks, l->n_disks * sizeof(*l->disks));
	if (ipxe)
		insert(ret_own, SW_ROLE_IPXE, SW_IPXE_LABEL, IPXE_SIZE);
	if (rescue)
		insert(ret_own, SW_ROLE_RESCUE, SW_RESCUE_LABEL, RESCUE_SIZE);
	return 0;
}

void sw_plan_drop_layout(struct sw_layout *own)
{
	free(own->parts);
	free(own->disks);
	own->parts = NULL;
	own->disks = NULL;
}
