/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/redact.h"

#include <ctype.h>
#include <pthread.h>
#include <regex.h>
#include <string.h>

#include "admission/token.h"
#include "base/json.h"

enum { KIND_PEM, KIND_HOMEWORLD, KIND_NAME, KIND_KEY, KIND_RULES };

/*
 * A secret's shape. What group `group` matches is taken out, what stands around it says where it
 * was. No group takes a quote, a backslash or a blank along, unless it goes to the line's end.
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
	{ "join token (k3s, rke2)", "K10", "K10[0-9a-f]{64}::(" WORD "+)", 1 },
	{ "bootstrap token", ".", "(^|[^a-z0-9.])([a-z0-9]{6}\\.[a-z0-9]{16})($|[^a-z0-9.])", 2 },
	{ "header of a request", ":",
	  "(authorization|x-bootstrap-token|x-auth-token|cookie) *: *([^[:space:]\"].*)$", 2 },
	{ "value of a secret", NULL,
	  "(passw(or)?d|passphrase|token|secret|psk|api[-_]?key|private[-_]?key)[\"']?[[:space:]]*"
	  "[=:][[:space:]]*[\"']?(" WORD "+)", 3 },
	{ "age key", "AGE-SECRET-KEY-", "AGE-SECRET-KEY-([0-9A-Z]+)", 1 },
	{ "password hash", "$", "(\\$(1|5|6|y|7|gy|2[aby])\\$[./A-Za-z0-9$=,]+)", 1 },
	{ "recovery key", "-", "([cbdefghijklnrtuv]{8}(-[cbdefghijklnrtuv]{8}){7})", 1 },
	{ "web token", "eyJ", "(eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*)", 1 },
};
#define RULES (sizeof(rules) / sizeof(rules[0]))
#define GROUPS 4
_Static_assert(KIND_RULES + RULES <= SW_REDACT_KINDS, "too many kinds");

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

const char *sw_redact_kind(unsigned int i)
{
	static const char *const others[] = { "private key", "Homeworld token",
					      "name of this machine", "value of a secret" };

	if (i < KIND_RULES)
		return others[i];
	return i - KIND_RULES < RULES ? rules[i - KIND_RULES].kind : NULL;
}

json_object *sw_redacted_to_json(const struct sw_redacted *count)
{
	json_object *o = json_object_new_object();

	for (unsigned int i = 0; sw_redact_kind(i); i++) {
		uint64_t before = sw_json_u64(o, sw_redact_kind(i), 0);

		if (count->times[i])
			sw_json_add_u64(o, sw_redact_kind(i), before + count->times[i]);
	}
	return o;
}

/* ---- one line ---- */

/* text[from, to) gives way to the word; the rest moves up. */
static int put_instead(char **text, size_t from, size_t to, const char *word)
{
	size_t rest = strlen(*text + to) + 1, n = strlen(word);
	char *bigger = malloc(from + n + rest);

	if (!bigger)
		return -ENOMEM;
	memcpy(bigger, *text, from);
	memcpy(bigger + from, word, n);
	memcpy(bigger + from + n, *text + to, rest);
	free(*text);
	*text = bigger;
	return 0;
}

#define REMOVED "[removed]"

static int apply_rule(size_t i, char **line, struct sw_redacted *count)
{
	regmatch_t m[GROUPS];
	size_t at = 0;
	int r = 0;

	if (rules[i].hint && !strcasestr(*line, rules[i].hint))
		return 0;
	while (r == 0 && regexec(&compiled[i], *line + at, GROUPS, m, at ? REG_NOTBOL : 0) == 0) {
		size_t from = at + (size_t)m[rules[i].group].rm_so;
		size_t to = at + (size_t)m[rules[i].group].rm_eo;

		at = from + strlen(REMOVED);
		if (strncmp(*line + from, REMOVED, strlen(REMOVED) - 1) == 0) {
			at = to;	/* another rule was here */
			continue;
		}
		r = put_instead(line, from, to, REMOVED);
		count->times[KIND_RULES + i]++;
	}
	return r;
}

static bool in_token(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '-' || c == '_';
}

/* Any 22 characters whose check characters hold: no word does that by chance. */
static int apply_homeworld(char **line, struct sw_redacted *count)
{
	int r = 0;

	for (size_t at = 0, n; r == 0 && (*line)[at]; at += n ? n : 1) {
		struct sw_token_info info;

		for (n = 0; in_token((*line)[at + n]);)
			n++;
		if (n != 22)
			continue;
		sw_token_inspect(*line + at, n, &info);
		if (info.kind != SW_TOKEN_HOMEWORLD || !info.check_ok)
			continue;
		r = put_instead(line, at, at + n, REMOVED);
		n = strlen(REMOVED);
		count->times[KIND_HOMEWORLD]++;
	}
	return r;
}

static int apply_names(const struct sw_redact *redact, char **line, struct sw_redacted *count)
{
	int r = 0;

	for (size_t i = 0; i < redact->n_names; i++) {
		const struct sw_redact_name *name = &redact->names[i];
		size_t at = 0;

		for (char *p; r == 0 && (p = strcasestr(*line + at, name->text));) {
			size_t from = (size_t)(p - *line);

			r = put_instead(line, from, from + strlen(name->text), name->instead);
			at = from + strlen(name->instead);
			count->times[KIND_NAME]++;
		}
	}
	return r;
}

