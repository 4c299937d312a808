/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one table of commands from which the parser, `--help`,
 * `slipway help` and the suggestions for mistyped words are all made. A command
 * is one file with one `const struct sw_command`; nothing here draws or knows
 * about terminals beyond isatty().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "machine/machine.h"

#define SW_ARGS_MAX 64

/* An option of a command. `id` is the short letter, or a number above 255 without one. */
struct sw_opt {
	int id;
	const char *name;	/* long name without dashes */
	const char *arg;	/* placeholder of its argument ("FILE"), NULL: none */
	const char *help;	/* one line */
};

/* What was given, in order; strings are borrowed from argv. */
struct sw_args {
	struct {
		int id;
		const char *value;	/* "" for an option without argument */
	} opts[SW_ARGS_MAX];
	size_t n_opts;
	char **rest;		/* the operands */
	int n_rest;
};

struct sw_command;

struct sw_cli {
	const char *machine_dir;	/* --machine */
	const char *facts;		/* --facts, the last one */
	const char *all_facts[SW_ARGS_MAX];	/* all of them, in order */
	size_t n_facts;
	bool json, yes, plain;
	const struct sw_command *cmd;
	struct sw_args args;
};

struct sw_command {
	const char *name;	/* "plan", or two words: "machine create" */
	const char *summary;	/* one line, starts with a capital, no full stop */
	const char *operands;	/* "FILE...", "" when it takes none */
	int min_rest, max_rest;	/* number of operands; max -1: any */
	bool many_facts;	/* --facts may be given more than once */
	const struct sw_opt *opts;	/* ends with an id of 0; NULL: none */
	const char *details;	/* more text for its own help, or NULL */
	int (*run)(struct sw_cli *cli, struct sw_error *err);
};

extern const struct sw_opt sw_global_opts[];
/* The table, NULL-terminated, in the order of the help text. */
extern const struct sw_command *const sw_commands[];

/* Parses, runs, reports. Returns the exit code of design section 10. */
int sw_cli_main(int argc, char **argv);

/* Value of an option: the last one given, "" for a flag, NULL when absent. */
const char *sw_arg(const struct sw_args *args, int id);
/* Walks all values of an option: *pos starts at 0; NULL at the end. */
const char *sw_arg_next(const struct sw_args *args, int id, size_t *pos);
/* Adds copies of them all to a list (base/strv.h). -ENOMEM. */
int sw_arg_list(const struct sw_args *args, int id, char ***ret_list);

/* The command of this name, or NULL. */
const struct sw_command *sw_command_find(const char *name);
/* What the word was probably meant to be, or NULL; static text. */
const char *sw_command_suggest(const char *word);

/* Whether it is only the first word of commands ("boot" of "boot list"), none of its own. */
bool sw_command_is_group(const char *word);

/* Help texts on stdout. */
void sw_help_all(void);
void sw_help_group(const char *group);
void sw_help_command(const struct sw_command *cmd);

/* The error on stderr: text, or one JSON object with `json`. */
void sw_report(const struct sw_error *err, bool json);
