/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plan does, in order: everything that can fail without harm first
 * (download, hashes, images), then the journal, then content, and the partition
 * table and boot entries last.
 */
#include "plan/steps.h"

#include <string.h>

#include "base/file.h"
#include "base/size.h"
#include "plan/protect.h"
#include "plan/secrets.h"

static const char *const kind_names[] = {
	[SW_STEP_FETCH] = "fetch",	   [SW_STEP_IMAGE] = "image",
	[SW_STEP_KEYS] = "keys",	   [SW_STEP_JOURNAL] = "journal",
	[SW_STEP_SLOT] = "slot",	   [SW_STEP_BLANK] = "blank",
	[SW_STEP_NODE_DATA] = "node-data", [SW_STEP_FORMAT] = "format",
	[SW_STEP_TABLE] = "table",	   [SW_STEP_ASIDE] = "aside",
	[SW_STEP_ENTRIES] = "entries",
	[SW_STEP_VERIFY] = "verify",
};

const char *sw_step_kind_name(enum sw_step_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(kind_names) ? kind_names[kind] : "unknown";
}

/* Adds a step that owns the given title; fields beyond are set by the caller through the result. */
static struct sw_step *add(struct sw_plan *p, enum sw_step_kind kind, unsigned int weight,
			   char *title, const char *undo)
{
	struct sw_step *s = reallocarray(p->steps, p->n_steps + 1, sizeof(*s));

	if (!s || !title) {
		if (s)
			p->steps = s;
		free(title);
		return NULL;
	}
	p->steps = s;
	s = &p->steps[p->n_steps++];
	*s = (struct sw_step){ .kind = kind, .title = title, .weight = weight };
	s->undo = strdup(undo);
	return s->undo ? s : NULL;
}

/* Old partitions that a range overlaps, in words; NULL when none. */
static char *what_dies(const struct sw_plan_disk *d, uint64_t off, uint64_t len)
{
	_cleanup_buf_ struct sw_buf b = {};

	for (size_t i = 0; i < d->n_old_parts; i++) {
		const struct sw_part *o = &d->old_parts[i];

		if (o->start >= off + len || o->start + o->size <= off)
			continue;
		(void)sw_buf_addf(&b, "%spartition %u%s%s%s%s", b.len ? ", " : "", o->number,
				  o->label && *o->label ? " " : "", o->label ? o->label : "",
				  o->fs_type ? " " : "", o->fs_type ? o->fs_type : "");
	}
	return b.len ? sw_buf_steal(&b) : NULL;
}

/* " on disk 2" where there are several. */
static const char *on_disk(const struct sw_plan *p, unsigned int disk, char text[static 32])
{
	text[0] = '\0';
	if (p->n_disks > 1)
		(void)snprintf(text, 32, " on disk %u", disk + 1);
	return text;
}

static int add_range(struct sw_plan *p, enum sw_step_kind kind, unsigned int weight,
		     const struct sw_placed *part, const char *verb)
{
	char size[16], at[16], where[32];
	struct sw_step *s;

	s = add(p, kind, weight,
		sw_fmt("%s %s%s (%s at %s)", verb, part->label ? part->label : "partition",
		       on_disk(p, part->disk, where),
		       sw_size_format(part->size, size, sizeof(size)),
		       sw_size_format(part->start, at, sizeof(at))),
		"the old partition table comes back; overwritten blocks do not");
	if (!s)
		return -ENOMEM;
	s->disk = part->disk;
	s->off = part->start;
	s->len = part->size;
	s->part_label = strdup(part->label ? part->label : "");
	s->format = part->format ? strdup(part->format) : NULL;
	s->destroys = what_dies(&p->disks[part->disk], part->start, part->size);
	return s->part_label ? 0 : -ENOMEM;
}

bool sw_plan_fills(const struct sw_plan *p, const struct sw_placed *part)
{
	const struct sw_answers *a = p->answers;

	/* Of the slots of one disk the first is filled. */
	if (part != sw_plan_find(p, part->disk, part->role))
		return false;
	if (part->role == SW_ROLE_SLOT)
		return sw_answers_have_payload(a);
	return part->role == SW_ROLE_IPXE ? sw_answers_by_ipxe(a)
	       : part->role == SW_ROLE_RESCUE && a->rescue && *a->rescue;
}

