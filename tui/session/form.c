/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/form.h"

#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "tui/session/state.h"
#include "tui/session/text.h"

#define LABEL_COL 2u
#define VALUE_COL 24u

static bool below(const char *key, const char *const *keys)
{
	for (; *keys; keys++) {
		size_t n = strlen(*keys);

		if (strncmp(key, *keys, n) == 0 && (key[n] == '\0' || key[n] == '.'))
			return true;
	}
	return false;
}

static const struct sw_field *field_at(const struct sw_form *fm, size_t i)
{
	return &sw_fields[fm->field[i]];
}

/* The structure that the field's value is in, where a form is about one of several; else NULL. */
static void *base_of(const struct sw_form *fm, const struct sw_state *s, const struct sw_field *f)
{
	return sw_answers_item(s->answers, f->home, fm->item);
}

static bool visible(const struct sw_form *fm, const struct sw_state *s, size_t i)
{
	const struct sw_field *f = field_at(fm, i);

	return sw_field_applies(f, s->answers, base_of(fm, s, f));
}

const struct sw_field *sw_form_field(const struct sw_form *fm)
{
	return fm->focus < fm->n ? field_at(fm, fm->focus) : NULL;
}

/* The text a field shows: what was typed, else the answer. malloc'd. */
static char *text_of(const struct sw_form *fm, const struct sw_state *s, size_t i)
{
	const char *draft = s->drafts[fm->item][fm->field[i]];
	const struct sw_field *f = field_at(fm, i);
	_cleanup_free_ char *text = NULL;

	if (draft)
		return strdup(draft);
	text = sw_field_get_at(f, s->answers, base_of(fm, s, f));
	return text && f->lines ? sw_text_to_line(text) : TAKE_PTR(text);
}

