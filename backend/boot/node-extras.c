/* SPDX-License-Identifier: Apache-2.0 */
/* What a node's disk has to start: entries of its partitions, and what stands beside the slots. */
#include "boot/ipxe.h"
#include "boot/node.h"

static struct sw_entry_wanted entry_of(const struct sw_node *n, const struct sw_part *p,
				    const char *label, const char *path)
{
	uint32_t sector = n->disk->sector ? n->disk->sector : 512;

	return (struct sw_entry_wanted){
		.label = label,
		.part_number = p->number,
		.part_start = p->start / sector,
		.part_size = p->size / sector,
		.part_uuid = p->uuid,
		.path = path,
	};
}

struct sw_entry_wanted sw_node_entry(const struct sw_node *n, size_t slot)
{
	return entry_of(n, n->slots[slot].part, n->slots[slot].entry, SW_SLOT_BOOT_PATH);
}

struct sw_entry_wanted sw_node_rescue_entry(const struct sw_node *n)
{
	return entry_of(n, n->rescue_part, n->rescue_entry, SW_SLOT_BOOT_PATH);
}

struct sw_entry_wanted sw_node_ipxe_entry(const struct sw_node *n)
{
	return entry_of(n, n->ipxe_part, n->ipxe_entry, SW_IPXE_PATH);
}

static int look_at_rescue(struct sw_io *io, struct sw_node_extra *x)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest mf = {};
	struct sw_error e = {};
	bool ok = false;
	int r = sw_slot_read(io, x->part->start, x->part->size, &mf, &ok, &e);

	x->state = r == 0 && ok ? SW_EXTRA_GOOD : SW_EXTRA_BAD;
	if (r < 0)
		(void)snprintf(x->why, sizeof(x->why), "%.190s", e.why);
	else if (!ok)
		(void)snprintf(x->why, sizeof(x->why), "the image does not have the hash of its "
						       "manifest");
	return r == -ENOMEM ? r : 0;
}

static int look_at_ipxe(struct sw_io *io, json_object *data, struct sw_node_extra *x)
{
	int r = sw_ipxe_verify(io, x->part->start, x->part->size, data, x->why);

	x->state = r == 0 ? SW_EXTRA_GOOD : r == -ENODATA ? SW_EXTRA_UNPROVEN : SW_EXTRA_BAD;
	if (r == -ENODATA)
		(void)snprintf(x->why, sizeof(x->why), "the install did not keep its hash");
	return r == -ENOMEM ? r : 0;
}

/* i: 0 the rescue image, 1 iPXE. */
static int look_at(struct sw_io *io, const struct sw_node *n, size_t i, struct sw_node_extra *x,
		   struct sw_error *err)
{
	bool blank = false;
	int r;

	*x = i == 0 ? (struct sw_node_extra){ .id = "rescue", .what = "rescue image",
					      .part = n->rescue_part }
		    : (struct sw_node_extra){ .id = "ipxe", .what = "iPXE", .part = n->ipxe_part };
	if (!x->part)
		return 0;
	r = sw_slot_is_blank(io, x->part->start, &blank);
	if (r == 0 && !blank)
		r = i == 0 ? look_at_rescue(io, x) : look_at_ipxe(io, n->data, x);
	return r < 0 ? sw_fail_oom(err) : 0;
}

int sw_node_extras(struct sw_machine *m, const struct sw_node *n,
		   struct sw_node_extra ret[static SW_NODE_EXTRAS], struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	int r = n->disk ? sw_machine_open_disk(m, n->disk, false, false, &io, err) : 0;

	for (size_t i = 0; i < SW_NODE_EXTRAS && r == 0; i++)
		r = look_at(io, n, i, &ret[i], err);
	return r;
}

static int no_rescue(const struct sw_node *n, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ENOENT, "the node has no rescue image");
	if (n->rescue_part)
		sw_error_why(err, "the partition " SW_RESCUE_LABEL " is empty");
	else
		sw_error_why(err, "there is no partition " SW_RESCUE_LABEL " on its disk");
	sw_error_hint(err, "an install with rescue.uki puts one there");
	return -ENOENT;
}

int sw_node_check_rescue(struct sw_machine *m, const struct sw_node *n, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_node_extra x;
	int r;

	if (!n->rescue_part)
		return no_rescue(n, err);
	r = sw_machine_open_disk(m, n->disk, false, false, &io, err);
	if (r == 0)
		r = look_at(io, n, 0, &x, err);
	if (r < 0 || x.state == SW_EXTRA_GOOD)
		return r;
	if (x.state == SW_EXTRA_NONE)
		return no_rescue(n, err);
	sw_fail(err, SW_EXIT_REFUSED, -EBADMSG, "the rescue image is damaged");
	sw_error_where(err, "%s, partition %u", n->disk->name, n->rescue_part->number);
	sw_error_why(err, "%s", x.why);
	sw_error_hint(err, "start from the medium instead; an install writes it again");
	return -EBADMSG;
}
