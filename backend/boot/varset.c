/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/varset.h"

#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/bootpath.h"
#include "boot/loadopt.h"

#define NUMBERS 65536

static int by_number(const void *a, const void *b)
{
	const struct sw_varset_entry *x = a, *y = b;

	return (int)x->number - (int)y->number;
}

static int load_order(struct sw_varset *s, const char *hex)
{
	_cleanup_free_ uint8_t *d = NULL;
	size_t n;
	int r = sw_hex_decode(hex, &d, &n);

	if (r < 0)
		return r;
	s->order = calloc(n / 2 + 1, sizeof(*s->order));
	if (!s->order)
		return -ENOMEM;
	for (; s->n_order < n / 2; s->n_order++)
		s->order[s->n_order] = sw_le16(d + 2 * s->n_order);
	return 0;
}

static int load_next(struct sw_varset *s, const char *hex)
{
	_cleanup_free_ uint8_t *d = NULL;
	size_t n;
	int r = sw_hex_decode(hex, &d, &n);

	if (r == 0 && n == 2)
		s->next = sw_le16(d);
	return r;
}

static int load_one(struct sw_varset *s, const char *name, const char *hex)
{
	int number = sw_entry_number(name);
	struct sw_varset_entry *e;

	if (!hex)
		return -EINVAL;
	if (strcmp(name, "BootOrder") == 0)
		return load_order(s, hex);
	if (strcmp(name, "BootNext") == 0)
		return load_next(s, hex);
	if (number < 0)
		return 0;
	e = &s->entries[s->n_entries++];
	e->number = (uint16_t)number;
	return sw_hex_decode(hex, &e->data, &e->len);
}

int sw_varset_load(json_object *raw, struct sw_varset *ret_set)
{
	_cleanup_varset_ struct sw_varset s = { .next = -1 };
	int r = 0;

	s.entries = calloc((size_t)json_object_object_length(raw) + 1, sizeof(*s.entries));
	if (!s.entries)
		return -ENOMEM;
	json_object_object_foreach(raw, key, value)
		if (r == 0)
			r = load_one(&s, key, json_object_is_type(value, json_type_string)
						      ? json_object_get_string(value) : NULL);
	if (r < 0)
		return r;
	qsort(s.entries, s.n_entries, sizeof(*s.entries), by_number);
	s.raw = json_object_get(raw);
	*ret_set = s;
	s = (struct sw_varset){};
	return 0;
}

void sw_varset_clear(struct sw_varset *s)
{
	for (size_t i = 0; i < s->n_entries; i++)
		free(s->entries[i].data);
	free(s->entries);
	free(s->order);
	if (s->raw)
		json_object_put(s->raw);
	*s = (struct sw_varset){ .next = -1 };
}

const struct sw_varset_entry *sw_varset_find(const struct sw_varset *s, uint16_t number)
{
	for (size_t i = 0; i < s->n_entries; i++)
		if (s->entries[i].number == number)
			return &s->entries[i];
	return NULL;
}

int sw_varset_place(const struct sw_varset *s, uint16_t number)
{
	for (size_t i = 0; i < s->n_order; i++)
		if (s->order[i] == number)
			return (int)i;
	return -1;
}

int sw_varset_put(struct sw_varset *s, uint16_t number, const void *data, size_t len)
{
	_cleanup_free_ uint8_t *copy = malloc(len + 1);
	struct sw_varset_entry *v;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	for (size_t i = 0; i < s->n_entries; i++) {
		if (s->entries[i].number != number)
			continue;
		free(s->entries[i].data);
		s->entries[i].data = TAKE_PTR(copy);
		s->entries[i].len = len;
		return 0;
	}
	v = reallocarray(s->entries, s->n_entries + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->entries = v;
	v[s->n_entries++] = (struct sw_varset_entry){ .number = number, .data = TAKE_PTR(copy),
						      .len = len };
	qsort(v, s->n_entries, sizeof(*v), by_number);
	return 0;
}

/* A number that only BootOrder or BootNext knows belongs to a device that is away: never reused. */
int sw_varset_free_number(const struct sw_varset *s)
{
	for (unsigned int n = 1; n < NUMBERS; n++)
		if (!sw_varset_find(s, (uint16_t)n) && sw_varset_place(s, (uint16_t)n) < 0 &&
		    s->next != (int)n)
			return (int)n;
	return -ENOSPC;
}

static size_t drop_from(uint16_t *list, size_t n, uint16_t number)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (list[i] != number)
			list[k++] = list[i];
	return k;
}

