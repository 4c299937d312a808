/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway plan`: what would be done, without doing it. */
#include <string.h>

#include "base/file.h"
#include "tui/commands/answer-file.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

#define WIDTH 79

static int save(const struct sw_plan *p, const char *path, struct sw_error *err)
{
	_cleanup_json_ json_object *o = sw_plan_to_json(p);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
								    JSON_C_TO_STRING_NOSLASHESCAPE);
	_cleanup_free_ char *line = sw_fmt("%s\n", text);
	int r = line ? sw_file_write(path, line, strlen(line), 0644) : -ENOMEM;

	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the plan cannot be saved");
		sw_error_where(err, "%s", path);
	}
	return r;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, 'a'), *out = sw_arg(&cli->args, 'o');
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_target_ struct sw_target t = {};
	_cleanup_plan_ struct sw_plan *p = NULL;
	int r;

	if (!file)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "plan: --answers FILE is missing");
	r = sw_answer_file_read(file, &a, NULL, err);
	if (r < 0)
		return r;
	r = sw_target_open(cli, &t, err);
	if (r < 0)
		return r;
	r = sw_target_plan(&t, a, sw_answer_file_name(file), &p, err);
	if (r < 0)
		return r;
	if (out) {
		r = save(p, out, err);
		if (r < 0)
			return r;
	}
	if (cli->json && !out) {
		_cleanup_json_ json_object *o = sw_plan_to_json(p);

		sw_print_json(o);
	} else if (!cli->json) {
		_cleanup_free_ char *text = sw_plan_text(p, WIDTH);

		fputs(text ? text : "", stdout);
	}
	return 0;
}

static const struct sw_opt opts[] = {
	{ 'a', "answers", "FILE", "the answer file; -: standard input" },
	{ 'o', "output", "FILE", "save the plan as JSON for `slipway apply`" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_plan = {
	.name = "plan",
	.summary = "Show what an install would do; writes nothing",
	.operands = "",
	.opts = opts,
	.run = run,
};
