/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway status`: interrupted installs, and what is installed on which disk. */
#include "rescue/status.h"

#include "tui/commands/common.h"
#include "tui/commands/list.h"

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_target_ struct sw_target t = {};
	_cleanup_json_ json_object *o = NULL;
	_cleanup_buf_ struct sw_buf text = {};
	int r = sw_cli_needs_disks(cli, "status", err);

	if (r == 0)
		r = sw_target_open(cli, &t, err);
	if (r == 0)
		r = sw_status_look(t.m, t.f, t.vars, &o, err);
	if (r < 0)
		return r;
	if (cli->json) {
		sw_print_json(o);
		return 0;
	}
	if (sw_status_text(o, &text) < 0)
		return sw_fail_oom(err);
	fputs(sw_buf_text(&text), stdout);
	return 0;
}

const struct sw_command sw_command_status = {
	.name = "status",
	.summary = "Show interrupted installs, what is installed where, and why this system runs",
	.operands = "",
	.run = run,
};
