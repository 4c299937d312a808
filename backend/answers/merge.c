/* SPDX-License-Identifier: Apache-2.0 */
#include "answers/merge.h"

#include <string.h>

#include "answers/values.h"
#include "base/file.h"
#include "base/json.h"
#include "base/quote.h"

#define UNIT_MATCH "disk.match"
#define UNIT_MORE "disk.more"

struct sw_merge *sw_merge_new(void)
{
	_cleanup_merge_ struct sw_merge *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->answers = sw_answers_new_placed();
	return m->answers ? TAKE_PTR(m) : NULL;
}

struct sw_merge *sw_merge_free(struct sw_merge *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < m->n_values; i++) {
		free(m->values[i].key);
		free(m->values[i].value);
		free(m->values[i].source);
		free(m->values[i].where);
	}
	free(m->values);
	sw_answers_free(m->answers);
	free(m);
	return NULL;
}

static bool is_in(const char *key, const char *unit)
{
	size_t n = strlen(unit);

	return strncmp(key, unit, n) == 0 && (!key[n] || strchr(".[", key[n]));
}

/* What is replaced together with a key: of lists only where somebody gives several. */
static const char *group_of(const char *key)
{
	if (is_in(key, UNIT_MATCH))
		return UNIT_MATCH;
	if (is_in(key, UNIT_MORE))
		return UNIT_MORE;
	for (size_t i = 0; i < SW_N_LIST_GROUPS; i++)
		if (is_in(key, sw_list_groups[i].key))
			return sw_list_groups[i].key;
	return NULL;
}

/* A single admission, link or webhook is merged key by key; a list of them is one value. */
static bool is_whole(const struct sw_answers *a, const struct sw_answers *b, const char *group)
{
	const struct sw_list_group *g = sw_list_group_find(group);

	return !g || sw_items_count(g, a) > 1 || sw_items_count(g, b) > 1;
}

static bool in_unit(const char *key, const char *unit)
{
	const char *group = group_of(key);

	return strcmp(key, unit) == 0 || (group && strcmp(group, unit) == 0);
}

static const char *shown(const char *key, const char *value)
{
	const struct sw_field *f = sw_field_find(key);

	return f && f->secret ? "(hidden)" : value;
}

static int note(struct sw_merge *m, const char *key, const char *value, const char *source,
		struct sw_place at)
{
	struct sw_merge_value v = { .won = true };

	if (m->n_values == m->room) {
		size_t room = m->room ? m->room * 2 : 32;
		void *more = reallocarray(m->values, room, sizeof(*m->values));

		if (!more)
			return -ENOMEM;
		m->values = more;
		m->room = room;
	}
	v.key = strdup(key);
	v.value = strdup(shown(key, value));
	v.source = strdup(source);
	v.where = at.line ? sw_fmt("%s:%u:%u", at.file ? at.file : "answers", at.line, at.column)
			  : strdup(at.file ? at.file : source);
	m->values[m->n_values++] = v;
	return v.key && v.value && v.source && v.where ? 0 : -ENOMEM;
}

static void lose(struct sw_merge *m, const char *unit)
{
	for (size_t i = 0; i < m->n_values; i++)
		if (in_unit(m->values[i].key, unit))
			m->values[i].won = false;
}

struct copying {
	struct sw_merge *m;
	const struct sw_answers *layer;
	const char *unit, *source;
	bool any;
	struct sw_error *err;
};

static int copy_value(const char *key, const struct sw_field *f SW_UNUSED, const char *text,
		      void *arg)
{
	struct copying *c = arg;
	struct sw_place at = sw_places_find(c->layer, key);
	int r;

	if (!in_unit(key, c->unit))
		return 0;
	c->any = true;
	r = sw_answers_set(c->m->answers, key, text, c->err);
	if (r == 0 && (sw_places_put(c->m->answers, key, at) < 0 ||
		       note(c->m, key, text, c->source, at) < 0))
		r = sw_fail_oom(c->err);
	return r;
}

/* What a layer leaves open is so whatever a weaker one said. */
static int copy_open(struct copying *c)
{
	int r = 0;

	for (char *const *p = c->layer->open; p && *p && r == 0; p++) {
		struct sw_place at = sw_places_find(c->layer, *p);

		if (!in_unit(*p, c->unit))
			continue;
		c->any = true;
		r = sw_answers_leave_open(c->m->answers, *p, c->err);
		if (r == 0 && (sw_places_put(c->m->answers, *p, at) < 0 ||
			       note(c->m, *p, "(asked)", c->source, at) < 0))
			r = sw_fail_oom(c->err);
	}
	return r;
}

static int take_away(struct sw_answers *a, const char *unit, struct sw_error *err)
{
	const struct sw_list_group *g = sw_list_group_find(unit);
	int r = 0;

	sw_answers_close(a, unit);
	if (strcmp(unit, UNIT_MATCH) == 0) {
		sw_disk_choice_clear_match(&a->disk);
	} else if (strcmp(unit, UNIT_MORE) == 0) {
		sw_answers_cut_more(a, 0);
	} else if (g) {
		sw_items_cut(g, a, 0);
		r = sw_items_add(g, a);
	} else {
		return sw_answers_set(a, unit, "", err);
	}
	return r < 0 ? sw_fail_oom(err) : 0;
}

