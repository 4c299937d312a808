/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/plain.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "answers/answers.h"
#include "base/catalogue.h"
#include "base/text.h"
#include "tui/session/form.h"
#include "tui/session/line.h"
#include "tui/session/list.h"
#include "tui/session/pager.h"
#include "tui/session/text.h"

#define WIDTH 79u
#define LINE_MAX_BYTES 4096u

const char sw_plain_greeting[] =
	N_("slipway asks on lines here. Type an answer and press Enter; Enter alone takes\n"
	"what stands in brackets, ? helps, < goes back.\n");

void sw_page_clear(struct sw_page *p)
{
	sw_buf_clear(&p->title);
	sw_buf_clear(&p->body);
	sw_buf_clear(&p->notice);
	sw_buf_clear(&p->question);
	*p = (struct sw_page){ 0 };
}

/* ---- the page ---- */

/* Lines without trailing blanks, never two empty ones in a row, none at the ends. */
static int tidy(const char *text, struct sw_buf *b)
{
	bool gap = false;
	int r = 0;

	while (*text && r == 0) {
		const char *end = strchrnul(text, '\n');
		size_t len = (size_t)(end - text);

		while (len && text[len - 1] == ' ')
			len--;
		if (!len) {
			gap = true;
		} else {
			if (gap && b->len)
				r = sw_buf_adds(b, "\n");
			gap = false;
			r = r == 0 ? sw_buf_add(b, text, len) : r;
			r = r == 0 ? sw_buf_adds(b, "\n") : r;
		}
		text = *end ? end + 1 : end;
	}
	return r;
}

static int add_wrapped(const char *text, struct sw_buf *b)
{
	_cleanup_lines_ struct sw_lines lines = { 0 };
	_cleanup_buf_ struct sw_buf all = { 0 };
	int r = sw_text_wrap(text, WIDTH, &lines);

	for (size_t i = 0; i < lines.n && r == 0; i++)
		r = sw_buf_addf(&all, "%s\n", lines.line[i]);
	return r < 0 ? r : tidy(sw_buf_text(&all), b);
}

static int add_body(struct sw_state *s, const struct sw_widget *w, struct sw_buf *b)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new_lines();
	_cleanup_free_ char *text = NULL;
	int r;

	if (!f)
		return -ENOMEM;
	sw_view_draw_content(s, f);
	text = sw_frame_text(f);
	r = text ? tidy(text, b) : -ENOMEM;
	if (r == 0 && w->kind == SW_WIDGET_PAGER && w->pager->text)
		r = add_wrapped(w->pager->text, b);
	return r;
}

static const char *accept_word(const struct sw_view *v)
{
	for (const struct sw_hint *h = v->ops->hints; h && h->req != SW_REQ_NONE; h++)
		if (h->req == SW_REQ_ACCEPT && h->word)
			return _(h->word);
	return sw_request_word(SW_REQ_ACCEPT);
}

static int ask_list(const struct sw_list *l, struct sw_buf *b)
{
	if (!l->n)
		return sw_buf_adds(b, _("Nothing to choose; ? helps: "));
	return sw_buf_addf(b, _("Number [%zu]: "), l->sel + 1);
}

static int ask_line(const struct sw_line *l, bool typed, struct sw_buf *b)
{
	if (typed || !l->text || !*l->text)
		return sw_buf_adds(b, _("Text: "));
	return sw_buf_addf(b, "[%s]: ", l->text);
}

static int add_question(const struct sw_state *s, const struct sw_widget *w, struct sw_buf *b)
{
	if (s->deadline_ms)
		return sw_buf_adds(b, _("Enter stops that: "));
	switch (w->kind) {
	case SW_WIDGET_LIST:
		return ask_list(w->list, b);
	case SW_WIDGET_FORM:
		return sw_form_question(w->form, s, b);
	case SW_WIDGET_LINE:
		return ask_line(w->line, w->typed, b);
	case SW_WIDGET_PROGRESS:
		return 0;
	default:
		return sw_buf_addf(b, _("Enter: %s, <: back, ?: help: "), accept_word(s->top));
	}
}

