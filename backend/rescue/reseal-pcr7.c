/* SPDX-License-Identifier: Apache-2.0 */
/* Which PCR 7 the node will have. Apart from what changes LUKS headers: a node needs none of it. */
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "boot/uki.h"
#include "rescue/reseal.h"

int sw_pcr7_failed(int r, const char *image, struct sw_error *err)
{
	sw_fail(err, r == -EOPNOTSUPP ? SW_EXIT_MISSING : SW_EXIT_VERIFY, r,
		"the PCR 7 of this image cannot be told");
	sw_error_where(err, "%s", image);
	if (r == -ENOKEY) {
		sw_error_why(err, "Secure Boot is on, and no certificate in its db is above the "
				  "image's signer: the firmware starts it only if it knows its "
				  "hash");
		sw_error_hint(err, "sign it with a key that this machine's db trusts");
	} else if (r == -EOPNOTSUPP) {
		sw_error_why(err, "this firmware measures the entries of db in a way of its own");
	} else {
		sw_error_why(err, "the log says nothing of PCR 7 in the sha256 bank");
	}
	return r;
}

/* The whole slot that starts first as long as nobody changes that. */
static const struct sw_node_slot *first_slot(const struct sw_node *n)
{
	const struct sw_node_slot *best = NULL;

	for (size_t i = 0; i < n->n_slots; i++) {
		const struct sw_node_slot *s = &n->slots[i];

		if (s->good && !s->held && (!best || s->m.sequence > best->m.sequence))
			best = s;
	}
	return best;
}

static int from_slot(const struct sw_switch *s, struct sw_buf *table, char *ret_letter,
		     struct sw_error *err)
{
	const struct sw_node_slot *slot = s->have_node ? first_slot(&s->node) : NULL;
	_cleanup_(sw_scratch_clear) char *dir = NULL;
	_cleanup_free_ char *file = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	int r;

	if (!slot) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "no slot holds a whole image whose PCR 7 "
						       "could be told");
		sw_error_hint(err, "--image FILE names the image that the node will start");
		return -ENOENT;
	}
	*ret_letter = slot->letter;
	r = sw_scratch_new("slipway-reseal", &dir);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make a scratch directory");
	file = sw_fmt("%s/image", dir);
	if (!file)
		return sw_fail_oom(err);
	r = sw_machine_open_disk(s->m, s->node.disk, false, false, &io, err);
	if (r == 0)
		r = sw_slot_image(io, slot->part->start, slot->part->size, file, err);
	return r < 0 ? r : sw_uki_signatures(file, table, err);
}

int sw_reseal_foretell(const struct sw_switch *s, const char *image, const char *log,
		       struct sw_pcr7 *ret_pcr7, char *ret_letter, struct sw_error *err)
{
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	_cleanup_buf_ struct sw_buf table = {};
	int r = sw_eventlog_read(log, &l, err);
	char slot[] = "slot ?";

	*ret_letter = 0;
	if (r == 0 && image)
		r = sw_uki_signatures(image, &table, err);
	else if (r == 0)
		r = from_slot(s, &table, ret_letter, err);
	if (r < 0)
		return r;
	slot[5] = (char)(*ret_letter - 'a' + 'A');
	r = sw_eventlog_pcr7(l, table.data, table.len, ret_pcr7);
	return r < 0 ? sw_pcr7_failed(r, image ? image : slot, err) : 0;
}
