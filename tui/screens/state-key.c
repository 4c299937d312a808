/* SPDX-License-Identifier: Apache-2.0 */
/* The key of an encrypted state, for the doctor to look into it; with a wrong one it asks again. */
#include <string.h>

#include "base/catalogue.h"
#include "base/error.h"
#include "tui/screens/line-view.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

#define KEY_MAX 8192U	/* bytes; what is longer comes from a file, with `slipway doctor` */

struct key_view {
	struct sw_line line;	/* first: see line-view.h */
	struct sw_state *s;
	bool asked;		/* what the state says of an error is said of the key */
};

static void key_open(struct sw_view *v, struct sw_state *s)
{
	struct key_view *k = v->data;

	k->s = s;
	sw_secret_line_open(&k->line, KEY_MAX, s);
}

/* Nothing typed leaves it to the TPM. What was typed is not kept here for another try. */
static void take(struct key_view *k, struct sw_state *s)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	struct sw_error err = { 0 };

	if (k->line.text && *k->line.text && sw_secret_line_take(&k->line, &key, &err) < 0) {
		sw_state_refuse(s, "%s: %s", err.what, err.why);
		return;
	}
	sw_line_clear(&k->line);
	sw_secret_line_open(&k->line, KEY_MAX, s);
	k->asked = true;
	sw_state_look_inside(s, TAKE_PTR(key));
}

/* Some other look may go on while it is typed. */
static bool looks_inside(const struct sw_state *s)
{
	return s->doctor_pending && s->doctor_open;
}

static bool key_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct key_view *k = v->data;

	if (req == SW_REQ_CANCEL && looks_inside(s)) {
		sw_state_stop_doctor(s);
		sw_state_close_inside(s);
		return true;
	}
	if (looks_inside(s))	/* what comes of it is waited for; leaving is possible */
		return req == SW_REQ_TEXT || req == SW_REQ_ACCEPT;
	if (sw_secret_line_request(&k->line, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	take(k, s);
	return true;
}

static unsigned int draw_error(const struct key_view *k, const struct sw_state *s,
			       struct sw_frame *f, const struct sw_area *a)
{
	_cleanup_free_ char *text = NULL;

	if (!k->asked || !s->doctor_error.what[0])
		return 0;
	text = sw_error_text(&s->doctor_error);
	return sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows / 2,
				  text ? text : _("out of memory")) + 1;
}

static void key_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		     const struct sw_area *a)
{
	struct key_view *k = v->data;
	unsigned int row = a->row;

	if (looks_inside(s)) {
		sw_frame_put(f, row, 0, f->cols, 0,
			     _("looking into the state; ^C stops that ..."));
		return;
	}
	row += draw_error(k, s, f, a);
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 3,
				  _("The recovery key or passphrase of the state; Enter alone asks "
				    "this machine's TPM:")) + 1;
	sw_line_draw(&k->line, f, row, 0, f->cols - 1);
	sw_secret_line_warn(s, f, a, row + 2);
}

/* Its error was about what was typed here, and nobody types any more. */
static void key_close(struct sw_view *v)
{
	struct key_view *k = v->data;

	if (k->asked && !k->s->doctor_pending)
		k->s->doctor_error = (struct sw_error){ 0 };
	sw_line_view_close(v);
}

const struct sw_view_ops sw_screen_state_key = {
	.title = N_("The key of the state"),
	.help = N_("The state is decrypted in this program's memory and only read. A recovery key "
		   "may be typed in either case, with or without its dashes. It is held in memory "
		   "that is never swapped, and forgotten when the list of findings is left; it is "
		   "in no log and no file.\n\n"
		   "A key file is given with `slipway doctor --open --given FILE`."),
	.for_pen = true,
	.size = sizeof(struct key_view),
	.hints = sw_secret_line_hints,
	.open = key_open,
	.draw = key_draw,
	.request = key_request,
	.close = key_close,
	.widget = sw_secret_line_widget,
	.mode = sw_line_view_mode,
};
