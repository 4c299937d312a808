/* SPDX-License-Identifier: Apache-2.0 */
/* Several answer files for several machines: which machine is left without one, or has two. */
#include <string.h>

#include "base/file.h"
#include "tui/commands/check-nodes.h"

int sw_rack_init(struct sw_rack *rack, const struct sw_nodes *nodes)
{
	rack->taken = calloc(nodes->n + 1, sizeof(*rack->taken));
	rack->first = calloc(nodes->n + 1, sizeof(*rack->first));
	rack->planned = calloc(nodes->n + 1, sizeof(*rack->planned));
	return rack->taken && rack->first && rack->planned ? 0 : -ENOMEM;
}

void sw_rack_clear(struct sw_rack *rack, const struct sw_nodes *nodes)
{
	for (size_t i = 0; rack->first && i < nodes->n; i++)
		free(rack->first[i]);
	free(rack->first);
	free(rack->taken);
	free(rack->planned);
	free(rack->alike);
	*rack = (struct sw_rack){};
}

int sw_rack_take(struct sw_rack *rack, size_t i, const char *file)
{
	char *words = NULL;

	if (rack->taken[i]++ >= 2)
		return 0;
	words = rack->first[i] ? sw_fmt("%s, %s", rack->first[i], file) : strdup(file);
	if (!words)
		return -ENOMEM;
	free(rack->first[i]);
	rack->first[i] = words;
	return 0;
}

int sw_rack_alike(struct sw_rack *rack, const struct sw_nodes *nodes, const struct sw_answers *a)
{
	_cleanup_answers_ struct sw_answers *rest = NULL;
	_cleanup_free_ char *words = NULL;
	int r = sw_answers_copy(a, &rest, NULL);

	/*
	 * As long as it was: what the node keeps of it has limited room. A template stays: not
	 * every machine has what is put into it.
	 */
	if (r == 0 && rest->hostname && !strchr(rest->hostname, '$'))
		memset(rest->hostname, 'x', strlen(rest->hostname));
	words = r == 0 ? sw_answers_to_yaml(rest) : NULL;
	if (!words)
		return -ENOMEM;
	if (rack->alike && strcmp(rack->alike, words) == 0)
		return true;
	memset(rack->planned, 0, nodes->n * sizeof(*rack->planned));
	free(rack->alike);
	rack->alike = TAKE_PTR(words);
	return false;
}

bool sw_rack_shares(const struct sw_target *t)
{
	if (t->old && json_object_array_length(t->old))
		return false;
	for (size_t i = 0; i < t->f->n_disks; i++)
		if (t->f->disks[i].table.n_parts || !sw_guid_is_zero(&t->f->disks[i].table.id))
			return false;
	return true;
}

/* Those that no file plans on are on one line: there may be a whole row of racks of them. */
static void print_without(const struct sw_rack *rack, const struct sw_nodes *nodes, size_t n)
{
	const char *one = NULL;

	printf("no file plans on %zu of %zu machines: ", n, nodes->n);
	for (size_t i = 0; i < nodes->n; i++) {
		if (rack->taken[i])
			continue;
		printf("%s%s", one ? ", " : "", nodes->list[i].name);
		one = one ? one : nodes->list[i].name;
	}
	printf("\n    -> the file that was meant for %s says why when it is checked alone: "
	       "`slipway check FILE --facts %s.json`\n", one, one);
}

int sw_rack_print(const struct sw_rack *rack, const struct sw_nodes *nodes, bool json)
{
	size_t without = 0, once = 0;

	for (size_t i = 0; i < nodes->n; i++) {
		without += rack->taken[i] == 0;
		once += rack->taken[i] == 1;
	}
	if (!json) {
		printf("%zu of %zu machines have one of the files each\n", once, nodes->n);
		for (size_t i = 0; i < nodes->n; i++)
			if (rack->taken[i] > 1)
				printf("  %s: %zu files: %s%s\n", nodes->list[i].name,
				       rack->taken[i], rack->first[i],
				       rack->taken[i] > 2 ? ", ..." : "");
		if (without)
			print_without(rack, nodes, without);
	}
	return without || rack->lonely ? SW_EXIT_REFUSED : 0;
}
