/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/attest.h"

#include <string.h>
#include <time.h>

#include "admission/persist.h"
#include "admission/profile.h"
#include "admission/reply.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#define STRICT_NAME "strict 1"
#define ANSWER_MAX ((size_t)SW_OVERLAY_MAX_BYTES)

/* ---- what is sent ---- */

static void add(struct sw_attest_request *q, const char *name, const void *data, size_t len)
{
	q->part[q->n_parts++] = (struct sw_http_part){ .name = name, .data = data, .len = len };
}

void sw_attest_request_clear(struct sw_attest_request *q)
{
	free(q->certs);
	q->certs = NULL;
	q->n_parts = 0;
}

/* The plain exchange's nonce is the time, as safeboot has it. */
static size_t make_nonce(const struct sw_offer *offer, uint8_t ret_nonce[static SW_STRICT_NONCE],
			 char *ret_text)
{
	const uint32_t t = (uint32_t)sw_wall_s();
	size_t len = offer ? SW_STRICT_NONCE : sizeof(t);

	for (size_t i = 0; i < len; i++) {
		ret_nonce[i] = offer ? offer->nonce[i] : (uint8_t)(t >> (24 - 8 * i));
		(void)snprintf(ret_text + 2 * i, 3, "%02x", ret_nonce[i]);
	}
	return len;
}

static int add_certs(struct sw_attest_request *q, const struct sw_ek *ek, struct sw_error *err)
{
	if (!ek->cert || !ek->cert_fits)
		return 0;
	q->certs = sw_fmt("%s%s", ek->cert, ek->chain ? ek->chain : "");
	if (!q->certs)
		return sw_fail_oom(err);
	add(q, "ek.crt", q->certs, strlen(q->certs));
	return 0;
}

int sw_attest_prepare(const struct sw_attest *a, struct sw_identity *id,
		      const struct sw_offer *offer, struct sw_attest_request *ret_request,
		      struct sw_error *err)
{
	const struct sw_ek *ek = sw_identity_ek(id);
	struct sw_attest_request *q = ret_request;
	uint8_t nonce[SW_STRICT_NONCE];
	const uint8_t *ak;
	size_t ak_len, len;
	int r;

	q->n_parts = 0;
	q->certs = NULL;
	len = make_nonce(offer, nonce, q->nonce);
	r = (offer ? sw_identity_quote_bound : sw_identity_quote)(id, nonce, len, SW_ATTEST_PCRS,
								  &q->quote, err);
	if (r < 0)
		return r;
	ak = sw_identity_ak(id, &ak_len);
	if (offer)
		add(q, "protocol", STRICT_NAME, strlen(STRICT_NAME));
	add(q, "ek.pub", ek->pem, strlen(ek->pem));
	add(q, "ak.pub", ak, ak_len);
	add(q, "nonce", q->nonce, strlen(q->nonce));
	add(q, "quote", q->quote.attest, q->quote.attest_len);
	add(q, "sig", q->quote.signature, q->quote.signature_len);
	add(q, "pcr", q->quote.pcrs, q->quote.pcrs_len);
	if (a->log && a->log_len)
		add(q, "eventlog", a->log, a->log_len);
	return add_certs(q, ek, err);
}

/* ---- what comes back ---- */

struct saying {
	long status;		/* 0: any */
	const char *word;	/* in the server's text; NULL: none in particular */
	const char *what, *hint;
};

#define BAD_LOG                                                                               \
	"the event log does not lead to this machine's PCRs, the server says",                \
		"slipway tpm pcrs shows which PCR the log does not explain; leave the log "   \
		"out with --no-log when the firmware's is broken"

/* The one refusal that another try mends. */
static const char bad_nonce[] = "BAD_NONCE";

static const struct saying sayings[] = {
	{ 0, bad_nonce, "the server does not take its nonce any more",
	  "it takes each once, for a short time: try again; when it stays so, see what the server "
	  "logged" },
	{ 0, "BAD_AK", "the server does not take this machine's attestation key",
	  "is the server for this protocol (safeboot-attest), and of the same version?" },
	{ 0, "BAD_QUOTE", "the server does not believe this machine's quote",
	  "see what the server logged; set the clock when it says that the quote is old" },
	{ 0, "BAD_EVENTLOG", BAD_LOG },
	{ 0, "INVALID_EVENTLOG", BAD_LOG },
	{ 0, "verify failed", "the server does not know this machine, or not in this state",
	  "enrol the node id that `slipway tpm ek` shows at the server, or see why its rules "
	  "refuse what was started" },
	{ 400, NULL, "the server did not understand the request",
	  "is this the address of the attestation service, and is a proxy between?" },
	{ 401, NULL, "the server wants another proof of identity",
	  "is this the address of the attestation service? it must take no password" },
	{ 403, NULL, "the server refuses this machine",
	  "enrol the node id that `slipway tpm ek` shows at the server, then see what it logged" },
	{ 404, NULL, "there is no attestation service at this address",
	  "check the path of the URL; upper and lower case differ" },
	{ 405, NULL, "the address takes no attestation",
	  "check the path of the URL; upper and lower case differ" },
	{ 407, NULL, "the proxy wants a password", "let this machine reach the server without" },
	{ 413, NULL, "the server takes no request of this size",
	  "raise the limit for a request's body at the server or its proxy to 1 MiB" },
	{ 429, NULL, "the server gets too many requests", "wait a minute, then try again" },
	{ 503, NULL, "the server is too busy", "wait a minute, then try again" },
};

