/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wiping a disk: which, how, and what that means, confirmed by typing as an
 * install is. What is done and what is known of it afterwards is the backend's.
 */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "disk/disk.h"
#include "disk/select.h"
#include "tui/screens/disk-list.h"
#include "tui/screens/line-view.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/list.h"
#include "tui/session/state.h"

/* ---- which disk ---- */

static void disk_refresh(struct sw_view *v, struct sw_state *s)
{
	struct sw_list *l = v->data;
	_cleanup_free_ char *was = sw_disk_list_name(l);

	sw_list_clear(l);
	for (size_t i = 0; s->facts && i < s->facts->n_disks; i++)
		sw_disk_list_add(l, s->facts, i, sw_disk_excluded(&s->facts->disks[i], 0));
	sw_disk_list_select(l, was);
}

static void choose_disk(struct sw_list *l, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(l);
	const struct sw_disk *d = sw_disk_list_selected(l, s);

	if (!d)
		sw_state_refuse(s, "No disk has been found yet; u looks again.");
	else if (row->off)
		sw_state_refuse(s, "%s cannot be wiped: %s.", d->name, row->off);
	else if (sw_state_wipe_choose(s, d) < 0)
		sw_state_refuse(s, "Out of memory; nothing was started.");
	else
		sw_view_push(s, &sw_screen_wipe_method);
}

static bool disk_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	if (sw_disk_list_request(v->data, s, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	choose_disk(v->data, s);
	return true;
}

static void disk_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	sw_disk_list_draw(v->data, s, f, a);
}

static const struct sw_hint disk_hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_DETAILS, NULL }, { SW_REQ_BACK, NULL },
	{ SW_REQ_REFRESH, NULL }, { SW_REQ_SEARCH, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_wipe = {
	.title = N_("Wipe 1 of 3 - Which disk"),
	.help = N_("Everything on the disk is to be gone. Nothing is written before you have seen "
		"what is lost and have typed the end of the disk's serial.\n\n"
		"A disk marked '-' cannot be wiped; the reason stands beside it."),
	.size = sizeof(struct sw_list),
	.hints = disk_hints,
	.refresh = disk_refresh,
	.draw = disk_draw,
	.request = disk_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};

/* ---- how ---- */

static const struct {
	enum sw_wipe_method method;
	const char *label, *text;
} methods[] = {
	{ SW_WIPE_METHOD_AUTO, N_("Discard, else zeros"),
	  N_("The disk is told to forget everything, if it takes that; else zeros are written over "
	  "every sector. Everything is read back.") },
	{ SW_WIPE_METHOD_ZERO, N_("Zeros over every sector"),
	  N_("Works on every disk and takes as long as the disk needs to be written once and read "
	  "once.") },
	{ SW_WIPE_METHOD_SECURE, N_("The disk's own erase command"),
	  N_("NVMe sanitize or format, ATA secure erase. Also reaches what no address leads to. "
	  "That it was done is the disk's word.") },
	{ SW_WIPE_METHOD_SIGNATURES, N_("Tables and signatures only"),
	  N_("Takes a moment. The disk looks empty; all the rest of it stays and can be read by "
	  "anyone who looks for it.") },
};

static void method_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	struct sw_list *l = v->data;

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		(void)sw_list_add_text(l, (int)i, _(methods[i].label));
}

static bool method_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct sw_list *l = v->data;

	if (sw_list_request(l, s, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	s->wipe.method = methods[sw_list_selected(l)->id].method;
	json_object_put(TAKE_PTR(s->wipe.plan));
	s->wipe.error = (struct sw_error){ 0 };
	s->wipe.pending = true;
	s->want |= SW_WANT_WIPE_PLAN;
	sw_view_push(s, &sw_screen_wipe_confirm);
	return true;
}

static void method_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
			const struct sw_area *a)
{
	struct sw_list *l = v->data;
	unsigned int used = sw_list_draw(l, f, a, NULL);
	const struct sw_list_row *row = sw_list_selected(l);

	/* Where nothing moves with a selection, every choice says what it is. */
	for (size_t i = 0; f->lines && i < ARRAY_SIZE(methods); i++) {
		sw_frame_putf(f, a->row + ++used, 0, "%zu:", i + 1);
		used += sw_frame_paragraph(f, a->row + used, 3, f->cols - 4, a->rows,
					   _(methods[i].text));
	}
	if (!f->lines && row && used + 2 < a->rows)
		sw_frame_paragraph(f, a->row + used + 1, 2, f->cols - 3, a->rows - used - 1,
				   _(methods[row->id].text));
}

