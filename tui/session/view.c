/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/view.h"

#include <string.h>

#include "base/catalogue.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"
#include "tui/session/text.h"
#include "tui/session/title.h"

/* Rows taken by title and blank above, and by notice and hints below. */
#define ABOVE 2u
#define BELOW 2u

void sw_view_push(struct sw_state *s, const struct sw_view_ops *ops)
{
	struct sw_view *v = calloc(1, sizeof(*v));

	if (!v || !(v->data = calloc(1, ops->size ? ops->size : 1))) {
		free(v);
		sw_state_notice(s, "Out of memory.");
		return;
	}
	v->ops = ops;
	v->below = s->top;
	s->top = v;
	if (ops->open)
		ops->open(v, s);
	if (ops->refresh && s->top == v)
		ops->refresh(v, s);
}

static void close_top(struct sw_state *s)
{
	struct sw_view *v = s->top;

	s->top = v->below;
	if (v->ops->close)
		v->ops->close(v);
	free(v->data);
	free(v);
}

static void refresh_top(struct sw_state *s)
{
	if (s->top && s->top->ops->refresh)
		s->top->ops->refresh(s->top, s);
}

void sw_view_pop(struct sw_state *s)
{
	if (!s->top || !s->top->below)
		return;
	close_top(s);
	refresh_top(s);
}

void sw_view_pop_to(struct sw_state *s, const struct sw_view_ops *ops)
{
	while (s->top && s->top->below && s->top->ops != ops)
		close_top(s);
	refresh_top(s);
}

void sw_view_only(struct sw_state *s, const struct sw_view_ops *ops)
{
	while (s->top && s->top->below)
		close_top(s);
	sw_view_push(s, ops);
}

void sw_view_close_all(struct sw_state *s)
{
	while (s->top)
		close_top(s);
}

bool sw_view_is_open(const struct sw_state *s, const struct sw_view_ops *ops)
{
	for (const struct sw_view *v = s->top; v; v = v->below)
		if (v->ops == ops)
			return true;
	return false;
}

static void refresh_from(struct sw_view *v, struct sw_state *s)
{
	if (!v)
		return;
	refresh_from(v->below, s);
	if (v->ops->refresh)
		v->ops->refresh(v, s);
}

void sw_view_refresh(struct sw_state *s)
{
	refresh_from(s->top, s);
}

enum sw_key_mode sw_view_mode(const struct sw_view *v)
{
	return v->ops->mode ? v->ops->mode(v) : SW_MODE_KEYS;
}

struct sw_widget sw_view_widget(const struct sw_view *v)
{
	return v->ops->widget ? v->ops->widget(v) : (struct sw_widget){ .kind = SW_WIDGET_NONE };
}

bool sw_view_key(struct sw_state *s, uint32_t key)
{
	return s->top && sw_view_request(s, sw_key_request(key, sw_view_mode(s->top)), key);
}

bool sw_view_request(struct sw_state *s, enum sw_request req, uint32_t ch)
{
	s->notice[0] = '\0';
	if (!s->top)
		return false;
	/* A countdown is stopped by any key, and that is all the key does. */
	if (s->deadline_ms)
		return s->top->ops->request(s->top, s, SW_REQ_NONE, 0);
	if (req == SW_REQ_NONE)
		return false;
	if (s->top->ops->request(s->top, s, req, ch))
		return true;
	switch (req) {
	case SW_REQ_HELP:
		sw_view_push(s, &sw_screen_help);
		return true;
	case SW_REQ_SAVE:
		if (s->phase != SW_PHASE_ASKING || s->top->ops->for_pen ||
		    s->top->ops == &sw_screen_save)
			return false;
		sw_screen_save_answers(s);
		return true;
	case SW_REQ_BACK:
	case SW_REQ_CANCEL:
	case SW_REQ_QUIT:
		sw_view_pop(s);
		return true;
	default:
		return false;
	}
}

/* Help, and how to mend a damaged screen, are wanted everywhere. */
static const struct sw_hint everywhere[] = {
	{ SW_REQ_HELP, NULL }, { SW_REQ_REDRAW, NULL }, { SW_REQ_NONE, NULL },
};

static void add_hints(const struct sw_hint *h, enum sw_key_mode mode, unsigned int width,
		      struct sw_buf *b)
{
	char key[16];

	for (; h->req != SW_REQ_NONE; h++) {
		unsigned int used = b->len ? sw_text_columns(sw_buf_text(b)) : 0;
		const char *word = h->word ? _(h->word) : sw_request_word(h->req);

		if (!sw_request_key(h->req, mode, key))
			continue;
		if (used + strlen(key) + sw_text_columns(word) + 3 > width)
			return;
		sw_buf_addf(b, "%s%s %s", b->len ? "  " : "", key, word);
	}
}

static void add_hint_lines(const struct sw_hint *h, enum sw_key_mode mode, struct sw_buf *b)
{
	char key[16];

	for (; h && h->req != SW_REQ_NONE; h++)
		if (sw_request_key(h->req, mode, key))
			(void)sw_buf_addf(b, "%s %s\n", key,
					  h->word ? _(h->word) : sw_request_word(h->req));
}

void sw_view_hint_lines(const struct sw_view *v, struct sw_buf *b)
{
	add_hint_lines(v->ops->hints, sw_view_mode(v), b);
	add_hint_lines(everywhere, sw_view_mode(v), b);
}

void sw_view_hints(const struct sw_view *v, unsigned int width, struct sw_buf *b)
{
	enum sw_key_mode mode = sw_view_mode(v);

	if (v->ops->hints)
		add_hints(v->ops->hints, mode, width, b);
	add_hints(everywhere, mode, width, b);
}

void sw_view_draw_content(struct sw_state *s, struct sw_frame *f)
{
	struct sw_area a = { .rows = f->rows, .cols = f->cols };

	sw_frame_erase(f);
	if (s->top)
		s->top->ops->draw(s->top, s, f, &a);
}

/* A notice that one line cannot hold takes the content's last rows, for as long as it stands. */
static unsigned int draw_notice(const struct sw_state *s, struct sw_frame *f)
{
	unsigned int most = f->rows > ABOVE + BELOW + 3 ? 3 : 1;
	unsigned int last = f->rows - 2, n;

	n = sw_frame_upwards(f, last, 0, f->cols, most, s->notice);
	for (unsigned int i = 0; s->refused && i < n; i++)
		sw_frame_tint(f, last - i, 0, f->cols, SW_ATTR_ALERT);
	return n;
}

void sw_view_draw(struct sw_state *s, struct sw_frame *f)
{
	struct sw_area a = { .row = ABOVE, .cols = f->cols };
	_cleanup_buf_ struct sw_buf hints = { 0 };
	unsigned int notice;

	sw_frame_erase(f);
	if (!s->top)
		return;
	if (s->top->ops->whole && s->top->ops->whole(s->top, s, f)) {
		s->top->ops->draw(s->top, s, f, &(struct sw_area){ .rows = f->rows,
								  .cols = f->cols });
		return;
	}
	if (f->rows > ABOVE + BELOW)
		a.rows = f->rows - ABOVE - BELOW;
	sw_title_draw(f, _(s->top->ops->title), s->facts);
	notice = draw_notice(s, f);
	if (notice > 1)
		a.rows -= notice - 1;
	s->top->ops->draw(s->top, s, f, &a);
	sw_view_hints(s->top, f->cols - 1, &hints);
	sw_frame_put(f, f->rows - 1, 0, f->cols - 1, 0, sw_buf_text(&hints));
}
