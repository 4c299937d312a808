/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway wipe`: everything on one disk is to be gone. The disk is chosen as for
 * an install, or named by its path, and confirmed by the end of its serial.
 */
#include "apply/wipe.h"

#include <string.h>

#include "base/json.h"
#include "disk/select.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

/* The path that the person typed: of the device, or one of udev's names for it. */
static const struct sw_disk *by_path(const struct sw_facts *f, const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);

	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];
		_cleanup_free_ char *node = d->node ? realpath(d->node, NULL) : NULL;

		if (real && node && strcmp(real, node) == 0)
			return d;
	}
	return NULL;
}

static int choose_path(const struct sw_facts *f, const char *path, const struct sw_disk **ret_disk,
		       struct sw_error *err)
{
	*ret_disk = strchr(path, '/') ? by_path(f, path) : NULL;
	if (*ret_disk)
		return 0;
	sw_fail(err, strchr(path, '/') ? SW_EXIT_MISSING : SW_EXIT_USAGE, -ENOENT,
		"\"%s\" is not a disk of this machine", path);
	sw_error_why(err, strchr(path, '/') ? "no whole disk has this path"
					    : "names like sda change from one start to the next");
	sw_error_hint(err, "give the whole path, or --match serial=SERIAL; `slipway disks` lists "
			   "them");
	return -ENOENT;
}

static int choose_rules(const struct sw_cli *cli, const struct sw_facts *f,
			const struct sw_disk **ret_disk, struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	_cleanup_free_ char *table = NULL;
	const char *pair;
	size_t pos = 0;
	int r = a ? 0 : sw_fail_oom(err);

	while (r == 0 && (pair = sw_arg_next(&cli->args, 'm', &pos)))
		r = sw_cli_add_rule(a, pair, err);
	if (r < 0)
		return r;
	r = sw_disk_choose(f, &a->disk, 0, NULL, 0, ret_disk, &table, err);
	if (r < 0) {
		if (!cli->json && table)
			fprintf(stderr, "%s\n", table);
		return r;
	}
	a->disk.wipe = SW_WIPE_ANY;
	return sw_disk_choice_allows(*ret_disk, &a->disk, err);
}

static int choose(const struct sw_cli *cli, const struct sw_facts *f,
		  const struct sw_disk **ret_disk, struct sw_error *err)
{
	bool path = cli->args.n_rest > 0, rules = sw_arg(&cli->args, 'm') != NULL;

	if (path == rules)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "wipe: name one disk, by its path or by --match");
	return path ? choose_path(f, cli->args.rest[0], ret_disk, err)
		    : choose_rules(cli, f, ret_disk, err);
}

static int options(const struct sw_cli *cli, struct sw_wipe_options *o, struct sw_error *err)
{
	const char *method = sw_arg(&cli->args, 'M'), *verify = sw_arg(&cli->args, 'v');

	*o = (struct sw_wipe_options){ .report = sw_arg(&cli->args, 'r'),
				       .restart = sw_arg(&cli->args, 'R') != NULL };
	if (method && sw_wipe_method_parse(method, &o->method) < 0) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "there is no method \"%s\"", method);
		sw_error_hint(err, "methods: auto, discard, zero, signatures, secure");
		return -EINVAL;
	}
	if (verify && strcmp(verify, "edges") == 0) {
		o->verify = SW_WIPE_VERIFY_EDGES;
	} else if (verify && strcmp(verify, "all") != 0) {
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--verify wants all or edges");
	}
	return 0;
}

/* --yes is what a script says to everything; what is lost here has to be named. */
static int consent(const struct sw_cli *cli, const struct sw_wipe_plan *p, struct sw_error *err)
{
	const char *given = sw_arg(&cli->args, 'c');
	_cleanup_free_ char *question = NULL;
	struct sw_cli asking = *cli;

	if (given && sw_disk_confirmed(given, p->confirm, p->serial))
		return 0;
	if (given) {
		sw_fail(err, SW_EXIT_REFUSED, -EPERM, "--confirm does not name this disk");
		sw_error_where(err, "%s", p->node);
		sw_error_why(err, "it has to be %s, the end of the disk's serial", p->confirm);
		return -EPERM;
	}
	if (cli->yes && !p->content)
		return 0;
	if (!sw_is_interactive()) {
		sw_fail(err, SW_EXIT_REFUSED, -EPERM, "what is on the disk would be lost");
		sw_error_where(err, "%s", p->node);
		sw_error_why(err, "%s", p->content ? p->content : "nobody is there to confirm");
		sw_error_hint(err, "nothing was written; say --confirm %s when it may be lost "
				   "(--yes is not enough)", p->confirm);
		return -EPERM;
	}
	if (asprintf(&question, "\nType %s to wipe it: ", p->confirm) < 0)
		return sw_fail_oom(err);
	asking.yes = false;
	return sw_confirm_disk(&asking, question, p->confirm, p->serial, err);
}

static void show_plan(const struct sw_cli *cli, const struct sw_wipe_plan *p)
{
	_cleanup_free_ char *text = cli->json ? NULL : sw_wipe_plan_text(p);

	if (text)
		printf("%s", text);
	fflush(stdout);
}

static void show_report(const struct sw_cli *cli, struct sw_machine *m,
			const struct sw_wipe_plan *p)
{
	_cleanup_free_ char *path = sw_wipe_report_path(m, p->name), *text = NULL;
	_cleanup_json_ json_object *o = NULL;

	if (!path || sw_json_load(path, &o, NULL) < 0)
		return;
	if (cli->json) {
		printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	} else if ((text = sw_wipe_report_text(o))) {
		printf("\n%s", text);
	}
	fflush(stdout);
}

static int wipe(struct sw_cli *cli, struct sw_machine *m, const struct sw_wipe_plan *p,
		struct sw_error *err)
{
	pid_t pid;
	int fd, r;

	show_plan(cli, p);
	if (sw_arg(&cli->args, 'd')) {
		_cleanup_json_ json_object *o = cli->json ? sw_wipe_plan_to_json(p) : NULL;

		if (o)
			sw_print_json(o);
		return 0;
	}
	r = consent(cli, p, err);
	if (r == 0)
		r = sw_wipe_spawn(m, p, &pid, &fd, err);
	if (r < 0)
		return r;
	r = sw_follow(cli, pid, fd, err);
	show_report(cli, m, p);
	return r;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_wipe_plan_ struct sw_wipe_plan *p = NULL;
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	const struct sw_disk *d = NULL;
	struct sw_wipe_options o;
	int r = sw_cli_needs_disks(cli, "wipe", err);

	if (r == 0)
		r = options(cli, &o, err);
	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r == 0)
		r = choose(cli, f, &d, err);
	if (r == 0)
		r = sw_wipe_plan(m, f, d, &o, &p, err);
	return r == 0 ? wipe(cli, m, p, err) : r;
}

static const struct sw_opt opts[] = {
	{ 'm', "match", "KEY=PATTERN", "choose the disk as disk.match does; repeatable" },
	{ 'M', "method", "METHOD", "auto (default), discard, zero, signatures or secure" },
	{ 'v', "verify", "all|edges", "read everything back (default), or tables only" },
	{ 'c', "confirm", "TEXT", "the end of the disk's serial, for scripts" },
	{ 'r', "report", "FILE", "save the report; JSON when FILE ends in .json" },
	{ 'R', "restart", NULL, "begin anew where an earlier wipe stopped half-way" },
	{ 'd', "dry-run", NULL, "say what would be done and stop" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_wipe = {
	.name = "wipe",
	.summary = "Erase a whole disk and report what is proven",
	.operands = "[DISK]",
	.max_rest = 1,
	.opts = opts,
	.details = "DISK is a path. The end of the disk's serial has to be typed, or given\n"
		   "with --confirm; --yes alone is enough only for an empty disk. After an\n"
		   "interruption the same command goes on where it stopped. auto: discard where\n"
		   "the disk takes it, else zeros. signatures leaves the content behind. secure\n"
		   "is the disk's own command (NVMe sanitize or format, ATA security erase).",
	.run = run,
};
