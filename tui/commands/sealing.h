/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that seal to the TPM share: which PCR 7, and what is typed unseen. */
#pragma once

#include "base/secret.h"
#include "tpm/eventlog.h"
#include "tui/commands/common.h"

struct sw_aim {
	struct sw_pcr7 pcr7;
	bool later;		/* pcr7 counts; else PCR 7 as it is */
	char letter;		/* the slot whose image it is for, 0: none */
	const char *image;	/* borrowed; NULL: that of a slot */
};

/*
 * On the node, or with present, PCR 7 as it is; elsewhere that which the firmware will give the
 * image (NULL: that of the slot which starts first). Exit 4 while a rescue shell was opened.
 */
int sw_aim_find(const struct sw_target *t, const char *disk, const char *image, bool present,
		struct sw_aim *ret_aim, struct sw_error *err);

/*
 * One line into locked memory, not shown. -ENOKEY without a word when there is no terminal to ask
 * at, exit 130 when nothing was typed.
 */
int sw_ask_hidden(const char *question, struct sw_secret **ret_line, struct sw_error *err);
