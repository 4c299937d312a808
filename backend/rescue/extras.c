/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands beside the slots: the rescue image and iPXE. There is one copy of each and
 * no source on the machine, so what is damaged comes back with an install only.
 */
#include <string.h>

#include "boot/slot.h"
#include "layout/types.h"
#include "rescue/private.h"

#define AGAIN "an install with the same answers, state kept by disk.preserve, writes it again"

static int add(struct sw_examine *x, const struct sw_node *n, const char *prefix, const char *id,
	       const struct sw_part *p, const char *what, const char *evidence, const char *effect)
{
	struct sw_finding *fi = sw_finding_add(x, prefix, id, SW_FINDING_WARNING,
					       SW_SURE_CERTAIN);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%s", what);
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.40s on %.40s: %.160s", p->label,
		       n->disk->name, evidence);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", effect);
	(void)snprintf(fi->advice, sizeof(fi->advice), "%s", AGAIN);
	return 0;
}

/* Nothing was put there: the layout has a place for it, the answers had none to put. */
static bool is_empty(struct sw_io *io, const struct sw_part *p)
{
	uint8_t d[4096];

	return sw_io_read(io, p->start, d, sizeof(d)) == 0 && sw_bytes_are_zero(d, sizeof(d));
}

static int rescue(struct sw_examine *x, const struct sw_node *n, struct sw_io *io,
		  const char *prefix)
{
	const struct sw_part *p = n->rescue_part;
	struct sw_slot_manifest mf = {};
	struct sw_error e = {};
	bool ok = false;
	int r;

	if (!p || is_empty(io, p))
		return 0;
	r = sw_slot_read(io, p->start, p->size, &mf, &ok, &e);
	sw_slot_manifest_clear(&mf);
	if (r == -ENOMEM || (r == 0 && ok))
		return r;
	return add(x, n, prefix, "rescue", p, "the rescue image is damaged",
		   r < 0 ? e.what : "its content does not have the hash of its manifest",
		   "`slipway mode once rescue` refuses it; rescue is by the medium only");
}

/* Of iPXE no hash is kept: that there is a FAT to start from is all that can be told. */
static int ipxe(struct sw_examine *x, const struct sw_node *n, struct sw_io *io,
		const char *prefix)
{
	const struct sw_part *p = n->ipxe_part;
	uint8_t d[512];

	if (!p || is_empty(io, p) || sw_io_read(io, p->start, d, sizeof(d)) < 0 ||
	    (d[510] == 0x55 && d[511] == 0xaa && memcmp(d + 82, "FAT32", 5) == 0))
		return 0;
	return add(x, n, prefix, "ipxe", p, "the partition of iPXE has no file system",
		   "its first sector is not that of a FAT32", "the node does not start from the "
		   "network");
}

int sw_examine_extras(struct sw_examine *x, const struct sw_node *n, struct sw_io *io,
		      const char *prefix)
{
	int r = rescue(x, n, io, prefix);

	return r < 0 ? r : ipxe(x, n, io, prefix);
}
