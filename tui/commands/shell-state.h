/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway shell --state`: a shell in the node's state. */
#pragma once

#include "tui/commands/command.h"

enum { SW_SHELL_STATE = 300, SW_SHELL_WRITE, SW_SHELL_DAMAGED, SW_SHELL_KEY_FILE,
       SW_SHELL_KEY_FD };

/* Opens it, gives up the TPM's keys, runs the shell, and says what was done. */
int sw_shell_in_state(struct sw_cli *cli, struct sw_error *err);
/* What opening any shell does to the TPM: done, and said on standard error. */
int sw_shell_give_up_keys(struct sw_machine *m, struct sw_error *err);
