/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state that is not the one which the install made: formatted anew, no longer encrypted, or
 * copied from another node. The journal of the install says what it made, layer by layer (member
 * of a mirror, encryption, file system), and UUIDs derive from the partition's. Nothing brings the
 * old content back, so there is no repair; and what was meant is no fault.
 */
#include <string.h>

#include "apply/journal.h"
#include "base/text.h"
#include "disk/luks.h"
#include "disk/mdraid.h"
#include "layout/content.h"
#include "plan/plan.h"
#include "rescue/private.h"

#define ID "state-other"

/* Where a layer lies: on the disk, in a member of a mirror, in what was opened with a key. */
enum level { OUTER, MIRRORED, OPENED };

/* One layer of it: as the install made it, and as it is. */
struct layer {
	const char *want, *have;	/* kind, as libblkid calls it; have NULL: none is known */
	char want_uuid[SW_GUID_TEXT], have_uuid[SW_GUID_TEXT];
	char first[SW_GUID_TEXT];	/* the UUID that it was made with, or "" */
	int64_t made;			/* when, 0: it does not say */
	enum level level;
	const char *inside;		/* what it lies in, or NULL */
};

struct anew {
	struct sw_examine *x;
	const struct sw_disk *d;
	const struct sw_part *part;
	const struct sw_plan *plan;
	const struct sw_placed *placed;
	bool used;	/* the running system came up with it */
	struct layer l;
};

static const struct sw_placed *placed_for(const struct sw_plan *p, unsigned int disk,
					  const struct sw_part *part)
{
	for (size_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].disk == disk && (p->parts[i].start == part->start ||
						 sw_guid_equal(&p->parts[i].uuid, &part->uuid)))
			return &p->parts[i];
	return NULL;
}

/* ---- what there should be ---- */

static void want_kind(struct anew *a, const char *kind,
		      int (*derive)(const struct sw_guid *, struct sw_guid *))
{
	struct sw_guid g;
	char text[SW_GUID_TEXT];

	a->l.want = kind;
	if (derive(&sw_plan_leader(a->plan, a->placed)->uuid, &g) < 0)
		return;
	(void)sw_guid_format(&g, text);
	if (strcmp(kind, "vfat") == 0)
		(void)snprintf(a->l.want_uuid, sizeof(a->l.want_uuid), "%.4s-%.4s", text, text + 4);
	else
		memcpy(a->l.want_uuid, text, sizeof(text));
}

/* false: the install did not fill it, so that whatever is there is right. */
static bool want(struct anew *a)
{
	const struct sw_placed *p = a->placed;
	const enum level level = a->l.level;

	if (p->kept) {	/* what is inside it nobody has noted */
		a->l.want = p->raid ? SW_FS_RAID : p->encrypt ? SW_FS_LUKS : p->format;
		(void)snprintf(a->l.want_uuid, sizeof(a->l.want_uuid), "%.36s",
			       p->fs_uuid ? p->fs_uuid : "");
		return level == OUTER && a->l.want && *a->l.want_uuid;
	}
	if (p->raid && level == OUTER)
		a->l.want = SW_FS_RAID;
	else if (p->encrypt && level == (p->raid ? MIRRORED : OUTER))
		want_kind(a, SW_FS_LUKS, sw_luks_uuid);
	else if (p->format && strcmp(p->format, "squashfs") != 0)	/* has no UUID */
		want_kind(a, p->format, sw_layout_fs_uuid);
	return a->l.want && (*a->l.want_uuid || strcmp(a->l.want, SW_FS_RAID) == 0);
}

/* ---- whether it is there ---- */

/* A UUID that was changed since (tune2fs -U, xfs_admin -U, btrfstune -m) makes no new one. */
static bool is_same(const struct anew *a)
{
	const struct layer *l = &a->l;

	if (l->have && strcmp(l->want, SW_FS_RAID) == 0)	/* mdadm may have made it anew */
		return strcmp(l->have, SW_FS_RAID) == 0;
	return l->have && (strcasecmp(l->want_uuid, l->have_uuid) == 0 ||
			   strcasecmp(l->want_uuid, l->first) == 0 ||
			   (a->placed->kept && l->made > 0 && l->made <= a->plan->time));
}

