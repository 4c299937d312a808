/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/homeworld.h"

#include <string.h>

#include "admission/keypair.h"
#include "admission/persist.h"
#include "admission/profile.h"
#include "admission/tar.h"
#include "admission/token.h"
#include "base/file.h"
#include "base/json.h"
#include "net/source.h"

#define KEY_BITS 4096U
#define ANSWER_MAX 262144U
#define HEADER "X-Bootstrap-Token: "

/* ---- before anything is sent ---- */

static int homeworld_check(const struct sw_profile *p SW_UNUSED, const struct sw_admit_ask *ask,
			   struct sw_error *err)
{
	struct sw_token_info i;

	sw_token_inspect((const char *)ask->token->data, ask->token->len, &i);
	if (i.kind == SW_TOKEN_MANUAL)
		return sw_profile_bad_token("\"manual\" is for an admission by hand",
					    "admit the node with its ssh host keys, and set "
					    "admission.kind: none", err);
	if (i.kind != SW_TOKEN_HOMEWORLD)
		return sw_profile_bad_token("it is no Homeworld token: 22 letters, digits, + and /",
					    "spire keysystem issues one: copy all of it", err);
	if (i.state != SW_TOKEN_WHOLE)
		return sw_profile_bad_token(i.why, i.state == SW_TOKEN_PARTIAL
						   ? "copy all 22 characters" : i.hint, err);
	if (ask->trust.ca || ask->trust.pin)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "nothing says which keyserver to believe");
	sw_error_why(err, "a token that reaches another one is lost");
	sw_error_hint(err, "give the cluster's keyservertls.pem with --ca or as admission.ca");
	return -EINVAL;
}

/* ---- the answer ---- */

void sw_homeworld_reply_clear(struct sw_homeworld_reply *r)
{
	free(r->cert);
	free(r->config);
	*r = (struct sw_homeworld_reply){};
}

#define TOKEN_IS_USED                                                                         \
	"the token counts as used now: have a new one issued, and see what the keyserver logged"

static int unusable(struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_ADMISSION, -EBADMSG, "the keyserver's answer cannot be used");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, TOKEN_IS_USED);
	return -EBADMSG;
}

static char *item(json_object *list, size_t i)
{
	json_object *o = json_object_array_get_idx(list, i);

	if (!o || json_object_get_type(o) != json_type_string)
		return NULL;
	/* A NUL inside would hide what stands behind it. */
	if (strlen(json_object_get_string(o)) != (size_t)json_object_get_string_len(o))
		return NULL;
	return strdup(json_object_get_string(o));
}

int sw_homeworld_reply_read(const char *json, size_t len, struct sw_homeworld_reply *ret_reply,
			    struct sw_error *err)
{
	_cleanup_json_ json_object *o = NULL;
	_cleanup_homeworld_reply_ struct sw_homeworld_reply r = {};

	if (sw_json_parse(json, len, "answer", &o, NULL) < 0)
		return unusable(err, "it is no JSON, or cut short");
	if (json_object_get_type(o) != json_type_array || json_object_array_length(o) != 2)
		return unusable(err, "it is no list of two texts");
	r.cert = item(o, 0);
	r.config = item(o, 1);
	if (!r.cert || !r.config)
		return unusable(err, "it is no list of two texts");
	if (!strstr(r.cert, "-----BEGIN CERTIFICATE-----"))
		return unusable(err, "its first text is no certificate");
	*ret_reply = r;
	r = (struct sw_homeworld_reply){};
	return 0;
}

static const struct sw_status_saying sayings[] = {
	{ 400, "the keyserver does not take the token",
	  "it may be used already, older than an hour, for another address than this machine's, or "
	  "the keyserver was restarted; it does not tell which. Have a new one issued for the "
	  "address that slipway admit --preflight shows" },
	{ 401, "the keyserver wants another proof of identity",
	  "is this the keyserver's address, and is a proxy between? have a new token issued before "
	  "another try" },
	{ 403, "the keyserver forbids this node what it asks for",
	  "see whether the keyserver's configuration has this node; then have a new token issued" },
	{ 404, "there is no keyserver at this address",
	  "its port is 20557; have a new token issued before another try" },
	{ 429, "the server gets too many requests",
	  "have a new token issued, wait a minute, then try again" },
	{ 500, "the keyserver failed", TOKEN_IS_USED },
	{ 502, "the proxy reaches no keyserver", "have a new token issued before another try" },
	{ 503, "the keyserver is not ready", "have a new token issued before another try" },
	{},
};

static int homeworld_explain(long status, const char *body SW_UNUSED, const char *url,
			     struct sw_error *err)
{
	int r = sw_profile_refused(sayings, status, url, err);

	/* Whatever it was: the token has been there. */
	return r == -EAGAIN ? -EACCES : r;
}

/* ---- the exchange ---- */

struct admitting {
	const struct sw_admit_ask *ask;
	const char *base;
	const char *body;
	struct sw_homeworld_reply reply;
};

