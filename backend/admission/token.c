/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/token.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "admission/homeworld-check.h"
#include "base/json.h"

#define K10 "K10"
#define K10_HASH 64U
#define KUBEADM_ID 6U
#define KUBEADM_SECRET 16U
#define KUBEADM_LEN (KUBEADM_ID + 1 + KUBEADM_SECRET)

__attribute__((format(printf, 2, 3)))
static void say(struct sw_token_info *i, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(i->why, sizeof(i->why), fmt, ap);
	va_end(ap);
}

static void advise(struct sw_token_info *i, const char *hint)
{
	(void)snprintf(i->hint, sizeof(i->hint), "%s", hint);
}

static void wrong(struct sw_token_info *i, size_t at, const char *why)
{
	i->state = SW_TOKEN_WRONG;
	i->doubt = at;
	say(i, "%s", why);
}

static void partial(struct sw_token_info *i, size_t missing)
{
	i->state = SW_TOKEN_PARTIAL;
	say(i, "%zu more character%s", missing, missing == 1 ? "" : "s");
}

/* How many characters from the start are all of a set. */
static size_t span(const char *s, size_t len, bool (*ok)(char c))
{
	size_t n = 0;

	while (n < len && ok(s[n]))
		n++;
	return n;
}

static bool is_base64(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/';
}

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_visible(char c)
{
	return c > ' ' && c < 0x7f;
}

static bool starts(const char *s, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && strncasecmp(s, with, n) == 0;
}

/* ---- kubeadm ---- */

static bool may_be_kubeadm(const char *s, size_t len)
{
	size_t n = span(s, len, is_lower);

	return len <= KUBEADM_LEN && n == KUBEADM_ID && len > n && s[n] == '.';
}

/* s is "id.secret", alone or as the tail of a K10 token; at: its place in the whole. */
static void inspect_bootstrap(const char *s, size_t len, size_t at, struct sw_token_info *i)
{
	size_t n = span(s + KUBEADM_ID + 1, len - KUBEADM_ID - 1, is_lower);

	memcpy(i->id, s, KUBEADM_ID);
	if (KUBEADM_ID + 1 + n < len)
		wrong(i, at + KUBEADM_ID + 2 + n,
		      "only small letters and digits may follow the dot");
	else if (len < KUBEADM_LEN)
		partial(i, KUBEADM_LEN - len);
	else
		i->state = SW_TOKEN_WHOLE;
}

static void inspect_kubeadm(const char *s, size_t len, struct sw_token_info *i)
{
	i->kind = SW_TOKEN_KUBEADM;
	inspect_bootstrap(s, len, 0, i);
	advise(i, "it does not say which server to trust: give the CA's pin (sha256:...) as well");
}

/* ---- K10 ---- */

/* Behind "::": user:password, a bootstrap token, or the beginning of one of them. */
static void inspect_credentials(const char *s, size_t len, size_t at, struct sw_token_info *i)
{
	const char *colon = memchr(s, ':', len);
	size_t user = colon ? (size_t)(colon - s) : 0;

	if (len == 0) {
		partial(i, 1);
	} else if (!colon && may_be_kubeadm(s, len)) {
		inspect_bootstrap(s, len, at, i);
	} else if (!colon) {
		i->state = SW_TOKEN_PARTIAL;
		say(i, "a user, a colon and a password follow the \"::\"");
	} else if (user == 0 || user >= sizeof(i->user)) {
		wrong(i, at + 1, user ? "the user name is too long" : "the user name is missing");
	} else {
		memcpy(i->user, s, user);
		i->state = user + 1 < len ? SW_TOKEN_WHOLE : SW_TOKEN_PARTIAL;
		if (i->state == SW_TOKEN_PARTIAL)
			say(i, "the password is missing");
	}
}

