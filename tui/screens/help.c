/* SPDX-License-Identifier: Apache-2.0 */
/* Help for the screen below: its text, the field in focus, and its keys from the key table. */
#include "answers/answers.h"
#include "base/catalogue.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

static void add_key(struct sw_buf *b, enum sw_request req, enum sw_key_mode mode, const char *word)
{
	_cleanup_buf_ struct sw_buf keys = { 0 };

	sw_request_keys(req, mode, &keys);
	if (keys.len)
		sw_buf_addf(b, "  %-20s %s\n", sw_buf_text(&keys),
			    word && req != SW_REQ_UP ? word : sw_request_word(req));
}

/* With a word of its own in the hint line. */
static bool is_hinted(const struct sw_view *v, enum sw_request req)
{
	for (const struct sw_hint *h = v->ops->hints; h && h->req != SW_REQ_NONE; h++)
		if (h->req == req)
			return true;
	return false;
}

static void add_keys(struct sw_buf *b, const struct sw_view *v, enum sw_key_mode mode)
{
	static const enum sw_request moving[] = {
		SW_REQ_UP, SW_REQ_DOWN, SW_REQ_PAGE_UP, SW_REQ_PAGE_DOWN, SW_REQ_HOME, SW_REQ_END,
	};
	static const enum sw_request editing[] = {
		SW_REQ_UP, SW_REQ_DOWN, SW_REQ_NEXT, SW_REQ_PREVIOUS, SW_REQ_LEFT, SW_REQ_RIGHT,
		SW_REQ_HOME, SW_REQ_END, SW_REQ_BACKSPACE, SW_REQ_DELETE, SW_REQ_KILL,
	};
	static const enum sw_request everywhere[] = { SW_REQ_HELP, SW_REQ_REDRAW, SW_REQ_PEN,
							SW_REQ_SAVE };

	sw_buf_adds(b, _("Keys\n"));
	for (const struct sw_hint *h = v->ops->hints; h && h->req != SW_REQ_NONE; h++)
		if (h->req != SW_REQ_UP && h->req != SW_REQ_PAGE_UP && h->req != SW_REQ_PAGE_DOWN &&
		    h->req != SW_REQ_NEXT && h->req != SW_REQ_RIGHT)
			add_key(b, h->req, mode, h->word ? _(h->word) : NULL);
	if (mode == SW_MODE_TEXT)
		for (size_t i = 0; i < ARRAY_SIZE(editing); i++)
			add_key(b, editing[i], mode, NULL);
	else
		for (size_t i = 0; i < ARRAY_SIZE(moving); i++)
			add_key(b, moving[i], mode, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++)
		if (!is_hinted(v, everywhere[i]))
			add_key(b, everywhere[i], mode, NULL);
}

static void add_field(struct sw_buf *b, const struct sw_field *f)
{
	sw_buf_addf(b, "%s\n  %s\n", _(f->label), f->help ? _(f->help) : "");
	if (f->example)
		sw_buf_addf(b, _("  Example: %s\n"), f->example);
	sw_buf_addf(b, _("  In an answer file: %s\n\n"), f->key);
}

static void help_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	const struct sw_view *on = v->below;
	_cleanup_buf_ struct sw_buf b = { 0 };
	struct sw_pager_view *h = v->data;
	enum sw_key_mode mode;

	if (!on)
		return;
	mode = on->ops->mode ? on->ops->mode(on) : SW_MODE_KEYS;
	if (on->ops->field && on->ops->field(on))
		add_field(&b, on->ops->field(on));
	if (on->ops->help)
		sw_buf_addf(&b, "%s\n\n", _(on->ops->help));
	if (on->ops->key_help)
		sw_buf_addf(&b, "%s\n\n", _(on->ops->key_help));
	add_keys(&b, on, mode);
	sw_pager_set(&h->pager, sw_buf_steal(&b));
}

static bool help_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	return sw_pager_view_request(v, s, req, ch, SW_REQ_HELP);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_SEARCH, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_help = {
	.title = N_("Help"),
	.size = sizeof(struct sw_pager_view),
	.hints = hints,
	.open = help_open,
	.draw = sw_pager_view_draw,
	.request = help_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};
