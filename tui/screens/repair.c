/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A repair that may cost something is confirmed like an install: by typing the end of a serial.
 * What it writes stands on the screen before.
 */
#include "base/catalogue.h"
#include "base/json.h"
#include "disk/select.h"
#include "tui/screens/line-view.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/state.h"

struct repair {
	struct sw_line line;	/* first: see line-view.h */
};

static void repair_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	(void)sw_line_set(&((struct repair *)v->data)->line, "");
}

static bool repair_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct repair *rv = v->data;
	json_object *repair = sw_screen_repair_of(s);
	const char *confirm = repair ? sw_json_str(repair, "confirm", "") : "";

	if (sw_line_request(&rv->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	if (repair && !sw_disk_confirmed(rv->line.text, confirm,
					 sw_json_str(repair, "serial", NULL))) {
		sw_state_refuse(s, "That is not \"%s\". Nothing has been written.", confirm);
		return true;
	}
	sw_view_pop(s);
	if (repair)
		s->want |= SW_WANT_DOCTOR_REPAIR;
	return true;
}

static void repair_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			const struct sw_area *a)
{
	struct repair *rv = v->data;
	json_object *repair = sw_screen_repair_of(s);
	unsigned int row = a->row;

	if (!repair)
		return;
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 4, sw_json_str(repair, "text", "")) + 1;
	sw_frame_put(f, row++, 0, f->cols, 0, _("It may cost something:"));
	row += sw_frame_paragraph(f, row, 2, f->cols - 3, 4, sw_json_str(repair, "loses", "")) + 1;
	sw_frame_putf(f, row, 2, N_("%s  serial %s"), sw_json_str(repair, "disk", "?"),
		      sw_json_str(repair, "serial", _("(none)")));
	row += 2;
	sw_frame_putf(f, row++, 0, N_("To repair it, type %s and press Enter."),
		      sw_json_str(repair, "confirm", ""));
	sw_line_draw(&rv->line, f, row + 1, 0, 40);
}

static struct sw_widget repair_widget(const struct sw_view *v)
{
	struct repair *rv = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = &rv->line, .typed = true };
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("repair") }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_repair = {
	.title = N_("Repair"),
	.help = N_("What has to be typed is the end of the disk's serial number, as for an "
		"install: this repair decides between what it finds, and may decide against "
		"something that somebody wants."),
	.size = sizeof(struct repair),
	.hints = hints,
	.open = repair_open,
	.draw = repair_draw,
	.request = repair_request,
	.close = sw_line_view_close,
	.widget = repair_widget,
	.mode = sw_line_view_mode,
};