static void inspect_k10(const char *s, size_t len, struct sw_token_info *i)
{
	size_t head = strlen(K10), n = span(s + head, len - head, is_hex);
	const char *rest = s + head + n;
	size_t left = len - head - n;

	i->kind = SW_TOKEN_K10;
	if (n > K10_HASH || (n < K10_HASH && left > 0)) {
		wrong(i, head + (n > K10_HASH ? K10_HASH : n) + 1,
		      "after K10 come 64 hexadecimal digits, the hash of the server's CA");
		return;
	}
	if (n < K10_HASH || left < 2) {
		if (left == 1 && rest[0] != ':')
			wrong(i, head + n + 1, "two colons follow the hash");
		else
			partial(i, K10_HASH - n + 2 - left);
		return;
	}
	if (rest[0] != ':' || rest[1] != ':') {
		wrong(i, head + n + 1, "two colons follow the hash");
		return;
	}
	for (size_t k = 0; k < n; k++)
		i->ca_sha256[k] = (char)tolower((unsigned char)s[head + k]);
	i->pinned = true;
	inspect_credentials(rest + 2, left - 2, head + n + 2, i);
}

/* ---- Homeworld ---- */

static void inspect_homeworld(const char *s, size_t len, struct sw_token_info *i)
{
	struct sw_homeworld_doubt d;

	i->kind = SW_TOKEN_HOMEWORLD;
	i->has_check = true;
	if (len < SW_HOMEWORLD_LEN) {
		partial(i, SW_HOMEWORLD_LEN - len);
		advise(i, "a shorter token of another kind is taken as it is, unchecked");
		return;
	}
	i->check_ok = sw_homeworld_check(s);
	if (i->check_ok) {
		i->state = SW_TOKEN_WHOLE;
		return;
	}
	wrong(i, 0, "its check characters do not hold: there is a typing error in it");
	if (sw_homeworld_locate(s, &d) < 0) {
		advise(i, "compare it with the original, group by group");
		return;
	}
	i->doubt = d.at + 1;
	(void)snprintf(i->hint, sizeof(i->hint), d.swapped
		       ? "look at characters %zu and %zu first: they may be the wrong way round"
		       : "look at character %zu of group %zu first: letters and digits that look "
			 "alike are easily mistaken",
		       d.swapped ? d.at + 1 : d.at % SW_HOMEWORLD_GROUP + 1,
		       d.swapped ? d.at + 2 : d.at / SW_HOMEWORLD_GROUP + 1);
}

/* ---- the others ---- */

static size_t host_length(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && !strchr("/?#", s[n]))
		n++;
	return n;
}

static void inspect_url(const char *s, size_t len, struct sw_token_info *i)
{
	const char *scheme = starts(s, len, "https://") ? "https://" : "http://";
	size_t head = strlen(scheme);

	i->kind = SW_TOKEN_URL;
	i->state = len > head ? SW_TOKEN_WHOLE : SW_TOKEN_PARTIAL;
	if (i->state == SW_TOKEN_PARTIAL)
		say(i, "the host is missing");
	else if (head == strlen("http://"))
		wrong(i, 1, "only https:// keeps what is sent from whoever is on the wire");
	else if (memchr(s + head, '@', host_length(s + head, len - head)))
		wrong(i, head + 1, "a user or password in an address ends up in logs");
}

static void inspect_opaque(struct sw_token_info *i)
{
	i->kind = SW_TOKEN_OPAQUE;
	i->state = SW_TOKEN_WHOLE;
	advise(i, "it has no check characters and does not say which server to trust: a typing "
		  "error shows only when the server refuses it");
}

