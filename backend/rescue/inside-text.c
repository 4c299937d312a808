/* SPDX-License-Identifier: Apache-2.0 */
/* What may be done to a state, and what will be, in words. */
#include <string.h>

#include "base/catalogue.h"
#include "base/size.h"
#include "machine/shell.h"
#include "rescue/inside-private.h"

/*
 * Beside MS_RDONLY. A log that is replayed is a write; where it is not, what was written last is
 * not seen either.
 */
const char *sw_inside_options(const char *fs, bool write)
{
	static const struct {
		const char *fs, *never_write;
	} known[] = {
		{ "ext3", "noload" }, { "ext4", "noload" }, { "xfs", "norecovery" },
		{ "btrfs", "rescue=nologreplay" },
	};

	for (size_t i = 0; !write && i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].fs, fs) == 0)
			return known[i].never_write;
	return "";
}

enum sw_inside_condition sw_inside_condition(struct sw_io *io, const char *fs)
{
	struct sw_ext e;

	if (strncmp(fs, "ext", 3) != 0)
		return strcmp(fs, "vfat") != 0 && strcmp(fs, "xfs") != 0 ? SW_INSIDE_UNKNOWN
		       : sw_state_other_fault(io, 0, io->size, fs)	  ? SW_INSIDE_DAMAGED
									  : SW_INSIDE_CLEAN;
	if (sw_ext_read(io, SW_EXT_AT, &e) < 0)
		return SW_INSIDE_UNKNOWN;
	switch (sw_ext_condition(&e)) {
	case SW_EXT_CLEAN:
		return SW_INSIDE_CLEAN;
	case SW_EXT_JOURNAL:
		return SW_INSIDE_JOURNAL;
	default:
		return SW_INSIDE_DAMAGED;
	}
}

int sw_inside_judge(const struct sw_inside *i, struct sw_error *err)
{
	if (i->write && i->mirror) {
		sw_fail(err, SW_EXIT_REFUSED, -EROFS, "one member of a mirror is not written");
		sw_error_why(err, "the other member would no longer be the same, and nothing says "
				  "which is right");
		sw_error_hint(err, "without --write it can be read; start the node to change it");
		return -EROFS;
	}
	if (!i->write || i->damaged || i->condition != SW_INSIDE_DAMAGED)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EUCLEAN, "the file system of the state is damaged");
	sw_error_where(err, "%s, partition %u", i->disk->name, i->part->number);
	sw_error_why(err, "it has errors or was not unmounted, and what is written there makes it "
			  "worse");
	sw_error_hint(err, "repair it first: `slipway doctor`%s; it can be read without --write; "
			   "--damaged writes all the same",
		      i->encrypted ? ", or, as it is encrypted, e2fsck on the node" : "");
	return -EUCLEAN;
}

/* ---- for a person ---- */

static int add_what(const struct sw_inside *i, struct sw_buf *b)
{
	char size[16];

	return sw_buf_addf(b, _("The state is partition %u of %s: %s, %s%s."), i->part->number,
			   i->disk->name,
			   sw_size_format(i->part->size, size, sizeof(size)),
			   i->encrypted ? _("encrypted") : i->fs,
			   i->mirror ? _(", one member of a mirror") : "");
}

static int add_key(const struct sw_inside *i, struct sw_buf *b)
{
	const bool spoilt = sw_shell_may_seal(i->m, NULL) < 0;

	if (!i->encrypted)
		return 0;
	return sw_buf_adds(b, !i->seal
		? _(" No TPM opens it: the recovery key is asked for.")
		: spoilt ? _(" The TPM opens nothing any more, for a shell was opened since this "
			     "system started: the recovery key is asked for.")
			 : _(" The TPM is asked to open it, and when it does not, the recovery key "
			     "is asked for."));
}

static int add_condition(const struct sw_inside *i, struct sw_buf *b)
{
	switch (i->condition) {
	case SW_INSIDE_JOURNAL:
		return sw_buf_adds(b, _(" It was not unmounted: what was written last is in its "
					"journal, which is replayed only when it is opened for "
					"writing."));
	case SW_INSIDE_DAMAGED:
		return sw_buf_adds(b, _(" Its file system is damaged: repair it before anything is "
					"written there (Find out why it does not boot)."));
	default:
		return 0;
	}
}

int sw_inside_text(const struct sw_inside *i, struct sw_buf *b)
{
	int r = add_what(i, b);

	if (r == 0)
		r = add_key(i, b);
	return r == 0 ? add_condition(i, b) : r;
}
