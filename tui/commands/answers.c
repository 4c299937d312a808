/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway answers example`, `manual` and `schema`: what the field table says, as files. */
#include "answers/answers.h"

#include <string.h>

#include "tui/commands/list.h"

static int print(const char *text, const char *end, struct sw_error *err)
{
	if (!text)
		return sw_fail_oom(err);
	(void)printf("%s%s", text, end);
	return 0;
}

/*
 * The example is made from the table, so a key cannot be missing from it. Where
 * the table has an alternative (a UKI in place of kernel and initrd) the field
 * that does not apply is left out by the writer.
 */
static int run_example(struct sw_cli *cli SW_UNUSED, struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	_cleanup_free_ char *text = NULL;

	if (!a)
		return sw_fail_oom(err);
	for (size_t i = 0; i < sw_n_fields; i++) {
		const struct sw_field *f = &sw_fields[i];
		bool wanted = sw_field_required(f, a, NULL);
		int r;

		if (!f->example || !f->example[0] || !sw_field_applies(f, a, NULL))
			continue;
		if (!wanted && strcmp(f->key, "disk.match.serial") != 0 && !f->dflt)
			continue;
		r = sw_field_set(f, a, f->dflt && !wanted ? f->dflt : f->example, err);
		if (r < 0)
			return r;
	}
	text = sw_answers_to_yaml(a);
	return print(text, "", err);
}

static int run_manual(struct sw_cli *cli SW_UNUSED, struct sw_error *err)
{
	_cleanup_free_ char *text = sw_answers_manual();

	return print(text, "", err);
}

static int run_schema(struct sw_cli *cli SW_UNUSED, struct sw_error *err)
{
	_cleanup_free_ char *text = sw_answers_schema();

	return print(text, "\n", err);
}

const struct sw_command sw_command_answers_example = {
	.name = "answers example",
	.summary = "Print an answer file to start from",
	.operands = "",
	.run = run_example,
};

const struct sw_command sw_command_answers_manual = {
	.name = "answers manual",
	.summary = "Print slipway-answers(5) as mdoc",
	.operands = "",
	.run = run_manual,
};

const struct sw_command sw_command_answers_schema = {
	.name = "answers schema",
	.summary = "Print a JSON Schema of the answer file, for editors",
	.operands = "",
	.run = run_schema,
};