static int add_part(struct sw_plan *p, const struct sw_placed *part)
{
	if (part->kept)
		return 0;
	if (sw_plan_fills(p, part))
		return add_range(p, SW_STEP_SLOT, part->role == SW_ROLE_IPXE ? 2 : 30, part,
				 part->role == SW_ROLE_IPXE     ? "Write iPXE and its script to"
				 : part->role == SW_ROLE_RESCUE ? "Write the rescue image to"
								: "Write slot");
	if (part->role == SW_ROLE_SLOT)
		return add_range(p, SW_STEP_BLANK, 2, part, "Clear slot");
	if (part->role == SW_ROLE_NODE_DATA)
		return add_range(p, SW_STEP_NODE_DATA, 1, part, "Write node data");
	if (part->copy_blocks)
		return add_range(p, SW_STEP_FORMAT, 10, part, "Copy");
	if (part->format)
		return add_range(p, SW_STEP_FORMAT, 10, part,
				 part->encrypt && part->raid ? "Encrypt and format the array"
				 : part->encrypt ? "Encrypt and format"
				 : part->raid ? "Format the array" : "Format");
	return add_range(p, SW_STEP_BLANK, 2, part, "Clear");
}

static int add_content(struct sw_plan *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n_parts && r == 0; i++)
		r = add_part(p, &p->parts[i]);
	return r;
}

/* One journal step for all disks: what it overwrites on the others is told in its words. */
static char *what_journals_destroy(const struct sw_plan *p)
{
	_cleanup_buf_ struct sw_buf b = {};

	for (size_t k = 0; k < p->n_disks; k++) {
		const struct sw_plan_disk *d = &p->disks[k];
		_cleanup_free_ char *dies = what_dies(d, d->journal_off, d->journal_len);
		char where[32];

		if (dies)
			(void)sw_buf_addf(&b, "%s%s%s", b.len ? ", " : "", dies,
					  on_disk(p, (unsigned int)k, where));
	}
	return b.len ? sw_buf_steal(&b) : NULL;
}

static const char *which_keys(const struct sw_plan *p)
{
	unsigned int disk = sw_plan_encrypts(p);

	if (sw_plan_gives_secrets(p))
		return disk || sw_plan_makes_host_key(p)
			       ? "Make the node's keys, seal them and its secrets to the TPM"
			       : "Seal the node's secrets to the TPM";
	if (sw_plan_keeps_secrets(p) && !disk && !sw_plan_makes_host_key(p))
		return "Take over the secrets of the node that is there";
	if (sw_plan_makes_host_key(p))
		return disk ? "Make the disk's keys and the SSH host key, seal them to the TPM"
			    : "Make the SSH host key and seal it to the TPM";
	return disk & SW_ENCRYPT_TPM2 ? "Make the disk's keys and seal them to the TPM"
				      : "Make the disk's keys";
}

static int add_before_content(struct sw_plan *p)
{
	struct sw_step *s;

	if (sw_answers_fetches(p->answers) &&
	    (!add(p, SW_STEP_FETCH, 30, strdup(sw_answers_have_payload(p->answers)
					 ? "Fetch and check the payload"
					 : "Fetch and check what the node starts with"),
		  "nothing to undo: nothing is written to the machine") ||
	     !add(p, SW_STEP_IMAGE, 15, strdup(sw_answers_have_payload(p->answers)
					 ? "Build the boot image and the slot"
					 : "Check the images for this machine"),
		  "nothing to undo: nothing is written to the machine")))
		return -ENOMEM;
	if ((sw_plan_encrypts(p) || sw_plan_seals(p) || sw_plan_keeps_secrets(p)) &&
	    !add(p, SW_STEP_KEYS, 4, strdup(which_keys(p)),
		 "nothing to undo: nothing is written to the machine, nor kept in the TPM"))
		return -ENOMEM;
	s = add(p, SW_STEP_JOURNAL, 2, strdup("Save undo data and start the journal"),
		"nothing to undo: only unpartitioned or replaced space is used");
	if (!s)
		return -ENOMEM;
	s->off = p->disks[0].journal_off;
	s->len = p->disks[0].journal_len;
	s->destroys = what_journals_destroy(p);
	return 0;
}

