/* SPDX-License-Identifier: Apache-2.0 */
/* Where the values of an answer file stand, by key. */
#include <string.h>

#include "answers/values.h"
#include "base/strv.h"

struct sw_places {
	struct {
		char *key;
		struct sw_place at;
	} *v;
	size_t n, cap;
	char **files;		/* the names that places borrow */
};

struct sw_places *sw_places_new(void)
{
	return calloc(1, sizeof(struct sw_places));
}

struct sw_places *sw_places_free(struct sw_places *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].key);
	sw_strv_free(p->files);
	free(p->v);
	free(p);
	return NULL;
}

static int grow(struct sw_places *p)
{
	size_t cap = p->cap ? p->cap * 2 : 32;
	void *v = reallocarray(p->v, cap, sizeof(*p->v));

	if (!v)
		return -ENOMEM;
	p->v = v;
	p->cap = cap;
	return 0;
}

/* A copy of the name, one for all places of a file: they mostly come in a row. */
static int keep_file(struct sw_places *p, const char **file)
{
	for (size_t i = 0; *file && p->files && p->files[i]; i++)
		if (strcmp(p->files[i], *file) == 0) {
			*file = p->files[i];
			return 0;
		}
	if (!*file)
		return 0;
	if (sw_strv_add(&p->files, *file) < 0)
		return -ENOMEM;
	*file = p->files[sw_strv_len(p->files) - 1];
	return 0;
}

int sw_places_put(struct sw_answers *a, const char *key, struct sw_place at)
{
	struct sw_places *p = a->places;
	char *copy;

	if (!p)
		return 0;
	if (p->n == p->cap && grow(p) < 0)
		return -ENOMEM;
	copy = keep_file(p, &at.file) < 0 ? NULL : strdup(key);
	if (!copy)
		return -ENOMEM;
	p->v[p->n].key = copy;
	p->v[p->n++].at = at;
	return 0;
}

static bool find(const struct sw_places *p, const char *key, size_t len, struct sw_place *ret)
{
	for (size_t i = p->n; i-- > 0;)
		if (strncmp(p->v[i].key, key, len) == 0 && p->v[i].key[len] == '\0') {
			*ret = p->v[i].at;
			return true;
		}
	return false;
}

int sw_places_copy_groups(struct sw_answers *to, const struct sw_answers *from)
{
	int r = 0;

	for (size_t i = 0; from->places && i < from->places->n && r == 0; i++) {
		const char *key = from->places->v[i].key;

		if (from->places->v[i].at.line && !strchr(key, '[') && !sw_field_find(key))
			r = sw_places_put(to, key, from->places->v[i].at);
	}
	return r;
}

bool sw_places_has(const struct sw_answers *a, const char *unit)
{
	size_t n = strlen(unit);

	for (size_t i = 0; a->places && i < a->places->n; i++) {
		const char *key = a->places->v[i].key;

		if (strncmp(key, unit, n) == 0 && (!key[n] || strchr(".[", key[n])))
			return true;
	}
	return false;
}

struct sw_place sw_places_find(const struct sw_answers *a, const char *key)
{
	struct sw_place at = {};
	size_t len = strlen(key);

	if (!a->places || find(a->places, key, len, &at))
		return at;
	/* The groups around it: up to each '[' and '.', and the whole file, "". */
	while (len-- > 0)
		if ((key[len] == '.' || key[len] == '[' || len == 0) &&
		    find(a->places, key, len, &at))
			break;
	return at;
}

void sw_answers_at(const struct sw_answers *a, const char *key, const char *file,
		   struct sw_error *err)
{
	struct sw_place at = sw_places_find(a, key);
	const char *in = at.file ? at.file : file;

	if (at.line)
		sw_error_where(err, "%s:%u:%u", in ? in : "answers", at.line, at.column);
	else if (in)
		sw_error_where(err, "%s", in);
}
