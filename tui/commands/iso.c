/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway iso embed`, `show` and `clear`: answers in an image of the medium. */
#include <string.h>

#include "answers/answers.h"
#include "answers/embed.h"
#include "base/json.h"
#include "tui/commands/answer-file.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

/* Complete or not is no mistake: other sources may add what lacks. It is said all the same. */
static void say_incomplete(const char *file, const struct sw_answers *a)
{
	struct sw_error errs[SW_ERRORS_SHOWN];
	size_t n = 0;

	if (a->sources || sw_answers_validate_all(a, file, errs, SW_ERRORS_SHOWN, &n) == 0)
		return;
	printf("By itself it does not do; the kernel command line has to add to it:\n");
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = sw_error_text(&errs[i]);

		printf("%s\n", text ? text : "");
	}
}

/* As `check` says it. 0, or the exit code. */
static int say_errors(const struct sw_cli *cli, const char *file,
		      const struct sw_file_errors *errors)
{
	_cleanup_json_ json_object *o = NULL;

	if (!cli->json) {
		sw_answer_file_tell(file, errors);
	} else {
		o = json_object_new_object();
		sw_answer_file_add_json(o, file, errors);
		sw_print_json(o);
	}
	return (int)errors->v[0].exit;
}

static int print_embedded(const struct sw_cli *cli, const char *iso, bool text,
			  struct sw_error *err)
{
	_cleanup_embedded_ struct sw_embedded e = {};
	_cleanup_json_ json_object *o = NULL;
	int r = sw_embed_read(iso, &e, err);

	if (r < 0)
		return r;
	if (!cli->json) {
		for (size_t i = 0; e.files && e.files[i]; i++)
			printf("%s%s", i ? ", " : "embedded: ", e.files[i]);
		printf("%s", e.files ? "\n" : "nothing is embedded\n");
		if (text && e.answers)
			printf("\n%s", e.answers);
		return 0;
	}
	o = json_object_new_object();
	sw_json_add_str(o, "iso", iso);
	sw_json_add(o, "files", sw_json_strv(e.files));
	sw_json_add_str(o, "answers", e.answers);
	sw_print_json(o);
	return 0;
}

static const char *target(const struct sw_cli *cli)
{
	const char *out = sw_arg(&cli->args, 'o');

	return out ? out : cli->args.rest[0];
}

static int run_embed(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_free_ struct sw_file_errors *errors = calloc(1, sizeof(*errors));
	_cleanup_answers_ struct sw_answers *a = NULL;
	char *files[SW_ARGS_MAX + 1] = { NULL };
	int n = cli->args.n_rest - 1, r;

	if (!errors)
		return sw_fail_oom(err);
	if (n > SW_ARGS_MAX)
		return sw_fail(err, SW_EXIT_USAGE, -E2BIG, "at most %d files", SW_ARGS_MAX);
	if (strcmp(cli->args.rest[1], "-") == 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "iso embed: a file is embedded, not standard input");
	if (sw_answer_file_check(cli->args.rest[1], false, &a, errors) < 0)
		return say_errors(cli, cli->args.rest[1], errors);
	for (int i = 0; i < n; i++)
		files[i] = cli->args.rest[i + 1];
	r = sw_embed(cli->args.rest[0], files, sw_arg(&cli->args, 'o'), err);
	if (r < 0)
		return r;
	if (!cli->json)
		say_incomplete(files[0], a);
	return print_embedded(cli, target(cli), false, err);
}

static int run_show(struct sw_cli *cli, struct sw_error *err)
{
	return print_embedded(cli, cli->args.rest[0], true, err);
}

static int run_clear(struct sw_cli *cli, struct sw_error *err)
{
	int r = sw_embed_clear(cli->args.rest[0], sw_arg(&cli->args, 'o'), err);

	return r < 0 ? r : print_embedded(cli, target(cli), false, err);
}

static const struct sw_opt opts[] = {
	{ 'o', "output", "FILE", "write the new image there; ISO stays as it is" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_iso_embed = {
	.name = "iso embed",
	.summary = "Put answers into an image of the medium, which then installs by itself",
	.operands = "ISO ANSWERS [FILE...]",
	.min_rest = 2,
	.max_rest = -1,
	.opts = opts,
	.details = "ANSWERS becomes slipway.yaml at the root of the medium; each FILE keeps its\n"
		   "name and is medium:/FILE in the answers. What was embedded before goes.\n"
		   "Nothing is built anew, and the image starts as before.",
	.run = run_embed,
};

const struct sw_command sw_command_iso_show = {
	.name = "iso show",
	.summary = "Show what is embedded in an image of the medium",
	.operands = "ISO",
	.min_rest = 1,
	.max_rest = 1,
	.run = run_show,
};

const struct sw_command sw_command_iso_clear = {
	.name = "iso clear",
	.summary = "Take out of an image of the medium what was embedded",
	.operands = "ISO",
	.min_rest = 1,
	.max_rest = 1,
	.opts = opts,
	.run = run_clear,
};
