/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screens/line-view.h"

#include <string.h>

#include "base/catalogue.h"
#include "tui/session/state.h"

void sw_line_view_close(struct sw_view *v)
{
	sw_line_clear(v->data);
}

enum sw_key_mode sw_line_view_mode(const struct sw_view *v SW_UNUSED)
{
	return SW_MODE_TEXT;
}

void sw_secret_line_open(struct sw_line *l, size_t max, struct sw_state *s)
{
	struct sw_error err = { 0 };

	if (sw_line_open_secret(l, max, &err) < 0)
		sw_state_refuse(s, "%s: %s", err.what, err.why);
}

bool sw_secret_line_request(struct sw_line *l, enum sw_request req, uint32_t ch)
{
	if (req != SW_REQ_NEXT)
		return sw_line_request(l, req, ch, NULL);
	l->masked = !l->masked;
	return true;
}

int sw_secret_line_take(const struct sw_line *l, struct sw_secret **ret_secret,
			struct sw_error *err)
{
	const char *text = l->text ? l->text : "";
	int r = sw_secret_new(strlen(text), ret_secret, err);

	if (r == 0)
		memcpy((*ret_secret)->data, text, (*ret_secret)->len);
	return r;
}

void sw_secret_line_warn(const struct sw_state *s, struct sw_frame *f, const struct sw_area *a,
			 unsigned int row)
{
	if (s->pen_serial && row + 2 <= a->row + a->rows)
		sw_frame_paragraph(f, row, 0, f->cols - 1, a->row + a->rows - row,
				   _("This is a serial line: whoever records it will have what is "
				     "typed. Another console can take the pen with F9 or ^K."));
}

struct sw_widget sw_secret_line_widget(const struct sw_view *v)
{
	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = v->data, .typed = true,
				   .secret = true };
}

const struct sw_hint sw_secret_line_hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_NEXT, N_("show, hide") }, { SW_REQ_BACK, NULL },
	{ SW_REQ_NONE, NULL },
};