static int lost(const struct sw_error *e, int r, const char *url, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_NETWORK, r, "the keyserver's answer was lost");
	sw_error_where(err, "%s", url);
	sw_error_why(err, "%s: %s", e->what, e->why);
	sw_error_hint(err, "the token has been sent, and it may count as used: have a new one "
			   "issued; this one is not sent again");
	return r;
}

static int admit_once(void *arg, struct sw_http_answer *answer, struct sw_error *err)
{
	struct admitting *a = arg;
	_cleanup_free_ char *url = sw_fmt("%s/apirequest", a->base);
	_cleanup_buf_ struct sw_buf body = { .max = ANSWER_MAX + 1 };
	const struct sw_http_post post = { .url = url, .trust = a->ask->trust, .max = ANSWER_MAX,
					   .timeout_s = a->ask->timeout_s, .json = a->body,
					   .bearer = a->ask->token, .bearer_as = HEADER,
					   .sink = a->ask->sink };
	struct sw_error e = {};
	int r;

	if (!url)
		return sw_fail_oom(err);
	r = sw_http_post(&post, &body, answer, &e);
	answer->retry = answer->retry && !answer->sent;
	if (r < 0 && answer->sent)
		return lost(&e, r, url, err);
	if (r < 0) {
		if (err)
			*err = e;
		return r;
	}
	return answer->status == 200
		       ? sw_homeworld_reply_read((const char *)body.data, body.len, &a->reply, err)
		       : homeworld_explain(answer->status, sw_buf_text(&body), url, err);
}

/* [{"api":"renew-keygrant","body":CSR},{"api":"get-local-config","body":""}]; malloc'd. */
static char *request_text(const char *csr)
{
	static const char *const apis[] = { "renew-keygrant", "get-local-config" };
	_cleanup_json_ json_object *list = json_object_new_array();

	for (size_t i = 0; i < ARRAY_SIZE(apis); i++) {
		json_object *o = json_object_new_object();

		sw_json_add_str(o, "api", apis[i]);
		sw_json_add_str(o, "body", i == 0 ? csr : "");
		json_object_array_add(list, o);
	}
	return strdup(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN |
						     JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* ---- the files ---- */

static int make_files(const struct admitting *a, const struct sw_keypair *k,
		      struct sw_buf *ret_tar, struct sw_error *err)
{
	const struct sw_homeworld_reply *q = &a->reply;
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_free_ char *domain = NULL, *line = NULL;
	unsigned int port;
	int r = sw_keypair_fits(k, q->cert);

	if (r <= 0)
		return unusable(err, r ? "its certificate cannot be read"
				       : "its certificate is of another key");
	r = sw_keypair_pem(k, &key, err);
	if (r < 0)
		return r;
	if (sw_url_host(a->base, &domain, &port) < 0 || !(line = sw_fmt("%s\n", domain)))
		return sw_fail_oom(err);
	const char *ca = a->ask->trust.ca;
	const struct sw_archive_file files[] = {
		{ "etc/homeworld/keyclient/granting.key", key->data, key->len, 0600, 0 },
		{ "etc/homeworld/keyclient/granting.pem", q->cert, strlen(q->cert), 0644, 0 },
		{ "etc/homeworld/config/local.conf", q->config, strlen(q->config), 0644, 0 },
		{ "etc/homeworld/config/keyserver.domain", line, strlen(line), 0644, 0 },
		{ "etc/homeworld/keyclient/keyservertls.pem", ca, ca ? strlen(ca) : 0, 0644, 0 },
	};
	return sw_tar_make(files, ARRAY_SIZE(files) - (ca ? 0 : 1), ret_tar, err);
}

static int homeworld_run(const struct sw_profile *p, const struct sw_admit_ask *ask,
			 struct sw_buf *ret_tar, struct sw_error *err)
{
	_cleanup_free_ char *base = NULL, *csr = NULL, *body = NULL;
	_cleanup_keypair_ struct sw_keypair *k = NULL;
	struct admitting a = { .ask = ask };
	const struct sw_persist persist = { .sink = ask->sink, .patience_s = ask->patience_s,
					    .once = admit_once, .arg = &a };
	int r = sw_profile_base(p, ask->url, &base, err);

	if (r == 0)
		r = sw_keypair_new(KEY_BITS, &k, err);
	if (r == 0)
		r = sw_keypair_request(k, &csr, err);
	if (r < 0)
		return r;
	body = request_text(csr);
	if (!body)
		return sw_fail_oom(err);
	a.base = base;
	a.body = body;
	r = sw_persist(&persist, err);
	if (r == 0)
		r = make_files(&a, k, ret_tar, err);
	sw_homeworld_reply_clear(&a.reply);
	return r;
}

const struct sw_profile sw_profile_homeworld = {
	.kind = "homeworld",
	.port = 20557,
	.probe = "/",
	.needs_token = true,
	.once = true,
	.check = homeworld_check,
	.run = homeworld_run,
	.explain = homeworld_explain,
};