int sw_attest_explain(long status, const char *body, const char *url, struct sw_error *err)
{
	const char *what = NULL, *hint = NULL;
	bool again = false;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(sayings); i++)
		if ((sayings[i].status == 0 && status == 403 && strstr(body, sayings[i].word)) ||
		    (status != 0 && sayings[i].status == status)) {
			what = sayings[i].what;
			hint = sayings[i].hint;
			again = sayings[i].word == bad_nonce;
			break;
		}
	r = sw_profile_status(status, what, hint, url, err);
	return again ? -EAGAIN : r;
}

static int open_plain(struct sw_identity *id, const struct sw_buf *answer,
		      struct sw_buf *ret_overlay, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	struct sw_reply reply;
	int r = sw_reply_parse(answer->data, answer->len, &reply, err);

	if (r == 0)
		r = sw_identity_activate(id, reply.id, reply.id_len, reply.seed, reply.seed_len,
					 &key, err);
	return r == 0 ? sw_reply_open(&reply, key, ret_overlay, err) : r;
}

static int open_strict(struct sw_identity *id, const struct sw_offer *offer,
		       const struct sw_buf *answer, struct sw_buf *ret_overlay,
		       struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	struct sw_strict_reply reply;
	size_t ak_len;
	const uint8_t *ak = sw_identity_ak(id, &ak_len);
	int r = sw_strict_parse(answer->data, answer->len, &reply, err);

	if (r == 0)
		r = sw_identity_activate(id, reply.id, reply.id_len, reply.seed, reply.seed_len,
					 &key, err);
	return r == 0 ? sw_strict_open(&reply, key, offer, ak, ak_len, ret_overlay, err) : r;
}

/* ---- the exchange ---- */

static struct sw_http_post request_to(const struct sw_attest *a, size_t max)
{
	return (struct sw_http_post){ .url = a->url, .trust = a->trust, .timeout_s = a->timeout_s,
				      .max = max, .sink = a->sink };
}

static int only_plain(const struct sw_attest *a, long status, struct sw_error *err)
{
	_cleanup_free_ char *shown = sw_http_show(a->url);

	sw_fail(err, SW_EXIT_ADMISSION, -EPROTONOSUPPORT,
		"the server does not offer the strict exchange");
	sw_error_where(err, "%s", shown ? shown : "");
	sw_error_why(err, "it answered the question for a nonce with HTTP status %ld", status);
	sw_error_hint(err, "check the path of the URL; if the server has only the exchange of "
			   "safeboot-attest, admission.protocol: auto or plain allows that");
	return -EPROTONOSUPPORT;
}

/* 1 with an offer, 0 when the plain exchange is to be used. */
static int ask_for_offer(const struct sw_attest *a, struct sw_offer *ret_offer,
			 struct sw_http_answer *answer, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf body = { .max = SW_OFFER_MAX + 1 };
	const struct sw_http_post get = request_to(a, SW_OFFER_MAX);
	int r = sw_http_post(&get, &body, answer, err);

	if (r < 0)
		return r;
	if (answer->status == 200) {
		r = sw_offer_parse(sw_buf_text(&body), body.len, ret_offer, err);
		return r < 0 ? r : 1;
	}
	if (answer->status != 404 && answer->status != 405) {
		r = sw_attest_explain(answer->status, sw_buf_text(&body), a->url, err);
		answer->retry = r == -EAGAIN;
		return r;
	}
	if (a->protocol == SW_ATTEST_STRICT)
		return only_plain(a, answer->status, err);
	sw_event_log(a->sink, "the server has no strict exchange (HTTP status %ld): the plain one "
			      "is used", answer->status);
	return 0;
}

static int send_evidence(const struct sw_attest *a, struct sw_identity *id,
			 const struct sw_offer *offer, struct sw_buf *ret_overlay,
			 struct sw_http_answer *answer, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf body = { .max = ANSWER_MAX + 1 };
	_cleanup_request_ struct sw_attest_request q = {};
	struct sw_http_post post = request_to(a, ANSWER_MAX);
	int r = sw_attest_prepare(a, id, offer, &q, err);

	if (r < 0)
		return r;
	post.parts = q.part;
	post.n_parts = q.n_parts;
	r = sw_http_post(&post, &body, answer, err);
	if (r < 0)
		return r;
	if (answer->status != 200)
		r = sw_attest_explain(answer->status, sw_buf_text(&body), a->url, err);
	else if (offer)
		r = open_strict(id, offer, &body, ret_overlay, err);
	else
		r = open_plain(id, &body, ret_overlay, err);
	answer->retry = r == -EAGAIN;
	return r;
}

struct attesting {
	const struct sw_attest *a;
	struct sw_identity *id;
	struct sw_buf *overlay;
};

static int try_once(void *arg, struct sw_http_answer *answer, struct sw_error *err)
{
	const struct attesting *t = arg;
	const struct sw_attest *a = t->a;
	enum sw_attest_protocol ignored, *used = a->ret_used ? a->ret_used : &ignored;
	struct sw_offer offer;
	int r = 0;

	*used = SW_ATTEST_AUTO;
	if (a->protocol != SW_ATTEST_PLAIN)
		r = ask_for_offer(a, &offer, answer, err);
	if (r < 0)
		return r;
	*used = r > 0 ? SW_ATTEST_STRICT : SW_ATTEST_PLAIN;
	*answer = (struct sw_http_answer){};
	return send_evidence(a, t->id, r > 0 ? &offer : NULL, t->overlay, answer, err);
}

int sw_attest_run(const struct sw_attest *a, struct sw_identity *id, struct sw_buf *ret_overlay,
		  struct sw_error *err)
{
	struct attesting t = { a, id, ret_overlay };
	const struct sw_persist p = { .sink = a->sink, .patience_s = a->patience_s,
				      .once = try_once, .arg = &t };

	return sw_persist(&p, err);
}
