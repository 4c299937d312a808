/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several commands need: the machine that the global options name with its
 * facts, a plan on it, questions to a person, and events as lines.
 */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "answers/answers.h"
#include "base/event.h"
#include "plan/plan.h"
#include "tui/commands/command.h"

struct sw_target {
	struct sw_machine *m;
	struct sw_facts *f;
	json_object *vars;	/* raw boot variables, NULL without UEFI */
	json_object *old;	/* what nodes on its disks would lose: boot/old-node.h; or NULL */
};

/* The stand-in, the captured or the real machine. */
int sw_cli_machine(const struct sw_cli *cli, struct sw_machine **ret_machine, struct sw_error *err);

/* Opens the machine and reads everything that a plan is made from. */
int sw_target_open(const struct sw_cli *cli, struct sw_target *ret_target, struct sw_error *err);
void sw_target_clear(struct sw_target *t);
#define _cleanup_target_ _cleanup_(sw_target_clear)

/* Validates the answers (file: their place for errors) and finds their layout. */
int sw_cli_layout(const struct sw_answers *a, const char *file, struct sw_layout **ret_layout,
		  struct sw_error *err);
/* The same, and plans. */
int sw_target_plan(const struct sw_target *t, const struct sw_answers *a, const char *file,
		   struct sw_plan **ret_plan, struct sw_error *err);

/* Refuses captured facts where the command (a verb for the message) must read the disks. */
int sw_cli_needs_disks(const struct sw_cli *cli, const char *command, struct sw_error *err);

/*
 * Facts with the raw boot variables that a plan needs, as `facts --json` prints
 * them and --facts reads them; new reference.
 */
json_object *sw_target_to_json(const struct sw_target *t);

/*
 * A place as the backend takes it: a relative path becomes a whole one, "stick"
 * and URLs stay; malloc'd, NULL when out of memory.
 */
char *sw_cli_place(const char *text);

/* One --match KEY=VALUE as a rule of disk.match of these answers; exit 2 when it is none. */
int sw_cli_add_rule(struct sw_answers *a, const char *pair, struct sw_error *err);

/*
 * From here on ^C and SIGTERM are only a wish, which a sink's cancelled (sw_stop_is_wanted) passes
 * on; and from there on they end the program as ever.
 */
void sw_stop_catch(void);
void sw_stop_leave(void);
bool sw_stop_is_wanted(void *userdata);

/* The document on stdout, indented, with a newline. */
void sw_print_json(json_object *o);

/* True when a person can be asked: stdin and stdout are terminals. */
bool sw_is_interactive(void);

/*
 * Asks until a line comes; exit 130 when it is not `expected`. With --yes
 * nothing is asked. Without a terminal it is refused unless --yes is given.
 */
int sw_confirm(const struct sw_cli *cli, const char *question, const char *expected,
	       struct sw_error *err);
/* The same for a disk: `confirm`, the end of its serial, or more of that (sw_disk_confirmed()). */
int sw_confirm_disk(const struct sw_cli *cli, const char *question, const char *confirm,
		    const char *serial, struct sw_error *err);
/* The same for a plan: once for each of its disks on which something can be lost. */
int sw_confirm_plan(const struct sw_cli *cli, const struct sw_plan *p, struct sw_error *err);

/*
 * Shows the plan's recovery key once, in groups, and asks for one of them back; at a terminal
 * only, also with --yes: exit 3 without one, 130 when it is not typed back. Nothing when the
 * plan awaits none.
 */
int sw_confirm_recovery(struct sw_plan *p, struct sw_error *err);

/* Events as lines for a person; zeroed but for out. */
struct sw_printer {
	FILE *out;
	bool json;			/* of sw_follow() alone */
	unsigned int percent;		/* last one printed of this step */
	int64_t last_ms;		/* when something was printed last */
	int64_t first_ms;		/* of this step's first progress, 0: none yet */
	uint64_t first_done;
	struct sw_error error;		/* of the event `done` */
};

/* A line for each step, for each line of the log, and at every 10 % or 10 s. */
void sw_print_event(struct sw_printer *p, const struct sw_event *ev);

/*
 * Prints the events of an apply child until it ends, a line for each step and at
 * every 10 % or 10 s, or raw JSON with --json. ^C asks it to stop. Takes fd.
 * Fails with the error of its last event, or says how it died.
 */
int sw_follow(const struct sw_cli *cli, pid_t pid, int fd, struct sw_error *err);

/*
 * What a person's answers start from: the defaults, and the payload of the
 * medium when it carries one (payload/node.efi, or payload/vmlinuz with
 * payload/initrd). NULL: the plain defaults.
 */
struct sw_answers *sw_answers_for_person(struct sw_machine *m);

/*
 * What the answers want after this plan's install (reboot, power off, kexec), unless no_finish.
 * Where the node cannot be started from here, that is said, and the machine restarts.
 */
int sw_finish_run(const struct sw_cli *cli, struct sw_machine *m, const struct sw_plan *p,
		  bool no_finish, struct sw_error *err);

/*
 * At the start of slipway: what a memory test has left in the firmware goes, and that is said on
 * standard error. True: something was written.
 */
bool sw_forget_memory_test(struct sw_machine *m);
