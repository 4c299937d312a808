/* SPDX-License-Identifier: Apache-2.0 */
/* Every command, each defined in the file that bears its name. */
#pragma once

#include "tui/commands/command.h"

extern const struct sw_command sw_command_console, sw_command_facts, sw_command_disks,
	sw_command_check, sw_command_plan, sw_command_apply, sw_command_install, sw_command_status,
	sw_command_undo, sw_command_resume, sw_command_wipe,
	sw_command_explain, sw_command_answers_example,
	sw_command_answers_manual, sw_command_boot_list, sw_command_layout_list,
	sw_command_boot_show, sw_command_boot_order, sw_command_boot_next,
	sw_command_boot_rename, sw_command_boot_delete, sw_command_boot_add,
	sw_command_mode,
	sw_command_slots, sw_command_uki_show, sw_command_promote, sw_command_rollback,
	sw_command_node_config, sw_command_node_set,
	sw_command_layout_plan, sw_command_layout_apply, sw_command_layout_undo,
	sw_command_tpm_log, sw_command_tpm_replay, sw_command_tpm_explain,
	sw_command_machine_create, sw_command_session, sw_command_attach;
