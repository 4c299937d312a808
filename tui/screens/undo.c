/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Undoing an install takes the node off its disk, so it is confirmed like an install: by typing
 * the end of a serial. What undo does stands on the screen before.
 */
#include "base/catalogue.h"
#include "disk/select.h"
#include "tui/screens/line-view.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/state.h"

struct undo {
	struct sw_line line;	/* first: see line-view.h */
};

/* The first disk that is here; NULL where there is no serial to type. */
static const struct sw_plan_disk *typed_for(const struct sw_journal_info *j)
{
	for (size_t k = 0; k < j->plan->n_disks; k++) {
		const struct sw_plan_disk *d = &j->plan->disks[k];

		if (!(j->absent & 1ULL << k) && d->confirm && d->confirm[0])
			return d;
	}
	return NULL;
}

static bool is_ready(const struct sw_state *s)
{
	return s->journal && s->journal->plan;
}

static void undo_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	(void)sw_line_set(&((struct undo *)v->data)->line, "");
}

static bool undo_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct undo *u = v->data;
	const struct sw_plan_disk *d = is_ready(s) ? typed_for(s->journal) : NULL;
	const char *confirm = d ? d->confirm : "yes";

	if (sw_line_request(&u->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	if (!is_ready(s))
		sw_view_pop(s);
	else if (!sw_disk_confirmed(u->line.text, confirm, d ? d->serial : NULL))
		sw_state_refuse(s, "That is not \"%s\". Nothing has been undone.", confirm);
	else
		sw_state_start(s, SW_WORK_UNDO);
	return true;
}

static const char *question(const struct sw_journal_info *j)
{
	return sw_undo_away(j)
		       ? _("Undo it on the disks that are here? A disk that is not keeps its part "
			   "of the node until it is attached and the install is undone once more; "
			   "do not start the machine from it. What the install has overwritten "
			   "does not come back.")
		       : _("Undo it? The node will not boot from this disk any more; what the "
			   "install has overwritten does not come back.");
}

static void undo_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	struct undo *u = v->data;
	const struct sw_plan_disk *d;
	unsigned int row = a->row;

	if (!is_ready(s))
		return;
	d = typed_for(s->journal);
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 6, question(s->journal)) + 1;
	if (d) {
		sw_frame_putf(f, row, 2, N_("%s  serial %s"), d->model ? d->model : _("(no model)"),
			      d->serial ? d->serial : _("(none)"));
		row += 2;
	}
	sw_frame_putf(f, row++, 0, N_("To undo the install, type %s and press Enter."),
		      d ? d->confirm : "yes");
	sw_line_draw(&u->line, f, row + 1, 0, 40);
}

static struct sw_widget undo_widget(const struct sw_view *v)
{
	struct undo *u = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = &u->line, .typed = true };
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("undo") }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_undo = {
	.title = N_("Undo"),
	.help = N_("What has to be typed is the end of the disk's serial number, as for an "
		"install. The old partition tables and boot entries come back; what the install "
		"has overwritten does not."),
	.size = sizeof(struct undo),
	.hints = hints,
	.open = undo_open,
	.draw = undo_draw,
	.request = undo_request,
	.close = sw_line_view_close,
	.widget = undo_widget,
	.mode = sw_line_view_mode,
};
