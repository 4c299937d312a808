/* SPDX-License-Identifier: Apache-2.0 */
/* --match KEY=VALUE: the rules of disk.match, on a command line. */
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "disk/select.h"
#include "tui/commands/common.h"

static int bad_key(const char *pair, const char *key, struct sw_error *err)
{
	unsigned int best = 0, d;
	const char *near = NULL;

	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--match %.60s names no rule", pair);
	for (enum sw_clause c = 0; c < SW_CLAUSE_N; c++)
		if (sw_text_is_near(key, sw_clause_name(c), &d) && (!near || d < best)) {
			near = sw_clause_name(c);
			best = d;
		}
	if (near)
		sw_error_hint(err, "did you mean %s=VALUE?", near);
	else
		sw_error_hint(err, "write serial=, wwn=, path=, model=, vendor=, transport=, size= "
				   "or rotational= and a value; `slipway explain disk.match`");
	return -EINVAL;
}

int sw_cli_add_rule(struct sw_answers *a, const char *pair, struct sw_error *err)
{
	const char *equals = strchr(pair, '=');
	_cleanup_free_ char *word = strndup(pair, equals ? (size_t)(equals - pair) : strlen(pair));
	_cleanup_free_ char *key = word ? sw_fmt("disk.match.%s", word) : NULL;
	_cleanup_free_ char *old = NULL;
	const struct sw_field *f;
	int r;

	if (!key)
		return sw_fail_oom(err);
	f = sw_field_find(key);
	if (!f || !equals || equals[1] == '\0')
		return bad_key(pair, word, err);
	old = sw_field_get(f, a);
	if (old && *old) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--match %s= is given twice", word);
		sw_error_hint(err, "each rule counts once; alternatives go into an answer file");
		return -EINVAL;
	}
	r = sw_field_set(f, a, equals + 1, err);
	if (r < 0 && err)
		err->exit = SW_EXIT_USAGE;
	return r;
}
