/* SPDX-License-Identifier: Apache-2.0 */
/* What the form screens of the road have in common: a form, and the next screen. */
#pragma once

#include "tui/session/form.h"
#include "tui/session/state.h"

struct sw_form_view {
	struct sw_form form;
};

/* hints, mode, field and the other operations of a plain form screen. */
extern const struct sw_hint sw_form_view_hints[];
/* Of a form that begins with a choice, which a key has to change. */
extern const struct sw_hint sw_form_choice_hints[];
void sw_form_view_refresh(struct sw_view *v, struct sw_state *s);
void sw_form_view_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a);
/* The form's own requests, and with SW_REQ_ACCEPT the next screen. */
bool sw_form_view_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch,
			  const struct sw_view_ops *next);
void sw_form_view_close(struct sw_view *v);
enum sw_key_mode sw_form_view_mode(const struct sw_view *v);
const struct sw_field *sw_form_view_field(const struct sw_view *v);
struct sw_widget sw_form_view_widget(const struct sw_view *v);

#define SW_FORM_VIEW_OPS                                                               \
	.size = sizeof(struct sw_form_view),                                           \
	.refresh = sw_form_view_refresh, .draw = sw_form_view_draw,                    \
	.close = sw_form_view_close, .mode = sw_form_view_mode, .field = sw_form_view_field,     \
	.widget = sw_form_view_widget
