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
