/* SPDX-License-Identifier: Apache-2.0 */
/* The admissions of the node: a form for each, one after the other, until one of kind none. */
#include "base/catalogue.h"
#include "tui/screens/form-view.h"
#include "tui/screens/screens.h"

/*
 * The one that the form is about. A form further on begins a new one, behind those that count: it
 * counts as soon as it has a kind, so that the answers are whole whoever looks.
 */
static void admission_open(struct sw_view *v, struct sw_state *s)
{
	static const char *const keys[] = { "admission", NULL };
	struct sw_form_view *fv = v->data;

	for (const struct sw_view *w = v->below; w; w = w->below)
		fv->form.item += w->ops == &sw_screen_admission;
	fv->form.home = SW_HOME_ADMISSION;
	sw_form_open(&fv->form, s, keys);
}

static void count(struct sw_state *s, size_t i)
{
	struct sw_answers *a = s->answers;
	const bool none = a->admission[i].kind == SW_ADMISSION_NONE;

	if (!none && i == a->n_admission)
		a->n_admission++;
	else if (none && i > 0 && i + 1 == a->n_admission)
		a->n_admission--;
}

/* The only one stays, as it is where "none" is said. */
static bool is_surplus(const struct sw_state *s, size_t i)
{
	return (i > 0 || s->answers->n_admission > 1) &&
	       s->answers->admission[i].kind == SW_ADMISSION_NONE;
}

static bool is_twice(const struct sw_state *s, size_t i)
{
	const struct sw_admission *v = s->answers->admission;

	for (size_t j = 0; j < s->answers->n_admission; j++)
		if (j != i && v[j].kind == v[i].kind)
			return true;
	return false;
}

/* What is not there any more has no form that one could go back to. */
static void go_on(struct sw_state *s, size_t i)
{
	const bool none = s->answers->admission[i].kind == SW_ADMISSION_NONE;
	size_t next = i + 1;

	if (is_surplus(s, i)) {
		sw_state_drop_item(s, SW_HOME_ADMISSION, i);
		sw_view_pop(s);
		next = i;
	}
	if (next < s->answers->n_admission || (!none && next < SW_ADMISSIONS_MAX))
		sw_view_push(s, &sw_screen_admission);
	else
		sw_view_push(s, &sw_screen_node);
}

static bool admission_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			      uint32_t ch)
{
	struct sw_form_view *fv = v->data;
	size_t i = fv->form.item;

	/* Going back is done by whoever asks. */
	if (req == SW_REQ_BACK && is_surplus(s, i))
		sw_state_drop_item(s, SW_HOME_ADMISSION, i);
	if (req != SW_REQ_ACCEPT) {
		bool known = sw_form_request(&fv->form, s, req, ch);

		count(s, i);
		return known;
	}
	if (!sw_form_accept(&fv->form, s))
		return true;
	count(s, i);
	if (is_twice(s, i))
		sw_state_refuse(s, "There is an admission by %s already; one of a kind is enough.",
				sw_admission_name(s->answers->admission[i].kind));
	else
		go_on(s, i);
	return true;
}

/* Those before this one, each on a line. */
static void admission_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			   const struct sw_area *a)
{
	struct sw_form_view *fv = v->data;
	struct sw_area rest = *a;
	size_t n = fv->form.item;

	for (size_t i = 0; i < n; i++)
		sw_frame_putf(f, rest.row + (unsigned int)i, 2, "%zu %-10s %s", i + 1,
			      sw_admission_name(s->answers->admission[i].kind),
			      s->answers->admission[i].url ? s->answers->admission[i].url : "");
	if (n) {
		rest.row += (unsigned int)n + 1;
		rest.rows -= rest.rows > n ? (unsigned int)n + 1 : rest.rows;
	}
	sw_form_draw(&fv->form, s, f, &rest);
}

const struct sw_view_ops sw_screen_admission = {
	.size = sizeof(struct sw_form_view),
	.hints = sw_form_choice_hints,
	.title = N_("Install 5 of 7 - Admission"),
	.help = N_("How the node proves to its cluster that it may join. Nothing is sent now.\n\n"
		"There may be several, one of a kind, done in order: behind each the next is asked "
		"for, and none ends that. One that is set to none is taken away."),
	.open = admission_open,
	.refresh = sw_form_view_refresh,
	.draw = admission_draw,
	.request = admission_request,
	.close = sw_form_view_close,
	.mode = sw_form_view_mode,
	.field = sw_form_view_field,
	.widget = sw_form_view_widget,
};
