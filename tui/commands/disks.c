/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway disks`: the disks, and why some of them can never be chosen. */
#include "base/json.h"
#include "base/size.h"
#include "disk/disk.h"
#include "disk/select.h"
#include "layout/layout.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static const char *or_dash(const char *s)
{
	return s && s[0] ? s : "-";
}

static void print_text(const struct sw_facts *f, uint64_t min_size)
{
	char size[16];

	printf("%-10s %6s %-9s %-20s %-24s %s\n", "NAME", "SIZE", "TRANSPORT", "SERIAL", "MODEL",
	       "STATE");
	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];
		const char *no = sw_disk_excluded(d, min_size);
		_cleanup_free_ char *on_it = sw_disk_describe(d);

		printf("%-10s %6s %-9s %-20s %-24s %s\n", d->name,
		       sw_size_format(d->size, size, sizeof(size)), or_dash(d->transport),
		       or_dash(d->serial), or_dash(d->model), no ? no : "can be installed to");
		if (on_it && on_it[0])
			printf("%-10s %s\n", "", on_it);
	}
	if (f->n_disks == 0)
		printf("no disks\n");
}

static json_object *disk_json(const struct sw_disk *d, uint64_t min_size)
{
	json_object *o = json_object_new_object();
	_cleanup_free_ char *on_it = sw_disk_describe(d);

	sw_json_add_str(o, "name", d->name);
	sw_json_add_str(o, "serial", d->serial);
	sw_json_add_str(o, "wwn", d->wwn);
	sw_json_add_str(o, "model", d->model);
	sw_json_add_str(o, "transport", d->transport);
	sw_json_add_u64(o, "size", d->size);
	sw_json_add_u64(o, "sector", d->sector);
	sw_json_add_str(o, "excluded", sw_disk_excluded(d, min_size));
	sw_json_add_str(o, "content", on_it);
	return o;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_layout_ struct sw_layout *l = NULL;
	_cleanup_json_ json_object *list = NULL;
	const char *layout = sw_arg(&cli->args, 'l');
	int r;

	r = sw_cli_machine(cli, &m, err);
	if (r < 0)
		return r;
	r = sw_machine_facts(m, &f, err);
	if (r < 0)
		return r;
	r = sw_layout_find(layout ? layout : "node", &l, err);
	if (r < 0)
		return r;
	if (!cli->json) {
		print_text(f, l->min_size);
		return 0;
	}
	list = json_object_new_array();
	for (size_t i = 0; i < f->n_disks; i++)
		json_object_array_add(list, disk_json(&f->disks[i], l->min_size));
	sw_print_json(list);
	return 0;
}

static const struct sw_opt opts[] = {
	{ 'l', "layout", "NAME", "the layout that has to fit (default: node)" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_disks = {
	.name = "disks",
	.summary = "List the disks, what is on them, and which are excluded and why",
	.operands = "",
	.opts = opts,
	.run = run,
};
