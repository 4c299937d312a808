/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions that are there but are not called, or not typed, as what they hold: a node is
 * found by these names, and firmware looks for ESPs. What they hold decides.
 */
#include <inttypes.h>
#include <string.h>

#include "boot/ipxe.h"
#include "boot/loadopt.h"
#include "boot/nodedata.h"
#include "boot/slot.h"
#include "boot/varset.h"
#include "rescue/private.h"

#define ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

struct wish {
	unsigned int number;
	const char *label;	/* NULL: stays */
	bool esp;
};

static int grant(struct sw_part *p, const struct wish *w)
{
	char *label;

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

static int as_wished(struct sw_part **parts, size_t *n, const void *arg)
{
	const struct wish *w = arg;
	int r = 0;

	for (size_t i = 0; r == 0 && i < *n; i++)
		if ((*parts)[i].number == w->number)
			r = grant(&(*parts)[i], w);
	return r;
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

/* Who says what a partition is whose name is another one. */
struct witness {
	const char *what, *seen, *effect;
};

static const struct witness node_data = {
	"a partition that holds node data", "node data with a valid checksum are in it",
	"host name, admission and mode of the node are not found",
};
static const struct witness image = {
	"a partition that holds a slot's image", "an image and its manifest are in it",
	"the slot is not found: its image is neither checked nor replaced",
};
/* Its image is gone as well: the firmware alone remembers. */
static const struct witness entry = {
	"a partition that the firmware starts as a slot",
	"a boot entry of the slot leads to it, and no image is in it",
	"the slot is not found: its image is not replaced, and the entry leads to nothing",
};

static int name_lost(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
		     const char *label, const struct witness *by)
{
	struct wish w = { .number = p->number, .label = label };
	struct sw_finding *fi;
	char id[32];
	int r;

	(void)snprintf(id, sizeof(id), "part-name-%u", p->number);
	fi = sw_finding_add(x, d->name, id, SW_FINDING_ERROR, SW_SURE_LIKELY);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%s is not called %s", by->what, label);
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "partition %u of %.40s is called \"%.60s\"; %s", p->number, d->name,
		       p->label ? p->label : "", by->seen);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", by->effect);
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
	return p->fs_type && strcmp(p->fs_type, "vfat") == 0 &&
	       sw_rescue_is_slot(io, p->start, p->size);
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

/* The letter of the slot as whose this variable starts the partition; '\0': it does not. */
static char starts_as(const struct sw_varset_entry *e, const struct sw_part *p)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_free_ char *path = NULL;
	struct sw_devpath_hd hd;
	char letter;

	if (sw_loadopt_parse(e->data, e->len, &o) < 0 ||
	    sw_devpath_find_file(o.path, o.path_len, &hd, &path) < 0 ||
	    !sw_guid_equal(&hd.guid, &p->uuid) || strcasecmp(path, SW_SLOT_BOOT_PATH) != 0 ||
	    sscanf(o.label, "Slipway %c", &letter) != 1 || letter < 'A' || letter > 'D' ||
	    (o.label[9] && o.label[9] != ' '))
		return '\0';
	return (char)(letter - 'A' + 'a');
}

/* The name of the slot as which the firmware starts this partition, where no other has it. */
static const char *lost_slot(const struct sw_disk *d, const struct sw_part *p,
			     const struct sw_varset *set, char label[static 16])
{
	for (size_t i = 0; i < set->n_entries; i++) {
		char letter = starts_as(&set->entries[i], p);

		(void)snprintf(label, 16, "slipway-%c", letter ? letter : '?');
		if (letter && !has_label(d, label))
			return label;
	}
	return NULL;
}

static int examine_names(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	bool data = !has_label(d, SW_NODE_DATA_LABEL);
	char letter = 'a', label[16];
	int r = 0;

	if (x->raw && sw_varset_load(x->raw, &set) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < d->table.n_parts; i++) {
		const struct sw_part *p = &d->table.parts[i];

		if (is_ours(p))
			continue;
		if (holds_slot(io, p) && free_slot(d, &letter, label))
			r = name_lost(x, d, p, label, &image);
		else if (data && sw_rescue_is_data(io, p->start, p->size))
			r = name_lost(x, d, p, SW_NODE_DATA_LABEL, &node_data);
		else if ((sw_disk_slot(d) || !data) && lost_slot(d, p, &set, label))
			r = name_lost(x, d, p, label, &entry);
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
