/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway apply`: runs a saved plan, if the machine is still as the plan says. */
#include "apply/apply.h"

#include "base/file.h"
#include "base/json.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

#define WIDTH 79

static int load(const char *path, struct sw_plan **ret_plan, struct sw_error *err)
{
	_cleanup_json_ json_object *o = NULL;
	int r = sw_json_load(path, &o, err);

	if (r == 0) {
		r = sw_plan_from_json(o, ret_plan, err);
		/* Partitions that cannot even be laid out: the file is wrong, not the machine. */
		if (r < 0 && r != -ENOMEM && err->exit == SW_EXIT_FAILED)
			err->exit = SW_EXIT_INVALID;
	}
	if (r < 0)
		sw_error_where(err, "%s", path);
	return r;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_plan_ struct sw_plan *p = NULL;
	_cleanup_free_ char *text = NULL;
	pid_t pid;
	int fd, r;

	r = load(cli->args.rest[0], &p, err);
	if (r < 0)
		return r;
	r = sw_cli_machine(cli, &m, err);
	if (r < 0)
		return r;
	text = sw_plan_text(p, WIDTH);
	if (!text)
		return sw_fail_oom(err);
	if (!cli->json)
		fputs(text, stdout);
	r = sw_confirm_plan(cli, p, err);
	if (r == 0)
		r = sw_confirm_recovery(p, err);
	if (r < 0)
		return r;
	fflush(stdout);
	r = sw_apply_spawn(m, p, &pid, &fd, err);
	if (r == 0)
		r = sw_follow(cli, pid, fd, err);
	if (r < 0)
		return r;
	return sw_finish_run(cli, m, p, sw_arg(&cli->args, 'n') != NULL, err);
}

static const struct sw_opt opts[] = {
	{ 'n', "no-finish", NULL, "stay when done, whatever the answers say" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_apply = {
	.name = "apply",
	.summary = "Run a saved plan",
	.operands = "PLAN.json",
	.min_rest = 1,
	.max_rest = 1,
	.opts = opts,
	.details = "Refused (exit 4) when a disk of the plan or the boot variables are no longer\n"
		   "as the plan found them, saying which, and when the file was edited: change\n"
		   "the answers and plan again. The end of the serial of each disk that loses\n"
		   "something has to be typed; without a terminal --yes is needed. A recovery\n"
		   "key that a person must see is never made without one.",
	.run = run,
};