static int redact_line(const struct sw_redact *redact, char **line, struct sw_redacted *count)
{
	int r = ready();

	for (size_t i = 0; r == 0 && i < RULES; i++)
		r = apply_rule(i, line, count);
	if (r == 0)
		r = apply_homeworld(line, count);
	return r < 0 ? r : apply_names(redact, line, count);
}

/* ---- text ---- */

#define PEM_BEGIN "-----BEGIN "
#define PEM_END "-----END "

/* The end of a private key that begins here, or NULL when none does. */
static const char *private_key_end(const char *text)
{
	const char *kind = text + strlen(PEM_BEGIN), *end = strstr(kind, PEM_END);
	size_t line = strcspn(kind, "\n");

	if (!memmem(kind, line, "PRIVATE KEY", 11))
		return NULL;
	return end ? end + strcspn(end, "\n") : text + strlen(text);
}

static int add_line(const struct sw_redact *redact, const char *text, size_t len,
		    struct sw_buf *out, struct sw_redacted *count)
{
	_cleanup_free_ char *line = strndup(text, len);
	int r = line ? redact_line(redact, &line, count) : -ENOMEM;

	return r < 0 ? r : sw_buf_adds(out, line);
}

int sw_redact_text(const struct sw_redact *redact, const char *text, struct sw_buf *out,
		   struct sw_redacted *count)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t len = strcspn(text, "\n");
		const char *pem = memmem(text, len, PEM_BEGIN, strlen(PEM_BEGIN));
		const char *end = pem ? private_key_end(pem) : NULL;

		if (end)
			len = (size_t)(pem - text);
		r = add_line(redact, text, len, out, count);
		if (r == 0 && end) {
			r = sw_buf_adds(out, REMOVED);
			count->times[KIND_PEM]++;
		}
		text = end ? end : text + len;
		if (r == 0 && *text == '\n')
			r = sw_buf_adds(out, "\n");
		text += *text == '\n';
	}
	return r;
}

/* ---- JSON ---- */

static bool key_is_secret(const char *key)
{
	static const char *const keys[] = { "password", "passwd", "passphrase", "token", "secret",
					    "psk", "private_key", NULL };

	for (size_t i = 0; keys[i]; i++)
		if (strcasecmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* What takes a string's place, or NULL when it stays. */
static int redact_string(const struct sw_redact *redact, const char *key, json_object *o,
			 json_object **ret_new, struct sw_redacted *count)
{
	const char *text = json_object_get_string(o);
	_cleanup_buf_ struct sw_buf b = {};
	int r;

	if (key && key_is_secret(key) && text[0]) {
		count->times[KIND_KEY]++;
		*ret_new = json_object_new_string(REMOVED);
		return 0;
	}
	r = sw_redact_text(redact, text, &b, count);
	if (r == 0 && strcmp(sw_buf_text(&b), text) != 0)
		*ret_new = json_object_new_string(sw_buf_text(&b));
	return r;
}

static int redact_members(const struct sw_redact *redact, json_object *o,
			  struct sw_redacted *count)
{
	int r = 0;

	json_object_object_foreach(o, key, value) {
		json_object *now = NULL;

		if (json_object_is_type(value, json_type_string))
			r = redact_string(redact, key, value, &now, count);
		else
			r = sw_redact_json(redact, value, count);
		if (now)	/* the key is there already: its entry stays where it is */
			r = json_object_object_add(o, key, now) < 0 ? -ENOMEM : r;
		if (r < 0)
			break;
	}
	return r;
}

static int redact_items(const struct sw_redact *redact, json_object *o, struct sw_redacted *count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_object_array_length(o); i++) {
		json_object *value = json_object_array_get_idx(o, i), *now = NULL;

		if (json_object_is_type(value, json_type_string))
			r = redact_string(redact, NULL, value, &now, count);
		else
			r = sw_redact_json(redact, value, count);
		if (now && json_object_array_put_idx(o, i, now) < 0)
			r = -ENOMEM;
	}
	return r;
}

int sw_redact_json(const struct sw_redact *redact, json_object *o, struct sw_redacted *count)
{
	if (json_object_is_type(o, json_type_object))
		return redact_members(redact, o, count);
	if (json_object_is_type(o, json_type_array))
		return redact_items(redact, o, count);
	return 0;
}

/* ---- bytes ---- */

/* Every step-th byte, as text; what is none ends a line. */
static bool finds_in(const struct sw_redact *redact, const uint8_t *data, size_t len, size_t from,
		     size_t step)
{
	_cleanup_free_ char *text = malloc(len / step + 2);
	_cleanup_buf_ struct sw_buf out = {};
	struct sw_redacted count = {};
	size_t n = 0;

	if (!text)
		return true;
	for (size_t i = from; i < len; i += step)
		text[n++] = isprint(data[i]) ? (char)data[i] : '\n';
	text[n] = '\0';
	if (sw_redact_text(redact, text, &out, &count) < 0)
		return true;
	for (unsigned int i = 0; i < SW_REDACT_KINDS; i++)
		if (count.times[i])
			return true;
	return false;
}

bool sw_redact_finds(const struct sw_redact *redact, const void *data, size_t len)
{
	return finds_in(redact, data, len, 0, 1) || finds_in(redact, data, len, 0, 2) ||
	       finds_in(redact, data, len, 1, 2);
}
