/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway answers`: what an unattended install would take on this machine, and who said so. */
#include "answers/sources.h"
#include "base/json.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

#define NETWORK_WAIT 5		/* seconds; a person can ask again */

static int fail_none(struct sw_error *err)
{
	(void)sw_fail(err, SW_EXIT_MISSING, -ENOENT, "no answers are named on this machine");
	sw_error_why(err, "neither slipway.answers= nor slipway.set= is on the kernel command "
		     "line, the medium has no " SW_ANSWERS_FILE ", and there is no stick labelled "
		     SW_STICK_LABEL);
	sw_error_hint(err, "slipway answers example prints a file to start from");
	return -ENOENT;
}

static int collect(struct sw_machine *m, struct sw_merge **ret_merge, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_sources_ struct sw_sources s = {};
	int r = sw_machine_facts(m, &f, err);

	if (r == 0)
		r = sw_sources_find(m, f, &s, err);
	if (r == 0 && s.n == 0)
		r = fail_none(err);
	return r < 0 ? r : sw_sources_read(m, &s, NETWORK_WAIT, NULL, NULL, ret_merge, NULL, err);
}

static int print_json(const struct sw_merge *merge, const struct sw_error *wrong)
{
	_cleanup_json_ json_object *o = sw_merge_to_json(merge);

	sw_json_add_bool(o, "valid", wrong->r == 0);
	if (wrong->r)
		sw_json_add(o, "error", sw_error_to_json(wrong));
	sw_print_json(o);
	return 0;
}

static int print_text(const struct sw_cli *cli, const struct sw_merge *merge, struct sw_error *err)
{
	_cleanup_free_ char *text = sw_arg(&cli->args, 'p') ? sw_merge_text(merge)
							    : sw_answers_to_yaml(merge->answers);

	if (!text)
		return sw_fail_oom(err);
	(void)fputs(text, stdout);
	return 0;
}

/* What is printed is complete also when it would not do: then the reason comes behind it. */
static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_merge_ struct sw_merge *merge = NULL;
	struct sw_error wrong = {};
	int r = sw_cli_machine(cli, &m, err);

	if (r == 0)
		r = collect(m, &merge, err);
	if (r < 0)
		return r;
	(void)sw_answers_validate(merge->answers, "the answers of all sources", &wrong);
	r = cli->json ? print_json(merge, &wrong) : print_text(cli, merge, err);
	if (r == 0 && wrong.r && cli->json)
		return (int)wrong.exit;
	if (r == 0 && wrong.r) {
		(void)fflush(stdout);
		*err = wrong;
		return wrong.r;
	}
	return r;
}

static const struct sw_opt opts[] = {
	{ 'p', "provenance", NULL, "for every value: which source set it, and which lost" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_answers = {
	.name = "answers",
	.summary = "Print what an unattended install would take on this machine",
	.operands = "",
	.opts = opts,
	.details = "Reads the kernel command line, the medium and what these name, and merges\n"
		   "them key by key as the medium does. --json always tells the sources.",
	.run = run,
};
