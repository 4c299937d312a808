/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions that are there but are not called, or not typed, as what they hold: a node is
 * found by these names, and firmware looks for ESPs. What they hold decides.
 */
#include <inttypes.h>
#include <string.h>

#include "boot/ipxe.h"
#include "boot/nodedata.h"
#include "boot/slot.h"
#include "rescue/private.h"

#define ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

struct wish {
	unsigned int number;
	const char *label;	/* NULL: stays */
	bool esp;
};

static int as_wished(struct sw_part *p, const void *arg)
{
	const struct wish *w = arg;
	char *label;

	if (p->number != w->number)
		return 0;
	if (w->esp && sw_guid_parse(ESP, &p->type) < 0)
		return -EINVAL;
	label = w->label ? strdup(w->label) : NULL;
	if (w->label && !label)
		return -ENOMEM;
	if (label) {
		free(p->label);
		p->label = label;
	}
	return 0;
}

static bool is_started(const struct sw_part *p)
{
	return sw_part_is_slot(p) || (p->label && (strcmp(p->label, SW_RESCUE_LABEL) == 0 ||
						   strcmp(p->label, SW_IPXE_LABEL) == 0));
}

static bool is_esp(const struct sw_part *p)
{
	struct sw_guid esp;

	return sw_guid_parse(ESP, &esp) == 0 && sw_guid_equal(&p->type, &esp);
}

/* Called as it should, or by sw_examine_clash() so that it leads nobody here. */
static bool is_ours(const struct sw_part *p)
{
	return p->label && (strncmp(p->label, "slipway-", 8) == 0 ||
			    strncmp(p->label, "old-slipway-", 12) == 0);
}

/* ---- the type ---- */

static int type_lost(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p)
{
	struct wish w = { .number = p->number, .esp = true };
	char id[32], type[SW_GUID_TEXT];
	struct sw_finding *fi;
	int r;

	(void)snprintf(id, sizeof(id), "part-type-%u", p->number);
	fi = sw_finding_add(x, d->name, id, SW_FINDING_WARNING, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what),
		       "%.40s is not marked as an EFI system partition", p->label);
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "partition %u of %.40s has the type %s",
		       p->number, d->name, sw_guid_format(&p->type, type));
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "firmware that looks for EFI system partitions does not start it");
	r = sw_rescue_table_change(x, d, fi, as_wished, &w);
	if (r == 0 && fi->repair)
		(void)snprintf(fi->repair->text, sizeof(fi->repair->text),
			       "give partition %u of %s the type of an EFI system partition; "
			       "nothing else of the table changes", p->number, d->name);
	return r;
}

/* ---- the name ---- */

static int name_lost(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
		     const char *label)
{
	bool data = strcmp(label, SW_NODE_DATA_LABEL) == 0;
	struct wish w = { .number = p->number, .label = label };
	struct sw_finding *fi;
	char id[32];
	int r;

	(void)snprintf(id, sizeof(id), "part-name-%u", p->number);
	fi = sw_finding_add(x, d->name, id, SW_FINDING_ERROR, SW_SURE_LIKELY);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "a partition that holds %s is not called %s",
		       data ? "node data" : "a slot's image", label);
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "partition %u of %.40s is called \"%.60s\"; %s", p->number, d->name,
		       p->label ? p->label : "",
		       data ? "node data with a valid checksum are in it"
			    : "an image and its manifest are in it");
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s",
		       data ? "host name, admission and mode of the node are not found"
			    : "the slot is not found: its image is neither checked nor replaced");
	r = sw_rescue_table_change(x, d, fi, as_wished, &w);
	if (r == 0 && fi->repair)
		(void)snprintf(fi->repair->text, sizeof(fi->repair->text),
			       "call partition %u of %s %s; nothing else of the table changes",
			       p->number, d->name, label);
	return r;
}

static bool has_label(const struct sw_disk *d, const char *label)
{
	for (size_t i = 0; i < d->table.n_parts; i++)
		if (d->table.parts[i].label && strcmp(d->table.parts[i].label, label) == 0)
			return true;
	return false;
}

static bool holds_slot(struct sw_io *io, const struct sw_part *p)
{
	struct sw_slot_manifest m = {};
	struct sw_error e = {};
	bool whole = false;
	int r = p->fs_type && strcmp(p->fs_type, "vfat") == 0
			? sw_slot_read(io, p->start, p->size, &m, &whole, &e) : -ENOENT;

	sw_slot_manifest_clear(&m);
	return r == 0;
}

static bool holds_data(struct sw_io *io, const struct sw_part *p)
{
	struct sw_nodedata_copies c = {};

	return sw_nodedata_look(io, p->start, p->size, &c) == 0 && (c.valid[0] || c.valid[1]);
}

/* The next slot's name that no partition of the disk has, from *letter on. */
static const char *free_slot(const struct sw_disk *d, char *letter, char label[static 16])
{
	for (; *letter <= 'd'; (*letter)++) {
		(void)snprintf(label, 16, "slipway-%c", *letter);
		if (!has_label(d, label))
			return (*letter)++, label;
	}
	return NULL;
}

static int examine_names(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io)
{
	bool data = !has_label(d, SW_NODE_DATA_LABEL);
	char letter = 'a', label[16];
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->table.n_parts; i++) {
		const struct sw_part *p = &d->table.parts[i];

		if (is_ours(p))
			continue;
		if (holds_slot(io, p) && free_slot(d, &letter, label))
			r = name_lost(x, d, p, label);
		else if (data && holds_data(io, p))
			r = name_lost(x, d, p, SW_NODE_DATA_LABEL);
	}
	return r;
}

int sw_examine_parts(struct sw_examine *x, const struct sw_disk *d)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error e = {};
	int r = 0;

	if (d->medium || d->table.type != SW_TABLE_GPT ||
	    sw_machine_open_disk(x->m, d, false, false, &io, &e) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < d->table.n_parts; i++)
		if (is_started(&d->table.parts[i]) && !is_esp(&d->table.parts[i]))
			r = type_lost(x, d, &d->table.parts[i]);
	return r < 0 ? r : examine_names(x, d, io);
}
