/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the screens of the tools have in common: each asks for a look of its own and keeps what it
 * found, so that going back shows it again.
 */
#pragma once

#include "base/json.h"
#include "tui/session/list.h"
#include "tui/session/pager.h"
#include "tui/session/state.h"

struct sw_tool {
	json_object *request, *found;	/* found: NULL until known */
	struct sw_error error;	/* the last look failed */
	unsigned int id;	/* of the look that was asked for, 0: none */
	unsigned int done;	/* what was written when it was asked for */
	bool pending;
};

/* {"tool": NAME}; new reference. */
json_object *sw_tool_request(const char *name);
/* What the view was opened for, or one of this name; takes it out of the state. */
json_object *sw_tool_next(struct sw_state *s, const char *name);
/* Opens a view for this request, which it takes. */
void sw_tool_open(struct sw_state *s, const struct sw_view_ops *ops, json_object *request);
/* Asks; takes request, which NULL repeats. */
void sw_tool_ask(struct sw_tool *t, struct sw_state *s, json_object *request);
/* Takes what has come; asks again when something was written since. True: it is another. */
bool sw_tool_take(struct sw_tool *t, struct sw_state *s);
void sw_tool_clear(struct sw_tool *t);
/* "looking ...", or why it failed; the rows used, 0 when there is something to show. */
unsigned int sw_tool_draw_state(const struct sw_tool *t, struct sw_frame *f,
				const struct sw_area *a);

/*
 * Below the title what a job says while it works, and how far its step is, with their end in view.
 * Not drawn for plain mode, where every line of it would be news.
 */
void sw_tool_draw_told(const struct sw_look *l, const char *title, struct sw_frame *f,
		       const struct sw_area *a);

/* ---- a view that is one text ---- */

struct sw_tool_text {
	struct sw_pager pager;	/* first: a struct sw_pager_view */
	struct sw_tool tool;
};

/* For open: asks for what the view was opened for, or NAME. */
void sw_tool_text_open(struct sw_view *v, struct sw_state *s, const char *name);
void sw_tool_text_refresh(struct sw_view *v, struct sw_state *s);
/* The pager's requests, looking again, and saving as this file. */
bool sw_tool_text_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch,
			  const char *file);
void sw_tool_text_close(struct sw_view *v);
extern const struct sw_hint sw_tool_text_hints[];

#define SW_TOOL_TEXT_OPS                                                          \
	.size = sizeof(struct sw_tool_text), .refresh = sw_tool_text_refresh,         \
	.draw = sw_pager_view_draw, .close = sw_tool_text_close,                      \
	.mode = sw_pager_view_mode, .widget = sw_pager_view_widget
