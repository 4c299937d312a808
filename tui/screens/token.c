/* SPDX-License-Identifier: Apache-2.0 */
/* The token of one admission, typed or pasted: what it is, is said while it comes. */
#include <string.h>

#include "admission/token.h"
#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/line-view.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

struct token_view {
	struct sw_line line;	/* first: see line-view.h */
	enum sw_admission_kind kind;
	char *url;
};

/* The first of the preflight's that asks for a token and has none yet; NULL: there is none. */
static json_object *next_that_asks(const struct sw_state *s)
{
	json_object *list = sw_json_array(s->looks[SW_LOOK_PREFLIGHT].found, "admissions");
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (sw_json_bool(o, "asks", false) &&
		    !s->tokens[sw_admission_kind_of(sw_json_str(o, "kind", ""))])
			return o;
	}
	return NULL;
}

void sw_screen_admit(struct sw_state *s)
{
	if (next_that_asks(s)) {
		sw_view_push(s, &sw_screen_token);
		return;
	}
	sw_view_pop_to(s, &sw_screen_preflight);
	sw_state_want_look(s, SW_LOOK_ADMIT);
	sw_view_push(s, &sw_screen_admitted);
}

static void token_open(struct sw_view *v, struct sw_state *s)
{
	struct token_view *t = v->data;
	json_object *o = next_that_asks(s);

	t->kind = sw_admission_kind_of(sw_json_str(o, "kind", ""));
	t->url = sw_json_dup(o, "url");
	sw_secret_line_open(&t->line, SW_TOKEN_MAX, s);
}

static void inspect(const struct token_view *t, struct sw_token_info *ret)
{
	const char *text = t->line.text ? t->line.text : "";

	sw_token_inspect(text, strlen(text), ret);
}

/* What cannot be right is sent to nobody. */
static void take(struct token_view *t, struct sw_state *s)
{
	struct sw_error err = { 0 };
	struct sw_token_info i;

	inspect(t, &i);
	if (i.kind == SW_TOKEN_NONE || i.state != SW_TOKEN_WHOLE) {
		sw_state_refuse(s, "This is no whole token%s%s. Nothing was sent.",
				i.why[0] ? ": " : "", i.why);
		return;
	}
	if (sw_secret_line_take(&t->line, &s->tokens[t->kind], &err) < 0) {
		sw_state_refuse(s, "%s: %s", err.what, err.why);
		return;
	}
	sw_screen_admit(s);
}

static bool token_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct token_view *t = v->data;

	/* One that was given already is typed again. */
	if (req != SW_REQ_ACCEPT && s->tokens[t->kind])
		s->tokens[t->kind] = sw_secret_free(s->tokens[t->kind]);
	if (sw_secret_line_request(&t->line, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	take(t, s);
	return true;
}

static void add_verdict(const struct sw_token_info *i, struct sw_buf *b)
{
	if (i->kind == SW_TOKEN_NONE)
		return;
	sw_buf_addf(b, _("%s, %s"), sw_token_kind_name(i->kind), sw_token_state_name(i->state));
	sw_buf_addf(b, _(", %zu characters"), i->length);
	if (i->has_check && i->state == SW_TOKEN_WHOLE)
		sw_buf_adds(b, i->check_ok ? _("; its check characters hold")
					   : _("; its check characters do not hold"));
	if (i->why[0])
		sw_buf_addf(b, "\n%s", i->why);
	if (i->doubt)
		sw_buf_addf(b, _("\nLook first at character %zu: in groups of four, that is "
				 "group %zu."), i->doubt, (i->doubt + 3) / 4);
	if (i->ca_sha256[0])
		sw_buf_addf(b, _("\nThe cluster's CA: SHA-256 %s"), i->ca_sha256);
	if (i->hint[0])
		sw_buf_addf(b, "\n-> %s", i->hint);
}

static void token_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct token_view *t = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_token_info i;
	unsigned int row = a->row;

	sw_frame_putf(f, row, 0, _("The token for %s at %s:"), sw_admission_name(t->kind),
		      t->url ? t->url : "");
	sw_line_draw(&t->line, f, row + 2, 0, f->cols - 1);
	inspect(t, &i);
	add_verdict(&i, &b);
	row += 4;
	if (b.len)
		row += sw_frame_paragraph(f, row, 0, f->cols - 1, a->rows > 6 ? a->rows - 6 : 1,
					  sw_buf_text(&b)) + 1;
	if (s->pen_serial && row + 2 <= a->row + a->rows)
		sw_frame_paragraph(f, row, 0, f->cols - 1, a->row + a->rows - row,
				   _("This is a serial line: whoever records it will have the "
				     "token. Another console can take the pen with F9 or ^K."));
}

static void token_close(struct sw_view *v)
{
	struct token_view *t = v->data;

	sw_line_view_close(v);
	free(t->url);
}

const struct sw_view_ops sw_screen_token = {
	.title = N_("Token"),
	.help = N_("What the token is, is known by its shape, and its check characters are "
		"looked at before it is sent anywhere. It is in no log and no file. Blanks "
		"around it do not count, so it can be pasted.\n\n"
		"It is shown at this console alone, and there as stars."),
	.for_pen = true,
	.size = sizeof(struct token_view),
	.hints = sw_secret_line_hints,
	.open = token_open,
	.draw = token_draw,
	.request = token_request,
	.close = token_close,
	.widget = sw_secret_line_widget,
	.mode = sw_line_view_mode,
};
