/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/node-private.h"

#include <string.h>

#include "base/json.h"
#include "boot/bootpath.h"
#include "boot/ipxe.h"
#include "boot/netentry.h"
#include "boot/loadopt.h"
#include "boot/nodedata.h"
#include "boot/utf16.h"

static const char *const labels[SW_NODE_SLOTS] = { "Slipway A", "Slipway B", "Slipway C",
						   "Slipway D" };

void sw_node_slot_read(struct sw_io *io, const char *held, struct sw_node_slot *s)
{
	struct sw_error e = {};
	int r = sw_slot_read(io, s->part->start, s->part->size, &s->m, &s->good, &e);

	s->filled = r == 0;
	if (r < 0 && r != -ENOMEM)
		(void)sw_slot_is_blank(io, s->part->start, &s->blank);
	if (s->blank)
		(void)snprintf(s->why, sizeof(s->why), "no image was put there yet");
	else if (r < 0)
		(void)snprintf(s->why, sizeof(s->why), "%.190s", sw_error_reason(&e));
	else if (!s->good)
		(void)snprintf(s->why, sizeof(s->why), "the image is not the one of its manifest");
	s->held = s->good && held && strcasecmp(held, s->m.sha256) == 0;
}

static int read_data(struct sw_io *io, struct sw_node *n, struct sw_error *err)
{
	struct sw_error e = {};
	uint64_t sequence;
	int r;

	if (!n->data_part)
		return 0;
	r = sw_nodedata_read(io, n->data_part->start, n->data_part->size, &n->data, &sequence, &e);
	if (r == 0 || r == -ENOENT)
		return 0;
	if (err)
		*err = e;
	return r;
}

/*
 * A copy on another disk keeps the name that its entry has ("Slipway A (disk 2)"),
 * so that nothing renames it.
 */
static void name_entry(const struct sw_facts *f, const struct sw_part *p, const char *usual,
		       char ret_name[static 40])
{
	char uuid[SW_GUID_TEXT];

	(void)snprintf(ret_name, 40, "%s", usual);
	if (!p)
		return;
	sw_guid_format(&p->uuid, uuid);
	for (size_t i = 0; i < f->boot.n_entries; i++) {
		const struct sw_bootvar *e = &f->boot.entries[i];

		if (e->label && e->path && strcasestr(e->path, uuid) &&
		    strncmp(e->label, usual, strlen(usual)) == 0)
			(void)snprintf(ret_name, 40, "%.39s", e->label);
	}
}

int sw_node_find(struct sw_machine *m, const struct sw_facts *f, const char *disk,
		 struct sw_node *ret_node, struct sw_error *err)
{
	_cleanup_node_ struct sw_node n = {};
	_cleanup_io_ struct sw_io *io = NULL;
	int r = sw_node_pick_disk(m, f, disk, &n, err);

	if (r == 0)
		r = sw_machine_open_disk(m, n.disk, false, false, &io, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n.disk->table.n_parts; i++) {
		const struct sw_part *p = &n.disk->table.parts[i];

		if (sw_part_is_slot(p) && n.n_slots < SW_NODE_SLOTS) {
			n.slots[n.n_slots].part = p;
			n.slots[n.n_slots].letter = p->label[8];
			name_entry(f, p, labels[p->label[8] - 'a'], n.slots[n.n_slots].entry);
			n.n_slots++;
		} else if (!n.data_part && sw_part_is_node_data(p)) {
			n.data_part = p;
		} else if (!n.rescue_part && p->label && strcmp(p->label, SW_RESCUE_LABEL) == 0) {
			n.rescue_part = p;
		} else if (!n.ipxe_part && p->label && strcmp(p->label, SW_IPXE_LABEL) == 0) {
			n.ipxe_part = p;
		}
	}
	name_entry(f, n.rescue_part, SW_RESCUE_ENTRY, n.rescue_entry);
	name_entry(f, n.ipxe_part, SW_NETENTRY_LABEL, n.ipxe_entry);
	r = read_data(io, &n, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n.n_slots; i++)
		sw_node_slot_read(io, sw_json_str(n.data, "rolled_back", NULL), &n.slots[i]);
	*ret_node = n;
	n = (struct sw_node){};
	return 0;
}

