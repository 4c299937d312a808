/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/list.h"

#include <string.h>

#include "base/catalogue.h"
#include "tui/session/state.h"
#include "tui/session/text.h"

#define GAP 2u
#define MAX_COL 28u		/* no column but the last takes more */

static void clear_row(struct sw_list_row *row)
{
	for (size_t c = 0; c < SW_LIST_COLS; c++)
		free(row->col[c]);
	free(row->off);
}

/* It is filled anew while somebody types: the rest of a search must not be taken for keys. */
void sw_list_clear(struct sw_list *l)
{
	struct sw_list empty = { .max_col = l->max_col, .searching = l->searching };

	memcpy(empty.find, l->find, sizeof(empty.find));
	for (size_t i = 0; i < l->n; i++)
		clear_row(&l->rows[i]);
	free(l->rows);
	*l = empty;
}

int sw_list_add(struct sw_list *l, int id, const char *off, size_t n_cols, const char *const *cols)
{
	struct sw_list_row *rows = reallocarray(l->rows, l->n + 1, sizeof(*rows));
	struct sw_list_row row = { .id = id };
	bool ok = rows != NULL;

	if (!rows)
		return -ENOMEM;
	l->rows = rows;
	for (size_t c = 0; c < n_cols && c < SW_LIST_COLS; c++)
		ok = (row.col[c] = strdup(cols[c] ? cols[c] : "")) && ok;
	if (off)
		ok = (row.off = strdup(off)) && ok;
	if (!ok) {
		clear_row(&row);
		return -ENOMEM;
	}
	rows[l->n++] = row;
	return 0;
}

int sw_list_add_text(struct sw_list *l, int id, const char *text)
{
	return sw_list_add(l, id, NULL, 1, &text);
}

void sw_list_select(struct sw_list *l, int id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->rows[i].id == id)
			l->sel = i;
}

const struct sw_list_row *sw_list_selected(const struct sw_list *l)
{
	return l->sel < l->n ? &l->rows[l->sel] : NULL;
}

static bool row_has(const struct sw_list_row *row, const char *text)
{
	for (size_t c = 0; c < SW_LIST_COLS; c++)
		if (row->col[c] && strcasestr(row->col[c], text))
			return true;
	return row->off && strcasestr(row->off, text);
}

/* Looks from the row `from` on, around the end. */
static bool find(struct sw_list *l, size_t from)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t at = (from + i) % l->n;

		if (row_has(&l->rows[at], l->find)) {
			l->sel = at;
			return true;
		}
	}
	return false;
}

/* While a search text is typed, the selection follows it. */
static bool search_request(struct sw_list *l, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	size_t len = strlen(l->find);

	switch (req) {
	case SW_REQ_TEXT:
		if (ch >= 0x7f || len + 1 >= sizeof(l->find))
			return true;
		l->find[len] = (char)ch;
		l->find[len + 1] = '\0';
		break;
	case SW_REQ_BACKSPACE:
		if (len)
			l->find[len - 1] = '\0';
		break;
	case SW_REQ_ACCEPT:
	case SW_REQ_BACK:
	case SW_REQ_CANCEL:
		l->searching = false;
		return true;
	default:
		return false;
	}
	sw_state_notice(s, "/%s%s", l->find, find(l, l->sel) ? "" : _("   not found"));
	return true;
}

static void move(struct sw_list *l, long by)
{
	long to = (long)l->sel + by, last = (long)l->n - 1;

	l->sel = (size_t)(to < 0 || last < 0 ? 0 : to > last ? last : to);
}

bool sw_list_request(struct sw_list *l, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	if (l->searching)
		return search_request(l, s, req, ch);
	l->page = s->hurry;
	switch (req) {
	case SW_REQ_UP:
		move(l, -1);
		return true;
	case SW_REQ_DOWN:
		move(l, 1);
		return true;
	case SW_REQ_PAGE_UP:
		move(l, -10);
		return true;
	case SW_REQ_PAGE_DOWN:
		move(l, 10);
		return true;
	case SW_REQ_HOME:
		l->sel = 0;
		return true;
	case SW_REQ_END:
		l->sel = l->n ? l->n - 1 : 0;
		return true;
	case SW_REQ_SEARCH:
		l->searching = l->n > 0;
		l->find[0] = '\0';
		sw_state_notice(s, "/");
		return true;
	case SW_REQ_SEARCH_NEXT:
		if (l->find[0] && !find(l, l->sel + 1))
			sw_state_refuse(s, "Not found: %s", l->find);
		return true;
	default:
		return false;
	}
}

enum sw_key_mode sw_list_mode(const struct sw_list *l)
{
	return l->searching ? SW_MODE_TEXT : SW_MODE_KEYS;
}

