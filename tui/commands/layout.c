/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway layout list`: the layouts that an answer file can name. */
#include "layout/layout.h"

#include "base/json.h"
#include "base/size.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static void print_one(const struct sw_layout *l)
{
	char size[16];

	printf("%-12s %s\n%-12s at least %s", l->name, l->description ? l->description : "", "",
	       sw_size_format(l->min_size, size, sizeof(size)));
	for (size_t i = 1; i < l->n_disks; i++)
		printf(", %s on the disk%s \"%s\"",
		       sw_size_format(l->disks[i].min_size, size, sizeof(size)),
		       l->disks[i].many ? "s" : "", l->disks[i].name);
	printf("\n");
}

static json_object *to_json(const struct sw_layout *l)
{
	json_object *o = json_object_new_object(), *disks = json_object_new_array();

	sw_json_add_str(o, "name", l->name);
	sw_json_add_str(o, "description", l->description);
	sw_json_add_u64(o, "min_size", l->min_size);
	sw_json_add_u64(o, "partitions", l->n_parts);
	sw_json_add(o, "disks", disks);
	for (size_t i = 0; i < l->n_disks; i++) {
		json_object *d = json_object_new_object();

		sw_json_add_str(d, "name", l->disks[i].name);
		sw_json_add_u64(d, "min_size", l->disks[i].min_size);
		sw_json_add_bool(d, "several", l->disks[i].many);
		json_object_array_add(disks, d);
	}
	return o;
}

static int list(const struct sw_cli *cli, char **names, struct sw_error *err)
{
	_cleanup_json_ json_object *all = json_object_new_array();

	for (size_t i = 0; names[i]; i++) {
		_cleanup_layout_ struct sw_layout *l = NULL;
		int r = sw_layout_find(names[i], &l, err);

		if (r < 0)
			return r;
		if (cli->json)
			json_object_array_add(all, to_json(l));
		else
			print_one(l);
	}
	if (cli->json)
		sw_print_json(all);
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	char **names = NULL;
	int r = sw_layout_names(&names);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the layouts cannot be listed");
	r = list(cli, names, err);
	for (size_t i = 0; names[i]; i++)
		free(names[i]);
	free(names);
	return r;
}

const struct sw_command sw_command_layout_list = {
	.name = "layout list",
	.summary = "List the layouts that an answer file can name",
	.operands = "",
	.run = run,
};
