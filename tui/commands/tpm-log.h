/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about the event log share: where it comes from, banks, PCR numbers. */
#pragma once

#include "boot/measured.h"
#include "tui/commands/command.h"

#define SW_HEX_TEXT (2 * SW_DIGEST_MAX + 1)
#define SW_ALL_PCRS ((1U << SW_PCRS) - 1)

/* The log of the file, or of the machine when it is NULL. */
int sw_cli_eventlog(const struct sw_cli *cli, const char *file, struct sw_eventlog **ret_log,
		    struct sw_error *err);
/* The index of the bank of --bank; else of sha256 where the log has it, else of the first. */
int sw_cli_bank(const struct sw_cli *cli, const struct sw_eventlog *l, struct sw_error *err);
/* The operands from the first one on as a mask of PCRs; all without any. */
int sw_cli_pcrs(const struct sw_cli *cli, int first, uint32_t *ret_mask, struct sw_error *err);
/* The type's name, or its number as text. */
const char *sw_event_type_text(uint32_t type, char text[static 16]);
