/* SPDX-License-Identifier: Apache-2.0 */
/* The screens, each in a file of its own, and the road through them. */
#pragma once

#include "tui/session/view.h"

extern const struct sw_view_ops sw_screen_start;	/* the bottom one */
extern const struct sw_view_ops sw_screen_countdown;
extern const struct sw_view_ops sw_screen_installed;
extern const struct sw_view_ops sw_screen_left_open;	/* s->answers->open */
extern const struct sw_view_ops sw_screen_wait;	/* s->waiting */
extern const struct sw_view_ops sw_screen_journal;
extern const struct sw_view_ops sw_screen_switch;	/* s->boot_switch */
extern const struct sw_view_ops sw_screen_wipe;	/* which disk; then how; then consent */
extern const struct sw_view_ops sw_screen_wipe_method;
extern const struct sw_view_ops sw_screen_wipe_confirm;
extern const struct sw_view_ops sw_screen_wipe_report;	/* s->wipe.report */
extern const struct sw_view_ops sw_screen_doctor;	/* s->doctor */
extern const struct sw_view_ops sw_screen_cause;	/* as the next, when it has no repair */
extern const struct sw_view_ops sw_screen_lacks_image;	/* the same, for a slot: an image helps */
extern const struct sw_view_ops sw_screen_closed_state;	/* the same, for a state: its key helps */
extern const struct sw_view_ops sw_screen_state_key;	/* above sw_screen_doctor */
extern const struct sw_view_ops sw_screen_image;	/* which; then whose word counts */
extern const struct sw_view_ops sw_screen_image_source;
extern const struct sw_view_ops sw_screen_image_vouch;	/* these two: s->tool.next */
extern const struct sw_view_ops sw_screen_image_hash;
extern const struct sw_view_ops sw_screen_repair;	/* where it may cost something */
extern const struct sw_view_ops sw_screen_finding;	/* the one with the "id" s->doctor_arg */
extern const struct sw_view_ops sw_screen_given;	/* what its repair asks for */
/* Asks before the repair of the finding in the view on top, a sw_screen_finding. */
void sw_screen_ask_repair(struct sw_state *s);
extern const struct sw_view_ops sw_screen_status;
extern const struct sw_view_ops sw_screen_network;
extern const struct sw_view_ops sw_screen_network_test;
extern const struct sw_view_ops sw_screen_preflight;	/* of the admission */
extern const struct sw_view_ops sw_screen_token;	/* of the next admission that asks */
extern const struct sw_view_ops sw_screen_admitted;
extern const struct sw_view_ops sw_screen_reach;	/* whether a URL answers */
extern const struct sw_view_ops sw_screen_ping;	/* a host of the operator's */
extern const struct sw_view_ops sw_screen_offers;	/* of DHCP servers */
extern const struct sw_view_ops sw_screen_tools;	/* to look with, and what is carried away */
extern const struct sw_view_ops sw_screen_disks;	/* disks and their partitions */
extern const struct sw_view_ops sw_screen_unlock;	/* the key of an encrypted one */
extern const struct sw_view_ops sw_screen_opened;	/* what it, an array, a group holds */
extern const struct sw_view_ops sw_screen_partition;	/* these four: s->tool.next */
extern const struct sw_view_ops sw_screen_files;
extern const struct sw_view_ops sw_screen_file;
extern const struct sw_view_ops sw_screen_one_log;
extern const struct sw_view_ops sw_screen_logs;
extern const struct sw_view_ops sw_screen_tpm;
extern const struct sw_view_ops sw_screen_hardware;
extern const struct sw_view_ops sw_screen_memory;
extern const struct sw_view_ops sw_screen_config;	/* from a stick, and back to one */
extern const struct sw_view_ops sw_screen_bundle;
extern const struct sw_view_ops sw_screen_qr;	/* its findings, for a telephone */
extern const struct sw_view_ops sw_screen_place;	/* where to: a line of s->tool.next */
extern const struct sw_view_ops sw_screen_passphrase;	/* s->tool.passphrase */
extern const struct sw_view_ops sw_screen_writing;	/* a bundle, until it is written */
extern const struct sw_view_ops sw_screen_tool_result;	/* of what was written */
extern const struct sw_view_ops sw_screen_inside;	/* a shell in the node's state */
extern const struct sw_view_ops sw_screen_restart;	/* and where it goes */
extern const struct sw_view_ops sw_screen_disk;
extern const struct sw_view_ops sw_screen_details;	/* of the disk in s->looking_at */
extern const struct sw_view_ops sw_screen_layout;
extern const struct sw_view_ops sw_screen_no_disk;	/* what a node without one lacks */
extern const struct sw_view_ops sw_screen_more_disks;	/* one view for each further disk */
extern const struct sw_view_ops sw_screen_payload;
extern const struct sw_view_ops sw_screen_boot;
extern const struct sw_view_ops sw_screen_admission;
extern const struct sw_view_ops sw_screen_node;
extern const struct sw_view_ops sw_screen_site;	/* files and secrets that the node is given */
extern const struct sw_view_ops sw_screen_site_file;	/* these two: s->item */
extern const struct sw_view_ops sw_screen_site_secret;
extern const struct sw_view_ops sw_screen_review;
extern const struct sw_view_ops sw_screen_confirm;
extern const struct sw_view_ops sw_screen_recovery;	/* of the plan that s->work is to run */
extern const struct sw_view_ops sw_screen_progress;
extern const struct sw_view_ops sw_screen_result;
extern const struct sw_view_ops sw_screen_log;
extern const struct sw_view_ops sw_screen_doing;
extern const struct sw_view_ops sw_screen_save;	/* s->save_text, offered as s->save_path */
extern const struct sw_view_ops sw_screen_ask;	/* s->ask */
extern const struct sw_view_ops sw_screen_undo;	/* of s->journal */
extern const struct sw_view_ops sw_screen_help;
extern const struct sw_view_ops sw_screen_about;

/* The repair of the finding with the "id" s->doctor_arg, or NULL; borrowed. */
json_object *sw_screen_repair_of(const struct sw_state *s);
/* Asks before what is hard to take back; yes sets the wants, or quits. */
void sw_screen_ask_first(struct sw_state *s, const char *question, const char *yes,
			 uint64_t want, bool quit);
/* The same with a question that is worded anew whenever it is drawn. */
void sw_screen_ask_now(struct sw_state *s, const char *(*question)(const struct sw_state *s),
		       const char *yes, uint64_t want);
/* Has this machine admitted as the preflight found it: asks for tokens, then does it. */
void sw_screen_admit(struct sw_state *s);
/* Opens the save screen. Takes text over; name is the file's proposed name. */
void sw_screen_save_text(struct sw_state *s, char *text, const char *name);
void sw_screen_save_answers(struct sw_state *s);
void sw_screen_save_log(struct sw_state *s);
/* There has to be one. */
void sw_screen_save_wipe_report(struct sw_state *s);
