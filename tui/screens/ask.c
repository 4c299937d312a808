/* SPDX-License-Identifier: Apache-2.0 */
/* A question whose harmless answer is selected first. */
#include "base/catalogue.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/list.h"
#include "tui/session/state.h"

struct ask {
	struct sw_list list;	/* first: see list-view.h */
	struct sw_ask ask;
};

void sw_screen_ask_first(struct sw_state *s, const char *question, const char *yes,
			 uint64_t want, bool quit)
{
	s->ask = (struct sw_ask){ .question = question, .yes = yes, .want = want, .quit = quit };
	sw_view_push(s, &sw_screen_ask);
}

void sw_screen_ask_now(struct sw_state *s, const char *(*question)(const struct sw_state *s),
		       const char *yes, uint64_t want)
{
	s->ask = (struct sw_ask){ .question_now = question, .yes = yes, .want = want };
	sw_view_push(s, &sw_screen_ask);
}

static void ask_open(struct sw_view *v, struct sw_state *s)
{
	struct ask *a = v->data;

	a->ask = s->ask;
	sw_list_add_text(&a->list, 0, _("No, go back"));
	sw_list_add_text(&a->list, 1, a->ask.yes);
}

static bool ask_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct ask *a = v->data;
	struct sw_ask ask = a->ask;
	bool yes;

	if (sw_list_request(&a->list, s, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	yes = sw_list_selected(&a->list)->id == 1;
	sw_view_pop(s);
	if (yes) {
		s->want |= ask.want;
		s->quit = s->quit || ask.quit;
	}
	return true;
}

static void ask_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		     const struct sw_area *area)
{
	struct ask *a = v->data;
	struct sw_area list = *area;
	const char *question = a->ask.question_now ? a->ask.question_now(s) : a->ask.question;
	unsigned int used = sw_frame_paragraph(f, area->row, 0, area->cols - 1, area->rows,
					       question) + 1;

	list.row += used;
	list.rows = area->rows > used ? area->rows - used : 0;
	sw_list_draw(&a->list, f, &list, NULL);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_ask = {
	.title = N_("Sure?"),
	.size = sizeof(struct ask),
	.hints = hints,
	.open = ask_open,
	.draw = ask_draw,
	.request = ask_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
};