static const struct sw_hint method_hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, NULL }, { SW_REQ_BACK, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_wipe_method = {
	.title = N_("Wipe 2 of 3 - How"),
	.help = N_("Whichever it is: the report afterwards says of each part of the disk whether "
		"it was read back as zeros (\"verified by reading\") or whether the disk only "
		"reported that it had done it (\"commanded\")."),
	.size = sizeof(struct sw_list),
	.hints = method_hints,
	.open = method_open,
	.draw = method_draw,
	.request = method_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};

/* ---- what it means, and consent ---- */

struct wipe_confirm {
	struct sw_line line;	/* first: see line-view.h */
	bool ready;		/* to be typed into */
};

static void confirm_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	(void)sw_line_set(&((struct wipe_confirm *)v->data)->line, "");
}

/* What was looked at is still there, and what would be done is known. */
static bool is_ready(const struct sw_state *s)
{
	return s->wipe.plan && !s->wipe.pending && sw_state_wipe_disk(s) != NULL;
}

static void confirm_refresh(struct sw_view *v, struct sw_state *s)
{
	((struct wipe_confirm *)v->data)->ready = is_ready(s);
}

static bool confirm_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			    uint32_t ch)
{
	struct wipe_confirm *c = v->data;
	const char *confirm = sw_json_str(s->wipe.plan, "confirm", "");

	if (is_ready(s) && sw_line_request(&c->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	if (!is_ready(s)) {
		if (!s->wipe.pending)
			sw_view_pop(s);
	} else if (!sw_disk_confirmed(c->line.text, confirm, s->wipe.serial)) {
		sw_state_refuse(s, "That is not \"%s\". Nothing has been written.", confirm);
	} else {
		sw_state_start(s, SW_WORK_WIPE);
	}
	return true;
}

static void draw_why_not(const struct sw_state *s, struct sw_frame *f, const struct sw_area *a)
{
	_cleanup_free_ char *text = NULL;

	if (s->wipe.pending) {
		sw_frame_put(f, a->row, 0, f->cols, 0, _("Looking at the disk ..."));
		return;
	}
	if (s->wipe.error.what[0])
		text = sw_error_text(&s->wipe.error);
	sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows, text ? text :
			   _("The disk is gone, or it is not as it was when you chose it. Nothing "
			   "was written; go back and choose again."));
}

static void confirm_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			 const struct sw_area *a)
{
	struct wipe_confirm *c = v->data;
	unsigned int row = a->row;

	if (!is_ready(s)) {
		draw_why_not(s, f, a);
		return;
	}
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, a->rows > 6 ? a->rows - 5 : 1,
				  sw_json_str(s->wipe.plan, "text", "")) + 1;
	sw_frame_putf(f, row++, 0, "To wipe it, type %s and press Enter.",
		      sw_json_str(s->wipe.plan, "confirm", ""));
	sw_line_draw(&c->line, f, row + 1, 0, 40);
}

/* There is nothing to type before it is known what is lost. */
static struct sw_widget confirm_widget(const struct sw_view *v)
{
	struct wipe_confirm *c = v->data;

	return c->ready ? (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = &c->line,
					      .typed = true }
			: (struct sw_widget){ .kind = SW_WIDGET_NONE };
}

static const struct sw_hint confirm_hints[] = {
	{ SW_REQ_ACCEPT, N_("wipe") }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_wipe_confirm = {
	.title = N_("Wipe 3 of 3 - Confirm"),
	.help = N_("What has to be typed is the end of the disk's serial number, as many "
		"characters as tell it from the other disks. A wipe cannot be undone; one that "
		"was stopped goes on when the same disk is wiped again."),
	.size = sizeof(struct wipe_confirm),
	.hints = confirm_hints,
	.open = confirm_open,
	.refresh = confirm_refresh,
	.draw = confirm_draw,
	.request = confirm_request,
	.close = sw_line_view_close,
	.widget = confirm_widget,
	.mode = sw_line_view_mode,
};
