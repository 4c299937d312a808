/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing and dispatch. Global options are taken before and after the command's
 * name; a two-word command ("machine create") is matched before a one-word one.
 * getopt's own messages are silenced so that every complaint has the same form.
 */
#include "tui/commands/command.h"
#include "tui/commands/report-place.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "base/file.h"
#include "base/strv.h"

enum { OPT_MACHINE = 256, OPT_FACTS, OPT_JSON, OPT_PLAIN, OPT_HELP, OPT_VERSION };

const struct sw_opt sw_global_opts[] = {
	{ OPT_MACHINE, "machine", "DIR", "work on the stand-in machine in DIR" },
	{ OPT_FACTS, "facts", "FILE", "work on facts from `slipway facts --json`; read-only" },
	{ OPT_JSON, "json", NULL, "print JSON for programs, errors too" },
	{ OPT_PLAIN, "plain", NULL, "the console as questions and answers on lines" },
	{ 'y', "yes", NULL, "do not ask" },
	{ OPT_HELP, "help", NULL, "print help and leave" },
	{ OPT_VERSION, "version", NULL, "print the version and leave" },
	{ 0, NULL, NULL, NULL },
};

#define MAX_LONG 48

struct parser {
	struct option longs[MAX_LONG];
	char shorts[3 * MAX_LONG];
	size_t n;
	bool help, version;
};

const char *sw_arg(const struct sw_args *args, int id)
{
	for (size_t i = args->n_opts; i > 0; i--)
		if (args->opts[i - 1].id == id)
			return args->opts[i - 1].value;
	return NULL;
}

const char *sw_arg_next(const struct sw_args *args, int id, size_t *pos)
{
	while (*pos < args->n_opts) {
		size_t i = (*pos)++;

		if (args->opts[i].id == id)
			return args->opts[i].value;
	}
	return NULL;
}

int sw_arg_list(const struct sw_args *args, int id, char ***ret_list)
{
	const char *value;
	size_t pos = 0;
	int r = 0;

	while (r == 0 && (value = sw_arg_next(args, id, &pos)))
		r = sw_strv_add(ret_list, value);
	return r;
}

static void parser_add(struct parser *p, const struct sw_opt *opts)
{
	size_t used = strlen(p->shorts);

	for (; opts && opts->id && p->n < MAX_LONG - 1; opts++) {
		p->longs[p->n++] = (struct option){
			.name = opts->name,
			.has_arg = opts->arg ? required_argument : no_argument,
			.val = opts->id,
		};
		if (opts->id > 255)
			continue;
		p->shorts[used++] = (char)opts->id;
		if (opts->arg)
			p->shorts[used++] = ':';
	}
	p->shorts[used] = '\0';
}

static const char *suggest_option(const struct parser *p, const char *word)
{
	const char *best = NULL;
	unsigned int least = 3;

	while (*word == '-')
		word++;
	for (size_t i = 0; i < p->n; i++) {
		unsigned int d = sw_edit_distance(word, p->longs[i].name);

		if (d < least) {
			least = d;
			best = p->longs[i].name;
		}
	}
	return best;
}

/* getopt has moved past the offender, unless it is one of several letters in a word. */
static int bad_option(const struct parser *p, int c, char **argv, struct sw_error *err)
{
	const char *word = argv[optind - 1];
	const char *meant;

	if (c == ':') {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "the option %s needs an argument", word);
	} else if (optopt > 0 && optopt < 256 && strncmp(word, "--", 2) != 0) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "unknown option -%c", optopt);
	} else if (optopt) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "the option %s takes no argument", word);
	} else {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "unknown option %s", word);
		meant = suggest_option(p, word);
		if (meant)
			sw_error_hint(err, "did you mean --%s?", meant);
	}
	return -EINVAL;
}

