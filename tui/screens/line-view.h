/* SPDX-License-Identifier: Apache-2.0 */
/* What every view over one line does alike. Its data begin with a struct sw_line. */
#pragma once

#include "tui/session/line.h"
#include "tui/session/view.h"

void sw_line_view_close(struct sw_view *v);
/* Letters are text. */
enum sw_key_mode sw_line_view_mode(const struct sw_view *v);

/* ---- a line that is a secret ---- */

void sw_secret_line_open(struct sw_line *l, size_t max, struct sw_state *s);
/* Shows and hides what is typed, and takes it. */
bool sw_secret_line_request(struct sw_line *l, enum sw_request req, uint32_t ch);
/* What was typed. The errors of sw_secret_new(). */
int sw_secret_line_take(const struct sw_line *l, struct sw_secret **ret_secret,
			struct sw_error *err);
/* From row on, at a serial line: that whoever records it has what is typed. */
void sw_secret_line_warn(const struct sw_state *s, struct sw_frame *f, const struct sw_area *a,
			 unsigned int row);
struct sw_widget sw_secret_line_widget(const struct sw_view *v);
extern const struct sw_hint sw_secret_line_hints[];
