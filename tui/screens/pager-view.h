/* SPDX-License-Identifier: Apache-2.0 */
/* What the screens have in common that are text to be read: a pager as the first member. */
#pragma once

#include "tui/session/pager.h"
#include "tui/session/state.h"

struct sw_pager_view {
	struct sw_pager pager;
};

void sw_pager_view_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			const struct sw_area *a);
/* The pager's own requests; SW_REQ_ACCEPT and `away`, the key that led here, go back. */
bool sw_pager_view_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch,
			   enum sw_request away);
void sw_pager_view_close(struct sw_view *v);
enum sw_key_mode sw_pager_view_mode(const struct sw_view *v);
struct sw_widget sw_pager_view_widget(const struct sw_view *v);
/*
 * Rows of verdicts (net/verdict.h) as text, their names in width columns: what failed comes first,
 * for it is what somebody has to do something about.
 */
void sw_pager_view_checks(json_object *list, int width, struct sw_buf *b);