/* What the field would get of this text: malloc'd, NULL when out of memory or with the error. */
static char *value_of(const struct sw_field *f, const char *text, struct sw_error *err)
{
	char *value = f->lines ? sw_text_from_line(text) : strdup(text);

	if (!value && f->lines) {
		(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s cannot be read", f->key);
		sw_error_why(err, "%s", _("behind a backslash comes n or a backslash"));
		sw_error_hint(err, "%s", _("\\n ends a line, \\\\ is a backslash"));
	}
	return value;
}

static int set(const struct sw_form *fm, struct sw_state *s, const struct sw_field *f,
	       const char *text)
{
	struct sw_error ignored = { 0 };
	_cleanup_free_ char *value = value_of(f, text, &ignored);

	return value ? sw_field_set_at(f, s->answers, base_of(fm, s, f), value, &ignored) : -EINVAL;
}

static size_t choices(const struct sw_form *fm, const struct sw_state *s,
		      const struct sw_field *f, const char **names, size_t max)
{
	size_t n = 0;

	if (f->type != SW_FIELD_CHOICE)
		return fm->names ? fm->names(s, f, names, max) : 0;
	while (f->choices[n] && n < max) {
		names[n] = f->choices[n];
		n++;
	}
	return n;
}

static bool picks(const struct sw_form *fm, const struct sw_state *s, size_t i)
{
	const char *names[SW_MAX_LAYOUTS + 1];

	return choices(fm, s, field_at(fm, i), names, ARRAY_SIZE(names)) > 0;
}

static void load_line(struct sw_form *fm, const struct sw_state *s)
{
	_cleanup_free_ char *text = NULL;

	if (fm->focus >= fm->n)
		return;
	text = text_of(fm, s, fm->focus);
	fm->line.max = field_at(fm, fm->focus)->max << field_at(fm, fm->focus)->lines;
	if (sw_line_set(&fm->line, text) < 0)
		return;
	/* What does not fit is shown from its start, as it was before it had the focus. */
	if (sw_text_columns(fm->line.text) + 3 > (fm->width ? fm->width : 55))
		fm->line.pos = 0;
}

/* What is in an item of a list has a form of its own. */
static bool belongs(const struct sw_form *fm, const struct sw_field *f)
{
	return f->home == fm->home || !sw_answers_max_items(f->home);
}

void sw_form_open(struct sw_form *fm, struct sw_state *s, const char *const *keys)
{
	for (size_t i = 0; i < sw_n_fields && fm->n < SW_FORM_FIELDS; i++)
		if (below(sw_fields[i].key, keys) && belongs(fm, &sw_fields[i]))
			fm->field[fm->n++] = i;
	while (fm->focus + 1 < fm->n && !visible(fm, s, fm->focus))
		fm->focus++;
	load_line(fm, s);
}

void sw_form_clear(struct sw_form *fm)
{
	for (size_t i = 0; i < fm->n; i++) {
		free(fm->error[i]);
		free(fm->hint[i]);
	}
	sw_line_clear(&fm->line);
	*fm = (struct sw_form){ 0 };
}

/* The machine may be looked at again while somebody types: the cursor must stay where it is. */
void sw_form_refresh(struct sw_form *fm, struct sw_state *s)
{
	_cleanup_free_ char *text = fm->focus < fm->n ? text_of(fm, s, fm->focus) : NULL;

	if (!text || !fm->line.text || strcmp(text, fm->line.text) != 0)
		load_line(fm, s);
}

static void tell(struct sw_form *fm, size_t i, const struct sw_error *err)
{
	free(fm->error[i]);
	free(fm->hint[i]);
	fm->error[i] = strdup(sw_error_reason(err));
	fm->hint[i] = err->hint[0] ? strdup(err->hint) : NULL;
}

static bool check(struct sw_form *fm, const struct sw_state *s, size_t i, bool whole)
{
	const struct sw_field *f = field_at(fm, i);
	_cleanup_free_ char *text = text_of(fm, s, i), *value = NULL;
	struct sw_error err = { 0 };

	free(TAKE_PTR(fm->error[i]));
	free(TAKE_PTR(fm->hint[i]));
	if (!text || !visible(fm, s, i))
		return text != NULL;
	if (*text == '\0') {
		if (!whole || !sw_field_required(f, s->answers, base_of(fm, s, f)))
			return true;
		fm->error[i] = strdup(_("needed here"));
		fm->hint[i] = f->missing ? strdup(_(f->missing)) : NULL;
		return false;
	}
	value = value_of(f, text, &err);
	if (value && sw_field_check(f, value, &err) == 0)
		return true;
	tell(fm, i, &err);
	return false;
}

/*
 * A text that is right goes to the answers at once, since other fields may
 * apply or be needed because of it; anything else stays a draft.
 */
static void keep(struct sw_form *fm, struct sw_state *s)
{
	char **draft = &s->drafts[fm->item][fm->field[fm->focus]], *copy;
	const struct sw_field *f = field_at(fm, fm->focus);

	copy = strdup(fm->line.text ? fm->line.text : "");
	if (!copy)
		return;
	free(*draft);
	*draft = copy;
	if (check(fm, s, fm->focus, false) && set(fm, s, f, copy) == 0)
		free(TAKE_PTR(*draft));
}

static void focus(struct sw_form *fm, struct sw_state *s, int step)
{
	size_t to = fm->focus;

	do {
		if (step < 0 ? to == 0 : to + 1 >= fm->n)
			return;
		to = step < 0 ? to - 1 : to + 1;
	} while (!visible(fm, s, to));
	fm->focus = to;
	load_line(fm, s);
}

static void focus_first(struct sw_form *fm, struct sw_state *s)
{
	fm->focus = 0;
	if (fm->n && !visible(fm, s, 0))
		focus(fm, s, 1);
	load_line(fm, s);
}

/* Tab goes round, so that every field is reached by one key. */
static void focus_next(struct sw_form *fm, struct sw_state *s)
{
	size_t was = fm->focus;

	focus(fm, s, 1);
	if (fm->focus == was)
		focus_first(fm, s);
}

static void cycle(struct sw_form *fm, struct sw_state *s, int step)
{
	const char *names[SW_MAX_LAYOUTS + 1];
	const struct sw_field *f = sw_form_field(fm);
	size_t n = choices(fm, s, f, names, ARRAY_SIZE(names)), at = 0;

	while (at < n && strcmp(names[at], fm->line.text ? fm->line.text : "") != 0)
		at++;
	if (at == n)
		at = 0;
	else
		at = (at + n + (size_t)step) % n;
	if (sw_line_set(&fm->line, names[at]) == 0)
		keep(fm, s);
}

static bool edit(struct sw_form *fm, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	bool changed = false;

	if (picks(fm, s, fm->focus)) {
		if (req == SW_REQ_LEFT)
			cycle(fm, s, -1);
		else if (req == SW_REQ_RIGHT || (req == SW_REQ_TEXT && ch == ' '))
			cycle(fm, s, 1);
		else if (req != SW_REQ_TEXT)
			return false;
		return true;
	}
	if (!sw_line_request(&fm->line, req, ch, &changed))
		return false;
	if (changed)
		keep(fm, s);
	return true;
}

bool sw_form_request(struct sw_form *fm, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	if (!fm->n)
		return false;
	switch (req) {
	case SW_REQ_UP:
	case SW_REQ_PREVIOUS:
		focus(fm, s, -1);
		return true;
	case SW_REQ_DOWN:
		focus(fm, s, 1);
		return true;
	case SW_REQ_NEXT:
		focus_next(fm, s);
		return true;
	default:
		return edit(fm, s, req, ch);
	}
}

/* What was proposed and is right, but was not typed. */
static void take_drafts(struct sw_form *fm, struct sw_state *s)
{
	for (size_t i = 0; i < fm->n; i++) {
		char **draft = &s->drafts[fm->item][fm->field[i]];
		const struct sw_field *f = field_at(fm, i);

		if (*draft && visible(fm, s, i) && set(fm, s, f, *draft) == 0)
			free(TAKE_PTR(*draft));
	}
}

bool sw_form_accept(struct sw_form *fm, struct sw_state *s)
{
	size_t bad = fm->n;

	for (size_t i = fm->n; i-- > 0;)
		if (!check(fm, s, i, true))
			bad = i;
	if (bad == fm->n) {
		take_drafts(fm, s);
		return true;
	}
	fm->focus = bad;
	load_line(fm, s);
	s->bell = true;
	return false;
}

void sw_form_blame(struct sw_form *fm, struct sw_state *s, const struct sw_field *f,
		   const struct sw_error *why)
{
	for (size_t i = 0; i < fm->n; i++)
		if (field_at(fm, i) == f) {
			tell(fm, i, why);
			fm->focus = i;
		}
	load_line(fm, s);
	s->bell = true;
}

bool sw_form_step(struct sw_form *fm, struct sw_state *s, int step)
{
	size_t was = fm->focus;

	focus(fm, s, step);
	return fm->focus != was;
}

void sw_form_first(struct sw_form *fm, struct sw_state *s)
{
	focus_first(fm, s);
}

static void add_choices(const struct sw_form *fm, const struct sw_state *s,
			const struct sw_field *f, struct sw_buf *b)
{
	const char *names[SW_MAX_LAYOUTS + 1];
	size_t n = choices(fm, s, f, names, ARRAY_SIZE(names));

	for (size_t i = 0; i < n; i++)
		(void)sw_buf_addf(b, "%s%zu %s", i ? ", " : ": ", i + 1, names[i]);
}

int sw_form_question(const struct sw_form *fm, const struct sw_state *s, struct sw_buf *b)
{
	const struct sw_field *f = sw_form_field(fm);
	_cleanup_free_ char *text = f ? text_of(fm, s, fm->focus) : NULL;

	if (!text)
		return f ? -ENOMEM : 0;
	if (fm->error[fm->focus])
		(void)sw_buf_addf(b, "! %s\n", fm->error[fm->focus]);
	if (fm->hint[fm->focus])
		(void)sw_buf_addf(b, "  %s\n", fm->hint[fm->focus]);
	(void)sw_buf_adds(b, _(f->label));
	add_choices(fm, s, f, b);
	if (*text)
		return sw_buf_addf(b, " [%s]: ", f->secret ? _("kept as it is") : text);
	return f->example && !picks(fm, s, fm->focus)
		       ? sw_buf_addf(b, _(" (e.g. %s): "), f->example) : sw_buf_adds(b, ": ");
}

/* "2", or a name as it stands. */
static const char *choice_of(const struct sw_form *fm, const struct sw_state *s, const char *text)
{
	const char *names[SW_MAX_LAYOUTS + 1];
	size_t n = choices(fm, s, sw_form_field(fm), names, ARRAY_SIZE(names));
	char *end;
	unsigned long i = strtoul(text, &end, 10);

	return n && end != text && !*end && i >= 1 && i <= n ? names[i - 1] : text;
}

bool sw_form_answer(struct sw_form *fm, struct sw_state *s, const char *text)
{
	if (!sw_form_field(fm) || sw_line_set(&fm->line, choice_of(fm, s, text)) < 0)
		return false;
	keep(fm, s);
	return !fm->error[fm->focus];
}

/* Below the value, or so far to the left that all of it shows. */
static void draw_example(struct sw_frame *f, unsigned int row, const char *example)
{
	_cleanup_free_ char *text = sw_fmt(_("e.g. %s"), example);
	unsigned int width = text ? sw_text_columns(text) : 0, col = VALUE_COL;

	while (col > LABEL_COL && col + width > f->cols)
		col--;
	sw_frame_put(f, row, col, f->cols - col, 0, text);
}

static void draw_field(struct sw_form *fm, const struct sw_state *s, struct sw_frame *f,
		       unsigned int row, size_t i)
{
	const struct sw_field *field = field_at(fm, i);
	_cleanup_free_ char *text = text_of(fm, s, i);
	unsigned int width = f->cols > VALUE_COL + 8 ? f->cols - VALUE_COL - 1 : 8;

	fm->width = width;
	sw_frame_put(f, row, LABEL_COL, VALUE_COL - LABEL_COL - 1, 0, _(field->label));
	if (picks(fm, s, i)) {
		sw_frame_putf(f, row, VALUE_COL, "< %s >", text && *text ? text : _("not set"));
		if (i == fm->focus)
			sw_frame_cursor(f, row, VALUE_COL + 2);
	} else if (i == fm->focus) {
		sw_line_draw(&fm->line, f, row, VALUE_COL, width);
	} else {
		sw_frame_put(f, row, VALUE_COL, 1, 0, "[");
		sw_frame_put(f, row, VALUE_COL + 1, width - 2, 0, text);
		sw_frame_put(f, row, VALUE_COL + width - 1, 1, 0, "]");
	}
	if (i == fm->focus)
		sw_frame_put(f, row, 0, 1, SW_ATTR_ACCENT, ">");
	if (fm->error[i])
		sw_frame_tint(f, row + 1, LABEL_COL + 2,
			      sw_frame_putf(f, row + 1, LABEL_COL + 2, "! %s", fm->error[i]),
			      SW_ATTR_ALERT);
	else if (text && !*text && field->example && !picks(fm, s, i))
		draw_example(f, row + 1, field->example);
}

unsigned int sw_form_draw(struct sw_form *fm, const struct sw_state *s, struct sw_frame *f,
			  const struct sw_area *a)
{
	unsigned int fit = a->rows / 2, used = 0;
	size_t at = 0, n = 0;

	if (f->lines)	/* plain mode asks field by field */
		return 0;
	for (size_t i = 0; i < fm->focus && i < fm->n; i++)
		at += visible(fm, s, i);
	if (at < fm->top)
		fm->top = at;
	if (fit && at >= fm->top + fit)
		fm->top = at - fit + 1;
	for (size_t i = 0; i < fm->n && used + 2 <= a->rows; i++) {
		if (!visible(fm, s, i) || n++ < fm->top)
			continue;
		draw_field(fm, s, f, a->row + used, i);
		used += 2;
	}
	/* What to do about the error in focus, where there is room for a whole sentence. */
	if (fm->focus < fm->n && fm->hint[fm->focus] && used + 2 <= a->rows)
		sw_frame_upwards(f, a->row + a->rows - 1, LABEL_COL, f->cols - LABEL_COL,
				 a->rows - used - 1, fm->hint[fm->focus]);
	return used;
}
