/* SPDX-License-Identifier: Apache-2.0 */
/* What a repair asks for, typed or pasted unseen: a recovery key, a secret again, a new token. */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/line-view.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

#define GIVEN_MAX 8192U	/* bytes; what is longer comes from a file, with `slipway doctor` */

struct given_view {
	struct sw_line line;	/* first: see line-view.h */
	char *asks;
};

static void given_open(struct sw_view *v, struct sw_state *s)
{
	struct given_view *g = v->data;
	json_object *repair = sw_screen_repair_of(s);

	s->doctor_given = sw_secret_free(s->doctor_given);
	g->asks = repair ? sw_json_dup(repair, "asks") : NULL;
	sw_secret_line_open(&g->line, GIVEN_MAX, s);
}

static void take(struct given_view *g, struct sw_state *s)
{
	struct sw_error err = { 0 };

	if (!g->line.text || !*g->line.text) {
		sw_state_refuse(s, "Nothing was typed.");
		return;
	}
	s->doctor_given = sw_secret_free(s->doctor_given);
	if (sw_secret_line_take(&g->line, &s->doctor_given, &err) < 0) {
		sw_state_refuse(s, "%s: %s", err.what, err.why);
		return;
	}
	sw_view_pop(s);
	if (s->top->ops == &sw_screen_finding)
		sw_screen_ask_repair(s);
}

static bool given_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct given_view *g = v->data;

	if (sw_secret_line_request(&g->line, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	take(g, s);
	return true;
}

static void given_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct given_view *g = v->data;
	unsigned int row = a->row;

	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 2, g->asks ? g->asks : "") + 1;
	sw_line_draw(&g->line, f, row, 0, f->cols - 1);
	sw_secret_line_warn(s, f, a, row + 2);
}

static void given_close(struct sw_view *v)
{
	struct given_view *g = v->data;

	sw_line_view_close(v);
	free(g->asks);
}

const struct sw_view_ops sw_screen_given = {
	.title = N_("What the repair asks for"),
	.help = N_("It opens what is to be sealed again, or is what is to be sealed, or is taken "
		"to the server. It is in no log and no file. A recovery key may be typed in "
		"either case, with or without its dashes.\n\n"
		"It is shown at this console alone, and there as stars. What has several lines, "
		"or was in a file, is given with `slipway doctor --repair ID --given FILE`."),
	.for_pen = true,
	.size = sizeof(struct given_view),
	.hints = sw_secret_line_hints,
	.open = given_open,
	.draw = given_draw,
	.request = given_request,
	.close = given_close,
	.widget = sw_secret_line_widget,
	.mode = sw_line_view_mode,
};
