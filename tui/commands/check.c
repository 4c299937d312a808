/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway check`: are these answers valid, and do they plan on a machine? */
#include "base/json.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static int check_one(const struct sw_target *t, const char *file, struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_plan_ struct sw_plan *p = NULL;
	int r;

	r = sw_answers_read(file, &a, err);
	if (r < 0)
		return r;
	if (!t->m)
		return sw_answers_validate(a, file, err);
	return sw_target_plan(t, a, file, &p, err);
}

static void print_result(const struct sw_cli *cli, const char *file, bool planned,
			 const struct sw_error *err)
{
	if (cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();

		sw_json_add_str(o, "file", file);
		sw_json_add_bool(o, "valid", err->r == 0);
		sw_json_add_bool(o, "planned", planned && err->r == 0);
		if (err->r)
			sw_json_add(o, "error", sw_error_to_json(err));
		sw_print_json(o);
		return;
	}
	if (err->r)
		sw_report(err, false);
	else
		printf("%s: %s\n", file, planned ? "valid, and it plans on this machine" : "valid");
}

/* Every file is looked at; the exit code is that of the first one that failed. */
static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_target_ struct sw_target t = {};
	int code = 0;

	if (cli->machine_dir || cli->facts) {
		int r = sw_target_open(cli, &t, err);

		if (r < 0)
			return r;
	}
	for (int i = 0; i < cli->args.n_rest; i++) {
		struct sw_error e = {};
		int r = check_one(&t, cli->args.rest[i], &e);

		print_result(cli, cli->args.rest[i], t.m != NULL, &e);
		if (r < 0 && code == 0)
			code = (int)e.exit;
	}
	return code;
}

const struct sw_command sw_command_check = {
	.name = "check",
	.summary = "Check answer files; with --machine or --facts also whether they plan there",
	.operands = "FILE...",
	.min_rest = 1,
	.max_rest = -1,
	.run = run,
};
