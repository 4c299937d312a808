/* SPDX-License-Identifier: Apache-2.0 */
/* The single point of no return: the end of the disk's serial has to be typed. */
#include <string.h>

#include "base/size.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/state.h"

struct confirm {
	struct sw_line line;
};

static void confirm_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	struct confirm *c = v->data;

	(void)sw_line_set(&c->line, "");
}

static bool confirm_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			    uint32_t ch)
{
	struct confirm *c = v->data;

	if (sw_line_request(&c->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	if (!s->plan || !s->plan->confirm || !s->plan->confirm[0])
		sw_view_pop(s);
	else if (strcmp(c->line.text, s->plan->confirm) == 0)
		sw_state_start(s, SW_WORK_INSTALL);
	else
		sw_state_refuse(s, "That is not \"%s\". Nothing has been written.",
				s->plan->confirm);
	return true;
}

static void confirm_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			 const struct sw_area *a)
{
	const struct sw_plan *p = s->plan;
	struct confirm *c = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };
	unsigned int row = a->row;
	char size[16];

	if (!p)
		return;
	sw_buf_addf(&b, "Everything on this disk will be lost:\n\n  %s  %s  serial %s\n",
		    p->disk_model ? p->disk_model : "(no model)",
		    sw_size_format(p->disk_size, size, sizeof(size)),
		    p->disk_serial ? p->disk_serial : "(none)");
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 6, sw_buf_text(&b));
	row += sw_frame_paragraph(f, row, 2, f->cols - 3, 6, p->old_table_text) + 1;
	sw_frame_putf(f, row++, 0, "To install, type %s and press Enter.", p->confirm);
	sw_line_draw(&c->line, f, row + 1, 0, 40);
}

static void confirm_close(struct sw_view *v)
{
	struct confirm *c = v->data;

	sw_line_clear(&c->line);
}

static enum sw_key_mode confirm_mode(const struct sw_view *v SW_UNUSED)
{
	return SW_MODE_TEXT;
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, "install" }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_confirm = {
	.title = "Confirm",
	.help = "What has to be typed is the end of the disk's serial number, as many characters "
		"as tell it from the other disks. From here on the disk is written.",
	.size = sizeof(struct confirm),
	.hints = hints,
	.open = confirm_open,
	.draw = confirm_draw,
	.request = confirm_request,
	.close = confirm_close,
	.mode = confirm_mode,
};
