/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway explain`: what a key of the answer file means. */
#include "answers/answers.h"
#include "base/text.h"
#include "tui/commands/list.h"

static int unknown_key(const char *key, struct sw_error *err)
{
	unsigned int least = 4;
	const char *meant = NULL;

	for (size_t i = 0; i < sw_n_fields; i++) {
		unsigned int d = sw_edit_distance(key, sw_fields[i].key);

		if (d < least) {
			least = d;
			meant = sw_fields[i].key;
		}
	}
	sw_fail(err, SW_EXIT_USAGE, -ENOENT, "there is no key \"%s\"", key);
	if (meant)
		sw_error_hint(err, "did you mean %s? `slipway explain` lists all keys", meant);
	else
		sw_error_hint(err, "`slipway explain` lists all keys");
	return -ENOENT;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *key = cli->args.n_rest ? cli->args.rest[0] : NULL;
	_cleanup_free_ char *text = sw_answers_explain(key);

	if (!text)
		return key ? unknown_key(key, err) : sw_fail_oom(err);
	fputs(text, stdout);
	return 0;
}

const struct sw_command sw_command_explain = {
	.name = "explain",
	.summary = "Explain a key of the answer file, or list all keys",
	.operands = "[KEY]",
	.max_rest = 1,
	.run = run,
};
