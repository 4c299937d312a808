/* SPDX-License-Identifier: Apache-2.0 */
/* The servers that an install needs, each asked once for what it is needed for. */
#include <string.h>
#include <strings.h>

#include "admission/token.h"
#include "apply/nettest-private.h"
#include "net/post.h"
#include "net/reach.h"
#include "payload/payload.h"

#define ANSWER_MAX 65536U
#define SERVER_S 10U

struct asking {
	const struct sw_sink *sink;
	struct sw_nettest *t;
	struct sw_error *err;
};

/* What the status says about a file that has to be there, and about a service that only answers. */
static void judge_status(const char *shown, long status, bool file, struct sw_verdict_row *row)
{
	if (status / 100 == 2 || (!file && status < 500)) {
		sw_verdict_say(row, SW_VERDICT_OK, "%s answers", shown);
		return;
	}
	sw_verdict_say(row, SW_VERDICT_FAILED, "%s answers with HTTP status %ld", shown, status);
	sw_verdict_fix(row, status == 404 ? "is it there? upper and lower case differ"
					  : "the server's log says why");
}

/* https, by the trust that the answers have for it. A file that is longer is there all the same. */
static int ask_https(const struct asking *q, const char *url, const char *shown,
		     struct sw_http_trust trust, bool file, struct sw_verdict_row *row)
{
	_cleanup_buf_ struct sw_buf body = { .max = ANSWER_MAX + 1 };
	const struct sw_http_post get = { .url = url, .trust = trust, .max = ANSWER_MAX,
					  .timeout_s = SERVER_S, .sink = q->sink };
	struct sw_http_answer answer;
	struct sw_error e = {};
	int r = sw_http_post(&get, &body, &answer, &e);

	if (r == -ECANCELED || r == -ENOMEM) {
		*q->err = e;
		return r;
	}
	if (r == 0 || r == -EFBIG)
		judge_status(shown, answer.status, file, row);
	else
		sw_verdict_error(row, &e);
	return 0;
}

static void ask_http(const char *url, const char *shown, struct sw_verdict_row *row)
{
	struct sw_reach reach;
	struct sw_error e = {};

	if (sw_reach_try(url, &reach, &e) == 0)
		judge_status(shown, reach.status, true, row);
	else
		sw_verdict_error(row, &e);
}

static int ask_file(const struct asking *q, const char *name, const char *url, const char *ca)
{
	_cleanup_free_ char *shown = url && sw_source_is_remote(url) ? sw_source_show(url) : NULL;
	_cleanup_free_ char *pem = ca && *ca ? sw_pem_lines(ca) : NULL;
	struct sw_verdict_row *row = shown ? sw_nettest_add(q->t, name, NULL) : NULL;

	if (!row)
		return 0;
	if (strncasecmp(url, "https://", 8) == 0)
		return ask_https(q, url, shown, (struct sw_http_trust){ .ca = pem }, true, row);
	ask_http(url, shown, row);
	return 0;
}

static int ask_service(const struct asking *q, const char *name, const char *url, const char *ca,
		       const char *pin)
{
	_cleanup_free_ char *shown = url && *url ? sw_source_show(url) : NULL;
	_cleanup_free_ char *pem = ca && *ca ? sw_pem_lines(ca) : NULL;
	struct sw_verdict_row *row = shown ? sw_nettest_add(q->t, name, NULL) : NULL;
	struct sw_http_trust trust = { .ca = pem };
	char hex[65];

	if (!row)
		return 0;
	if (pin && sw_ca_pin_parse(pin, hex, NULL) == 0)
		trust.pin = hex;
	return ask_https(q, url, shown, trust, false, row);
}

/* How the others are believed, a token says, and the preflight of the admission. */
static int ask_admission(const struct asking *q, const struct sw_admission *ad)
{
	return ad->kind == SW_ADMISSION_ATTEST
		       ? ask_service(q, "admission", ad->url, ad->ca, ad->pin) : 0;
}

int sw_nettest_servers(const struct sw_answers *a, const struct sw_sink *sink,
		       struct sw_nettest *t, struct sw_error *err)
{
	struct sw_error e = {};
	const struct asking q = { .sink = sink, .t = t, .err = err ? err : &e };
	const struct { const char *name, *url; } files[] = {
		{ "image", a->uki }, { "kernel", a->kernel }, { "initrd", a->initrd },
		{ "rescue", a->rescue }, { "iPXE", a->ipxe },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
		r = ask_file(&q, files[i].name, files[i].url, a->payload_ca);
	for (size_t i = 0; i < a->n_admission && r == 0; i++)
		r = ask_admission(&q, &a->admission[i]);
	for (size_t i = 0; i < a->n_webhooks && r == 0; i++)
		r = ask_service(&q, "webhook", a->webhooks[i].url, a->webhooks[i].ca,
				a->webhooks[i].pin);
	return r;
}
