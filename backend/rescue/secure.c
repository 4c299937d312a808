/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Boot is on, and a slot's image carries no signature that the firmware could check. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "boot/pe.h"
#include "boot/slot.h"
#include "rescue/private.h"

/* 1: no signature; 0: one, or it cannot be told. */
static int is_unsigned(struct sw_io *io, const struct sw_node_slot *s, const char *file)
{
	_cleanup_close_ int fd = -1;
	struct sw_error e = {};
	struct sw_pe pe = {};
	int r = sw_slot_image_head(io, s->part->start, s->part->size, SW_PE_HEAD, file, &e);

	if (r == 0)
		fd = open(file, O_RDONLY | O_CLOEXEC);
	if (r == 0 && fd >= 0)
		r = sw_pe_read(fd, file, &pe, &e);
	if (r == -ENOMEM)
		return r;
	return r == 0 && fd >= 0 && pe.cert_len == 0;
}

static int finding(struct sw_examine *x, const struct sw_node *n, const struct sw_node_slot *s,
		   const char *prefix)
{
	struct sw_finding *fi;
	char id[32];

	(void)snprintf(id, sizeof(id), "unsigned-%c", s->letter);
	fi = sw_finding_add(x, prefix, id, SW_FINDING_ERROR, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what),
		       "Secure Boot is on, and the image of slot %c is not signed",
		       s->letter - 'a' + 'A');
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "%.40s on %.40s has no signature table; the firmware's SecureBoot is 1",
		       s->part->label, n->disk->name);
	(void)snprintf(fi->effect, sizeof(fi->effect), "the firmware refuses to start it");
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "promote an image that is signed with a key of this machine's firmware, or "
		       "turn Secure Boot off in firmware setup");
	return 0;
}

int sw_examine_signatures(struct sw_examine *x, const struct sw_node *n, const char *prefix)
{
	_cleanup_(sw_scratch_clear) char *dir = NULL;
	_cleanup_free_ char *file = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	int r = 0;

	if (!x->f->secure_boot)
		return 0;
	r = sw_scratch_new("slipway-doctor", &dir);
	file = r == 0 ? sw_fmt("%s/image", dir) : NULL;
	if (r == 0)
		r = file ? sw_machine_open_disk(x->m, n->disk, false, false, &io, x->err) : -ENOMEM;
	for (size_t i = 0; r == 0 && i < n->n_slots; i++) {
		if (n->slots[i].good)
			r = is_unsigned(io, &n->slots[i], file);
		if (r > 0)
			r = finding(x, n, &n->slots[i], prefix);
	}
	return r;
}
