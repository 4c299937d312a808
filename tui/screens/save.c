/* SPDX-License-Identifier: Apache-2.0 */
/* Saving a text as a file: answers to install the same again, or the log. */
#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "tui/screens/line-view.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/state.h"

struct save {
	struct sw_line line;	/* first: see line-view.h */
};

void sw_screen_save_text(struct sw_state *s, char *text, const char *name)
{
	free(s->save_text);
	free(s->save_path);
	s->saves_answers = false;
	s->save_text = text;
	s->save_path = sw_fmt("%s/%s", s->run_dir ? s->run_dir : "/tmp", name);
	if (!s->save_text || !s->save_path)
		sw_state_refuse(s, "Out of memory; nothing was saved.");
	else
		sw_view_push(s, &sw_screen_save);
}

void sw_screen_save_answers(struct sw_state *s)
{
	sw_screen_save_text(s, sw_answers_to_yaml(s->answers), "answers.yaml");
	s->saves_answers = true;
}

void sw_screen_save_log(struct sw_state *s)
{
	sw_screen_save_text(s, sw_progress_log_text(&s->run), "slipway.log");
}

static void save_open(struct sw_view *v, struct sw_state *s)
{
	struct save *sv = v->data;

	sv->line.max = 1000;
	(void)sw_line_set(&sv->line, s->save_path);
}

static bool save_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct save *sv = v->data;
	char *path;

	if (sw_line_request(&sv->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	if (sv->line.text[0] != '/') {
		sw_state_refuse(s, "Give the whole path, from / on.");
		return true;
	}
	path = strdup(sv->line.text);
	if (!path)
		return true;
	free(s->save_path);
	s->save_path = path;
	sw_view_pop(s);
	sw_state_notice(s, "Saving ...");
	s->want |= SW_WANT_SAVE;
	return true;
}

static void save_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	struct save *sv = v->data;

	sw_frame_put(f, a->row, 0, f->cols, 0,
		     _("Save as:"));
	sw_line_draw(&sv->line, f, a->row + 2, 0, f->cols - 1);
	if (!s->saves_answers)
		return;
	sw_frame_put(f, a->row + 4, 0, f->cols, 0,
		     _("Without questions the same is installed by"));
	(void)sw_frame_paragraph(f, a->row + 6, 2, f->cols - 3, 3,
				 "slipway install --answers FILE");
	(void)sw_frame_paragraph(f, a->row + 8, 0, f->cols - 1, 2,
				 _("or from slipway.yaml on the medium or on a stick labelled "
				   "SLIPWAY."));
}

static struct sw_widget save_widget(const struct sw_view *v)
{
	struct save *d = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = &d->line };
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("save") }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_save = {
	.title = N_("Save"),
	.size = sizeof(struct save),
	.hints = hints,
	.open = save_open,
	.draw = save_draw,
	.request = save_request,
	.close = sw_line_view_close,
	.widget = save_widget,
	.mode = sw_line_view_mode,
};
