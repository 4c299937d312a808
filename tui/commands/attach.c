/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway attach`: one more terminal on the running session. */
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/session/session.h"
#include "tui/term/terminal.h"

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_free_ char *socket_path = NULL;
	const char *tty = sw_arg(&cli->args, 't');
	int r = sw_cli_machine(cli, &m, err);

	if (r < 0)
		return r;
	socket_path = sw_session_socket(m);
	if (!socket_path)
		return sw_fail_oom(err);
	return sw_terminal_run(socket_path, tty, sw_arg(&cli->args, 'T'), cli->plain, err);
}

static const struct sw_opt opts[] = {
	{ 't', "terminal", "DEVICE", "the terminal to use instead of this one" },
	{ 'T', "type", "TYPE", "its type, instead of what $TERM says" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_attach = {
	.name = "attach",
	.summary = "Show the running session on this or another terminal",
	.operands = "",
	.opts = opts,
	.details = "Waits up to 10 seconds for a session. ^\\ leaves without ending the session.",
	.run = run,
};
