/* SPDX-License-Identifier: Apache-2.0 */
/* Where the values of an answer file stand, by key. */
#include <string.h>

#include "answers/values.h"

struct sw_places {
	struct {
		char *key;
		struct sw_place at;
	} *v;
	size_t n, cap;
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

int sw_places_put(struct sw_answers *a, const char *key, struct sw_place at)
{
	struct sw_places *p = a->places;
	char *copy;

	if (!p)
		return 0;
	if (p->n == p->cap && grow(p) < 0)
		return -ENOMEM;
	copy = strdup(key);
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
