/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screens/form-view.h"
#include "base/catalogue.h"

const struct sw_hint sw_form_choice_hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_NEXT, NULL }, { SW_REQ_RIGHT, N_("change") },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_hint sw_form_view_hints[] = {
	{ SW_REQ_ACCEPT, NULL },
	{ SW_REQ_NEXT, N_("next field") },
	{ SW_REQ_BACK, NULL },
	{ SW_REQ_NONE, NULL },
};

void sw_form_view_refresh(struct sw_view *v, struct sw_state *s)
{
	struct sw_form_view *fv = v->data;

	sw_form_refresh(&fv->form, s);
}

void sw_form_view_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct sw_form_view *fv = v->data;

	sw_form_draw(&fv->form, s, f, a);
}

bool sw_form_view_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch,
			  const struct sw_view_ops *next)
{
	struct sw_form_view *fv = v->data;

	if (req != SW_REQ_ACCEPT)
		return sw_form_request(&fv->form, s, req, ch);
	if (sw_form_accept(&fv->form, s))
		sw_view_push(s, next);
	return true;
}

void sw_form_view_close(struct sw_view *v)
{
	struct sw_form_view *fv = v->data;

	sw_form_clear(&fv->form);
}

enum sw_key_mode sw_form_view_mode(const struct sw_view *v SW_UNUSED)
{
	return SW_MODE_TEXT;
}

const struct sw_field *sw_form_view_field(const struct sw_view *v)
{
	const struct sw_form_view *fv = v->data;

	return sw_form_field(&fv->form);
}

struct sw_widget sw_form_view_widget(const struct sw_view *v)
{
	struct sw_form_view *fv = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_FORM, .form = &fv->form };
}
