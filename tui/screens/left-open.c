/* SPDX-License-Identifier: Apache-2.0 */
/* What the answers of an unattended install leave to be asked, and nothing else. */
#include <errno.h>
#include <string.h>

#include "base/catalogue.h"
#include "tui/screens/form-view.h"
#include "tui/screens/screens.h"

/* The disks that can be named by a serial. */
static size_t serials(const struct sw_state *s, const struct sw_field *f, const char **names,
		      size_t max)
{
	size_t n = 0;

	if (strcmp(f->key, "disk.match.serial") != 0 || !s->facts)
		return 0;
	for (size_t i = 0; i < s->facts->n_disks && n < max; i++)
		if (s->facts->disks[i].serial)
			names[n++] = s->facts->disks[i].serial;
	return n;
}

static void left_open(struct sw_view *v, struct sw_state *s)
{
	struct sw_form_view *fv = v->data;

	fv->form.names = serials;
	sw_form_open(&fv->form, s, (const char *const *)s->answers->open);
}

/* Somebody is there who wants it otherwise: the screens of the road have every field. */
static void leave(struct sw_state *s)
{
	s->unattended = false;
	sw_answers_close(s->answers, "");
	sw_state_waits_no_more(s, -ECANCELED);
	sw_view_pop(s);
	sw_state_notice(s, "Stopped. The answers are filled in; nothing has been written.");
}

static void go_on(struct sw_form *form, struct sw_state *s)
{
	struct sw_error err = { 0 };

	if (!sw_form_accept(form, s))
		return;
	/* What may stay empty was left so. */
	sw_answers_close(s->answers, "");
	if (sw_answers_validate(s->answers, NULL, &err) < 0) {
		sw_state_refuse(s, "%s: %s", err.what, err.why);
		return;
	}
	sw_state_waits_no_more(s, 0);
	sw_view_pop(s);
	sw_state_asked(s);
}

static bool left_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct sw_form_view *fv = v->data;

	if (req == SW_REQ_ACCEPT)
		go_on(&fv->form, s);
	else if (req == SW_REQ_BACK || req == SW_REQ_CANCEL || req == SW_REQ_QUIT)
		leave(s);
	else
		return sw_form_request(&fv->form, s, req, ch);
	return true;
}

/* A serial alone says little about its disk. */
static void left_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	struct sw_form_view *fv = v->data;
	unsigned int row = a->row + sw_form_draw(&fv->form, s, f, a);
	const struct sw_field *field = sw_form_field(&fv->form);

	if (!field || strcmp(field->key, "disk.match.serial") != 0)
		return;
	for (size_t i = 0; i < s->facts->n_disks && row < a->row + a->rows; i++) {
		const struct sw_disk *d = &s->facts->disks[i];

		if (d->serial)
			sw_frame_putf(f, row++, 2, "%s: %s, %s", d->serial, d->name,
				      d->model ? d->model : "-");
	}
}

const struct sw_view_ops sw_screen_left_open = {
	.size = sizeof(struct sw_form_view),
	.hints = sw_form_view_hints,
	.refresh = sw_form_view_refresh,
	.draw = left_draw,
	.close = sw_form_view_close,
	.mode = sw_form_view_mode,
	.field = sw_form_view_field,
	.widget = sw_form_view_widget,
	.title = N_("What is left to answer"),
	.help = N_("These answers were left open. With them the install goes on by itself. "
		"Esc stops it."),
	.open = left_open,
	.request = left_request,
};