void sw_varset_remove(struct sw_varset *s, uint16_t number)
{
	size_t k = 0;

	for (size_t i = 0; i < s->n_entries; i++) {
		if (s->entries[i].number == number)
			free(s->entries[i].data);
		else
			s->entries[k++] = s->entries[i];
	}
	s->n_entries = k;
	if (s->order)
		s->n_order = drop_from(s->order, s->n_order, number);
	if (s->next == number)
		s->next = -1;
}

static bool listed(const uint16_t *list, size_t n, uint16_t number)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == number)
			return true;
	return false;
}

int sw_varset_first(struct sw_varset *s, const uint16_t *numbers, size_t n)
{
	uint16_t *order = calloc(s->n_order + n + 1, sizeof(*order));
	size_t k = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!listed(order, k, numbers[i]))
			order[k++] = numbers[i];
	for (size_t i = 0; i < s->n_order; i++)
		if (!listed(order, k, s->order[i]))
			order[k++] = s->order[i];
	free(s->order);
	s->order = order;
	s->n_order = k;
	return 0;
}

int sw_varset_append(struct sw_varset *s, uint16_t number)
{
	uint16_t *order;

	if (sw_varset_place(s, number) >= 0)
		return 0;
	order = reallocarray(s->order, s->n_order + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	s->order = order;
	order[s->n_order++] = number;
	return 0;
}

/* ---- the difference, as writes ---- */

/* Whether another entry is called like this one. */
static bool name_is_shared(const struct sw_varset *s, uint16_t number, const char *label)
{
	for (size_t i = 0; i < s->n_entries; i++) {
		const struct sw_varset_entry *e = &s->entries[i];
		_cleanup_loadopt_ struct sw_loadopt o = {};

		if (e->number != number && sw_loadopt_parse(e->data, e->len, &o) == 0 &&
		    strcmp(o.label, label) == 0)
			return true;
	}
	return false;
}

const char *sw_varset_name(const struct sw_varset *s, uint16_t number, char text[static 64])
{
	const struct sw_varset_entry *e = sw_varset_find(s, number);
	_cleanup_loadopt_ struct sw_loadopt o = {};

	if (e && sw_loadopt_parse(e->data, e->len, &o) == 0 && o.label[0] &&
	    name_is_shared(s, number, o.label))
		(void)snprintf(text, 64, "\"%.42s\" (Boot%04X)", sw_text_clean(o.label), number);
	else if (o.label && o.label[0])
		(void)snprintf(text, 64, "\"%.50s\"", sw_text_clean(o.label));
	else
		(void)snprintf(text, 64, "Boot%04X", number);
	return text;
}

static int old_of(json_object *raw, const char *name, uint8_t **ret_data, size_t *ret_len)
{
	const char *hex = sw_json_str(raw, name, NULL);

	*ret_data = NULL;
	*ret_len = 0;
	return hex ? sw_hex_decode(hex, ret_data, ret_len) : 0;
}

/* Nothing when the variable holds this already. len 0: the variable goes away. */
static int add_write(const struct sw_varset *s, struct sw_entry_plan *p,
		     enum sw_entry_write_kind kind, const char *name, const uint8_t *data,
		     size_t len, const char *text)
{
	_cleanup_free_ uint8_t *old = NULL;
	struct sw_entry_write *w;
	size_t old_len;
	int r = old_of(s->raw, name, &old, &old_len);

	if (r < 0 || (old_len == len && (len == 0 || memcmp(old, data, len) == 0)))
		return r;
	w = reallocarray(p->writes, p->n_writes + 1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	p->writes = w;
	w = &w[p->n_writes++];
	*w = (struct sw_entry_write){ .kind = kind, .len = len, .old_len = old_len };
	w->old = old_len ? TAKE_PTR(old) : NULL;
	(void)snprintf(w->name, sizeof(w->name), "%s", name);
	(void)snprintf(w->text, sizeof(w->text), "%s", text);
	if (len == 0)
		return 0;
	w->data = malloc(len);
	if (!w->data)
		return -ENOMEM;
	memcpy(w->data, data, len);
	return 0;
}

static int plan_entry(const struct sw_varset *s, const struct sw_varset_entry *e,
		      struct sw_entry_plan *p)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_free_ char *path = NULL;
	char name[16], label[64], text[200];

	(void)snprintf(name, sizeof(name), "Boot%04X", e->number);
	/* Where it leads is what counts; the rest of a network path is long. */
	if (sw_loadopt_parse(e->data, e->len, &o) == 0 &&
	    (sw_bootpath_uri(o.path, o.path_len, &path) < 0 || !*path)) {
		free(TAKE_PTR(path));
		(void)sw_devpath_text(o.path, o.path_len, &path);
	}
	if (path)
		(void)sw_text_clean(path);
	(void)snprintf(text, sizeof(text), "%s the boot entry %.50s: %.100s",
		       sw_json_get(s->raw, name) ? "change" : "add",
		       sw_varset_name(s, e->number, label), path ? path : "");
	return add_write(s, p, SW_ENTRY_SET, name, e->data, e->len, text);
}

static void order_text(const struct sw_varset *s, char *text, size_t size)
{
	size_t at = (size_t)snprintf(text, size, "start in the order ");

	for (size_t i = 0; i < s->n_order && at + 70 < size; i++) {
		char name[64];

		at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "",
				       sw_varset_name(s, s->order[i], name));
		if (i + 1 < s->n_order && at + 70 >= size)
			(void)snprintf(text + at, size - at, ", ...");
	}
}