static int take_option(struct sw_cli *cli, struct parser *p, int id, struct sw_error *err)
{
	switch (id) {
	case OPT_MACHINE:
		cli->machine_dir = optarg;
		return 0;
	case OPT_FACTS:
		if (cli->n_facts == SW_ARGS_MAX)
			return sw_fail(err, SW_EXIT_USAGE, -E2BIG,
				       "too many --facts: give a directory that holds them");
		cli->facts = cli->all_facts[cli->n_facts++] = optarg;
		return 0;
	case OPT_JSON:
		cli->json = true;
		return 0;
	case OPT_PLAIN:
		cli->plain = true;
		return 0;
	case 'y':
		cli->yes = true;
		return 0;
	case OPT_HELP:
		p->help = true;
		return 0;
	case OPT_VERSION:
		p->version = true;
		return 0;
	default:
		break;
	}
	if (cli->args.n_opts == SW_ARGS_MAX)
		return sw_fail(err, SW_EXIT_USAGE, -E2BIG, "too many options");
	cli->args.opts[cli->args.n_opts].id = id;
	cli->args.opts[cli->args.n_opts++].value = optarg ? optarg : "";
	return 0;
}

/* first: "+:" stops at the first operand, ":" permutes. Leaves optind behind the options. */
static int parse(struct sw_cli *cli, struct parser *p, const char *first, int argc, char **argv,
		 struct sw_error *err)
{
	int c, r = 0;

	opterr = 0;
	optind = 0;
	(void)snprintf(p->shorts, sizeof(p->shorts), "%s", first);
	parser_add(p, sw_global_opts);
	if (cli->cmd)
		parser_add(p, cli->cmd->opts);
	while (r == 0 && (c = getopt_long(argc, argv, p->shorts, p->longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			r = bad_option(p, c, argv, err);
		else
			r = take_option(cli, p, c, err);
	}
	return r;
}

/* How many words of argv the command's name took; 0: no such command. */
static int find_command(int argc, char **argv, const struct sw_command **ret_cmd)
{
	if (argc > 1) {
		_cleanup_free_ char *two = sw_fmt("%s %s", argv[0], argv[1]);

		*ret_cmd = two ? sw_command_find(two) : NULL;
		if (*ret_cmd)
			return 2;
	}
	*ret_cmd = sw_command_find(argv[0]);
	return *ret_cmd ? 1 : 0;
}

static int unknown_command(const char *word, struct sw_error *err)
{
	const char *meant = sw_command_suggest(word);

	sw_fail(err, SW_EXIT_USAGE, -ENOENT, "unknown command \"%s\"", word);
	if (meant)
		sw_error_hint(err, "did you mean \"%s\"? `slipway --help` lists all commands",
			      meant);
	else
		sw_error_hint(err, "`slipway --help` lists all commands");
	return -ENOENT;
}

/* The first word of several commands; argv is what follows it. */
static int run_group(const char *group, int argc, char **argv, struct sw_error *err)
{
	if (argc > 0 && strcmp(argv[0], "--help") == 0) {
		sw_help_group(group);
		return 0;
	}
	if (argc > 0 && argv[0][0] != '-') {
		_cleanup_free_ char *two = sw_fmt("%s %s", group, argv[0]);

		return two ? unknown_command(two, err) : sw_fail_oom(err);
	}
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "%s: a second word is missing", group);
	sw_error_hint(err, "`slipway %s --help` lists what there is", group);
	return -EINVAL;
}

static int check_operands(const struct sw_cli *cli, struct sw_error *err)
{
	const struct sw_command *cmd = cli->cmd;
	int n = cli->args.n_rest;

	if (n >= cmd->min_rest && (cmd->max_rest < 0 || n <= cmd->max_rest))
		return 0;
	if (n < cmd->min_rest)
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "%s: %s is missing", cmd->name,
			cmd->operands);
	else
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "%s: unexpected \"%s\"", cmd->name,
			cli->args.rest[cmd->max_rest]);
	sw_error_hint(err, "`slipway %s --help` shows how it is used", cmd->name);
	return -EINVAL;
}

