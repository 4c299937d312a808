/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway explain`: what a key of the answer file means. */
#include <string.h>

#include "answers/answers.h"
#include "base/text.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

#define KEY_MAX 80U	/* longer than any key */

/* The key, or the group that it begins with, that is nearest; "" when none is near. */
static void find_meant(const char *key, char meant[static KEY_MAX])
{
	unsigned int least = 4;

	*meant = '\0';
	for (size_t i = 0; i < sw_n_fields; i++) {
		const char *known = sw_fields[i].key;

		for (size_t n = strcspn(known, "."); n < KEY_MAX;
		     n += 1 + strcspn(known + n + 1, ".")) {
			_cleanup_free_ char *group = strndup(known, n);
			unsigned int d = group ? sw_edit_distance(key, group) : least;

			if (d < least) {
				least = d;
				(void)snprintf(meant, KEY_MAX, "%s", group);
			}
			if (!known[n])
				break;
		}
	}
}

static int unknown_key(const char *key, struct sw_error *err)
{
	char meant[KEY_MAX];

	find_meant(key, meant);
	sw_fail(err, SW_EXIT_USAGE, -ENOENT, "there is no key \"%s\"", key);
	if (*meant)
		sw_error_hint(err, "did you mean %s? `slipway explain` lists all keys", meant);
	else
		sw_error_hint(err, "`slipway explain` lists all keys");
	return -ENOENT;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *key = cli->args.n_rest ? cli->args.rest[0] : NULL;
	_cleanup_json_ json_object *o = cli->json ? sw_answers_explain_json(key) : NULL;
	_cleanup_free_ char *text = cli->json ? NULL : sw_answers_explain(key);

	if (o) {
		sw_print_json(o);
		return 0;
	}
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
	.details = "With --json the keys, or those of a group, as {\"keys\": [...]}: of each its\n"
		   "type, what is allowed, the default, an example and what it means.",
	.run = run,
};
