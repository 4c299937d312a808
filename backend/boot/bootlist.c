/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/bootlist.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "boot/bootpath.h"
#include "boot/entries-private.h"
#include "boot/ipxe.h"
#include "boot/memtest.h"
#include "boot/slot.h"

static const char *const owners[] = { "ours", "firmware", "network", "foreign", "phantom" };
static const char *const targets[] = { "unknown", "present", "missing" };

const char *sw_owner_name(enum sw_owner o)
{
	return owners[o];
}

const char *sw_target_name(enum sw_target_state t)
{
	return targets[t];
}

bool sw_part_is_slot(const struct sw_part *p)
{
	return p->label && strncmp(p->label, "slipway-", 8) == 0 && p->label[8] >= 'a' &&
	       p->label[8] <= 'd' && p->label[9] == '\0';
}

bool sw_part_is_node_data(const struct sw_part *p)
{
	return p->label && strcmp(p->label, SW_NODE_DATA_LABEL) == 0;
}

static const struct sw_part *first_of(const struct sw_disk *d, bool (*is)(const struct sw_part *p))
{
	for (size_t i = 0; i < d->table.n_parts; i++)
		if (is(&d->table.parts[i]))
			return &d->table.parts[i];
	return NULL;
}

const struct sw_part *sw_disk_slot(const struct sw_disk *d)
{
	return first_of(d, sw_part_is_slot);
}

const struct sw_part *sw_disk_node_data(const struct sw_disk *d)
{
	return first_of(d, sw_part_is_node_data);
}

static const struct sw_part *find_part(const struct sw_facts *f, const struct sw_guid *guid,
				       const struct sw_disk **ret_disk)
{
	for (size_t i = 0; f && i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		for (size_t k = 0; k < d->table.n_parts; k++) {
			if (!sw_guid_equal(&d->table.parts[k].uuid, guid))
				continue;
			*ret_disk = d;
			return &d->table.parts[k];
		}
	}
	return NULL;
}

static const struct sw_link *find_link(const struct sw_facts *f, const uint8_t mac[static 6])
{
	for (size_t i = 0; i < f->n_links; i++) {
		uint8_t m[6];

		if (f->links[i].mac && sw_mac_parse(f->links[i].mac, m) == 0 &&
		    memcmp(m, mac, 6) == 0)
			return &f->links[i];
	}
	return NULL;
}

static int say(struct sw_boot_entry *e, enum sw_target_state state, char *text)
{
	if (!text)
		return -ENOMEM;
	free(e->target_text);
	e->target_text = text;
	e->target = state;
	return 0;
}

static int target_of_hd(const struct sw_facts *f, const struct sw_devpath_hd *hd,
			struct sw_boot_entry *e)
{
	const struct sw_disk *d = NULL;
	const struct sw_part *p = find_part(f, &hd->guid, &d);

	if (!f)
		return 0;
	if (!p)
		return say(e, SW_TARGET_MISSING, strdup("no disk here has this partition"));
	return say(e, SW_TARGET_PRESENT,
		   sw_fmt("partition %u of %s%s%s", p->number, d->name, p->label ? ", " : "",
			  p->label ? p->label : ""));
}

static int target_of_mac(const struct sw_facts *f, const uint8_t mac[static 6],
			 struct sw_boot_entry *e)
{
	const struct sw_link *l;

	if (!f || f->n_links == 0)	/* links that nobody listed prove nothing */
		return 0;
	l = find_link(f, mac);
	return l ? say(e, SW_TARGET_PRESENT, sw_fmt("network card %s", l->name))
		 : say(e, SW_TARGET_MISSING, strdup("no network card here has this address"));
}

/* The rescue image's partition, or iPXE's. */
static bool is_extra(const struct sw_part *p)
{
	return p->label && (strcmp(p->label, SW_RESCUE_LABEL) == 0 ||
			    strcmp(p->label, SW_IPXE_LABEL) == 0);
}

/* The firmware owns what it marked; the rest goes by path, never by label alone. */
static enum sw_owner owner_of(const struct sw_loadopt *o, const struct sw_facts *f)
{
	bool named = strncmp(o->label, "Slipway ", 8) == 0;
	_cleanup_free_ char *path = NULL, *uri = NULL;
	const struct sw_disk *d = NULL;
	const struct sw_part *p;
	struct sw_devpath_hd hd;