int sw_plain_page(struct sw_state *s, struct sw_page *ret_page)
{
	struct sw_widget w;
	int r;

	*ret_page = (struct sw_page){ 0 };
	if (!s->top)
		return 0;
	w = sw_view_widget(s->top);
	ret_page->appends = w.kind == SW_WIDGET_PAGER || w.kind == SW_WIDGET_PROGRESS;
	ret_page->secret = w.secret;
	if (w.kind == SW_WIDGET_FORM && sw_form_field(w.form))
		ret_page->secret = sw_form_field(w.form)->secret;
	r = sw_buf_adds(&ret_page->title, _(s->top->ops->title));
	if (r == 0)
		r = add_body(s, &w, &ret_page->body);
	if (r == 0)
		r = sw_buf_adds(&ret_page->notice, s->notice);
	if (r == 0)
		r = add_question(s, &w, &ret_page->question);
	return r;
}

/* ---- what is new ---- */

static bool same(const struct sw_buf *a, const struct sw_buf *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

/* Where the first line that differs begins. */
static const char *differs_from(struct sw_buf *seen, struct sw_buf *now)
{
	const char *a = sw_buf_text(seen), *b = sw_buf_text(now), *line = b;

	for (; *a && *a == *b; a++, b++)
		if (*b == '\n')
			line = b + 1;
	return line;
}

static int add_changed(struct sw_page *seen, struct sw_page *page, struct sw_buf *text)
{
	if (!same(&seen->title, &page->title))
		return sw_buf_addf(text, "\n%s\n\n%s", sw_buf_text(&page->title),
				   sw_buf_text(&page->body));
	if (same(&seen->body, &page->body))
		return 0;
	return sw_buf_adds(text, page->appends ? differs_from(&seen->body, &page->body)
					       : sw_buf_text(&page->body));
}

int sw_plain_news(struct sw_page *seen, struct sw_page *page, bool answered,
		  struct sw_buf *text)
{
	_cleanup_buf_ struct sw_buf news = { 0 };
	int r = add_changed(seen, page, &news);

	if (r == 0 && page->notice.len && (answered || !same(&seen->notice, &page->notice)))
		r = sw_buf_addf(&news, "%s\n", sw_buf_text(&page->notice));
	if (r == 0 && !answered && !news.len && same(&seen->question, &page->question))
		return 0;
	/* Not onto the line of a question that waits for its answer. */
	if (r == 0 && !answered && seen->question.len)
		r = sw_buf_adds(text, "\n");
	if (r == 0)
		r = sw_buf_add(text, news.data, news.len);
	if (r == 0)
		r = sw_buf_add(text, page->question.data, page->question.len);
	if (r < 0)
		return r;
	sw_page_clear(seen);
	*seen = *page;
	*page = (struct sw_page){ 0 };
	return 0;
}

/* ---- help ---- */

/* Moving is not needed where everything is asked for. */
static bool is_moving(enum sw_request req)
{
	return req <= SW_REQ_KILL || req == SW_REQ_ACCEPT || req == SW_REQ_BACK;
}

static void add_words(const struct sw_view *v, struct sw_buf *b)
{
	const char *colon = sw_view_mode(v) == SW_MODE_TEXT ? ":" : "";

	for (const struct sw_hint *h = v->ops->hints; h && h->req != SW_REQ_NONE; h++)
		if (!is_moving(h->req) && h->req != SW_REQ_SEARCH)
			(void)sw_buf_addf(b, "  %s%s\n", colon,
					  h->word ? _(h->word) : sw_request_word(h->req));
	if (sw_view_widget(v).kind == SW_WIDGET_FORM)
		(void)sw_buf_addf(b, _("  :%s  save the answers so far\n"),
				  sw_request_word(SW_REQ_SAVE));
	(void)sw_buf_addf(b, _("  ?  this help\n  <  go back\n"
			       "  %s%s  take the pen when another console has it\n"
			       "  %s%s  say the whole page again\n"),
			  colon, SW_PLAIN_PEN, colon, SW_PLAIN_REDRAW);
}

static void add_how(const struct sw_widget *w, struct sw_buf *b)
{
	switch (w->kind) {
	case SW_WIDGET_LIST:
		(void)sw_buf_adds(b, _("Type the number of a row; Enter alone takes the one in "
				     "brackets. A word and a number does something else with that "
				     "row. /TEXT searches.\n"));
		break;
	case SW_WIDGET_FORM:
		(void)sw_buf_adds(b, _("Type the answer, of a choice its number or name. Enter "
				     "alone keeps what is in brackets, - empties it.\n"));
		break;
	case SW_WIDGET_LINE:
		(void)sw_buf_adds(b, _("Type the text and press Enter.\n"));
		break;
	default:
		(void)sw_buf_adds(b, _("Enter alone goes on.\n"));
		break;
	}
}

void sw_plain_help(const struct sw_state *s, struct sw_buf *b)
{
	_cleanup_buf_ struct sw_buf raw = { 0 };
	const struct sw_view *v = s->top;
	const struct sw_field *f;
	struct sw_widget w;

	if (!v)
		return;
	w = sw_view_widget(v);
	f = v->ops->field ? v->ops->field(v) : NULL;
	if (f)
		(void)sw_buf_addf(&raw, "%s\n  %s\n", _(f->label), f->help ? _(f->help) : "");
	if (f && f->example)
		(void)sw_buf_addf(&raw, _("  Example: %s\n"), f->example);
	if (f)
		(void)sw_buf_addf(&raw, _("  In an answer file: %s\n\n"), f->key);
	if (v->ops->help)
		(void)sw_buf_addf(&raw, "%s\n\n", _(v->ops->help));
	add_how(&w, &raw);
	add_words(v, &raw);
	(void)add_wrapped(sw_buf_text(&raw), b);
}

/* ---- answers ---- */

static void go_back(struct sw_state *s, const struct sw_widget *w)
{
	if (w->kind != SW_WIDGET_FORM || !sw_form_step(w->form, s, -1))
		(void)sw_view_request(s, SW_REQ_BACK, 0);
}

static enum sw_request request_of(const struct sw_view *v, const char *word)
{
	for (const struct sw_hint *h = v->ops->hints; h && h->req != SW_REQ_NONE; h++)
		if (h->word && strcasecmp(_(h->word), word) == 0)
			return h->req;
	for (unsigned int i = SW_REQ_UP; i < SW_N_REQUESTS; i++)
		if (strcasecmp(sw_request_word((enum sw_request)i), word) == 0)
			return (enum sw_request)i;
	if (word[0] && !word[1])
		return sw_key_request((unsigned char)word[0], SW_MODE_KEYS);
	return SW_REQ_NONE;
}

/* "12"; 0: not a number. */
static size_t number_of(const char *text)
{
	size_t n = 0;

	for (; isdigit((unsigned char)*text) && n < 100000; text++)
		n = n * 10 + (size_t)(*text - '0');
	return *text ? 0 : n;
}

static bool select_row(const struct sw_widget *w, size_t n)
{
	if (w->kind != SW_WIDGET_LIST || n < 1 || n > w->list->n)
		return false;
	w->list->sel = n - 1;
	return true;
}

/* "details", "details 2", "d 2". False: there is no such word. */
static bool do_word(struct sw_state *s, const struct sw_widget *w, const char *text)
{
	_cleanup_free_ char *word = strdup(text);
	char *last = word ? strrchr(word, ' ') : NULL;
	enum sw_request req = word ? request_of(s->top, word) : SW_REQ_NONE;

	if (req == SW_REQ_NONE && last && number_of(last + 1)) {
		*last = '\0';
		req = request_of(s->top, word);
		if (req != SW_REQ_NONE && !select_row(w, number_of(last + 1))) {
			sw_state_refuse(s, "There is no number %zu here.", number_of(last + 1));
			return true;
		}
	}
	if (req == SW_REQ_NONE || req == SW_REQ_SEARCH)
		return false;
	if (!sw_view_request(s, req, 0))
		sw_state_refuse(s, "That does nothing here; ? says what does.");
	return true;
}

static void type(struct sw_state *s, const char *text)
{
	unsigned int width;

	while (*text)
		(void)sw_view_request(s, SW_REQ_TEXT, sw_text_next(&text, &width));
}

static void search(struct sw_state *s, const char *text)
{
	(void)sw_view_request(s, SW_REQ_SEARCH, 0);
	type(s, text);
	(void)sw_view_request(s, SW_REQ_ACCEPT, 0);
}

static void answer_list(struct sw_state *s, const struct sw_widget *w, const char *text)
{
	size_t n = number_of(text);

	if (!*text || (n && select_row(w, n)))
		(void)sw_view_request(s, SW_REQ_ACCEPT, 0);
	else if (n)
		sw_state_refuse(s, "There is no number %zu here.", n);
	else if (*text == '/')
		search(s, text + 1);
	else if (!do_word(s, w, text))
		sw_state_refuse(s, "Type a number from the list, ? for help or < to go back.");
}

/* The last field's answer is also that to the whole form. */
static void answer_form(struct sw_state *s, const struct sw_widget *w, const char *text)
{
	const struct sw_view *was = s->top;
	const struct sw_field *field = sw_form_field(w->form);

	if (*text && !sw_form_answer(w->form, s, strcmp(text, "-") == 0 ? "" : text))
		return;
	if (sw_form_step(w->form, s, 1))
		return;
	(void)sw_view_request(s, SW_REQ_ACCEPT, 0);
	/* Refused for another reason than a field: from the beginning. */
	if (s->top == was && sw_form_field(w->form) == field && !w->form->error[w->form->focus])
		sw_form_first(w->form, s);
}

static void answer_line(struct sw_state *s, const struct sw_widget *w, const char *text)
{
	if (!*text && w->typed)
		return;
	if (*text) {
		(void)sw_view_request(s, SW_REQ_KILL, 0);
		type(s, text);
	}
	(void)sw_view_request(s, SW_REQ_ACCEPT, 0);
}

static void answer_other(struct sw_state *s, const struct sw_widget *w, const char *text)
{
	if (!*text && w->kind != SW_WIDGET_PROGRESS)
		(void)sw_view_request(s, SW_REQ_ACCEPT, 0);
	else if (*text == '/' && w->kind == SW_WIDGET_PAGER)
		search(s, text + 1);
	else if (*text && !do_word(s, w, text))
		sw_state_refuse(s, "That means nothing here; ? says what does.");
}

static void answer(struct sw_state *s, const char *text)
{
	struct sw_widget w = sw_view_widget(s->top);

	if (strcmp(text, "<") == 0)
		go_back(s, &w);
	else if (*text == ':' && do_word(s, &w, text + 1))
		return;
	else if (w.kind == SW_WIDGET_LIST)
		answer_list(s, &w, text);
	else if (w.kind == SW_WIDGET_FORM)
		answer_form(s, &w, text);
	else if (w.kind == SW_WIDGET_LINE)
		answer_line(s, &w, text);
	else
		answer_other(s, &w, text);
}

bool sw_plain_line(struct sw_state *s, const char *line)
{
	_cleanup_free_ char *text = NULL;
	size_t n;

	while (*line == ' ' || *line == '\t')
		line++;
	n = strnlen(line, LINE_MAX_BYTES);
	while (n && isspace((unsigned char)line[n - 1]))
		n--;
	text = strndup(line, n);
	s->notice[0] = '\0';
	if (!text || !s->top)
		return true;
	if (s->deadline_ms) {
		(void)sw_view_request(s, SW_REQ_NONE, 0);
		return true;
	}
	if (strcmp(text, "?") == 0 || strcmp(text, ":help") == 0)
		return false;
	answer(s, text);
	return true;
}
