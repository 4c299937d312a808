/* SPDX-License-Identifier: Apache-2.0 */
/* Which partition is the node's state, and what it holds: looked at without a mount. */
#include <string.h>

#include "base/size.h"
#include "disk/fs-type.h"
#include "disk/luks.h"
#include "disk/mdraid.h"
#include "rescue/inside-private.h"


static bool is_state(const struct sw_disk *d, const struct sw_part *p, const char *disk)
{
	return !d->medium && (!disk || strcmp(d->name, disk) == 0) && p->label &&
	       strcmp(p->label, SW_INSIDE_LABEL) == 0;
}

/* Members of one mirror hold the same, so any of them will do. */
static bool is_same(const struct sw_part *a, const struct sw_part *b)
{
	return a->group && b->group && strcmp(a->group, b->group) == 0;
}

static int several(const struct sw_disk *a, const struct sw_disk *b, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ, "several partitions are called \"%s\"",
		SW_INSIDE_LABEL);
	sw_error_where(err, "%s and %s", a->name, b->name);
	sw_error_hint(err, "slipway shell --state --disk NAME says which");
	return -ENOTUNIQ;
}

static int choose(const struct sw_facts *f, const char *disk, struct sw_inside *i,
		  struct sw_error *err)
{
	for (size_t k = 0; k < f->n_disks; k++) {
		const struct sw_disk *d = &f->disks[k];

		for (size_t n = 0; n < d->table.n_parts; n++) {
			const struct sw_part *p = &d->table.parts[n];

			if (!is_state(d, p, disk) || (i->part && is_same(i->part, p)))
				continue;
			if (i->part)
				return several(i->disk, d, err);
			i->disk = d;
			i->part = p;
		}
	}
	if (i->part)
		return 0;
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no partition \"%s\"%s%s",
		SW_INSIDE_LABEL, disk ? " on " : "", disk ? disk : "");
	sw_error_hint(err, "`slipway disks` shows what is there; a node's table that is damaged "
			   "is repaired by `slipway doctor`");
	return -ENOENT;
}

/* Where the file system or its encryption begins. */
static int enter_member(struct sw_inside *i, struct sw_io *io, struct sw_error *err)
{
	int r;

	i->start = i->part->start;
	i->size = i->part->size;
	i->mirror = sw_part_holds(i->part, SW_FS_RAID);
	r = i->mirror ? sw_md_enter(io, &i->start, &i->size) : 0;
	return r < 0 ? sw_fail_errno(err, SW_EXIT_MISSING, r, "the state is a member of an array "
				     "that slipway does not know") : 0;
}

static int look(struct sw_inside *i, struct sw_io *io, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *part = NULL;
	struct sw_luks_seal *seals = NULL;
	size_t n = 0;
	int r = sw_io_window(io, i->start, i->size, &part);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the state cannot be read");
	(void)sw_fs_type(sw_io_fd(io), i->start, i->size, i->fs, sizeof(i->fs));
	i->encrypted = strcmp(i->fs, SW_FS_LUKS) == 0;
	if (!i->encrypted) {
		i->condition = sw_inside_condition(part, i->fs);
		return 0;
	}
	i->fs[0] = '\0';
	i->condition = SW_INSIDE_UNKNOWN;
	if (sw_luks_seals(part, &seals, &n) == 0)
		i->seal = n > 0;
	sw_luks_seals_free(seals, n);
	return 0;
}

int sw_inside_find(struct sw_machine *m, const struct sw_facts *f, const char *disk, bool write,
		   bool damaged, struct sw_inside *ret, struct sw_error *err)
{
	struct sw_inside i = { .m = m, .write = write, .damaged = damaged, .lock = -EBADF,
			       .map = -EBADF, .loop.fd = -EBADF, .said = -EBADF, .go = -EBADF };
	_cleanup_io_ struct sw_io *io = NULL;
	int r = choose(f, disk, &i, err);

	if (r == 0)
		r = sw_machine_open_disk(m, i.disk, false, false, &io, err);
	if (r == 0)
		r = enter_member(&i, io, err);
	if (r == 0)
		r = look(&i, io, err);
	if (r == 0 && !i.encrypted && i.fs[0] == '\0') {
		r = sw_fail(err, SW_EXIT_MISSING, -EMEDIUMTYPE,
			    "the state holds no file system that is known");
		sw_error_where(err, "%s, partition %u", i.disk->name, i.part->number);
		sw_error_hint(err, "`slipway doctor` says what is left of it");
	}
	if (r == 0)
		r = sw_inside_judge(&i, err);
	if (r == 0)
		*ret = i;
	return r;
}