void sw_node_clear(struct sw_node *n)
{
	for (size_t i = 0; i < n->n_slots; i++)
		sw_slot_manifest_clear(&n->slots[i].m);
	if (n->data)
		json_object_put(n->data);
	*n = (struct sw_node){};
}

struct sw_kept_zone sw_node_overlay_zone(const struct sw_node *n, size_t slot)
{
	struct sw_kept_zone z = { .slot = (unsigned int)slot,
				     .n_slots = (unsigned int)n->n_slots };

	if (n->data_part) {
		z.offset = n->data_part->start;
		z.size = n->data_part->size;
	}
	return z;
}

int sw_node_overlay(struct sw_machine *m, const struct sw_node *n, size_t slot,
		    struct sw_kept *ret_overlay, struct sw_error *err)
{
	const struct sw_slot_manifest *mf = &n->slots[slot].m;
	struct sw_kept_zone z = sw_node_overlay_zone(n, slot);
	_cleanup_kept_ struct sw_kept o = {};
	_cleanup_io_ struct sw_io *io = NULL;
	int r;

	if (!n->slots[slot].good || !mf->overlay[0])
		return -ENOENT;
	r = sw_machine_open_disk(m, n->disk, false, false, &io, err);
	if (r == 0)
		r = sw_kept_read(io, &z, mf->sha256, &o, err);
	if (r < 0)
		return r;
	if (strcasecmp(o.sha256, mf->overlay) != 0) {
		sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "the overlay is not the slot's");
		sw_error_where(err, "%s, slot %c", n->disk->name,
			       n->slots[slot].letter - 'a' + 'A');
		sw_error_hint(err, "promote the image again with its overlay");
		return -EBADMSG;
	}
	*ret_overlay = o;
	o = (struct sw_kept){};
	return 0;
}

uint64_t sw_node_overlay_max(const struct sw_node *n, size_t slot)
{
	struct sw_kept_zone z = sw_node_overlay_zone(n, slot);

	return sw_kept_max(&z);
}

int sw_node_overlay_look(struct sw_machine *m, const struct sw_node *n, size_t slot,
			 struct sw_kept_copy ret_copies[static 2], struct sw_error *err)
{
	const struct sw_slot_manifest *mf = &n->slots[slot].m;
	struct sw_kept_zone z = sw_node_overlay_zone(n, slot);
	_cleanup_io_ struct sw_io *io = NULL;
	int r;

	if (!n->slots[slot].good || !mf->overlay[0])
		return -ENOENT;
	r = sw_machine_open_disk(m, n->disk, false, false, &io, err);
	if (r < 0)
		return r;
	r = sw_kept_look(io, &z, mf->sha256, mf->overlay, ret_copies);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the overlay cannot be read") : 0;
}

/* ---- the road ---- */

enum loader { LOADER_ABSENT, LOADER_ODD, LOADER_KNOWN };

static enum loader loader_guid(struct sw_varstore *vars, struct sw_guid *ret_guid)
{
	_cleanup_free_ uint8_t *d = NULL;
	_cleanup_free_ char *text = NULL;
	uint32_t attrs;
	size_t n;
	int r = sw_var_get(vars, &sw_guid_loader, "LoaderDevicePartUUID", &d, &n, &attrs);

	if (r == -ENOENT)
		return LOADER_ABSENT;
	if (r < 0)
		return LOADER_ODD;
	text = sw_utf16_to_utf8(d, n);
	return text && sw_guid_parse(text, ret_guid) == 0 ? LOADER_KNOWN : LOADER_ODD;
}

