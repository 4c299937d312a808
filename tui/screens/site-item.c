/* SPDX-License-Identifier: Apache-2.0 */
/* One file or secret of the node: a form over its item of the answers. */
#include "base/catalogue.h"
#include "tui/screens/form-view.h"
#include "tui/screens/screens.h"

static void open_item(struct sw_view *v, struct sw_state *s, enum sw_field_home home,
		      const char *group)
{
	const char *const keys[] = { group, NULL };
	struct sw_form_view *fv = v->data;

	fv->form.home = home;
	fv->form.item = s->item;
	sw_form_open(&fv->form, s, keys);
}

static void file_open(struct sw_view *v, struct sw_state *s)
{
	open_item(v, s, SW_HOME_FILE, "node.files");
}

static void secret_open(struct sw_view *v, struct sw_state *s)
{
	open_item(v, s, SW_HOME_SECRET, "secrets");
}

/* One that was emptied is none; what was typed and is not allowed yet is still to be seen. */
static void drop_empty(const struct sw_form *fm, struct sw_state *s)
{
	if (fm->item < sw_answers_items(s->answers, fm->home) &&
	    !sw_answers_item_says(s->answers, fm->home, fm->item) &&
	    !sw_state_has_drafts(s, fm->home, fm->item))
		sw_state_drop_item(s, fm->home, fm->item);
}

static void accept(struct sw_form *fm, struct sw_state *s)
{
	const struct sw_field *field = NULL;
	struct sw_error err = { 0 };

	if (!sw_form_accept(fm, s))
		return;
	sw_answers_count_item(s->answers, fm->home, fm->item);
	drop_empty(fm, s);
	if (sw_answers_item_says(s->answers, fm->home, fm->item) &&
	    sw_answers_check_item(s->answers, fm->home, fm->item, &field, &err) < 0)
		sw_form_blame(fm, s, field, &err);
	else
		sw_view_pop(s);
}

/* It counts as soon as it says something, so that the answers are whole whoever looks. */
static bool item_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct sw_form_view *fv = v->data;
	bool known;

	if (req == SW_REQ_ACCEPT) {
		accept(&fv->form, s);
		return true;
	}
	known = sw_form_request(&fv->form, s, req, ch);
	sw_answers_count_item(s->answers, fv->form.home, fv->form.item);
	/* Going back is done by whoever asks. */
	if (req == SW_REQ_BACK || req == SW_REQ_CANCEL)
		drop_empty(&fv->form, s);
	return known;
}

/* A text of lines is one line here, and how that is written has to be said where it is. */
static void file_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	static const char note[] = N_("In the text \\n is the end of a line, also of the last, and "
				      "\\\\ a backslash.");
	struct sw_form_view *fv = v->data;
	const struct sw_form *fm = &fv->form;
	unsigned int used = sw_form_draw(&fv->form, s, f, a);

	if (f->lines || (used + 2 < a->rows && !fm->hint[fm->focus]))
		sw_frame_paragraph(f, a->row + used + !f->lines, 2, f->cols - 3, 2, _(note));
}

const struct sw_view_ops sw_screen_site_file = {
	.size = sizeof(struct sw_form_view),
	.hints = sw_form_view_hints,
	.title = N_("A file of the node"),
	.help = N_("A text that is typed here, or where the install gets the file: one of both. "
		   "The answers are no place for a secret; there is a form for those."),
	.open = file_open,
	.refresh = sw_form_view_refresh,
	.draw = file_draw,
	.request = item_request,
	.close = sw_form_view_close,
	.mode = sw_form_view_mode,
	.field = sw_form_view_field,
	.widget = sw_form_view_widget,
};

const struct sw_view_ops sw_screen_site_secret = {
	SW_FORM_VIEW_OPS,
	.hints = sw_form_view_hints,
	.title = N_("A secret of the node"),
	.help = N_("Its name on the node and where the install finds it: a file, a credential of "
		   "systemd, or what this machine's TPM has sealed. One of the three. The secret "
		   "itself is never typed or shown here."),
	.open = secret_open,
	.request = item_request,
};
