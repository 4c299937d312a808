/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recovery key of an encrypted install: shown once and only where the pen is, then
 * typed back in part. Nothing is written before that, so no cut can lose it.
 */
#include <string.h>

#include "disk/recovery.h"
#include "base/catalogue.h"
#include "tui/screens/line-view.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/state.h"

struct recovery {
	struct sw_line line;	/* first: see line-view.h */
	struct sw_secret *key;
	unsigned int group, plan_count;
	bool warned;		/* that the serial line may be recorded */
	bool noted;		/* the key is off the screen and is typed back */
};

static void recovery_open(struct sw_view *v, struct sw_state *s)
{
	struct recovery *c = v->data;
	struct sw_error err = { 0 };

	(void)sw_line_set(&c->line, "");
	c->plan_count = s->plan_count;
	if (sw_recovery_new(&c->key, &err) < 0 || sw_recovery_ask_for(&c->group) < 0)
		sw_state_refuse(s, "No recovery key can be made: %s", err.why);
}

static struct sw_plan *plan_of(const struct sw_state *s)
{
	if (s->work == SW_WORK_RESUME)
		return s->journal ? s->journal->plan : NULL;
	return s->plan;
}

static void wipe_line(struct recovery *c)
{
	if (c->line.text)
		explicit_bzero(c->line.text, strlen(c->line.text));
	(void)sw_line_set(&c->line, "");
}

static void take(struct sw_view *v, struct sw_state *s)
{
	struct recovery *c = v->data;
	struct sw_plan *p = plan_of(s);
	bool right = sw_recovery_matches(c->key, c->group, c->line.text ? c->line.text : "");

	wipe_line(c);
	if (!p || c->plan_count != s->plan_count) {
		sw_view_pop(s);
		sw_state_refuse(s, "The plan has changed; look at it again.");
	} else if (!right) {
		sw_state_refuse(s, "That is not group %u. Esc goes back; the next time there is "
				   "another key.", c->group + 1);
	} else {
		p->recovery = TAKE_PTR(c->key);
		sw_state_start(s, s->work);
	}
}

static bool recovery_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			     uint32_t ch)
{
	struct recovery *c = v->data;

	if (!c->key || (req != SW_REQ_ACCEPT && !c->noted))
		return false;
	if (c->noted && sw_line_request(&c->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	if (s->pen_serial && !c->warned)
		c->warned = true;
	else if (!c->noted)
		c->noted = true;
	else
		take(v, s);
	return true;
}

static void draw_key(const struct recovery *c, struct sw_frame *f, unsigned int row)
{
	char group[SW_RECOVERY_GROUP + 1];

	for (unsigned int i = 0; i < SW_RECOVERY_GROUPS; i++) {
		sw_recovery_group(c->key, i, group);
		sw_frame_putf(f, row + i / 4, 2 + i % 4 * 14, "%u: %s", i + 1, group);
	}
	explicit_bzero(group, sizeof(group));
	sw_frame_put(f, row + 3, 0, f->cols, 0, _("Press Enter when you have written it down."));
	sw_frame_cursor(f, row + 3, 43);
}

static void recovery_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			  const struct sw_area *a)
{
	struct recovery *c = v->data;
	unsigned int row = a->row;

	if (!c->key)
		return;
	if (s->pen_serial && !c->warned) {
		(void)sw_frame_paragraph(f, row, 0, f->cols - 1, 6,
					 _("This is a serial line: whoever records it will have "
					 "the recovery key. Press Enter to show it here all the "
					 "same, or take the pen at another console with F9 or "
					   "^K."));
		return;
	}
	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 4,
				  _("This key opens the disk when the TPM does not. It is shown "
				  "once. Write it down and keep it away from this machine.")) + 1;
	if (!c->noted) {
		draw_key(c, f, row);
		return;
	}
	sw_frame_putf(f, row, 0, "To start, type group %u of the key (or all of it) and press "
			      "Enter.", c->group + 1);
	sw_line_draw(&c->line, f, row + 2, 0, f->cols > 76 ? 74 : 40);
}

static void recovery_close(struct sw_view *v)
{
	struct recovery *c = v->data;

	wipe_line(c);
	sw_line_view_close(v);
	c->key = sw_secret_free(c->key);
}

static struct sw_widget recovery_widget(const struct sw_view *v)
{
	struct recovery *c = v->data;

	if (!c->noted)
		return (struct sw_widget){ .kind = SW_WIDGET_NONE };
	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = &c->line,
				   .typed = true };
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_recovery = {
	.title = N_("Recovery key"),
	.help = N_("What is encrypted is opened by this machine's TPM. When the TPM is cleared or "
		"broken, or the firmware's Secure Boot keys change, only the recovery key opens "
		"it. It is shown at this console alone."),
	.for_pen = true,
	.size = sizeof(struct recovery),
	.hints = hints,
	.open = recovery_open,
	.draw = recovery_draw,
	.request = recovery_request,
	.close = recovery_close,
	.widget = recovery_widget,
	.mode = sw_line_view_mode,
};
