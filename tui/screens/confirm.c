/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The single point of no return: the end of the disk's serial has to be typed,
 * for each disk that loses something.
 */
#include <string.h>

#include "base/catalogue.h"
#include "base/size.h"
#include "disk/select.h"
#include "tui/screens/line-view.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/state.h"

struct confirm {
	struct sw_line line;	/* first: see line-view.h */
	unsigned int plan_count;	/* the plan that the next counts for */
	size_t disk;			/* of the plan, asked for now */
};

/* The first from here on that has to be confirmed; n_disks when none is left. */
static size_t next_disk(const struct sw_plan *p, size_t from)
{
	while (from < p->n_disks && !(p->disks[from].confirm && p->disks[from].confirm[0]))
		from++;
	return from;
}

/* Then there is no serial to type, for nothing on a disk is lost. */
static bool is_diskless(const struct sw_state *s)
{
	return s->plan && s->plan->n_disks == 0;
}

static void draw_diskless(struct confirm *c, struct sw_frame *f, const struct sw_area *a)
{
	unsigned int row = a->row;

	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 4,
				  _("No disk is written. Boot entries, boot order and the node's "
				  "data go into the firmware.")) + 1;
	sw_frame_put(f, row++, 0, f->cols, 0, _("To install, type yes and press Enter."));
	sw_line_draw(&c->line, f, row + 1, 0, 40);
}

/* A plan that was made anew in the meantime is confirmed from the beginning. */
static void confirm_refresh(struct sw_view *v, struct sw_state *s)
{
	struct confirm *c = v->data;

	if (c->plan_count == s->plan_count)
		return;
	c->plan_count = s->plan_count;
	c->disk = s->plan ? next_disk(s->plan, 0) : 0;
}

static void confirm_open(struct sw_view *v, struct sw_state *s)
{
	struct confirm *c = v->data;

	(void)sw_line_set(&c->line, "");
	confirm_refresh(v, s);
}

static bool confirm_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			    uint32_t ch)
{
	struct confirm *c = v->data;

	if (sw_line_request(&c->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	confirm_refresh(v, s);
	if (is_diskless(s)) {
		if (sw_disk_confirmed(c->line.text, "yes", NULL))
			sw_state_start(s, SW_WORK_INSTALL);
		else
			sw_state_refuse(s, "That is not \"yes\". Nothing has been written.");
	} else if (!s->plan || c->disk >= s->plan->n_disks) {
		sw_view_pop(s);
	} else if (!sw_disk_confirmed(c->line.text, s->plan->disks[c->disk].confirm,
				      s->plan->disks[c->disk].serial)) {
		sw_state_refuse(s, "That is not \"%s\". Nothing has been written.",
				s->plan->disks[c->disk].confirm);
	} else if (next_disk(s->plan, c->disk + 1) < s->plan->n_disks) {
		c->disk = next_disk(s->plan, c->disk + 1);
		(void)sw_line_set(&c->line, "");
	} else {
		sw_state_start(s, SW_WORK_INSTALL);
	}
	return true;
}

static void confirm_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			 const struct sw_area *a)
{
	struct confirm *c = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };
	const struct sw_plan_disk *d;
	unsigned int row = a->row;
	char size[16];
	bool last;

	if (is_diskless(s)) {
		draw_diskless(c, f, a);
		return;
	}
	if (!s->plan || c->plan_count != s->plan_count || c->disk >= s->plan->n_disks)
		return;
	d = &s->plan->disks[c->disk];
	last = next_disk(s->plan, c->disk + 1) >= s->plan->n_disks;
	if (s->plan->n_disks > 1)
		sw_buf_addf(&b, _("Disk %zu of %zu. "), c->disk + 1, s->plan->n_disks);
	sw_buf_addf(&b, _("Everything on this disk will be lost:\n\n  %s  %s  serial %s\n"),
		    d->model ? d->model : _("(no model)"),
		    sw_size_format(d->size, size, sizeof(size)),
		    d->serial ? d->serial : _("(none)"));
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 6, sw_buf_text(&b));
	for (unsigned int i = a->row; i < row; i++)
		sw_frame_tint(f, i, 0, f->cols, SW_ATTR_ALERT);
	row += sw_frame_paragraph(f, row, 2, f->cols - 3, 6, d->old_table_text) + 1;
	sw_frame_putf(f, row++, 0, last ? N_("To install, type %s and press Enter.")
				       : N_("To agree, type %s and press Enter."), d->confirm);
	sw_line_draw(&c->line, f, row + 1, 0, 40);
}

static struct sw_widget confirm_widget(const struct sw_view *v)
{
	struct confirm *d = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = &d->line,
				   .typed = true };
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("install") }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_confirm = {
	.title = N_("Confirm"),
	.help = N_("What has to be typed is the end of the disk's serial number, as many "
		"characters as tell it from the other disks, in either case; more of it will do "
		"as well. From here on the disk is written."),
	.size = sizeof(struct confirm),
	.hints = hints,
	.open = confirm_open,
	.refresh = confirm_refresh,
	.draw = confirm_draw,
	.request = confirm_request,
	.close = sw_line_view_close,
	.widget = confirm_widget,
	.mode = sw_line_view_mode,
};