/* What BootCurrent's entry says: its partition, the network, or nothing. */
static enum sw_road entry_road(const struct sw_varset *s, int current, struct sw_guid *ret_guid)
{
	const struct sw_varset_entry *e =
		current >= 0 ? sw_varset_find(s, (uint16_t)current) : NULL;
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_free_ char *path = NULL;
	struct sw_devpath_hd hd;

	if (!e || sw_loadopt_parse(e->data, e->len, &o) < 0)
		return SW_ROAD_UNKNOWN;
	if (sw_bootpath_is_network(o.path, o.path_len))
		return SW_ROAD_NETWORK;
	if (sw_devpath_find_file(o.path, o.path_len, &hd, &path) < 0)
		return SW_ROAD_OTHER;
	*ret_guid = hd.guid;
	return SW_ROAD_SLOT;	/* some partition; whose, the caller finds out */
}

static enum sw_road by_partition(const struct sw_node *n, const struct sw_guid *guid,
				 size_t *ret_slot, char why[static 200])
{
	char text[SW_GUID_TEXT];

	for (size_t i = 0; i < n->n_slots; i++) {
		if (!sw_guid_equal(&n->slots[i].part->uuid, guid))
			continue;
		*ret_slot = i;
		(void)snprintf(why, 200, "the boot stub was started from slot %c",
			       n->slots[i].letter - 'a' + 'A');
		return SW_ROAD_SLOT;
	}
	if (n->rescue_part && sw_guid_equal(&n->rescue_part->uuid, guid)) {
		(void)snprintf(why, 200, "the boot stub was started from the rescue image");
		return SW_ROAD_OTHER;
	}
	(void)snprintf(why, 200, "the boot stub was started from another partition, %s",
		       sw_guid_format(guid, text));
	return SW_ROAD_OTHER;
}

/* On the disk that counts or on that of a copy. */
static bool is_ipxe(const struct sw_node *n, const struct sw_guid *guid)
{
	if (n->ipxe_part && sw_guid_equal(guid, &n->ipxe_part->uuid))
		return true;
	for (size_t i = 0; i < n->n_copies; i++)
		for (size_t k = 0; k < n->copies[i]->table.n_parts; k++) {
			const struct sw_part *p = &n->copies[i]->table.parts[k];

			if (p->label && strcmp(p->label, SW_IPXE_LABEL) == 0 &&
			    sw_guid_equal(guid, &p->uuid))
				return true;
		}
	return false;
}

enum sw_road sw_node_road(struct sw_varstore *vars, const struct sw_varset *s,
			  const struct sw_node *n, int boot_current, size_t *ret_slot,
			  char why[static 200])
{
	struct sw_guid loader = {}, entry = {};
	enum loader l = loader_guid(vars, &loader);
	enum sw_road e = entry_road(s, boot_current, &entry);

	if (l == LOADER_KNOWN &&
	    (e == SW_ROAD_NETWORK || (e == SW_ROAD_SLOT && !sw_guid_equal(&loader, &entry)))) {
		(void)snprintf(why, 200, "LoaderDevicePartUUID and BootCurrent (Boot%04X) disagree",
			       (unsigned int)boot_current);
		return SW_ROAD_UNKNOWN;
	}
	if (l == LOADER_KNOWN)
		return by_partition(n, &loader, ret_slot, why);
	if (l == LOADER_ABSENT && e == SW_ROAD_SLOT && is_ipxe(n, &entry)) {
		(void)snprintf(why, 200, "Boot%04X starts iPXE and no partition is named",
			       (unsigned int)boot_current);
		return SW_ROAD_NETWORK;
	}
	if (l == LOADER_ABSENT && e == SW_ROAD_NETWORK) {
		(void)snprintf(why, 200, "Boot%04X is a network entry and no partition is named",
			       (unsigned int)boot_current);
		return SW_ROAD_NETWORK;
	}
	(void)snprintf(why, 200, "%s", l == LOADER_ODD ? "LoaderDevicePartUUID cannot be read"
			       : boot_current < 0 ? "the firmware does not say what it started"
						  : "no boot stub says where it was started from");
	return SW_ROAD_UNKNOWN;
}
