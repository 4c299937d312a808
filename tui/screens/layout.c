/* SPDX-License-Identifier: Apache-2.0 */
/* How the disk is divided, what may be overwritten, and what that makes of it. */
#include <string.h>

#include "base/catalogue.h"
#include "base/size.h"
#include "disk/disk.h"
#include "tui/screens/form-view.h"
#include "tui/screens/screens.h"
#include "tui/session/disks.h"

/* The shipped layouts, and the one that the answers brought along. */
static size_t layout_names(const struct sw_state *s, const struct sw_field *f, const char **names,
			   size_t max)
{
	size_t n = 0;

	if (strcmp(f->key, "disk.layout") != 0)
		return 0;
	for (; n < s->n_layouts && n < max; n++)
		names[n] = s->layouts[n]->name;
	if (n < max && !sw_state_layout(s) && s->answers->layout && *s->answers->layout)
		names[n++] = s->answers->layout;
	return n;
}

/* Only then is it asked what to do about one. */
static bool has_failing(const struct sw_state *s)
{
	for (size_t k = 0; k <= s->answers->n_more; k++) {
		const struct sw_disk *d = sw_state_disk_at(s, k);

		if (d && d->health == SW_HEALTH_FAILING)
			return true;
	}
	return s->answers->failing != 0;
}

static void layout_open(struct sw_view *v, struct sw_state *s)
{
	static const char *const usual[] = { "disk.layout", "disk.wipe", "disk.conflicts", NULL };
	static const char *const failing[] = { "disk.layout", "disk.wipe", "disk.failing",
					       "disk.conflicts", NULL };
	struct sw_form_view *fv = v->data;

	fv->form.names = layout_names;
	sw_form_open(&fv->form, s, has_failing(s) ? failing : usual);
}

/* Told here, where it can be changed, and not only by the plan. */
static bool allowed(const struct sw_state *s, struct sw_error *err)
{
	const struct sw_layout *l = sw_state_layout(s);

	for (size_t i = 0; l && s->facts && i < l->n_parts; i++)
		if ((l->parts[i].encrypt & SW_ENCRYPT_TPM2) && !sw_plan_tpm_usable(s->facts)) {
			sw_fail(err, SW_EXIT_MISSING, -ENODEV, "%s is not on offer here", l->name);
			sw_error_why(err, "this machine shows no TPM 2.0 that could keep the key");
			sw_error_hint(err, "turn it on in the firmware setup, or choose another");
			return false;
		}
	return !s->facts || sw_state_may_lose(s, 0, err) == 0;
}

/* A state that stays readable although this machine could encrypt it. */
static bool leaves_plain(const struct sw_state *s, const struct sw_layout *l)
{
	for (size_t i = 0; l && i < l->n_parts; i++)
		if (l->parts[i].role == SW_ROLE_STATE && !l->parts[i].encrypt)
			return sw_state_can_encrypt(s);
	return false;
}

static bool layout_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct sw_error err = { 0 };

	if (req == SW_REQ_ACCEPT && (!allowed(s, &err) || sw_state_settle_loss(s, 0, &err) < 0)) {
		s->bell = true;
		return true;
	}
	if (req == SW_REQ_ACCEPT)
		sw_state_drop_disks(s);
	return sw_form_view_request(v, s, req, ch,
				    sw_state_disk_need(s, 1) == SW_DISK_NOT_WANTED
					    ? &sw_screen_boot
					    : &sw_screen_more_disks);
}

static unsigned int draw_after(const struct sw_layout *l, const struct sw_disk *d,
			       struct sw_frame *f, unsigned int row, unsigned int end)
{
	_cleanup_free_ struct sw_placement *p = NULL;
	_cleanup_free_ struct sw_layout_part *parts = NULL;
	struct sw_guid seed = { { 0 } }, id;
	struct sw_error err = { 0 };
	struct sw_layout own;
	size_t n = 0;

	if (sw_layout_on_disk(l, 0, &own) < 0)
		return row;
	parts = own.parts;
	if (sw_layout_solve(&own, d->size, d->sector, &seed, &p, &n, &id, &err) < 0) {
		_cleanup_free_ char *text = sw_error_text(&err);

		return row + sw_frame_paragraph(f, row, 10, f->cols - 11, end - row, text);
	}
	for (size_t i = 0; i < n && row < end; i++, row++) {
		char size[16], at[16];

		sw_frame_putf(f, row, 10, "%-14s %6s at %-6s %s%s",
			      p[i].part->label ? p[i].part->label : "",
			      sw_size_format(p[i].size, size, sizeof(size)),
			      sw_size_format(p[i].start, at, sizeof(at)),
			      p[i].part->format ? p[i].part->format : "",
			      p[i].part->encrypt ? _(", encrypted") : "");
	}
	return row;
}

/* What the choice is and, where it could be a safer one, what it risks. */
static unsigned int draw_choice(const struct sw_state *s, const struct sw_layout *l,
				struct sw_frame *f, unsigned int row)
{
	_cleanup_buf_ struct sw_buf b = { 0 };

	if (l && l->description)
		row += sw_frame_paragraph(f, row, 2, f->cols - 3, 2, l->description) + 1;
	if (!leaves_plain(s, l))
		return row;
	sw_frame_put(f, row, 0, 1, 0, "!");
	sw_buf_addf(&b, _("State is not encrypted: whoever gets hold of the disk can read it. %s "
			  "keeps its key in this machine's TPM."), SW_LAYOUT_ENCRYPTED);
	return row + 1 +
	       sw_frame_paragraph(f, row, 2, f->cols - 3, 3,
				  sw_buf_text(&b));
}

static void layout_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			const struct sw_area *a)
{
	const struct sw_layout *l = sw_state_layout(s);
	const struct sw_disk *d = sw_state_disk_at(s, 0);
	struct sw_form_view *fv = v->data;
	unsigned int row = a->row + sw_form_draw(&fv->form, s, f, a), end = a->row + a->rows;
	_cleanup_free_ char *now = d ? sw_disk_describe(d) : NULL;
	struct sw_error err = { 0 };

	if (!allowed(s, &err)) {
		_cleanup_free_ char *text = sw_error_text(&err);

		sw_frame_put(f, row, 0, 1, 0, "!");
		row += sw_frame_paragraph(f, row, 2, f->cols - 3, 5, text) + 1;
	}
	row = draw_choice(s, l, f, row);
	if (!d || row >= end)
		return;
	sw_frame_put(f, row, 2, 8, 0, _("Now"));
	row += sw_frame_paragraph(f, row, 10, f->cols - 11, 4, now);
	if (l && row + 1 < end) {
		sw_frame_put(f, row + 1, 2, 8, 0, _("After"));
		draw_after(l, d, f, row + 1, end);
	}
}

const struct sw_view_ops sw_screen_layout = {
	.size = sizeof(struct sw_form_view),
	.hints = sw_form_choice_hints,
	.refresh = sw_form_view_refresh,
	.close = sw_form_view_close,
	.mode = sw_form_view_mode,
	.field = sw_form_view_field,
	.widget = sw_form_view_widget,
	.title = N_("Install 2 of 7 - How the disk is divided"),
	.help = N_("What the disk will hold, beside what it holds now. Left, Right and Space "
		"change a choice."),
	.open = layout_open,
	.draw = layout_draw,
	.request = layout_request,
};
