/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway shell`: a rescue shell as the console opens it, for where there is no console. */
#include "machine/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stack/stack.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/shell-state.h"
#include "tui/commands/wrap.h"

/* What opening it does to the TPM, on standard error: the shell's own output stays its own. */
int sw_shell_give_up_keys(struct sw_machine *m, struct sw_error *err)
{
	struct sw_error ignored = {};
	const char *tcti = NULL;
	int r = sw_stack_close(m, NULL, err);	/* the TPM may have opened it */

	if (r == 0)
		r = sw_shell_prepare(m, err);
	if (r < 0)
		return r;
	if (sw_machine_tcti(m, &tcti, &ignored) == -ENOENT)
		fputs("There is no TPM here, so nothing is sealed to one.\n", stderr);
	else
		sw_print_wrapped(stderr, "The TPM keeps what is sealed until the machine is "
					 "restarted; no install can encrypt before that.\n");
	return 0;
}

static int check_args(const struct sw_args *args, struct sw_error *err)
{
	if (args->n_opts && !sw_arg(args, SW_SHELL_STATE))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "shell: these options go with --state");
	if (sw_arg(args, SW_SHELL_DAMAGED) && !sw_arg(args, SW_SHELL_WRITE))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "shell: --damaged goes with --write");
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	int r = check_args(&cli->args, err);

	if (r < 0)
		return r;
	if (sw_arg(&cli->args, SW_SHELL_STATE))
		return sw_shell_in_state(cli, err);
	r = sw_cli_machine(cli, &m, err);
	if (r == 0)
		r = sw_shell_give_up_keys(m, err);
	if (r < 0)
		return r;
	/* A stand-in has a TPM of its own, which ends with it. */
	m = sw_machine_free(m);
	(void)setenv("HOME", "/", 0);
	execl(SW_SHELL, "sh", "-l", NULL);
	return sw_fail_errno(err, SW_EXIT_MISSING, -errno, "cannot start %s", SW_SHELL);
}

static const struct sw_opt opts[] = {
	{ SW_SHELL_STATE, "state", NULL, "in the node's state, which is opened and closed again" },
	{ SW_SHELL_WRITE, "write", NULL, "with --state: not read-only" },
	{ SW_SHELL_DAMAGED, "damaged", NULL, "with --write: also when its file system is damaged" },
	{ SW_SHELL_KEY_FILE, "key-file", "FILE",
	  "the recovery key, or the key file (default: the TPM, then typed)" },
	{ SW_SHELL_KEY_FD, "key-fd", "N", "the same from this file descriptor" },
	{ 'd', "disk", "NAME", "the disk, when several have a state" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_shell = {
	.name = "shell",
	.summary = "Open a rescue shell on this terminal, once the TPM's keys are given up",
	.operands = "",
	.opts = opts,
	.details = "Whoever has a shell can read what the TPM gives this system. So PCR 7 is\n"
		   "extended first: what is sealed to it does not open, and no install encrypts,\n"
		   "until the machine is restarted. Without a TPM there is nothing to give up.\n"
		   "When there is one that refuses, no shell is opened.\n"
		   "With --state it is opened before that: by the TPM or a key that is typed. It\n"
		   "is mounted read-only for this shell alone. When it holds a system with a\n"
		   "/bin/sh that runs, the shell is that one's, in a chroot; else this system's\n"
		   "starts where it is mounted. With the shell everything is closed again.",
	.run = run,
};
