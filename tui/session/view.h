/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Screens as a stack. A view is {open, draw, request, close} over the shared
 * state: requests change state, drawing only reads it and fills a frame. The
 * frame around it (title, notice and hint line) is drawn here, once.
 */
#pragma once

#include "tui/session/frame.h"
#include "tui/session/keys.h"

struct sw_field;
struct sw_form;
struct sw_line;
struct sw_list;
struct sw_pager;
struct sw_state;
struct sw_view;

/* What a view asks for, so that plain mode can ask the same on lines. */
enum sw_widget_kind {
	SW_WIDGET_NONE,		/* nothing: its requests by their words */
	SW_WIDGET_LIST,		/* to choose one */
	SW_WIDGET_FORM,		/* fields, one after the other */
	SW_WIDGET_PAGER,	/* to read, and go on */
	SW_WIDGET_LINE,		/* a text that is typed and accepted */
	SW_WIDGET_PROGRESS,	/* to watch */
};

struct sw_widget {
	enum sw_widget_kind kind;
	union {
		struct sw_list *list;
		struct sw_form *form;
		struct sw_pager *pager;
		struct sw_line *line;
	};
	bool secret;	/* of a line: what is typed is not to be seen */
	bool typed;	/* of a line: nothing that stands there already counts as an answer */
};

/* The rows between title and notice that belong to the view. */
struct sw_area {
	unsigned int row, rows, cols;
};

struct sw_view_ops {
	const char *title;
	const char *help;	/* paragraphs for the help screen */
	const char *key_help;	/* more of them, that only a terminal with keys has a use for */
	size_t size;		/* of the view's own data, zeroed before open */
	/*
	 * The requests that this view hints at, in order, ended by SW_REQ_NONE;
	 * words may be NULL.
	 */
	const struct sw_hint {
		enum sw_request req;
		const char *word;
	} *hints;
	void (*open)(struct sw_view *v, struct sw_state *s);
	/* The view has come to the top again, or facts or plan have changed. */
	void (*refresh)(struct sw_view *v, struct sw_state *s);
	void (*draw)(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		     const struct sw_area *a);
	/* ch counts with SW_REQ_TEXT. False: the request means nothing here. */
	bool (*request)(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch);
	void (*close)(struct sw_view *v);
	/*
	 * Before it is drawn: whether it takes the whole frame, without title, notice and hints,
	 * which it shows itself. NULL: never.
	 */
	bool (*whole)(struct sw_view *v, const struct sw_state *s, const struct sw_frame *f);
	bool for_pen;		/* shows a secret: no other console gets to see it */
	/* NULL: letters are requests. */
	enum sw_key_mode (*mode)(const struct sw_view *v);
	/* The field that has the focus, for its help; NULL: none. */
	const struct sw_field *(*field)(const struct sw_view *v);
	/* NULL: SW_WIDGET_NONE. The widget is the view's own. */
	struct sw_widget (*widget)(const struct sw_view *v);
};

struct sw_view {
	const struct sw_view_ops *ops;
	struct sw_view *below;
	void *data;
};

/* Opens a view on top of the stack; a lack of memory leaves the stack as it is, with a notice. */
void sw_view_push(struct sw_state *s, const struct sw_view_ops *ops);
/* Closes the top view; the last one stays. */
void sw_view_pop(struct sw_state *s);
/* Closes views until `ops` is on top, or only the last is left. */
void sw_view_pop_to(struct sw_state *s, const struct sw_view_ops *ops);
/* Closes all views and opens this one above the bottom one. */
void sw_view_only(struct sw_state *s, const struct sw_view_ops *ops);
void sw_view_close_all(struct sw_state *s);
bool sw_view_is_open(const struct sw_state *s, const struct sw_view_ops *ops);
/* Calls refresh of every view, bottom first. */
void sw_view_refresh(struct sw_state *s);

/* Turns a key into a request and hands it to the top view. False: it meant nothing. */
bool sw_view_key(struct sw_state *s, uint32_t key);
/* Hands a request to the top view; help and going back work everywhere. */
bool sw_view_request(struct sw_state *s, enum sw_request req, uint32_t ch);
enum sw_key_mode sw_view_mode(const struct sw_view *v);
struct sw_widget sw_view_widget(const struct sw_view *v);
/* The content of the top view alone, from row 0 on. */
void sw_view_draw_content(struct sw_state *s, struct sw_frame *f);
/* Draws the top view with its title, notice and hints. */
void sw_view_draw(struct sw_state *s, struct sw_frame *f);
/* The hints of a view, one a line, added to b. */
void sw_view_hint_lines(const struct sw_view *v, struct sw_buf *b);
/* The hints of a view as one line of at most `width` columns. */
void sw_view_hints(const struct sw_view *v, unsigned int width, struct sw_buf *b);