static void widths(const struct sw_list *l, const char *const *header, unsigned int *w,
		   size_t *ret_cols)
{
	unsigned int max = l->max_col ? l->max_col : MAX_COL;

	*ret_cols = 1;
	for (size_t c = 0; c < SW_LIST_COLS; c++) {
		w[c] = header && header[c] ? sw_text_columns(header[c]) : 0;
		for (size_t i = 0; i < l->n; i++)
			if (l->rows[i].col[c] && sw_text_columns(l->rows[i].col[c]) > w[c])
				w[c] = sw_text_columns(l->rows[i].col[c]);
		if (w[c])
			*ret_cols = c + 1;
		if (w[c] > max)
			w[c] = max;
	}
	/* A reason has to stand beside what it is about. */
	for (size_t i = 0; i < l->n && *ret_cols == 1; i++)
		if (l->rows[i].off)
			*ret_cols = 2;
}

/* The last column says something; those before it are names, which differ at their ends. */
static void draw_cols(struct sw_frame *f, unsigned int row, const unsigned int *w, size_t n_cols,
		      const char *const *text)
{
	unsigned int col = 2;

	for (size_t c = 0; c < n_cols && col < f->cols; c++) {
		bool last = c + 1 == n_cols;
		unsigned int width = last ? f->cols - col : w[c];
		_cleanup_buf_ struct sw_buf name = { 0 };

		if (!last && text[c])
			sw_text_elide(text[c], width, &name);
		sw_frame_put(f, row, col, width, 0, last ? text[c] : sw_buf_text(&name));
		col += width + GAP;
	}
}

static void draw_row(const struct sw_list *l, struct sw_frame *f, unsigned int row, size_t i,
		     const unsigned int *w, size_t n_cols)
{
	const struct sw_list_row *r = &l->rows[i];
	const char *text[SW_LIST_COLS];

	memcpy(text, r->col, sizeof(text));
	/* Why a row cannot be chosen counts more than what the last column says. */
	if (r->off)
		text[n_cols - 1] = r->off;
	draw_cols(f, row, w, n_cols, text);
	if (r->off)
		sw_frame_put(f, row, 1, 1, 0, "-");
	if (i == l->sel) {
		sw_frame_put(f, row, 0, 1, 0, ">");
		sw_frame_tint(f, row, 0, 2 + w[0], SW_ATTR_ACCENT);
		sw_frame_cursor(f, row, 0);
	}
}

static unsigned int draw_line(struct sw_frame *f, unsigned int row, const char *number,
			      const char *const *text, const char *off)
{
	_cleanup_buf_ struct sw_buf b = { 0 };

	for (size_t c = 0; c < SW_LIST_COLS; c++)
		if (text[c] && *text[c])
			(void)sw_buf_addf(&b, "%s%s", b.len ? ", " : "", text[c]);
	if (off)
		(void)sw_buf_addf(&b, _(" - not to be chosen: %s"), off);
	sw_frame_put(f, row, 0, 5, 0, number);
	return sw_frame_paragraph(f, row, 5, f->cols - 6, 4, sw_buf_text(&b));
}

/* A number before each row, by which it is chosen, and nothing cut off. */
static unsigned int draw_lines(const struct sw_list *l, struct sw_frame *f,
			       const struct sw_area *a, const char *const *header)
{
	unsigned int row = a->row;
	char number[24];

	if (header)
		row += draw_line(f, row, "", header, NULL);
	for (size_t i = 0; i < l->n; i++) {
		(void)snprintf(number, sizeof(number), "%3zu", i + 1);
		row += draw_line(f, row, number, (const char *const *)l->rows[i].col,
				 l->rows[i].off);
	}
	return row - a->row;
}

/* Which row comes first, so that the selection is in sight. One row of the old page stays. */
static void follow(struct sw_list *l, size_t rows)
{
	bool page = l->page && rows > 2;

	if (l->sel < l->top)
		l->top = !page ? l->sel : l->sel + 2 > rows ? l->sel + 2 - rows : 0;
	if (rows && l->sel >= l->top + rows)
		l->top = page ? l->sel - 1 : l->sel - rows + 1;
	if (l->top + rows > l->n)
		l->top = l->n > rows ? l->n - rows : 0;
}

unsigned int sw_list_draw(struct sw_list *l, struct sw_frame *f, const struct sw_area *a,
			  const char *const *header)
{
	unsigned int w[SW_LIST_COLS], used = 0, rows = a->rows;
	size_t n_cols;

	if (f->lines)
		return draw_lines(l, f, a, header);
	widths(l, header, w, &n_cols);
	if (header && rows > 1) {
		draw_cols(f, a->row, w, n_cols, header);
		used = 1;
		rows--;
	}
	follow(l, rows);
	for (unsigned int i = 0; i < rows && l->top + i < l->n; i++)
		draw_row(l, f, a->row + used++, l->top + i, w, n_cols);
	return used;
}
