/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rke2 and k3s: nothing but the CA is asked of the server (GET /cacerts, which everybody may), and
 * the token's hash of it is checked before the token is put where the service looks for it. The
 * token itself is for the service alone; it is not sent here.
 */
#include <string.h>

#include "admission/ca.h"
#include "admission/persist.h"
#include "admission/profile.h"
#include "admission/tar.h"
#include "admission/token.h"
#include "base/file.h"

#define CA_MAX 65536U

/* Passwords of one's own choice are tokens here, also those that look like another kind. */
static int join_check(const struct sw_profile *p SW_UNUSED, const struct sw_admit_ask *ask,
		      struct sw_error *err)
{
	struct sw_token_info i;

	sw_token_inspect((const char *)ask->token->data, ask->token->len, &i);
	if (i.kind == SW_TOKEN_HOMEWORLD || i.state == SW_TOKEN_WHOLE)
		return 0;
	return sw_profile_bad_token(i.why[0] ? i.why : "it is not whole",
				    "copy all of it from the server: "
				    "/var/lib/rancher/rke2/server/node-token or "
				    "/var/lib/rancher/k3s/server/node-token", err);
}

static const struct sw_status_saying sayings[] = {
	{ 401, "the server wants a login where everybody may read its CA",
	  "is this the address of the cluster's supervisor, and is a proxy between?" },
	{ 403, "the server does not give its CA to this machine",
	  "is this the address of the cluster's supervisor, and is a proxy between?" },
	{ 404, "there is no rke2 or k3s server at this address",
	  "rke2's supervisor is at port 9345, k3s's at port 6443" },
	{ 429, "the server gets too many requests", "wait a minute, then try again" },
	{ 503, "the server is not ready", "wait until it has started, then try again" },
	{},
};

static int join_explain(long status, const char *body SW_UNUSED, const char *url,
			struct sw_error *err)
{
	return sw_profile_refused(sayings, status, url, err);
}

struct joining {
	const struct sw_profile *p;
	const struct sw_admit_ask *ask;
	const char *base;
	const char *hash;	/* of the CA, "" when the token has none */
	struct sw_buf ca;
};

static int get_ca(const struct joining *j, const char *ca, bool anybody, struct sw_buf *ret,
		  struct sw_http_answer *answer, struct sw_error *err)
{
	_cleanup_free_ char *url = sw_fmt("%s/cacerts", j->base);
	struct sw_http_post get = { .url = url, .trust = j->ask->trust, .max = CA_MAX,
				    .timeout_s = j->ask->timeout_s, .anybody = anybody,
				    .sink = j->ask->sink };
	int r;

	if (!url)
		return sw_fail_oom(err);
	if (ca)
		get.trust.ca = ca;
	r = sw_http_post(&get, ret, answer, err);
	if (r < 0 || answer->status == 200)
		return r;
	r = join_explain(answer->status, "", url, err);
	answer->retry = r == -EAGAIN;
	return r;
}

static int not_the_ca(const struct joining *j, const char *got, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_NETWORK, -EKEYREJECTED, "this is another cluster's server");
	sw_error_where(err, "%s", j->base);
	sw_error_why(err, "the token names the CA %s, the server has %s", j->hash, got);
	sw_error_hint(err, "if the cluster got a new CA, get a new token from the server; if not, "
			   "somebody answers in its place. The token was not sent");
	return -EKEYREJECTED;
}

static int check_ca(const struct joining *j, struct sw_error *err)
{
	char got[65];
	int r = sw_ca_hash((const char *)j->ca.data, j->ca.len, got);

	if (r == -EBADMSG) {
		sw_fail(err, SW_EXIT_NETWORK, r, "the server's CA cannot be used");
		sw_error_where(err, "%s/cacerts", j->base);
		sw_error_why(err, "there is no whole certificate in what it sent");
		sw_error_hint(err, "is this the address of the cluster's supervisor, and did all "
				   "of its answer arrive?");
		return r;
	}
	if (r < 0)
		return sw_fail_oom(err);
	return j->hash[0] && strcmp(got, j->hash) != 0 ? not_the_ca(j, got, err) : 0;
}

