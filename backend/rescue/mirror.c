/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which members of a mirror count. md takes the superblocks with the highest event count, and what
 * they say of the others: one that was away, or has failed, is not among them and is copied anew
 * when it comes back. One that they do count and that is not here would keep what it has, and
 * nobody would notice; so nothing is written then.
 */
#include "rescue/mirror.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "disk/mdraid.h"
#include "machine/part-device.h"
#include "machine/sysdir.h"

struct member {
	const struct sw_disk *disk;
	const struct sw_part *part;
	struct sw_md md;
};

struct found {
	struct member v[SW_MIRROR_MAX];
	size_t n;
	size_t older;	/* members of the array that were left behind */
};

static int read_member(struct sw_machine *m, const struct sw_disk *d, const struct sw_part *p,
		       struct sw_md *ret_md)
{
	_cleanup_io_ struct sw_io *disk = NULL, *part = NULL;
	int r = sw_machine_open_disk(m, d, false, false, &disk, NULL);

	if (r == 0)
		r = sw_io_window(disk, p->start, p->size, &part);
	return r < 0 ? r : sw_md_read(part, ret_md);
}

bool sw_mirror_same(struct sw_machine *m, const struct sw_disk *d, const struct sw_part *p,
		    const struct sw_disk *other_d, const struct sw_part *other_p)
{
	struct sw_md a, b;

	return read_member(m, d, p, &a) == 0 && read_member(m, other_d, other_p, &b) == 0 &&
	       memcmp(a.uuid, b.uuid, sizeof(a.uuid)) == 0;
}

/* In the order of their numbers; one that is older than another is only counted. */
static int keep(struct found *l, const struct member *x)
{
	size_t at = l->n;

	if (l->n && x->md.events < l->v[0].md.events) {
		l->older++;
		return 0;
	}
	if (l->n && x->md.events > l->v[0].md.events) {
		l->older += l->n;
		l->n = at = 0;
	}
	if (l->n == SW_MIRROR_MAX)
		return -EOPNOTSUPP;
	for (; at > 0 && l->v[at - 1].md.number > x->md.number; at--)
		l->v[at] = l->v[at - 1];
	l->v[at] = *x;
	l->n++;
	return 0;
}

static int collect(struct sw_machine *m, const struct sw_facts *f, const struct sw_md *of,
		   struct found *l)
{
	int r = 0;

	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		for (size_t k = 0; r == 0 && k < d->table.n_parts; k++) {
			struct member x = { .disk = d, .part = &d->table.parts[k] };

			if (sw_part_holds(x.part, SW_FS_RAID) &&
			    read_member(m, d, x.part, &x.md) == 0 &&
			    memcmp(x.md.uuid, of->uuid, sizeof(of->uuid)) == 0)
				r = keep(l, &x);
		}
	}
	return r;
}

/* ---- what stands in the way ---- */

static int refuse(struct sw_error *err, int r, const char *what, const char *why, const char *hint)
{
	sw_fail(err, SW_EXIT_REFUSED, r, "%s", what);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return r;
}

#define START "start the node with its recovery key: md puts the mirror in order there"

static int check_members(const struct found *l, struct sw_error *err)
{
	const struct sw_md *first = &l->v[0].md;
	size_t away = first->active > l->n ? first->active - l->n : 0;

	for (size_t i = 1; i < l->n; i++)
		if (l->v[i].md.number == l->v[i - 1].md.number ||
		    l->v[i].md.active != first->active || l->v[i].md.size != first->size)
			return refuse(err, -ESTALE, "the members of the mirror do not agree",
				      "each says that another one has failed, or one is a copy",
				      "take one of them out, and look again");
	if (away && l->older)
		return refuse(err, -ESTALE, "a member of the mirror is behind the others",
			      "it was away while the others were written, and they still count it",
			      START ", and brings that member up to date");
	if (away)
		return refuse(err, -ENODEV, "a member of the mirror is not here, or cannot be read",
			      "it would keep the old seal, and the mirror would not notice",
			      "put its disk back, or " START ", without that disk");
	return l->n > first->active
		       ? refuse(err, -ESTALE, "the members of the mirror do not agree",
				"each was used without the other", "take one of them out, and look "
				"again") : 0;
}

