/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway token inspect`: what kind of token stands on standard input, and
 * whether its check characters hold. It is neither shown nor sent.
 */
#include "admission/token.h"
#include "base/secret.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static void print_line(const char *what, const char *value)
{
	if (*value)
		printf("%-8s %s\n", what, value);
}

static void print_info(const struct sw_token_info *i)
{
	print_line("Kind", sw_token_kind_name(i->kind));
	print_line("State", sw_token_state_name(i->state));
	if (i->has_check && i->state != SW_TOKEN_PARTIAL)
		print_line("Check", i->check_ok ? "its check characters hold"
						: "its check characters do NOT hold");
	print_line("Server", i->pinned ? "only one with this CA is trusted" : "not pinned");
	print_line("CA", i->ca_sha256);
	print_line("User", i->user);
	print_line("Id", i->id);
	print_line("Why", i->why);
	print_line("Note", i->hint);
}

/* Not complete is no success: a script that asks wants a token that can be used. */
static int judge(const struct sw_token_info *i, struct sw_error *err)
{
	if (i->state == SW_TOKEN_WHOLE)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the token cannot be used");
	sw_error_where(err, "standard input");
	sw_error_why(err, "it is %s: %s", sw_token_state_name(i->state),
		     i->why[0] ? i->why : "there is nothing");
	sw_error_hint(err, "%s", i->hint);
	return -EINVAL;
}

static int run_inspect(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *s = NULL;
	struct sw_token_info i;
	int r;

	if (isatty(STDIN_FILENO)) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "a token typed here would be seen");
		sw_error_hint(err, "slipway token inspect < FILE");
		return -EINVAL;
	}
	r = sw_secret_read_fd(STDIN_FILENO, "standard input", SW_TOKEN_MAX, &s, err);
	if (r < 0)
		return r;
	sw_token_inspect((const char *)s->data, s->len, &i);
	if (cli->json) {
		_cleanup_json_ json_object *o = sw_token_info_to_json(&i);

		sw_print_json(o);
	} else {
		print_info(&i);
	}
	return judge(&i, err);
}

const struct sw_command sw_command_token_inspect = {
	.name = "token inspect",
	.summary = "Say what an admission token on standard input is, without showing it",
	.operands = "",
	.details = "Homeworld, Kubernetes bootstrap and k3s/rke2 tokens are known by their shape.\n"
		   "Exit 3 when the token is incomplete or cannot be one.",
	.run = run_inspect,
};
