/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/shapes.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <string.h>

#include "admission/token.h"
#include "base/cleanup.h"

/*
 * What group `group` matches is the secret. No group takes a quote, a backslash or a blank along,
 * unless it goes to the line's end.
 */
struct rule {
	const char *kind;
	const char *hint;	/* lines without this, in any case, are not looked at; or NULL */
	const char *regex;	/* POSIX extended, case does not count */
	int group;
};

#define WORD "[^][:space:]\"'\\&]"
static const struct rule rules[] = {
	{ "password in a URL", "://", "://([^/@[:space:]\"'\\]+)@", 1 },
	{ "query of a URL", "://", "://[^][:space:]\"'\\?]*\\?(" WORD "[^][:space:]\"'\\]*)", 1 },
	{ "join token (k3s, rke2)", "K10", "K10[0-9a-f]*::(" WORD "+)", 1 },
	{ "bootstrap token", ".", "(^|[^a-z0-9.])([a-z0-9]{6}\\.[a-z0-9]{16})($|[^a-z0-9.])", 2 },
	{ "header of a request", ":",
	  "(authorization|x-bootstrap-token|x-auth-token|cookie) *: *([^[:space:]\"].*)$", 2 },
	[SW_SHAPE_NAMED] = { "value of a secret", NULL,
	  "(passw(or)?d|passphrase|token|secret|psk|api[-_]?key|private[-_]?key)[\"']?[[:space:]]*"
	  "[=:][[:space:]]*[\"']?(" WORD "+)", 3 },
	{ "age key", "AGE-SECRET-KEY-", "AGE-SECRET-KEY-([0-9A-Z]+)", 1 },
	{ "password hash", "$", "(\\$(1|5|6|y|7|gy|2[aby])\\$[./A-Za-z0-9$=,]+)", 1 },
	{ "recovery key", "-", "([cbdefghijklnrtuv]{8}(-[cbdefghijklnrtuv]{8}){7})", 1 },
	{ "web token", "eyJ", "(eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*)", 1 },
};
#define RULES ARRAY_SIZE(rules)
#define GROUPS 4
/* The last one is judged by its check characters. */
_Static_assert(RULES + 1 == SW_SHAPES, "each rule is a shape");

static regex_t compiled[RULES];
static bool compiled_all;

static void compile(void)
{
	compiled_all = true;
	for (size_t i = 0; i < RULES; i++)
		if (regcomp(&compiled[i], rules[i].regex, REG_EXTENDED | REG_ICASE) != 0)
			compiled_all = false;
}

static int ready(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, compile);
	return compiled_all ? 0 : -ENOMEM;
}

const char *sw_shape_name(size_t i)
{
	return i < RULES ? rules[i].kind : "Homeworld token";
}

static bool in_token(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '-' || c == '_';
}

/* Any 22 characters whose check characters hold: no word does that by chance. */
static int next_homeworld(const char *line, size_t at, size_t *ret_from, size_t *ret_to)
{
	for (size_t n; line[at]; at += n ? n : 1) {
		struct sw_token_info info;

		for (n = 0; in_token(line[at + n]);)
			n++;
		if (n != 22)
			continue;
		sw_token_inspect(line + at, n, &info);
		if (info.kind != SW_TOKEN_HOMEWORLD || !info.check_ok)
			continue;
		*ret_from = at;
		*ret_to = at + n;
		return 1;
	}
	return 0;
}

int sw_shape_next(size_t i, const char *line, size_t at, size_t *ret_from, size_t *ret_to)
{
	regmatch_t m[GROUPS];
	int r = ready();

	if (r < 0)
		return r;
	if (i >= RULES)
		return next_homeworld(line, at, ret_from, ret_to);
	if ((rules[i].hint && !strcasestr(line + at, rules[i].hint)) ||
	    regexec(&compiled[i], line + at, GROUPS, m, at ? REG_NOTBOL : 0) != 0)
		return 0;
	*ret_from = at + (size_t)m[rules[i].group].rm_so;
	*ret_to = at + (size_t)m[rules[i].group].rm_eo;
	return 1;
}