static int add_table(struct sw_plan *p, unsigned int disk)
{
	char where[32];
	struct sw_step *s = add(p, SW_STEP_TABLE, 2,
				sw_fmt("Write the new partition table%s", on_disk(p, disk, where)),
				"the old table is written back, both copies");

	if (!s)
		return -ENOMEM;
	s->disk = disk;
	s->destroys = p->disks[disk].n_old_parts ? strdup("the old partition table") : NULL;
	return 0;
}

/* After the tables: until they stand, the old system may need its names. */
static int add_aside(struct sw_plan *p)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = 0;

	for (size_t i = 0; i < p->n_asides && r == 0; i++)
		r = sw_buf_addf(&b, "%s%s", i ? ", " : "", p->asides[i].disk.name);
	if (p->n_asides == 0 || r < 0)
		return r;
	return add(p, SW_STEP_ASIDE, 1,
		   sw_fmt("Rename partitions that bear the node's names on %s", sw_buf_text(&b)),
		   "the old names are written back") ? 0 : -ENOMEM;
}

/* The system disk's table comes last: until it stands, the old system boots. */
static int add_after_content(struct sw_plan *p)
{
	for (size_t k = p->n_disks; k-- > 0;)
		if (add_table(p, (unsigned int)k) < 0)
			return -ENOMEM;
	if (add_aside(p) < 0)
		return -ENOMEM;
	if (p->entries.n_writes > 0 &&
	    !add(p, SW_STEP_ENTRIES, 2, strdup("Write the boot entries and the boot order"),
		 "the old boot entries and boot order are written back"))
		return -ENOMEM;
	return add(p, SW_STEP_VERIFY, 6, strdup("Read everything back and compare"),
		   "nothing to undo: nothing is written") ? 0 : -ENOMEM;
}

int sw_plan_add_diskless_steps(struct sw_plan *p)
{
	static const char back[] = "the old variable is written back, or it goes";

	if (!add(p, SW_STEP_JOURNAL, 2, strdup("Save the boot variables as undo data"),
		 "nothing to undo: no disk and no variable is written") ||
	    !add(p, SW_STEP_NODE_DATA, 1, strdup("Write the node data into the firmware"), back) ||
	    !add(p, SW_STEP_ENTRIES, 2, strdup("Write the boot entries and the boot order"),
		 "the old boot entries and boot order are written back") ||
	    !add(p, SW_STEP_VERIFY, 1, strdup("Read everything back and compare"),
		 "nothing to undo: nothing is written"))
		return -ENOMEM;
	return 0;
}

int sw_plan_add_steps(struct sw_plan *p, struct sw_error *err)
{
	if (add_before_content(p) < 0 || add_content(p) < 0 || add_after_content(p) < 0)
		return sw_fail_oom(err);
	return 0;
}

int sw_plan_warn(struct sw_plan *p, char *text)
{
	size_t n = 0;
	char **w;

	if (!text)
		return -ENOMEM;
	while (p->warnings && p->warnings[n])
		n++;
	w = reallocarray(p->warnings, n + 2, sizeof(*w));
	if (!w) {
		free(text);
		return -ENOMEM;
	}
	w[n] = text;
	w[n + 1] = NULL;
	p->warnings = w;
	return 0;
}

static size_t count_slots(const struct sw_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_parts; i++)
		n += p->parts[i].role == SW_ROLE_SLOT && p->parts[i].disk == 0;
	return n;
}

/* What an operator gives up with mode network, in words. */
static int warn_network(struct sw_plan *p, const struct sw_answers *a, bool writable)
{
	int r = 0;

	if (a->boot_mode != SW_MODE_NETWORK)
		return 0;
	if (!writable)
		r = sw_plan_warn(p, strdup("without EFI variables the firmware alone decides "
					   "whether the node boots from the network"));
	if (r == 0 && a->boot_strategy == SW_BOOT_ORDER)
		r = sw_plan_warn(p, strdup("strategy order: a network image that panics is started "
					   "again and again; the slot does not get its turn"));
	if (r == 0 && !sw_answers_have_payload(a) && !sw_answers_diskless(a))
		r = sw_plan_warn(p, strdup("no payload: all slots stay empty until the first "
					   "promote; until then nothing starts when the network "
					   "fails"));
	return r;
}

static bool has(const char *s)
{
	return s && *s;
}