	if (sw_bootpath_is_network(o->path, o->path_len)) {
		if (named && !o->optional_len &&
		    sw_bootpath_uri(o->path, o->path_len, &uri) == 0 && *uri)
			return SW_OWNER_OURS;
		return SW_OWNER_NETWORK;
	}
	if (sw_entry_is_firmware_made(o) ||
	    sw_devpath_has(o->path, o->path_len, SW_DP_MEDIA, SW_DP_MEDIA_FV_FILE))
		return SW_OWNER_FIRMWARE;
	if (sw_devpath_find_file(o->path, o->path_len, &hd, &path) < 0 ||
	    (strcasecmp(path, SW_SLOT_BOOT_PATH) != 0 && strcasecmp(path, SW_IPXE_PATH) != 0))
		return SW_OWNER_FOREIGN;
	p = find_part(f, &hd.guid, &d);
	if (p)
		return sw_part_is_slot(p) || is_extra(p) ? SW_OWNER_OURS : SW_OWNER_FOREIGN;
	return named ? SW_OWNER_OURS : SW_OWNER_FOREIGN;
}

static int find_target(const struct sw_loadopt *o, const struct sw_facts *f,
		       struct sw_boot_entry *e)
{
	_cleanup_free_ char *path = NULL;
	struct sw_devpath_hd hd;
	uint8_t mac[6];

	if (sw_devpath_find_file(o->path, o->path_len, &hd, &path) == 0)
		return target_of_hd(f, &hd, e);
	if (sw_bootpath_mac(o->path, o->path_len, mac) == 0)
		return target_of_mac(f, mac, e);
	return 0;
}

static int decode(const struct sw_varset_entry *v, const struct sw_facts *f,
		  struct sw_boot_entry *e)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	int r;

	if (sw_loadopt_parse(v->data, v->len, &o) < 0) {
		e->owner = SW_OWNER_FOREIGN;
		e->label = strdup("(unreadable)");
		e->path = strdup("");
		return e->label && e->path ? 0 : -ENOMEM;
	}
	e->readable = true;
	e->active = o.attrs & SW_LOADOPT_ACTIVE;
	e->optional_len = o.optional_len;
	e->firmware_mark = sw_entry_is_firmware_made(&o);
	e->memtest = sw_memtest_is_entry(&o);
	e->owner = e->memtest ? SW_OWNER_OURS : owner_of(&o, f);
	e->label = strdup(sw_text_clean(o.label));
	r = sw_devpath_text(o.path, o.path_len, &e->path);
	if (r < 0 || !e->label)
		return r < 0 ? r : -ENOMEM;
	(void)sw_text_clean(e->path);
	return find_target(&o, f, e);
}

static int add(struct sw_boot_list *l, const struct sw_varset *s, uint16_t number,
	       const struct sw_facts *f)
{
	const struct sw_varset_entry *v = sw_varset_find(s, number);
	struct sw_boot_entry *e;

	if (sw_boot_list_find(l, number))
		return 0;
	e = reallocarray(l->v, l->n + 1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	l->v = e;
	e = &l->v[l->n++];
	*e = (struct sw_boot_entry){ .number = number, .next = s->next == number,
				     .position = sw_varset_place(s, number) + 1,
				     .current = f && f->boot.current == number };
	if (v)
		return decode(v, f, e);
	e->owner = SW_OWNER_PHANTOM;
	e->label = strdup("");
	e->path = strdup("");
	return e->label && e->path
		       ? say(e, SW_TARGET_MISSING, strdup("there is no entry with this number"))
		       : -ENOMEM;
}

int sw_boot_list_make(const struct sw_varset *s, const struct sw_facts *f,
		      struct sw_boot_list *ret_list)
{
	struct sw_boot_list l = {};
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_order; i++) {
		l.repeats = l.repeats || sw_boot_list_find(&l, s->order[i]);
		r = add(&l, s, s->order[i], f);
	}
	for (size_t i = 0; r == 0 && i < s->n_entries; i++)
		r = add(&l, s, s->entries[i].number, f);
	if (r == 0 && s->next >= 0)
		r = add(&l, s, (uint16_t)s->next, f);
	if (r < 0) {
		sw_boot_list_clear(&l);
		return r;
	}
	*ret_list = l;
	return 0;
}

void sw_boot_list_clear(struct sw_boot_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].label);
		free(l->v[i].path);
		free(l->v[i].target_text);
	}
	free(l->v);
	*l = (struct sw_boot_list){};
}

const struct sw_boot_entry *sw_boot_list_find(const struct sw_boot_list *l, uint16_t number)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].number == number)
			return &l->v[i];
	return NULL;
}
