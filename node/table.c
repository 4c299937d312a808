/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the program in slipway-node.cpio: what a running node does for
 * itself. Linked in place of tui/commands/table.c, so that nothing else (the
 * console, the installer) comes along.
 */
#include "tui/commands/list.h"

const struct sw_command *const sw_commands[] = {
	&sw_command_status,	 &sw_command_doctor,	  &sw_command_mode,
	&sw_command_slots,	 &sw_command_promote,	  &sw_command_rollback,
	&sw_command_node_config, &sw_command_node_overlay, &sw_command_node_set,
	&sw_command_boot_list,
	&sw_command_boot_show,	 &sw_command_boot_next,	  &sw_command_uki_show,
	&sw_command_facts,	 &sw_command_admit,	  &sw_command_tpm_facts,
	&sw_command_state_key,
	&sw_command_tpm_ek,	 &sw_command_secret_seal, &sw_command_secret_open,
	&sw_command_secret_list, &sw_command_secret_reseal, &sw_command_secret_remove,
	&sw_command_config_save,
	NULL,
};
