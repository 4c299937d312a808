/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a server for a URL and says whether that works. */
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "base/size.h"
#include "net/http.h"
#include "tui/screens/line-view.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

struct reach {
	struct sw_line line;	/* first: see line-view.h */
};

/* What was tried last, else what the node is to boot, else a beginning. */
static const char *proposal(const struct sw_state *s)
{
	const char *from[] = { s->reach_url, s->answers->uki, s->answers->kernel };

	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		if (from[i] && strncmp(from[i], "http", 4) == 0)
			return from[i];
	return "http://";
}

static void reach_open(struct sw_view *v, struct sw_state *s)
{
	struct reach *rv = v->data;

	rv->line.max = 1000;
	(void)sw_line_set(&rv->line, proposal(s));
}

static bool reach_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct reach *rv = v->data;
	char *url;

	if (sw_line_request(&rv->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	if (!sw_http_may_redirect("http://", rv->line.text)) {
		sw_state_refuse(s, "A URL begins with http:// or https://.");
		return true;
	}
	url = strdup(rv->line.text);
	if (!url)
		return true;
	free(s->reach_url);
	s->reach_url = url;
	sw_state_want_look(s, SW_LOOK_REACH);
	return true;
}

static void add_verdict(const struct sw_look *l, struct sw_buf *b)
{
	_cleanup_free_ char *error = l->error.what[0] ? sw_error_text(&l->error) : NULL;
	uint64_t size = l->found ? sw_json_u64(l->found, "size", 0) : 0;
	char text[16];

	if (l->pending)
		sw_buf_adds(b, _("asking ..."));
	else if (error)
		sw_buf_addf(b, _("It does not work.\n\n%s"), error);
	else if (l->found)
		sw_buf_addf(b, _("It works: %s answered with status %lld after %lld ms."),
			    sw_json_str(l->found, "url", _("the server")),
			    (long long)sw_json_int(l->found, "status", 0),
			    (long long)sw_json_int(l->found, "ms", 0));
	if (l->found && size)
		sw_buf_addf(b, _(" There are %s."), sw_size_format(size, text, sizeof(text)));
}

static void reach_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct reach *rv = v->data;
	_cleanup_buf_ struct sw_buf verdict = { 0 };

	sw_frame_put(f, a->row, 0, f->cols, 0, _("Ask the server for this URL:"));
	sw_line_draw(&rv->line, f, a->row + 2, 0, f->cols - 1);
	add_verdict(&s->looks[SW_LOOK_REACH], &verdict);
	if (a->rows > 4)
		(void)sw_frame_paragraph(f, a->row + 4, 0, f->cols - 1, a->rows - 4,
					 sw_buf_text(&verdict));
}

static struct sw_widget reach_widget(const struct sw_view *v)
{
	struct reach *rv = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = &rv->line };
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("test") }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_reach = {
	.title = N_("Test of a URL"),
	.help = N_("Name, route, connection, certificate and answer are tried in turn, as an "
		"install would. Nothing is kept of what the server sends."),
	.size = sizeof(struct reach),
	.hints = hints,
	.open = reach_open,
	.draw = reach_draw,
	.request = reach_request,
	.close = sw_line_view_close,
	.widget = reach_widget,
	.mode = sw_line_view_mode,
};