/* `slipway help [COMMAND]` is part of the parser: it needs nothing but the table. */
static int run_help(int argc, char **argv, struct sw_error *err)
{
	const struct sw_command *cmd = NULL;

	if (argc == 0) {
		sw_help_all();
		return 0;
	}
	if (find_command(argc, argv, &cmd) > 0)
		sw_help_command(cmd);
	else if (argc == 1 && sw_command_is_group(argv[0]))
		sw_help_group(argv[0]);
	else
		return unknown_command(argv[0], err);
	return 0;
}

static int run_command(struct sw_cli *cli, int argc, char **argv, struct sw_error *err)
{
	struct parser p = {};
	int r;

	r = parse(cli, &p, ":", argc, argv, err);
	if (r < 0)
		return r;
	if (p.help) {
		sw_help_command(cli->cmd);
		return 0;
	}
	cli->args.rest = argv + optind;
	cli->args.n_rest = argc - optind;
	r = check_operands(cli, err);
	if (r < 0)
		return r;
	if (cli->machine_dir && cli->facts)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "--machine and --facts exclude each other");
	if (cli->n_facts > 1 && !cli->cmd->many_facts) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--facts is given more than once");
		sw_error_hint(err, "only `slipway check` looks at several machines");
		return -EINVAL;
	}
	return cli->cmd->run(cli, err);
}

static int dispatch(struct sw_cli *cli, int argc, char **argv, struct sw_error *err)
{
	struct parser p = {};
	int r, words, at;

	r = parse(cli, &p, "+:", argc, argv, err);
	if (r < 0)
		return r;
	at = optind;
	if (p.version) {
		printf("slipway %s\n", SW_VERSION);
		return 0;
	}
	if (p.help) {
		if (at < argc)
			return run_help(argc - at, argv + at, err);
		sw_help_all();
		return 0;
	}
	if (at == argc) {
		cli->cmd = sw_command_find("console");
		if (!cli->cmd) {	/* the program of slipway-node.cpio has none */
			sw_help_all();
			return 0;
		}
		return run_command(cli, 1, argv, err);
	}
	if (strcmp(argv[at], "help") == 0)
		return run_help(argc - at - 1, argv + at + 1, err);
	words = find_command(argc - at, argv + at, &cli->cmd);
	if (words == 0 && sw_command_is_group(argv[at]))
		return run_group(argv[at], argc - at - 1, argv + at + 1, err);
	if (words == 0)
		return unknown_command(argv[at], err);
	/* getopt wants a program name in front: the name's last word stands there. */
	at += words - 1;
	return run_command(cli, argc - at, argv + at, err);
}

void sw_report(const struct sw_error *err, bool json)
{
	if (json) {
		_cleanup_json_ json_object *o = sw_error_to_json(err);

		fprintf(stderr, "%s\n",
			json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	} else {
		_cleanup_free_ char *text = sw_error_text(err);

		fprintf(stderr, "slipway: %s\n", text ? text : "out of memory");
		sw_print_place(stderr, err->where);
	}
}

/* `slipway explain | head`: who went away wants to hear no more, and nothing went wrong here. */
static bool reader_has_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	struct stat st;

	return fstat(STDOUT_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) &&
	       poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

int sw_cli_main(int argc, char **argv)
{
	struct sw_cli cli = {};
	struct sw_error err = {};
	int r = dispatch(&cli, argc, argv, &err);

	/* A full disk or a closed pipe behind stdout must not look like success. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		int e = errno ? -errno : -EIO;

		if (r >= 0 && reader_has_gone())
			return SW_EXIT_PIPE;
		if (r >= 0)
			r = sw_fail_errno(&err, SW_EXIT_FAILED, e, "the output cannot be written");
	}
	if (r >= 0)
		return r;
	if (err.r == 0)
		sw_fail_errno(&err, SW_EXIT_INTERNAL, r, "internal error");
	sw_report(&err, cli.json);
	return err.exit;
}
