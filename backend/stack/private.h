/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that can be tried without a kernel that does it. Private to backend/stack. */
#pragma once

#include "base/strv.h"
#include "stack/stack.h"

/* ---- what the programs are told (words.c); -ENOMEM. malloc'd, NULL-terminated ---- */

/* loops: the members' devices, NULL-terminated. */
int sw_stack_md_words(const char *name, char *const *loops, bool degraded, char ***ret_argv);
/* What lvm may see and do: those devices only, no metadata written, volumes read-only. */
char *sw_stack_lvm_config(const char *group, char *const *loops);
int sw_stack_lvm_list_words(const char *config, const char *group, char ***ret_argv);
int sw_stack_lvm_open_words(const char *config, const char *group, const char *volume,
			    bool degraded, char ***ret_argv);
int sw_stack_remove_words(const char *kernel_name, const char *dm_name, char ***ret_argv);

/*
 * The volumes in what sw_stack_lvm_list_words() has lvm print, perhaps between warnings: those that
 * can be looked into without their being written (linear, striped), and in ret_left how many
 * others. -ENOMEM.
 */
int sw_stack_lvs_parse(const char *text, char ***ret_volumes, size_t *ret_left);

/* ---- loop devices (loops.c) ---- */

#define SW_STACK_MARK "slipway:"	/* in the name that a loop device keeps */

/* "slipway:nvme0n1:4". */
void sw_stack_mark(const struct sw_stack_member *m, char *text, size_t size);
/* The disk and number of such a mark; false: it is none. */
bool sw_stack_mark_parse(const char *text, char disk[static 64], unsigned int *ret_number);

struct sw_stack_loop {
	char *name;	/* "loop3" */
	char mark[64];
};

/* Those that are slipway's, of this machine. */
int sw_stack_loops(struct sw_machine *m, struct sw_stack_loop **ret_loops, size_t *ret_n);
void sw_stack_loops_free(struct sw_stack_loop *loops, size_t n);
/* Frees the loop device; one that is in use goes when that ends. */
int sw_stack_loop_end(struct sw_machine *m, const char *name);

/*
 * What stands on a block device, the lowest first, by the directories "holders" below
 * SYS_ROOT/block. *names grows; each comes once.
 */
int sw_stack_holders(const struct sw_machine *m, const char *name, char ***names);