/* A K10 token holds the hash of its CA: whether it does is known when it is read. */
static int warn_unpinned(struct sw_plan *p, const struct sw_admission *ad)
{
	if (has(ad->ca) || has(ad->pin))
		return 0;
	if (ad->kind == SW_ADMISSION_ATTEST)
		return sw_plan_warn(p, strdup("nothing pins the attestation server: whoever has a "
					      "certificate for its name can answer in its place "
					      "(admission.ca, admission.pin)"));
	if (ad->kind == SW_ADMISSION_KUBEADM)
		return sw_plan_warn(p, strdup("nothing pins the cluster's CA: only the token's "
					      "signature would vouch for it (admission.pin)"));
	return 0;
}

static int warn_admission(struct sw_plan *p, const struct sw_answers *a, const struct sw_facts *f)
{
	int r = 0;

	if (sw_answers_admission(a, SW_ADMISSION_ATTEST) && !f->tpm_present)
		r = sw_plan_warn(p, strdup("this machine shows no TPM: it cannot attest itself"));
	for (size_t i = 0; i < a->n_admission && r == 0; i++)
		if (a->admission[i].kind != SW_ADMISSION_NONE)
			r = warn_unpinned(p, &a->admission[i]);
	return r;
}

/* A layout that defines their partitions itself may have them on fewer disks than its slots. */
static int warn_extras(struct sw_plan *p)
{
	static const struct { enum sw_role role; const char *what; } extras[] = {
		{ SW_ROLE_RESCUE, "rescue image" }, { SW_ROLE_IPXE, "iPXE" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(extras) && r == 0; i++) {
		bool first = sw_plan_find(p, 0, extras[i].role) != NULL, all = true;
		bool several = false;

		for (size_t k = 1; k < p->n_disks; k++) {
			bool slot = sw_plan_find(p, k, SW_ROLE_SLOT) != NULL;

			several |= slot;
			all &= !slot || sw_plan_find(p, k, extras[i].role);
		}
		if (first && several && !all)
			r = sw_plan_warn(p, sw_fmt("the %s is on the first disk only: without that "
						   "disk the slots of the others start, and it "
						   "does not", extras[i].what));
	}
	return r;
}

static int warn_finish(struct sw_plan *p, const struct sw_facts *f)
{
	if (p->answers->finish != SW_FINISH_KEXEC)
		return 0;
	return sw_plan_warn(p, sw_fmt("finish: kexec starts the node without the firmware: whether "
				      "it finds the node is not seen until the next restart%s",
				      f->tpm_present
				      ? ". Until then the TPM has the measurements of this system, "
					"so that secrets of the node may stay closed, and an "
					"attestation is one of this system" : ""));
}

int sw_plan_add_warnings(struct sw_plan *p, const struct sw_facts *f, bool have_vars,
			 struct sw_error *err)
{
	const struct sw_answers *a = p->answers;
	int r = 0;

	if (a->boot_mode != SW_MODE_HANDS_OFF && (!have_vars || !f->boot.writable))
		r = sw_plan_warn(p, strdup("EFI variables cannot be written here: the node will "
					   "boot by the firmware's fallback path, without an "
					   "entry of its own"));
	if (r == 0)
		r = warn_network(p, a, have_vars && f->boot.writable);
	if (r == 0)
		r = warn_extras(p);
	if (r == 0 && count_slots(p) > 1 && sw_answers_have_payload(a))
		r = sw_plan_warn(p, strdup("the other slots stay empty until the first update"));
	if (r == 0)
		r = warn_admission(p, a, f);
	for (size_t k = 0; k < p->n_disks && r == 0; k++)
		if (!p->disks[k].serial && !p->disks[k].wwn)
			r = sw_plan_warn(p, sw_fmt("%s has neither serial nor WWN: this plan does "
						   "not survive a restart",
						   k ? p->disks[k].node : "the disk"));
	if (r == 0)
		r = warn_finish(p, f);
	if (r == 0)
		r = sw_plan_warn_protection(p, f);
	return r < 0 ? sw_fail_oom(err) : 0;
}

void sw_plan_free_steps(struct sw_plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		struct sw_step *s = &p->steps[i];

		free(s->title);
		free(s->part_label);
		free(s->destroys);
		free(s->undo);
		free(s->format);
	}
	free(p->steps);
}
