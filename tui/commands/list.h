/* SPDX-License-Identifier: Apache-2.0 */
/* Every command, each defined in the file that bears its name. */
#pragma once

#include "tui/commands/command.h"

extern const struct sw_command sw_command_console;
extern const struct sw_command sw_command_facts;
extern const struct sw_command sw_command_disks;
extern const struct sw_command sw_command_check;
extern const struct sw_command sw_command_plan;
extern const struct sw_command sw_command_apply;
extern const struct sw_command sw_command_install;
extern const struct sw_command sw_command_status;
extern const struct sw_command sw_command_undo;
extern const struct sw_command sw_command_undo_export;
extern const struct sw_command sw_command_resume;
extern const struct sw_command sw_command_wipe;
extern const struct sw_command sw_command_explain;
extern const struct sw_command sw_command_iso_embed;
extern const struct sw_command sw_command_iso_show;
extern const struct sw_command sw_command_iso_clear;
extern const struct sw_command sw_command_answers;
extern const struct sw_command sw_command_answers_example;
extern const struct sw_command sw_command_answers_manual;
extern const struct sw_command sw_command_answers_schema;
extern const struct sw_command sw_command_boot_list;
extern const struct sw_command sw_command_layout_list;
extern const struct sw_command sw_command_boot_show;
extern const struct sw_command sw_command_boot_order;
extern const struct sw_command sw_command_boot_next;
extern const struct sw_command sw_command_boot_setup;
extern const struct sw_command sw_command_boot_rename;
extern const struct sw_command sw_command_boot_delete;
extern const struct sw_command sw_command_boot_add;
extern const struct sw_command sw_command_mode;
extern const struct sw_command sw_command_slots;
extern const struct sw_command sw_command_doctor;
extern const struct sw_command sw_command_bundle;
extern const struct sw_command sw_command_bundle_read;
extern const struct sw_command sw_command_uki_show;
extern const struct sw_command sw_command_promote;
extern const struct sw_command sw_command_rollback;
extern const struct sw_command sw_command_node_config;
extern const struct sw_command sw_command_node_overlay;
extern const struct sw_command sw_command_node_set;
extern const struct sw_command sw_command_layout_plan;
extern const struct sw_command sw_command_layout_apply;
extern const struct sw_command sw_command_layout_undo;
extern const struct sw_command sw_command_state_reseal;
extern const struct sw_command sw_command_secret_seal;
extern const struct sw_command sw_command_secret_open;
extern const struct sw_command sw_command_secret_list;
extern const struct sw_command sw_command_secret_reseal;
extern const struct sw_command sw_command_secret_remove;
extern const struct sw_command sw_command_admit;
extern const struct sw_command sw_command_tpm_facts;
extern const struct sw_command sw_command_tpm_ek;
extern const struct sw_command sw_command_tpm_log;
extern const struct sw_command sw_command_tpm_pcrs;
extern const struct sw_command sw_command_tpm_replay;
extern const struct sw_command sw_command_tpm_explain;
extern const struct sw_command sw_command_tpm_predict;
extern const struct sw_command sw_command_token_inspect;
extern const struct sw_command sw_command_machine_create;
extern const struct sw_command sw_command_session;
extern const struct sw_command sw_command_attach;
extern const struct sw_command sw_command_shell;
