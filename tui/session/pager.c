/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/pager.h"

#include <string.h>

#include "base/catalogue.h"
#include "tui/session/state.h"

void sw_pager_set(struct sw_pager *p, char *text)
{
	free(p->text);
	p->text = text;
	sw_lines_clear(&p->lines);
	p->width = 0;
}

void sw_pager_clear(struct sw_pager *p)
{
	sw_pager_set(p, NULL);
	*p = (struct sw_pager){ 0 };
}

static size_t last_top(const struct sw_pager *p)
{
	return p->lines.n > p->rows ? p->lines.n - p->rows : 0;
}

static bool find(struct sw_pager *p, size_t from)
{
	for (size_t i = 0; i < p->lines.n; i++) {
		size_t at = (from + i) % p->lines.n;

		if (strcasestr(p->lines.line[at], p->find)) {
			p->top = at < last_top(p) ? at : last_top(p);
			return true;
		}
	}
	return false;
}

static bool search_request(struct sw_pager *p, struct sw_state *s, enum sw_request req,
			   uint32_t ch)
{
	size_t len = strlen(p->find);

	switch (req) {
	case SW_REQ_TEXT:
		if (ch < 0x7f && len + 1 < sizeof(p->find)) {
			p->find[len] = (char)ch;
			p->find[len + 1] = '\0';
		}
		break;
	case SW_REQ_BACKSPACE:
		if (len)
			p->find[len - 1] = '\0';
		break;
	case SW_REQ_ACCEPT:
		p->searching = false;
		if (p->find[0] && !find(p, p->top))
			sw_state_refuse(s, "Not found: %s", p->find);
		return true;
	case SW_REQ_BACK:
	case SW_REQ_CANCEL:
		p->searching = false;
		return true;
	default:
		return false;
	}
	sw_state_notice(s, "/%s", p->find);
	return true;
}

static void move(struct sw_pager *p, long by)
{
	long to = (long)p->top + by, last = (long)last_top(p);

	p->top = (size_t)(to < 0 ? 0 : to > last ? last : to);
	p->follow = p->top == last_top(p);
}

bool sw_pager_request(struct sw_pager *p, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	long page = p->rows > 1 ? (long)p->rows - 1 : 1;

	if (p->searching)
		return search_request(p, s, req, ch);
	switch (req) {
	case SW_REQ_UP:
		move(p, -1);
		return true;
	case SW_REQ_DOWN:
		move(p, 1);
		return true;
	case SW_REQ_PAGE_UP:
		move(p, -page);
		return true;
	case SW_REQ_PAGE_DOWN:
		move(p, page);
		return true;
	case SW_REQ_HOME:
		move(p, -(long)p->lines.n);
		return true;
	case SW_REQ_END:
		move(p, (long)p->lines.n);
		return true;
	case SW_REQ_SEARCH:
		p->searching = true;
		p->find[0] = '\0';
		sw_state_notice(s, "/");
		return true;
	case SW_REQ_SEARCH_NEXT:
		if (p->find[0] && !find(p, p->top + 1))
			sw_state_refuse(s, "Not found: %s", p->find);
		return true;
	default:
		return false;
	}
}

enum sw_key_mode sw_pager_mode(const struct sw_pager *p)
{
	return p->searching ? SW_MODE_TEXT : SW_MODE_KEYS;
}

void sw_pager_draw(struct sw_pager *p, struct sw_frame *f, const struct sw_area *a)
{
	unsigned int rows = a->rows > 1 ? a->rows - 1 : 1;

	if (f->lines)	/* plain mode prints the text whole */
		return;
	if (p->width != a->cols && p->text) {
		sw_lines_clear(&p->lines);
		if (sw_text_wrap(p->text, a->cols, &p->lines) < 0)
			sw_frame_put(f, a->row, 0, a->cols, 0, _("Out of memory."));
		p->width = a->cols;
	}
	p->rows = p->lines.n <= a->rows ? a->rows : rows;
	if (p->follow || p->top > last_top(p))
		p->top = last_top(p);
	for (size_t i = 0; i < p->rows && p->top + i < p->lines.n; i++)
		sw_frame_put(f, a->row + (unsigned int)i, 0, a->cols, 0, p->lines.line[p->top + i]);
	sw_frame_cursor(f, a->row, 0);
	if (p->lines.n > a->rows)
		sw_frame_putf(f, a->row + a->rows - 1, 0, "-- line %zu to %zu of %zu --",
			      p->top + 1, p->top + p->rows, p->lines.n);
}
