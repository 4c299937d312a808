/* SPDX-License-Identifier: Apache-2.0 */
/* An install that was interrupted (or is complete and can be undone): resume, undo, leave. */
#include <string.h>

#include "base/catalogue.h"
#include "base/text.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/list.h"
#include "tui/session/state.h"

enum item { ITEM_RESUME, ITEM_UNDO, ITEM_LEAVE };

struct journal {
	struct sw_list list;	/* first: see list-view.h */
	char *undo;		/* what undo brings back, and what it cannot */
};

static const char *undo_item(const struct sw_journal_info *j)
{
	if (sw_undo_away(j))
		return _("Undo: put the old state back on the disks that are here");
	return j->undoing || j->owed ? _("Undo: finish putting the old state back")
				     : _("Undo: put the old state back");
}

static void journal_refresh(struct sw_view *v, struct sw_state *s)
{
	struct journal *jv = v->data;
	const struct sw_journal_info *j = s->journal;
	size_t sel = jv->list.sel;

	sw_list_clear(&jv->list);
	free(TAKE_PTR(jv->undo));
	if (j && j->state == SW_JOURNAL_RUNNING && !j->undoing && !j->alone && !j->absent)
		sw_list_add_text(&jv->list, ITEM_RESUME, _("Resume: run it to its end"));
	if (j && j->plan && (jv->undo = sw_undo_text(j, 0)) && sw_undo_possible(j))
		sw_list_add_text(&jv->list, ITEM_UNDO, undo_item(j));
	sw_list_add_text(&jv->list, ITEM_LEAVE, _("Leave it as it is"));
	jv->list.sel = sel < jv->list.n ? sel : 0;
}

static bool journal_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			    uint32_t ch)
{
	struct journal *jv = v->data;

	if (sw_list_request(&jv->list, s, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	switch (sw_list_selected(&jv->list)->id) {
	case ITEM_RESUME:
		sw_state_start(s, SW_WORK_RESUME);
		break;
	case ITEM_UNDO:
		sw_view_push(s, &sw_screen_undo);
		break;
	default:
		sw_view_pop(s);
		break;
	}
	return true;
}

static void describe(const struct sw_journal_info *j, struct sw_buf *b)
{
	const char *disk = j->disk_name ? j->disk_name : _("a disk");
	char text[SW_TIME_TEXT];
	const char *when = j->time > 0 ? sw_time_text(j->time, text) : _("an unknown time");

	if (j->state == SW_JOURNAL_OWED)
		sw_buf_addf(b, _("The install of %s on %s was undone, but not on every disk."),
			    when, disk);
	else if (j->state == SW_JOURNAL_ALONE)
		sw_buf_addf(b, _("%s has a part of an install of %s on several disks."), disk,
			    when);
	else if (j->state == SW_JOURNAL_DONE)
		sw_buf_addf(b, _("The install of %s on %s is complete."), when, disk);
	else if (j->undoing)
		sw_buf_addf(b, _("The undoing of the install of %s on %s was interrupted."), when,
			    disk);
	else
		sw_buf_addf(b, _("The install of %s on %s was interrupted at step %u of %u: %s."),
			    when, disk, j->step, j->steps, j->step_title ? j->step_title : "");
	for (size_t k = 0; j->plan && k < j->plan->n_disks; k++) {
		const struct sw_plan_disk *d = &j->plan->disks[k];

		if (d->serial)
			sw_buf_addf(b, j->absent >> k & 1
				       ? _("\nDisk: %s, serial %s, which is not here.")
				       : _("\nDisk: %s, serial %s."),
				    d->model ? d->model : _("no model"), d->serial);
	}
}

static void journal_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			 const struct sw_area *a)
{
	struct journal *jv = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_area list = *a;
	unsigned int row = a->row;

	if (s->journal)
		describe(s->journal, &b);
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 4, sw_buf_text(&b)) + 1;
	list.row = row;
	list.rows = 3;
	row += sw_list_draw(&jv->list, f, &list, NULL) + 1;
	if (jv->undo && row + 1 < a->row + a->rows) {
		sw_frame_put(f, row++, 0, f->cols, 0, _("What undo would do:"));
		sw_frame_paragraph(f, row, 2, f->cols - 3, a->row + a->rows - row, jv->undo);
	}
}

static void journal_close(struct sw_view *v)
{
	struct journal *jv = v->data;

	sw_list_view_close(v);
	free(jv->undo);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, NULL }, { SW_REQ_BACK, N_("leave") },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_journal = {
	.title = N_("An earlier install"),
	.help = N_("slipway writes down what it is about to do on the disk itself, so that it can "
		"tell after a power cut where it was. Resume runs the same plan to its end. Undo "
		"puts the old partition table and boot entries back; what had been overwritten "
		"stays overwritten, and is named. When a disk is not here, undo takes the others "
		"back; attach it, and undo once more finishes. Leave changes nothing."),
	.size = sizeof(struct journal),
	.hints = hints,
	.refresh = journal_refresh,
	.draw = journal_draw,
	.request = journal_request,
	.close = journal_close,
	.widget = sw_list_view_widget,
};