/* Whether something is on top of this device. */
static bool is_used(struct sw_machine *m, const char *device)
{
	_cleanup_sysdir_ struct sw_sysdir dir = SW_SYSDIR_CLOSED;
	_cleanup_free_ char *path = sw_fmt("%s/class/block/%s/holders", m->sys_root, device);

	return !path || (sw_sysdir_open(AT_FDCWD, path, &dir) == 0 && sw_sysdir_next(&dir, NULL));
}

/* What the kernel has on a member, which then must not be written behind its back. */
static int check_idle(struct sw_machine *m, const struct member *x, struct sw_error *err)
{
	_cleanup_sysdir_ struct sw_sysdir dir = SW_SYSDIR_CLOSED;
	_cleanup_free_ char *device = NULL, *path = NULL;
	const char *by;
	int r = sw_part_device(m, x->disk, x->part->number, x->part->start, &device);

	if (r == -ENOMEM || !device)
		return sw_fail_oom(err);
	path = sw_fmt("%s/class/block/%s/holders", m->sys_root, strrchr(device, '/') + 1);
	if (!path)
		return sw_fail_oom(err);
	r = sw_sysdir_open(AT_FDCWD, path, &dir);
	if (r < 0)
		return sw_sysdir_is_gone(r) ? 0 : sw_fail_errno(err, SW_EXIT_FAILED, r,
								"cannot see who uses the mirror");
	by = sw_sysdir_next(&dir, NULL);
	if (!by)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EBUSY, "this system has put the mirror together");
	sw_error_why(err, "it is %.40s: what is written to its members goes past that", by);
	if (!is_used(m, by))
		sw_error_hint(err, "nothing uses it: `mdadm --stop /dev/%.40s`, and look again",
			      by);
	else
		sw_error_hint(err, "systemd-cryptenroll --wipe-slot=tpm2 --tpm2-device=auto "
				   "--tpm2-pcrs=7 /dev/%.40s seals it here; or do it from the "
				   "medium", by);
	return -EBUSY;
}

/* ---- the places ---- */

static int mirror_of(struct sw_machine *m, const struct sw_facts *f, const struct sw_md *md,
		     struct sw_mirror *ret, struct sw_error *err)
{
	struct sw_mirror all = { .size = md->size };
	struct found l = {};
	int r = collect(m, f, md, &l);

	if (r < 0 || l.n == 0)
		return refuse(err, -EOPNOTSUPP, "slipway does not write to this mirror",
			      "it has more members than slipway makes, or changes now", START);
	r = check_members(&l, err);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		r = check_idle(m, &l.v[i], err);
		all.v[i].disk = l.v[i].disk;
		all.v[i].start = l.v[i].part->start + l.v[i].md.data_offset;
	}
	all.n = l.n;
	if (r == 0)
		*ret = all;
	return r;
}

int sw_mirror_own(struct sw_machine *m, const struct sw_disk *d, const struct sw_part *p,
		  struct sw_mirror *ret_place)
{
	struct sw_md md = { .size = p->size };
	int r = sw_part_holds(p, SW_FS_RAID) ? read_member(m, d, p, &md) : 0;

	if (r == 0)
		*ret_place = (struct sw_mirror){
			.v = { { .disk = d, .start = p->start + md.data_offset } },
			.n = 1, .size = md.size };
	return r;
}

int sw_mirror_find(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
		   const struct sw_part *p, struct sw_mirror *ret_mirror, struct sw_error *err)
{
	struct sw_md md;
	int r;

	if (!sw_part_holds(p, SW_FS_RAID))
		return sw_mirror_own(m, d, p, ret_mirror);
	r = read_member(m, d, p, &md);
	if (r < 0)
		return refuse(err, -EOPNOTSUPP, "slipway does not write to this mirror",
			      "what its member says of it is damaged, or of a form that slipway "
			      "does not make: a bitmap, or a member that is being copied", START);
	return mirror_of(m, f, &md, ret_mirror, err);
}
