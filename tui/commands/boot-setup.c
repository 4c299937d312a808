/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway boot setup`: the next start opens the firmware's setup. */
#include "boot/restart.h"

#include <string.h>

#include "base/json.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static int run(struct sw_cli *cli, struct sw_error *err)
{
	bool on = cli->args.n_rest == 0;
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_json_ json_object *o = NULL;
	struct sw_varstore *vars = NULL;
	int r;

	if (!on && strcmp(cli->args.rest[0], "none") != 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%.40s\" is not \"none\"",
			       cli->args.rest[0]);
	r = sw_cli_machine(cli, &m, err);
	if (r == 0)
		r = sw_machine_vars(m, &vars, err);
	if (r == 0)
		r = sw_restart_setup(vars, on, err);
	if (r < 0)
		return r;
	if (!cli->json) {
		printf("The next start %s.\n", on ? "opens the firmware's setup"
						  : "is as the boot order says");
		return 0;
	}
	o = json_object_new_object();
	sw_json_add_bool(o, "setup", on);
	sw_print_json(o);
	return 0;
}

const struct sw_command sw_command_boot_setup = {
	.name = "boot setup",
	.summary = "Open the firmware's setup at the next start, or do not",
	.operands = "[none]",
	.max_rest = 1,
	.run = run,
};