static int plan_order(const struct sw_varset *s, struct sw_entry_plan *p)
{
	_cleanup_free_ uint8_t *d = malloc(2 * s->n_order + 1);
	char text[200];

	if (!d)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_order; i++)
		sw_put_le16(d + 2 * i, s->order[i]);
	order_text(s, text, sizeof(text));
	return add_write(s, p, SW_ENTRY_ORDER, "BootOrder", d, 2 * s->n_order,
			 s->n_order ? text : "leave no order: the firmware's own comes");
}

static int plan_next(const struct sw_varset *s, struct sw_entry_plan *p)
{
	char text[200], name[64];
	uint8_t d[2];

	if (s->next < 0)
		return add_write(s, p, SW_ENTRY_NEXT, "BootNext", NULL, 0,
				 "start in the usual order at the next boot");
	sw_put_le16(d, (uint16_t)s->next);
	(void)snprintf(text, sizeof(text), "start %s once at the next boot",
		       sw_varset_name(s, (uint16_t)s->next, name));
	return add_write(s, p, SW_ENTRY_NEXT, "BootNext", d, 2, text);
}

static int plan_deletes(const struct sw_varset *s, struct sw_entry_plan *p)
{
	_cleanup_varset_ struct sw_varset was = { .next = -1 };
	int r = sw_varset_load(s->raw, &was);

	for (size_t i = 0; r == 0 && i < was.n_entries; i++) {
		uint16_t number = was.entries[i].number;
		char name[16], label[64], text[200];

		if (sw_varset_find(s, number))
			continue;
		(void)snprintf(name, sizeof(name), "Boot%04X", number);
		(void)snprintf(text, sizeof(text), "remove the boot entry %s",
			       sw_varset_name(&was, number, label));
		r = add_write(s, p, SW_ENTRY_DELETE, name, NULL, 0, text);
	}
	return r;
}

/* An order with an odd length or a BootNext of another size is left, unless it was changed. */
static bool order_changed(const struct sw_varset *s, const struct sw_varset *was)
{
	return s->n_order != was->n_order ||
	       (s->n_order && memcmp(s->order, was->order, 2 * s->n_order) != 0);
}

int sw_varset_plan(const struct sw_varset *s, struct sw_entry_plan *ret_plan)
{
	_cleanup_(sw_entry_plan_clear) struct sw_entry_plan p = {};
	_cleanup_varset_ struct sw_varset was = { .next = -1 };
	int r = sw_varset_load(s->raw, &was);

	for (size_t i = 0; r == 0 && i < s->n_entries; i++)
		r = plan_entry(s, &s->entries[i], &p);
	if (r == 0 && order_changed(s, &was))
		r = plan_order(s, &p);
	if (r == 0 && s->next != was.next)
		r = plan_next(s, &p);
	if (r == 0)
		r = plan_deletes(s, &p);
	if (r < 0)
		return r;
	*ret_plan = p;
	p = (struct sw_entry_plan){};
	return 0;
}
