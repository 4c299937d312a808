/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The findings as QR codes for a telephone, one on a screen. A code needs every row that there is,
 * so the words stand beside it; where none fits, the same report as a block of text is shown.
 */
#include <string.h>

#include "base/catalogue.h"
#include "bundle/bundle.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"
#include "tui/session/qr-cells.h"

#define BESIDE 18U	/* columns of words that a code leaves at least */
#define WANTED 8U	/* codes: more than this nobody reads one by one */

struct qr_view {
	struct sw_pager pager;	/* first: a struct sw_pager_view; what there is without a code */
	struct sw_tool tool;
	struct sw_qr_shape shape;	/* what fits; version 0: no code is shown */
	struct sw_bundle_parts parts;	/* for this version */
	unsigned int parts_version;
	size_t part;		/* the one that is shown */
	struct sw_qr qr;	/* of it */
	size_t qr_part;
	bool inverted, all_the_same;	/* half blocks, though nothing says that they are shown */
	struct sw_error error;	/* no code could be made */
};

static void qr_open(struct sw_view *v, struct sw_state *s)
{
	struct qr_view *qv = v->data;

	sw_tool_ask(&qv->tool, s, sw_tool_next(s, "bundle-report"));
}

static void forget_parts(struct qr_view *qv)
{
	sw_bundle_parts_clear(&qv->parts);
	sw_qr_clear(&qv->qr);
	qv->parts_version = 0;
}

/* The report as text, below why there is no code. */
static char *text_of(const struct qr_view *qv)
{
	_cleanup_buf_ struct sw_buf b = { 0 };

	if (qv->error.what[0]) {
		_cleanup_free_ char *why = sw_error_text(&qv->error);

		(void)sw_buf_addf(&b, "%s\n\n", why ? why : "");
	} else {
		(void)sw_buf_adds(&b, _("A QR code does not fit here: it takes 18 rows and 55 "
					"columns with half blocks, which are UTF-8, and 36 rows "
					"and 92 columns without. r draws it with half blocks all "
					"the same.\n\n"));
	}
	(void)sw_buf_adds(&b, _("This is the same report, for a log of this console; "
				"`slipway bundle read` shows it:\n\n"));
	(void)sw_buf_adds(&b, sw_json_str(qv->tool.found, "text", ""));
	return sw_buf_steal(&b);
}

static void qr_refresh(struct sw_view *v, struct sw_state *s)
{
	struct qr_view *qv = v->data;

	qv->tool.done = s->tool.done;	/* what was written changes nothing of it */
	if (!sw_tool_take(&qv->tool, s))
		return;
	forget_parts(qv);
	sw_pager_set(&qv->pager, qv->tool.error.what[0] ? sw_error_text(&qv->tool.error)
							: text_of(qv));
}

/* ---- what is shown ---- */

static void make_code(struct qr_view *qv)
{
	int r = 0;

	if (qv->parts_version != qv->shape.version) {
		forget_parts(qv);
		r = sw_bundle_split(sw_json_get(qv->tool.found, "report"),
				    sw_qr_room(qv->shape.version), WANTED, &qv->parts, &qv->error);
		qv->parts_version = qv->shape.version;
	}
	if (r == 0 && qv->part >= qv->parts.n)
		qv->part = qv->parts.n - 1;
	if (r == 0 && (!qv->qr.dark || qv->qr_part != qv->part)) {
		sw_qr_clear(&qv->qr);
		r = sw_qr_make(qv->parts.line[qv->part], qv->shape.version, &qv->qr, &qv->error);
		qv->qr_part = qv->part;
	}
	if (r == 0)
		return;
	qv->shape.version = 0;
	sw_pager_set(&qv->pager, text_of(qv));
}

static bool qr_whole(struct sw_view *v, const struct sw_state *s, const struct sw_frame *f)
{
	struct qr_view *qv = v->data;
	bool half = s->pen_utf8 || qv->all_the_same;

	qv->shape = (struct sw_qr_shape){ 0 };
	if (qv->tool.pending || !qv->tool.found || qv->error.what[0] || f->cols < BESIDE)
		return false;
	qv->shape = sw_qr_fit(f->rows, f->cols - BESIDE, half);
	if (qv->shape.version)
		make_code(qv);
	return qv->shape.version != 0;
}

