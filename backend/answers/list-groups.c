/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of keys in whose place a list of such groups may stand, one structure for each item. */
#include <string.h>

#include "answers/values.h"

#define ITEMS(array, number) \
	.items = offsetof(struct sw_answers, array), \
	.count = offsetof(struct sw_answers, number), \
	.size = sizeof(((struct sw_answers *)NULL)->array[0])

const struct sw_list_group sw_list_groups[SW_N_LIST_GROUPS] = {
	{ .key = "admission", .home = SW_HOME_ADMISSION, .max = SW_ADMISSIONS_MAX,
	  .full = "there are at most 4", ITEMS(admission, n_admission),
	  .empty = "write admission: {kind: none}, or a group for each admission" },
	{ .key = "network.links", .home = SW_HOME_LINK, .max = SW_LINKS_MAX,
	  .full = "there are at most 16", ITEMS(links, n_links) },
	{ .key = "report.webhooks", .home = SW_HOME_WEBHOOK, .max = SW_WEBHOOKS_MAX,
	  .full = "there are at most 8", ITEMS(webhooks, n_webhooks) },
	{ .key = "node.files", .home = SW_HOME_FILE, .max = SW_NODE_FILES_MAX,
	  .full = "there are at most 16", ITEMS(node_files, n_node_files) },
	{ .key = "secrets", .home = SW_HOME_SECRET, .max = SW_SITE_SECRETS_MAX,
	  .full = "there are at most 16", ITEMS(site_secrets, n_site_secrets) },
};

const struct sw_list_group *sw_list_group_find(const char *key)
{
	for (size_t i = 0; i < SW_N_LIST_GROUPS; i++)
		if (strcmp(sw_list_groups[i].key, key) == 0)
			return &sw_list_groups[i];
	return NULL;
}

const struct sw_list_group *sw_list_group_of(enum sw_field_home home)
{
	for (size_t i = 0; i < SW_N_LIST_GROUPS; i++)
		if (sw_list_groups[i].home == home)
			return &sw_list_groups[i];
	return NULL;
}

static size_t *number_of(const struct sw_list_group *g, struct sw_answers *a)
{
	return (size_t *)(void *)((char *)a + g->count);
}

size_t sw_items_count(const struct sw_list_group *g, const struct sw_answers *a)
{
	return *(const size_t *)(const void *)((const char *)a + g->count);
}

const void *sw_items_at(const struct sw_list_group *g, const struct sw_answers *a, size_t i)
{
	return (const char *)a + g->items + i * g->size;
}

void *sw_items_edit(const struct sw_list_group *g, struct sw_answers *a, size_t i)
{
	return (char *)a + g->items + i * g->size;
}

int sw_items_add(const struct sw_list_group *g, struct sw_answers *a)
{
	size_t *n = number_of(g, a);

	if (*n >= g->max)
		return -E2BIG;
	memset(sw_items_edit(g, a, *n), 0, g->size);
	++*n;
	return 0;
}

void sw_items_cut(const struct sw_list_group *g, struct sw_answers *a, size_t keep)
{
	for (size_t *n = number_of(g, a); *n > keep;)
		sw_home_clear(g->home, sw_items_edit(g, a, --*n));
}

void sw_items_key(char key[static SW_KEY_MAX], const struct sw_list_group *g, size_t i,
		 const char *word)
{
	if (i)
		(void)snprintf(key, SW_KEY_MAX, "%s[%zu].%s", g->key, i + 1, word);
	else
		(void)snprintf(key, SW_KEY_MAX, "%s.%s", g->key, word);
}

/* How much of the key is the group that the home's structure stands for, with its dot. */
const char *sw_field_word(const struct sw_field *f)
{
	const struct sw_list_group *g = sw_list_group_of(f->home);
	const char *last = strrchr(f->key, '.');

	return g ? f->key + strlen(g->key) + 1 : last ? last + 1 : f->key;
}

/* ---- for whoever edits them one by one ---- */

size_t sw_answers_max_items(enum sw_field_home home)
{
	const struct sw_list_group *g = sw_list_group_of(home);

	return g ? g->max : 0;
}

/* A default is nothing that was said. */
static bool says(enum sw_field_home home, const void *base)
{
	for (size_t i = 0; i < sw_n_fields; i++) {
		const struct sw_field *f = &sw_fields[i];
		_cleanup_free_ char *text = f->home == home ? sw_value_get(f, base) : NULL;

		if (text && strcmp(text, f->dflt ? f->dflt : "") != 0)
			return true;
	}
	return false;
}

bool sw_answers_item_says(const struct sw_answers *a, enum sw_field_home home, size_t i)
{
	const struct sw_list_group *g = sw_list_group_of(home);

	return g && i < g->max && says(home, sw_items_at(g, a, i));
}

size_t sw_answers_items(const struct sw_answers *a, enum sw_field_home home)
{
	const struct sw_list_group *g = sw_list_group_of(home);
	size_t n = g ? sw_items_count(g, a) : 0;

	return n == 1 && !says(home, sw_items_at(g, a, 0)) ? 0 : n;
}

void *sw_answers_item(struct sw_answers *a, enum sw_field_home home, size_t i)
{
	const struct sw_list_group *g = sw_list_group_of(home);

	return g && i < g->max ? sw_items_edit(g, a, i) : NULL;
}

void sw_answers_count_item(struct sw_answers *a, enum sw_field_home home, size_t i)
{
	const struct sw_list_group *g = sw_list_group_of(home);

	if (g && i == sw_items_count(g, a) && sw_answers_item_says(a, home, i))
		++*number_of(g, a);
}

void sw_answers_drop_item(struct sw_answers *a, enum sw_field_home home, size_t i)
{
	const struct sw_list_group *g = sw_list_group_of(home);
	size_t *n = g ? number_of(g, a) : NULL;

	if (!g || i >= g->max)
		return;
	sw_home_clear(home, sw_items_edit(g, a, i));
	if (i >= *n || *n == 1)
		return;
	--*n;
	memmove(sw_items_edit(g, a, i), sw_items_edit(g, a, i + 1), (*n - i) * g->size);
	memset(sw_items_edit(g, a, *n), 0, g->size);
}
