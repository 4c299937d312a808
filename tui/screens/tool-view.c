/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screens/tool-view.h"

#include <string.h>

#include "base/catalogue.h"
#include "base/size.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

json_object *sw_tool_request(const char *name)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "tool", name);
	return o;
}

json_object *sw_tool_next(struct sw_state *s, const char *name)
{
	json_object *o = s->tool.next;

	s->tool.next = NULL;
	return o ? o : sw_tool_request(name);
}

void sw_tool_open(struct sw_state *s, const struct sw_view_ops *ops, json_object *request)
{
	json_object_put(s->tool.next);
	s->tool.next = request;
	sw_view_push(s, ops);
}

void sw_tool_ask(struct sw_tool *t, struct sw_state *s, json_object *request)
{
	if (request) {
		json_object_put(t->request);
		t->request = request;
	}
	t->id = sw_state_want_tool(s, json_object_get(t->request));
	t->done = s->tool.done;
	t->pending = true;
	t->error = (struct sw_error){ 0 };
}

bool sw_tool_take(struct sw_tool *t, struct sw_state *s)
{
	const struct sw_look *l = &s->looks[SW_LOOK_TOOL];

	if (t->pending && t->id == s->tool.id && l->pending)
		return false;
	if (t->pending) {
		t->pending = false;
		if (t->id == s->tool.id) {	/* else another was asked for meanwhile */
			json_object_put(t->found);
			t->found = json_object_get(l->found);
			t->error = l->error;
		}
		return true;
	}
	if (!t->request || t->done == s->tool.done)
		return false;
	sw_tool_ask(t, s, NULL);
	return true;
}

void sw_tool_clear(struct sw_tool *t)
{
	json_object_put(t->request);
	json_object_put(t->found);
	*t = (struct sw_tool){ 0 };
}

unsigned int sw_tool_draw_state(const struct sw_tool *t, struct sw_frame *f,
				const struct sw_area *a)
{
	_cleanup_free_ char *text = NULL;

	if (t->error.what[0])
		text = sw_error_text(&t->error);
	else if (t->found)
		return 0;
	return sw_frame_paragraph(f, a->row, 0, f->cols - 1, a->rows,
				  text ? text : _("looking ..."));
}

/* "1.2M of 3.0M, 40 %". */
static void add_bytes(const struct sw_look *l, struct sw_buf *b)
{
	char done[16], size[16];

	if (l->size)
		(void)sw_buf_addf(b, _("%s of %s, %u %%\n"),
				  sw_size_format(l->done, done, sizeof(done)),
				  sw_size_format(l->size, size, sizeof(size)),
				  (unsigned int)(l->done * 100 / l->size));
}

void sw_tool_draw_told(const struct sw_look *l, const char *title, struct sw_frame *f,
		       const struct sw_area *a)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	_cleanup_lines_ struct sw_lines lines = { 0 };
	size_t room = a->rows > 2 ? a->rows - 2 : 0, from;
	unsigned int used;

	used = sw_frame_put(f, a->row, 0, f->cols, 0, title);
	if (f->lines)
		return;
	sw_frame_put(f, a->row, used + 1, f->cols, 0, _("c stops it"));
	(void)sw_buf_adds(&b, sw_buf_text(&l->told));
	add_bytes(l, &b);
	if (!b.len || sw_text_wrap(sw_buf_text(&b), a->cols - 1, &lines) < 0)
		return;
	from = lines.n > room ? lines.n - room : 0;
	for (size_t i = from; i < lines.n; i++)
		sw_frame_put(f, a->row + 2 + (unsigned int)(i - from), 0, a->cols, 0,
			     lines.line[i]);
}

/* ---- a view that is one text ---- */

void sw_tool_text_open(struct sw_view *v, struct sw_state *s, const char *name)
{
	struct sw_tool_text *tt = v->data;

	sw_tool_ask(&tt->tool, s, sw_tool_next(s, name));
	sw_pager_set(&tt->pager, strdup(_("looking ...")));
}

void sw_tool_text_refresh(struct sw_view *v, struct sw_state *s)
{
	struct sw_tool_text *tt = v->data;

	const struct sw_look *l = &s->looks[SW_LOOK_TOOL];

	if (tt->tool.pending && tt->tool.id == s->tool.id && l->pending && l->told.len)
		sw_pager_set(&tt->pager, strdup(sw_buf_text(&l->told)));
	if (!sw_tool_take(&tt->tool, s))
		return;
	if (tt->tool.pending)
		sw_pager_set(&tt->pager, strdup(_("looking ...")));
	else if (tt->tool.error.what[0])
		sw_pager_set(&tt->pager, sw_error_text(&tt->tool.error));
	else
		sw_pager_set(&tt->pager, sw_json_dup(tt->tool.found, "text"));
}

bool sw_tool_text_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch,
			  const char *file)
{
	struct sw_tool_text *tt = v->data;

	if (req == SW_REQ_REFRESH) {
		sw_tool_ask(&tt->tool, s, NULL);
		sw_pager_set(&tt->pager, strdup(_("looking ...")));
		return true;
	}
	if (req == SW_REQ_CANCEL && tt->tool.pending) {
		sw_state_stop_tool(s);
		return true;
	}
	if (req == SW_REQ_SAVE && file && tt->tool.found) {
		sw_screen_save_text(s, sw_json_dup(tt->tool.found, "text"), file);
		return true;
	}
	return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
}

void sw_tool_text_close(struct sw_view *v)
{
	struct sw_tool_text *tt = v->data;

	sw_pager_clear(&tt->pager);
	sw_tool_clear(&tt->tool);
}

const struct sw_hint sw_tool_text_hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_SEARCH, NULL },
	{ SW_REQ_SEARCH_NEXT, N_("again") }, { SW_REQ_REFRESH, NULL }, { SW_REQ_SAVE, N_("save") },
	{ SW_REQ_NONE, NULL },
};
