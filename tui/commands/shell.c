/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway shell`: a rescue shell as the console opens it, for where there is no console. */
#include "machine/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tui/commands/common.h"
#include "tui/commands/list.h"

/* What opening it does to the TPM, on standard error: the shell's own output stays its own. */
static int give_up_keys(struct sw_machine *m, struct sw_error *err)
{
	struct sw_error ignored = {};
	const char *tcti = NULL;
	int r = sw_shell_prepare(m, err);

	if (r < 0)
		return r;
	if (sw_machine_tcti(m, &tcti, &ignored) == -ENOENT)
		fputs("There is no TPM here, so nothing is sealed to one.\n", stderr);
	else
		fputs("The TPM keeps what is sealed until the machine is restarted; no install can "
		      "encrypt before that.\n", stderr);
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	int r = sw_cli_machine(cli, &m, err);

	if (r == 0)
		r = give_up_keys(m, err);
	if (r < 0)
		return r;
	/* A stand-in has a TPM of its own, which ends with it. */
	m = sw_machine_free(m);
	(void)setenv("HOME", "/", 0);
	execl(SW_SHELL, "sh", "-l", NULL);
	return sw_fail_errno(err, SW_EXIT_MISSING, -errno, "cannot start %s", SW_SHELL);
}

const struct sw_command sw_command_shell = {
	.name = "shell",
	.summary = "Open a rescue shell on this terminal, once the TPM's keys are given up",
	.operands = "",
	.details = "Whoever has a shell can read what the TPM gives this system. So PCR 7 is "
		   "extended first: what is sealed to it does not open, and no install encrypts, "
		   "until the machine is restarted. Without a TPM there is nothing to give up. "
		   "When there is one that refuses, no shell is opened.",
	.run = run,
};