static void inspect_whole(const char *s, size_t len, struct sw_token_info *i)
{
	size_t seen = span(s, len, is_visible);

	i->length = len;
	if (len == 0) {
		i->kind = SW_TOKEN_NONE;
		i->state = SW_TOKEN_PARTIAL;
	} else if (len > SW_TOKEN_MAX) {
		i->kind = SW_TOKEN_OPAQUE;
		wrong(i, 0, "it is longer than 4096 characters");
	} else if (seen < len) {
		i->kind = SW_TOKEN_OPAQUE;
		wrong(i, seen + 1, "a token is one word of printable ASCII");
	} else if (len == 6 && memcmp(s, "manual", 6) == 0) {
		i->kind = SW_TOKEN_MANUAL;
		i->state = SW_TOKEN_WHOLE;
	} else if (len >= strlen(K10) && memcmp(s, K10, strlen(K10)) == 0) {
		inspect_k10(s, len, i);
	} else if (starts(s, len, "https://") || starts(s, len, "http://")) {
		inspect_url(s, len, i);
	} else if (may_be_kubeadm(s, len)) {
		inspect_kubeadm(s, len, i);
	} else if (len <= SW_HOMEWORLD_LEN && span(s, len, is_base64) == len) {
		inspect_homeworld(s, len, i);
	} else {
		inspect_opaque(i);
	}
}

void sw_token_inspect(const char *text, size_t len, struct sw_token_info *ret_info)
{
	*ret_info = (struct sw_token_info){};
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	while (len > 0 && is_blank(*text)) {
		text++;
		len--;
	}
	inspect_whole(text, len, ret_info);
}

/* ---- words ---- */

static const struct {
	const char *key, *name;
} kinds[] = {
	[SW_TOKEN_NONE] = { "none", "nothing" },
	[SW_TOKEN_MANUAL] = { "manual", "admission by hand" },
	[SW_TOKEN_HOMEWORLD] = { "homeworld", "Homeworld token" },
	[SW_TOKEN_KUBEADM] = { "kubeadm", "Kubernetes bootstrap token" },
	[SW_TOKEN_K10] = { "k10", "k3s or rke2 token" },
	[SW_TOKEN_URL] = { "url", "address of a server" },
	[SW_TOKEN_OPAQUE] = { "opaque", "token of an unknown kind" },
};

const char *sw_token_kind_name(enum sw_token_kind kind)
{
	return kinds[kind].name;
}

const char *sw_token_kind_key(enum sw_token_kind kind)
{
	return kinds[kind].key;
}

const char *sw_token_state_name(enum sw_token_state state)
{
	return state == SW_TOKEN_WHOLE ? "complete"
	       : state == SW_TOKEN_PARTIAL ? "incomplete" : "wrong";
}

static void add_if(json_object *o, const char *key, const char *value)
{
	if (*value)
		sw_json_add_str(o, key, value);
}

json_object *sw_token_info_to_json(const struct sw_token_info *i)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "kind", sw_token_kind_key(i->kind));
	sw_json_add_str(o, "state", sw_token_state_name(i->state));
	sw_json_add_u64(o, "length", i->length);
	sw_json_add_bool(o, "has_check", i->has_check);
	if (i->has_check)
		sw_json_add_bool(o, "check_ok", i->check_ok);
	sw_json_add_bool(o, "pinned", i->pinned);
	add_if(o, "ca_sha256", i->ca_sha256);
	add_if(o, "id", i->id);
	add_if(o, "user", i->user);
	if (i->doubt)
		sw_json_add_u64(o, "doubt", i->doubt);
	add_if(o, "why", i->why);
	add_if(o, "hint", i->hint);
	return o;
}

int sw_ca_pin_parse(const char *text, char ret_sha256[static 65], struct sw_error *err)
{
	const char *hex = text + strlen("sha256:");

	if (strncmp(text, "sha256:", strlen("sha256:")) != 0) {
		sw_error_why(err, "a CA pin starts with \"sha256:\"");
		return -EINVAL;
	}
	if (strlen(hex) != 64 || span(hex, 64, is_hex) != 64) {
		sw_error_why(err, "64 hexadecimal digits follow \"sha256:\", not %zu",
			     span(hex, strlen(hex), is_hex));
		return -EINVAL;
	}
	for (size_t k = 0; k <= 64; k++)
		ret_sha256[k] = (char)tolower((unsigned char)hex[k]);
	return 0;
}