static bool is_file_system(const char *kind)
{
	static const char *const kinds[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "vfat",
					     "f2fs" };

	for (size_t i = 0; kind && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

/* ---- words ---- */

static const char *words_of(const char *kind)
{
	return strcmp(kind, SW_FS_LUKS) == 0   ? "LUKS"
	       : strcmp(kind, SW_FS_RAID) == 0 ? "a member of a mirror" : kind;
}

#define MEANT "if it was meant, leave it; if not, what was in it is in a backup only: write " \
	      "nothing here while somebody looks for it"
#define AGAIN "save what is wanted of it, then install again with the node's own answers: that " \
	      "makes the state as the node expects it, and empty"

static struct sw_finding *say(struct anew *a, enum sw_severity severity, const char *what,
			      const char *effect, const char *advice)
{
	const struct layer *l = &a->l;
	char when[SW_TIME_TEXT], made[SW_TIME_TEXT];
	bool dated = l->have && l->made > 0;
	struct sw_finding *fi = sw_finding_add(a->x, a->d->name, ID,
					       a->used ? SW_FINDING_INFO : severity,
					       severity == SW_FINDING_INFO ? SW_SURE_CERTAIN
									   : SW_SURE_LIKELY);

	if (!fi)
		return NULL;
	(void)snprintf(fi->what, sizeof(fi->what), "%s", what);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s",
		       a->used ? "this system has come up with it" : effect);
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "the install of %s made %s%s%.36s; %s%spartition %u of %.30s holds %s%s%.36s"
		       "%s%s", sw_time_text(a->plan->time, when), words_of(l->want),
		       *l->want_uuid ? " " : "", l->want_uuid, l->inside ? l->inside : "",
		       l->inside ? " in " : "", a->part->number, a->d->name,
		       l->have ? words_of(l->have) : "nothing that is known",
		       l->have && *l->have_uuid ? " " : "", l->have ? l->have_uuid : "",
		       dated ? ", made " : "", dated ? sw_time_text(l->made, made) : "");
	(void)snprintf(fi->advice, sizeof(fi->advice), "%s",
		       fi->severity == SW_FINDING_INFO ? MEANT : advice);
	return fi;
}

#define UNTOLD "a node that was not told of it does not find its state"
#define FROM_ANEW "the node starts, and nothing is in it that was stored before"

/* Keys that the TPM has are tried elsewhere: here counts that there is one at all. */
static bool tpm_has_key(struct sw_io *io, const struct sw_part *p)
{
	_cleanup_io_ struct sw_io *part = NULL;
	struct sw_luks_seal *seals = NULL;
	size_t n = 0;
	int r = sw_io_window(io, p->start, p->size, &part);

	if (r == 0)
		r = sw_luks_seals(part, &seals, &n);
	sw_luks_seals_free(seals, n);
	return r == 0 && n > 0;
}

static struct sw_finding *encrypted_anew(struct anew *a, struct sw_io *io,
					 const struct sw_part *p)
{
	static const char what[] = "the encryption of the state was made anew since the install";

	if (!(a->placed->encrypt & SW_ENCRYPT_TPM2))
		return say(a, SW_FINDING_WARNING, what, "whether the node's key opens it is not "
			   "known; nothing is in it that was stored before", MEANT);
	if (tpm_has_key(io, p))
		return say(a, SW_FINDING_INFO, what, FROM_ANEW, MEANT);
	return say(a, SW_FINDING_ERROR, what, "the TPM has no key to it: the node stops at its "
		   "start and asks for one, or goes without the state",
		   "who made it has a key: `systemd-cryptenroll --tpm2-device=auto` on the node "
		   "gives the TPM one; else install again with the node's own answers, which "
		   "empties the state");
}

static struct sw_finding *encryption_gone(struct anew *a)
{
	if (a->l.have)
		return say(a, SW_FINDING_ERROR, "the state is not encrypted any more",
			   "a node that opens its state with a key does not come up, or goes "
			   "without it", AGAIN);
	return say(a, SW_FINDING_ERROR, "the state has lost its encryption header, or was "
		   "overwritten", "the state cannot be opened, and what is in it is lost without "
		   "a copy of the header",
		   "`cryptsetup luksHeaderRestore` puts a copy of the header back, if there is "
		   "one; else install again with the node's own answers, which empties the state");
}

static struct sw_finding *other_kind(struct anew *a)
{
	const struct layer *l = &a->l;
	char what[160];

