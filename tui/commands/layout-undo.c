/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway layout undo`: takes the last `layout apply` back. */
#include <sys/stat.h>

#include "base/json.h"
#include "tui/commands/layout-target.h"
#include "tui/commands/list.h"

static void print_list(const char *title, json_object *list)
{
	size_t n = list ? json_object_array_length(list) : 0;

	if (n > 0)
		printf("%s\n", title);
	for (size_t i = 0; i < n; i++)
		printf("  %s\n", json_object_get_string(json_object_array_get_idx(list, i)));
}

void sw_layout_undo_print(json_object *doc)
{
	print_list("Undo brings back:", sw_json_array(doc, "comes_back"));
	print_list("It does not bring back:", sw_json_array(doc, "does_not"));
}

static int check_state(const struct sw_layout_undo_head *h, const char *target,
		       struct sw_error *err)
{
	if (h->state != SW_LAYOUT_UNDO_UNDONE)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EALREADY, "the last apply was taken back already");
	sw_error_where(err, "%s", target);
	return -EALREADY;
}

static int no_data(const char *target, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no undo data");
	sw_error_where(err, "%s", target);
	sw_error_hint(err, "Name its file with --undo FILE, as it was given to `layout apply`");
	return -ENOENT;
}

static void show(const struct sw_cli *cli, const struct sw_layout_undo_head *h)
{
	if (cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();

		sw_json_add(o, "comes_back", json_object_get(sw_json_array(h->doc, "comes_back")));
		sw_json_add(o, "does_not", json_object_get(sw_json_array(h->doc, "does_not")));
		sw_print_json(o);
		return;
	}
	sw_layout_undo_print(h->doc);
	fflush(stdout);
}

static int undo(const struct sw_cli *cli, const char *target, struct sw_io *io,
		struct sw_error *err)
{
	_cleanup_(sw_layout_place_clear) struct sw_layout_place p = {};
	_cleanup_(sw_layout_undo_head_clear) struct sw_layout_undo_head h = {};
	int r = sw_layout_place_find(cli, target, io, true, &p, &h, err);

	if (r < 0)
		return r == -ENOENT ? no_data(target, err) : r;
	if (p.path)
		io->sector = h.sector;
	r = check_state(&h, target, err);
	if (r == 0)
		r = sw_layout_undo_check(io, &h, err);
	if (r < 0)
		return r;
	show(cli, &h);
	r = sw_confirm(cli, "Type yes to put this back: ", "yes", err);
	if (r == 0)
		r = sw_layout_undo_run(&p.u, io, &h, NULL, err);
	return r < 0 ? r : sw_layout_cli_cut(io, &h, err);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_layout_request q = { .target = cli->args.rest[0] };
	struct stat st;
	int r = sw_layout_cli_check(cli, &q, err);

	if (r == 0)
		r = sw_io_open(q.target, true, true, 0, &io, err);
	if (r == 0)
		r = undo(cli, q.target, io, err);
	if (r < 0 || stat(q.target, &st) < 0 || !S_ISBLK(st.st_mode))
		return r;
	io = sw_io_close(io);
	return sw_layout_cli_settle(cli, q.target, err);
}

static const struct sw_opt opts[] = {
	{ 'u', "undo", "FILE", "where its undo data is (TARGET.undo, or the disk's last 5M)" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_layout_undo = {
	.name = "layout undo",
	.summary = "Take the last `layout apply` back",
	.operands = "TARGET",
	.min_rest = 1,
	.max_rest = 1,
	.opts = opts,
	.details = "What comes back and what does not is said first. Refused when the table is\n"
		   "neither the old one nor the one that apply made.",
	.run = run,
};