/* Takes away what is there and puts what the layer has in its place. */
static int replace(struct sw_merge *m, const struct sw_answers *layer, const char *unit,
		   const char *source, struct sw_error *err)
{
	struct copying c = { .m = m, .layer = layer, .unit = unit, .source = source, .err = err };
	int r;

	lose(m, unit);
	r = take_away(m->answers, unit, err);
	if (r == 0)
		r = sw_answers_each(layer, copy_value, &c);
	if (r == 0)
		r = copy_open(&c);
	if (r == 0 && !c.any && sw_field_find(unit) &&
	    note(m, unit, "", source, sw_places_find(layer, unit)) < 0)
		r = sw_fail_oom(err);
	return r;
}

int sw_merge_add(struct sw_merge *m, const struct sw_answers *layer, const char *source,
		 struct sw_error *err)
{
	const char *before = "";
	int r = sw_places_copy_groups(m->answers, layer) < 0 ? sw_fail_oom(err) : 0;

	for (size_t i = 0; i < sw_n_fields && r == 0; i++) {
		const char *key = sw_fields[i].key, *group = group_of(key);
		const char *unit = group && is_whole(m->answers, layer, group) ? group : key;

		if (strcmp(unit, "sources") == 0 || !sw_places_has(layer, unit))
			continue;
		/* Fields of a group follow each other in the table; a unit is copied once. */
		if (strcmp(unit, before) == 0)
			continue;
		before = unit;
		r = replace(m, layer, unit, source, err);
	}
	return r;
}

/* ---- showing it ---- */

static json_object *over(const struct sw_merge *m, const struct sw_merge_value *v)
{
	json_object *list = json_object_new_array();

	for (size_t i = m->n_values; i-- > 0;) {
		const struct sw_merge_value *x = &m->values[i];
		json_object *o;

		if (x->won || strcmp(x->key, v->key) != 0)
			continue;
		o = json_object_new_object();
		sw_json_add_str(o, "value", x->value);
		sw_json_add_str(o, "source", x->source);
		sw_json_add_str(o, "where", x->where);
		json_object_array_add(list, o);
	}
	return list;
}

/* The last of a key tells it: the one that counts, or, when its unit was replaced, none. */
static bool is_last(const struct sw_merge *m, size_t i)
{
	for (size_t k = i + 1; k < m->n_values; k++)
		if (strcmp(m->values[k].key, m->values[i].key) == 0)
			return false;
	return true;
}

json_object *sw_merge_to_json(const struct sw_merge *m)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < m->n_values; i++) {
		const struct sw_merge_value *v = &m->values[i];
		json_object *x;

		if (!is_last(m, i))
			continue;
		x = json_object_new_object();
		sw_json_add_str(x, "key", v->key);
		if (v->won) {
			sw_json_add_str(x, "value", v->value);
			sw_json_add_str(x, "source", v->source);
			sw_json_add_str(x, "where", v->where);
		}
		sw_json_add(x, "over", over(m, v));
		json_object_array_add(list, x);
	}
	sw_json_add(o, "values", list);
	return o;
}

/* On one line, whatever it is: else a value could say where another came from. */
static int add_value(struct sw_buf *b, const char *value)
{
	if (strchr(value, '\n'))
		return sw_quote_add_quoted(b, value);
	return sw_buf_adds(b, *value ? value : "(none)");
}

static int add_lost(const struct sw_merge *m, const struct sw_merge_value *v, struct sw_buf *b)
{
	int r = 0;

	for (size_t i = m->n_values; i-- > 0 && r == 0;) {
		const struct sw_merge_value *x = &m->values[i];

		if (x->won || strcmp(x->key, v->key) != 0)
			continue;
		r = sw_buf_adds(b, "    not ");
		if (r == 0)
			r = add_value(b, x->value);
		if (r == 0)
			r = sw_buf_addf(b, ", from %s\n", x->where);
	}
	return r;
}

char *sw_merge_text(const struct sw_merge *m)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = 0;

	for (size_t i = 0; i < m->n_values && r == 0; i++) {
		const struct sw_merge_value *v = &m->values[i];

		if (!is_last(m, i))
			continue;
		r = sw_buf_addf(&b, "%s: ", v->key);
		if (r == 0)
			r = v->won ? add_value(&b, v->value)
				   : sw_buf_adds(&b, "(replaced with its group)");
		if (r == 0)
			r = v->won ? sw_buf_addf(&b, "\n    from %s\n", v->where)
				   : sw_buf_adds(&b, "\n");
		if (r == 0)
			r = add_lost(m, v, &b);
	}
	return r < 0 ? NULL : sw_buf_steal(&b);
}
