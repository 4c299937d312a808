/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts and suggestions, all from the command table. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tui/commands/command.h"

#define COLUMN 26
#define WORD_MAX 32

const struct sw_command *sw_command_find(const char *name)
{
	for (size_t i = 0; sw_commands[i]; i++)
		if (strcmp(sw_commands[i]->name, name) == 0)
			return sw_commands[i];
	return NULL;
}

static bool is_of_group(const char *name, const char *group)
{
	size_t n = strlen(group);

	return strncmp(name, group, n) == 0 && name[n] == ' ';
}

bool sw_command_is_group(const char *word)
{
	bool any = false;

	for (size_t i = 0; sw_commands[i] && !any; i++)
		any = is_of_group(sw_commands[i]->name, word);
	return any && !sw_command_find(word);
}

void sw_help_group(const char *group)
{
	printf("Usage: slipway %s COMMAND [ARGS]\n\nCommands:\n", group);
	for (size_t i = 0; sw_commands[i]; i++)
		if (is_of_group(sw_commands[i]->name, group))
			printf("  %-*s %s\n", COLUMN, sw_commands[i]->name,
			       sw_commands[i]->summary);
	printf("\n`slipway help %s COMMAND` says more about one.\n", group);
}

/* A distance that is more than a third of the word is another word. */
const char *sw_command_suggest(const char *word)
{
	unsigned int best = (unsigned int)strnlen(word, WORD_MAX) / 3 + 1;
	const char *meant = NULL;

	for (size_t i = 0; sw_commands[i]; i++) {
		const char *name = sw_commands[i]->name;
		const char *space = strchr(name, ' ');
		unsigned int d;

		/* The first word of a group alone: any of its commands will do. */
		if (space && strncmp(name, word, (size_t)(space - name)) == 0 &&
		    strlen(word) == (size_t)(space - name))
			return name;
		d = sw_edit_distance(word, name);
		if (d <= best && (!meant || d < best)) {
			best = d;
			meant = name;
		}
	}
	return meant;
}

static void print_option(const struct sw_opt *o)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%c%c%s --%s%s%s", o->id < 256 ? '-' : ' ',
		       o->id < 256 ? o->id : ' ', o->id < 256 ? "," : " ", o->name,
		       o->arg ? " " : "", o->arg ? o->arg : "");
	printf("  %-*s %s\n", COLUMN, left, o->help);
}

static void print_options(const struct sw_opt *o)
{
	for (; o && o->id; o++)
		print_option(o);
}

void sw_help_all(void)
{
	printf("slipway %s: installs and rescues bare-metal nodes\n\n"
	       "Usage: slipway [OPTIONS]                    the console\n"
	       "       slipway [OPTIONS] COMMAND [ARGS]     one command\n"
	       "       slipway help COMMAND                 more about a command\n\n"
	       "Commands:\n", SW_VERSION);
	for (size_t i = 0; sw_commands[i]; i++)
		printf("  %-*s %s\n", COLUMN, sw_commands[i]->name, sw_commands[i]->summary);
	printf("\nOptions:\n");
	print_options(sw_global_opts);
	printf("\nExit codes: 0 done, 1 internal error, 2 usage, 3 answers or layout invalid,\n"
	       "4 refused for safety, 5 something is missing, 6 failed with nothing changed,\n"
	       "7 failed after a change, 8 verification failed, 9 admission refused, 10 network,\n"
	       "130 cancelled. slipway(8) and slipway-answers(5) say more.\n");
}

void sw_help_command(const struct sw_command *cmd)
{
	printf("Usage: slipway %s%s%s%s\n\n%s.\n", cmd->name, cmd->opts ? " [OPTIONS]" : "",
	       cmd->operands[0] ? " " : "", cmd->operands, cmd->summary);
	if (cmd->details)
		printf("\n%s\n", cmd->details);
	if (cmd->opts) {
		printf("\nOptions:\n");
		print_options(cmd->opts);
	}
	printf("\nOptions of every command:\n");
	print_options(sw_global_opts);
}
