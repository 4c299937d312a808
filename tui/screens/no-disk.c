/* SPDX-License-Identifier: Apache-2.0 */
/* disk: none, before it is chosen: what such a node has, and what it lacks, in words. */
#include "base/catalogue.h"
#include "tui/screens/screens.h"
#include "tui/session/disks.h"
#include "tui/session/state.h"

static bool no_disk_request(struct sw_view *v SW_UNUSED, struct sw_state *s, enum sw_request req,
			    uint32_t ch SW_UNUSED)
{
	struct sw_error err = { 0 };

	if (req != SW_REQ_ACCEPT)
		return false;
	if (sw_state_choose_no_disk(s, &err) < 0)
		sw_state_refuse(s, "%s: %s", err.what, err.why);
	else
		sw_view_push(s, &sw_screen_boot);
	return true;
}

static const char words[] =
	N_("No disk is written. The firmware gets the node's boot entry for the network, the "
	"order, and the node's data with its admission. That is all there will be of it.\n\nWhat "
	"is lost by that:\n- There is no last-known-good image. When the network or the boot "
	"server is away, nothing of this node starts.\n- There are no slots: nothing to promote "
	"into and nothing to roll back to.\n- There is no state: what the node writes is gone "
	"when it restarts.\n- Everybody on the node can read its data in the firmware, so it "
	"keeps no secret.\n- Undo data are in this system's memory, until it restarts.");

static void no_disk_draw(struct sw_view *v SW_UNUSED, const struct sw_state *s SW_UNUSED,
			 struct sw_frame *f, const struct sw_area *a)
{
	sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows, _(words));
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("without a disk") }, { SW_REQ_BACK, N_("choose a disk") },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_no_disk = {
	.title = N_("Install 2 of 7 - No disk"),
	.help = N_("What is said here is disk: none in the answer file. Answers that need a disk, "
		"such as the payload, are set aside, and are there again when a disk is chosen."),
	.hints = hints,
	.draw = no_disk_draw,
	.request = no_disk_request,
};
