/* SPDX-License-Identifier: Apache-2.0 */
/* Where a token comes from. It is kept in locked memory, and nothing here shows it. */
#include <string.h>
#include <termios.h>

#include "admission/token.h"
#include "base/file.h"
#include "tui/commands/admit-config.h"

/* One line, byte by byte and without stdio, whose buffers nobody wipes. */
static int read_line(struct sw_secret *s, struct sw_error *err)
{
	size_t n = 0;

	while (n < SW_TOKEN_MAX) {
		ssize_t got = read(STDIN_FILENO, s->data + n, 1);

		if (got < 0 && errno == EINTR)
			return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "cancelled");
		if (got <= 0 || s->data[n] == '\n')
			break;
		n++;
	}
	explicit_bzero(s->data + n, s->len - n);
	s->len = n;
	return n ? 0 : sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "no token was typed");
}

static int from_terminal(const struct sw_admit_config *c, struct sw_secret **ret_token,
			 struct sw_error *err)
{
	struct termios was, quiet;
	struct sw_token_info i;
	int r = sw_secret_new(SW_TOKEN_MAX, ret_token, err);

	if (r < 0)
		return r;
	if (tcgetattr(STDIN_FILENO, &was) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "the terminal cannot be asked");
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fprintf(stderr, "Token for %s at %s (it is not shown): ", c->profile->kind, c->url);
	r = read_line(*ret_token, err);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	sw_token_inspect((const char *)(*ret_token)->data, (*ret_token)->len, &i);
	fprintf(stderr, "\n%s, %s\n", sw_token_kind_name(i.kind), sw_token_state_name(i.state));
	return r;
}

static int missing(const struct sw_admit_config *c, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOKEY, "the token for %s is missing", c->profile->kind);
	sw_error_hint(err, "give --token FILE, or - for standard input; or admission.tokenfile in "
			   "the answers");
	return -ENOKEY;
}

int sw_admit_token(const struct sw_cli *cli, struct sw_machine *m, struct sw_admit_config *c,
		   struct sw_secret **ret_token, struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, SW_OPT_TOKEN);
	int r;

	if (file && strcmp(file, "-") == 0)
		r = sw_secret_read_fd(STDIN_FILENO, "standard input", SW_TOKEN_MAX, ret_token, err);
	else if (file)
		r = sw_secret_read(file, SW_TOKEN_MAX, ret_token, err);
	else if (c->token_file)
		return sw_admit_read_token(m, c, ret_token, err);
	else if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
		r = from_terminal(c, ret_token, err);
	else
		return missing(c, err);
	if (r < 0)
		return r;
	return sw_admit_trim_token(c, *ret_token) ? 0 : missing(c, err);
}