	if (strcmp(l->want, SW_FS_RAID) == 0)
		return say(a, SW_FINDING_WARNING, "the state here is no member of its mirror any "
			   "more", "the state has a copy less, or none",
			   "where the other disk still has its member: on the node `mdadm --add` "
			   "makes this one a copy of it again, and what is here now is lost");
	if (strcmp(l->want, SW_FS_LUKS) == 0)
		return encryption_gone(a);
	if (!l->have)
		return say(a, SW_FINDING_ERROR, "the state holds no file system any more",
			   "the state cannot be mounted, and what was in it is not found",
			   "what was in it is in a backup only; install again with the node's own "
			   "answers: that makes the state as the node expects it, and empty");
	/* Nobody encrypts by mistake, and what was plain at first may be encrypted later. */
	if (strcmp(l->have, SW_FS_LUKS) == 0)
		return say(a, SW_FINDING_INFO, "the state is encrypted, and was plain at the "
			   "install", UNTOLD, MEANT);
	(void)snprintf(what, sizeof(what), "the state holds %.40s now, and no file system",
		       words_of(l->have));
	return say(a, SW_FINDING_WARNING, what, UNTOLD, AGAIN);
}

/* io, p: where this layer lies. */
static int judge(struct anew *a, struct sw_io *io, const struct sw_part *p)
{
	const struct layer *l = &a->l;
	struct sw_finding *fi;

	if (!want(a) || is_same(a))
		return 0;
	if (strcmp(l->want, SW_FS_LUKS) == 0 && l->have && strcmp(l->have, SW_FS_LUKS) == 0)
		fi = encrypted_anew(a, io, p);
	else if (is_file_system(l->want) && is_file_system(l->have))
		fi = say(a, SW_FINDING_INFO, "the state is another file system than the install "
			 "made", FROM_ANEW, MEANT);
	else
		fi = other_kind(a);
	return fi ? 0 : -ENOMEM;
}

/* ---- looking ---- */

/* What begins at p->start of io. -ENODATA: it cannot be read, and nothing is said of it. */
static int have(struct anew *a, struct sw_io *io, const struct sw_part *p)
{
	struct sw_fs_id id;
	int r = sw_fs_id(io, p->start, &id);

	if (r < 0 && r != -ENOENT)
		return -ENODATA;
	a->l.have = p->fs_type ? p->fs_type : id.type;
	(void)snprintf(a->l.have_uuid, sizeof(a->l.have_uuid), "%.36s",
		       p->fs_uuid ? p->fs_uuid : id.uuid);
	if (strcasecmp(id.uuid, a->l.have_uuid) != 0)
		return 0;
	memcpy(a->l.first, id.first, sizeof(id.first));
	a->l.made = id.made;
	return 0;
}

static bool said(const struct sw_examine *x, const struct sw_disk *d, const char *id)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%.30s/%s", d->name, id);
	return sw_findings_get(x->out, text);
}

static int compare(struct anew *a, struct sw_io *io, const struct sw_part *p, enum level level)
{
	static const char *const inside[] = { NULL, "a mirror", "an encrypted partition" };
	int r;

	if (said(a->x, a->d, ID))
		return 0;
	a->l = (struct layer){ .level = level, .inside = inside[level] };
	r = have(a, io, p);
	if (r == 0)
		r = judge(a, io, p);
	return r == -ENODATA ? 0 : r;
}

/* Of the partition itself libblkid knows more kinds; what lies deeper is read here alone. */
static int compare_all(struct anew *a, struct sw_io *io, struct sw_io *opened)
{
	struct sw_part in = { .start = a->part->start, .size = a->part->size };
	int r = compare(a, io, a->part, OUTER);

	if (r == 0 && sw_part_holds(a->part, SW_FS_RAID) &&
	    sw_md_enter(io, &in.start, &in.size) == 0)
		r = compare(a, io, &in, MIRRORED);
	if (r < 0 || !opened)
		return r;
	in = (struct sw_part){ .size = opened->size };
	return compare(a, opened, &in, OPENED);
}

int sw_examine_state_anew(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io,
			  const struct sw_part *part, const struct sw_state_place *inside)
{
	struct anew a = { .x = x, .d = d, .part = part, .used = d->uses && d->uses[0] };
	_cleanup_plan_ struct sw_plan *p = NULL;
	struct sw_journal_head h = {};
	int r;

	/* What says more, or comes first. */
	if (said(x, d, "state") || said(x, d, "table-changed"))
		return 0;
	r = sw_rescue_journal(d, io, io->size, &h, &p);
	if (r == 0) {
		a.plan = p;
		a.placed = placed_for(p, h.disk, part);
	}
	r = r == -ENOMEM ? r : a.placed ? compare_all(&a, io, inside->opened) : 0;
	sw_journal_head_clear(&h);
	return r;
}