/* Title, which code it is, and the keys, as wide as there is room. */
static char *words_of(struct sw_view *v, const struct sw_state *s)
{
	const struct qr_view *qv = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };

	(void)sw_buf_addf(&b, _("QR code %zu of %zu\n\nReport %s\n\n"), qv->part + 1, qv->parts.n,
			  qv->parts.code);
	if (qv->parts.left_out)
		(void)sw_buf_addf(&b, _n("%zu lesser finding is left out.\n\n",
					 "%zu lesser findings are left out.\n\n",
					 (unsigned long)qv->parts.left_out), qv->parts.left_out);
	sw_view_hint_lines(v, &b);
	if (s->notice[0])
		(void)sw_buf_addf(&b, "\n%s", s->notice);
	return sw_buf_steal(&b);
}

static void qr_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		    const struct sw_area *a)
{
	struct qr_view *qv = v->data;
	unsigned int col = qv->shape.cols + 2;
	_cleanup_free_ char *words = NULL;

	if (qv->tool.pending) {
		sw_tool_draw_told(&s->looks[SW_LOOK_TOOL], _("gathering ..."), f, a);
		return;
	}
	if (!qv->shape.version || f->lines) {
		sw_pager_draw(&qv->pager, f, a);
		return;
	}
	f->utf8 = qv->all_the_same;
	sw_qr_draw(f, 0, 0, &qv->qr, &qv->shape, qv->inverted);
	words = words_of(v, s);
	(void)sw_frame_paragraph(f, 0, col, f->cols - col, f->rows, words);
	sw_frame_cursor(f, 0, col);
}

/* ---- keys ---- */

static bool turn(struct qr_view *qv, struct sw_state *s, enum sw_request req)
{
	switch (req) {
	case SW_REQ_RIGHT:
	case SW_REQ_DOWN:
	case SW_REQ_PAGE_DOWN:
	case SW_REQ_ACCEPT:
		if (qv->part + 1 < qv->parts.n)
			qv->part++;
		else
			sw_state_notice(s, "This is the last one.");
		return true;
	case SW_REQ_LEFT:
	case SW_REQ_UP:
	case SW_REQ_PAGE_UP:
		qv->part -= qv->part > 0;
		return true;
	case SW_REQ_HOME:
		qv->part = 0;
		return true;
	case SW_REQ_END:
		qv->part = qv->parts.n - 1;
		return true;
	case SW_REQ_DETAILS:
		qv->inverted = !qv->inverted;
		return true;
	default:
		return false;
	}
}

static bool qr_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct qr_view *qv = v->data;

	if (req == SW_REQ_CANCEL && qv->tool.pending) {
		sw_state_stop_tool(s);
		return true;
	}
	if (req == SW_REQ_RETRY) {
		qv->all_the_same = !qv->all_the_same;
		return true;
	}
	if (qv->shape.version)
		return turn(qv, s, req);
	return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
}

static void qr_close(struct sw_view *v)
{
	struct qr_view *qv = v->data;

	sw_pager_clear(&qv->pager);
	forget_parts(qv);
	sw_tool_clear(&qv->tool);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, N_("next") }, { SW_REQ_LEFT, N_("the one before") },
	{ SW_REQ_DETAILS, N_("light for dark") }, { SW_REQ_RETRY, N_("half blocks") },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_qr = {
	.title = N_("QR codes"),
	.help = N_("The findings, the worst first, in as many QR codes as it takes here: a larger "
		   "screen takes fewer. A telephone reads each as a line of text that begins with "
		   "SLIPWAY and says which of how many it is. Sent to somebody, in any order, "
		   "`slipway bundle read` puts them together and names what is missing. The code "
		   "of the report, for the telephone, is the same on all of them.\n\nd is for a "
		   "screen without colours whose characters are dark on light; r draws half "
		   "blocks, which are UTF-8, where nothing says that the screen shows them."),
	.size = sizeof(struct qr_view),
	.hints = hints,
	.open = qr_open,
	.refresh = qr_refresh,
	.draw = qr_draw,
	.request = qr_request,
	.close = qr_close,
	.whole = qr_whole,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};