/* With the CA in hand it must be this very server that has it. */
static int ask_again(const struct joining *j, struct sw_http_answer *answer, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf again = { .max = CA_MAX + 1 };
	int r = get_ca(j, (const char *)j->ca.data, false, &again, answer, err);

	if (r < 0 || (again.len == j->ca.len && memcmp(again.data, j->ca.data, again.len) == 0))
		return r;
	sw_fail(err, SW_EXIT_NETWORK, -EKEYREJECTED, "the server has two CAs");
	sw_error_where(err, "%s", j->base);
	sw_error_why(err, "it sent another one when it was asked again");
	sw_error_hint(err, "see whether several servers stand behind this address");
	return -EKEYREJECTED;
}

static int join_once(void *arg, struct sw_http_answer *answer, struct sw_error *err)
{
	struct joining *j = arg;
	int r;

	sw_buf_clear(&j->ca);
	r = get_ca(j, NULL, j->hash[0] && !j->ask->trust.ca, &j->ca, answer, err);
	if (r == 0)
		r = check_ca(j, err);
	return r == 0 && j->hash[0] ? ask_again(j, answer, err) : r;
}

/* A token is printable ASCII; in double quotes YAML wants two of it escaped. */
static int add_quoted(struct sw_buf *b, const struct sw_secret *token)
{
	int r = sw_buf_adds(b, "\"");

	for (size_t i = 0; i < token->len && r == 0; i++) {
		if (strchr("\"\\", token->data[i]))
			r = sw_buf_adds(b, "\\");
		if (r == 0)
			r = sw_buf_add(b, &token->data[i], 1);
	}
	return r < 0 ? r : sw_buf_adds(b, "\"\n");
}

static int join_files(const struct joining *j, struct sw_buf *ret_tar, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("etc/rancher/%s/config.yaml", j->p->kind);
	_cleanup_wipe_ struct sw_buf text = {};
	struct sw_archive_file file = { .path = path, .mode = 0600 };
	int r = path ? sw_buf_reserve(&text, 2 * j->ask->token->len + strlen(j->base) + 64)
		     : -ENOMEM;

	if (r == 0)
		r = sw_buf_addf(&text, "server: \"%s\"\ntoken: ", j->base);
	if (r == 0)
		r = add_quoted(&text, j->ask->token);
	if (r < 0)
		return sw_fail_oom(err);
	file.data = text.data;
	file.len = text.len;
	return sw_tar_make(&file, 1, ret_tar, err);
}

static int join_run(const struct sw_profile *p, const struct sw_admit_ask *ask,
		    struct sw_buf *ret_tar, struct sw_error *err)
{
	_cleanup_free_ char *base = NULL;
	struct sw_token_info i;
	struct joining j = { .p = p, .ask = ask, .hash = i.ca_sha256, .ca.max = CA_MAX + 1 };
	const struct sw_persist persist = { .sink = ask->sink, .patience_s = ask->patience_s,
					    .once = join_once, .arg = &j };
	int r = sw_profile_base(p, ask->url, &base, err);

	if (r < 0)
		return r;
	j.base = base;
	sw_token_inspect((const char *)ask->token->data, ask->token->len, &i);
	if (!i.pinned)
		sw_event_log(ask->sink, "warning: the token does not name the cluster's CA: "
			     "the node will believe whoever answers at %s when it joins", base);
	r = sw_persist(&persist, err);
	sw_buf_clear(&j.ca);
	return r == 0 ? join_files(&j, ret_tar, err) : r;
}

const struct sw_profile sw_profile_rke2 = {
	.kind = "rke2",
	.port = 9345,
	.probe = "/cacerts",
	.needs_token = true,
	.check = join_check,
	.run = join_run,
	.explain = join_explain,
};

const struct sw_profile sw_profile_k3s = {
	.kind = "k3s",
	.port = 6443,
	.probe = "/cacerts",
	.needs_token = true,
	.check = join_check,
	.run = join_run,
	.explain = join_explain,
};
