/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that seal to the TPM share: which PCR 7, and what is typed unseen. */
#pragma once

#include "base/secret.h"
#include "rescue/aim.h"
#include "tui/commands/common.h"

/* sw_rescue_aim() for the target. */
int sw_aim_find(const struct sw_target *t, const char *disk, const char *image, bool present,
		struct sw_aim *ret_aim, struct sw_error *err);

/* Before a secret is opened: not to a terminal, nor into JSON, unless file is given. Exit 2. */
int sw_secret_check_output(const struct sw_cli *cli, const char *file, struct sw_error *err);
/* To file (0600), or (NULL) to standard output. Exit 6. */
int sw_secret_give(const struct sw_secret *s, const char *file, struct sw_error *err);

/*
 * One line into locked memory, not shown. -ENOKEY without a word when there is no terminal to ask
 * at, exit 130 when nothing was typed.
 */
int sw_ask_hidden(const char *question, struct sw_secret **ret_line, struct sw_error *err);
/*
 * The recovery key or key file of what is called label: from the file, else the descriptor whose
 * number the text fd has, else typed, as the passphrase. Exit 2 when there is none of them.
 */
int sw_operator_key(const char *file, const char *fd, const char *label,
		    struct sw_secret **ret_key, struct sw_error *err);
