/* SPDX-License-Identifier: Apache-2.0 */
/* The verdicts of a preflight, from what was seen. */
#include "admission/preflight.h"

#include <inttypes.h>
#include <string.h>

#include "admission/attest.h"
#include "base/json.h"
#include "base/text.h"

#define X509_NOT_YET 9
#define X509_EXPIRED 10

/* Rows are written here all over. */
#define say(...) sw_verdict_say(__VA_ARGS__)
#define fix(...) sw_verdict_fix(__VA_ARGS__)
#define say_error(row, e) sw_verdict_error(row, e)

static const struct sw_profile *profile_of(const struct sw_preflight_seen *s)
{
	return s->profile ? s->profile : &sw_profile_attest;
}

/* ---- the machine ---- */

static void judge_tpm(const struct sw_preflight_seen *s, struct sw_verdict_row *row)
{
	if (!profile_of(s)->needs_tpm) {
		say(row, SW_VERDICT_NOT_CHECKED, "%s needs none", profile_of(s)->kind);
		return;
	}
	if (s->tpm_error.what[0]) {
		say_error(row, &s->tpm_error);
		if (!row->fix[0])
			fix(row, "switch the TPM on in the firmware setup (fTPM, PTT); without "
			    "one a node cannot attest");
		return;
	}
	for (size_t i = 0; i < s->tpm.n_findings; i++) {
		const struct sw_tpm_finding *f = &s->tpm.finding[i];

		if (!(f->stops & SW_TPM_USE_ATTEST))
			continue;
		say(row, SW_VERDICT_FAILED, "%s", f->what);
		fix(row, "%s", f->hint ? f->hint : "");
		return;
	}
	if (s->tpm.rsa_cert || s->tpm.ecc_cert)
		say(row, SW_VERDICT_OK, "%s can attest, with its maker's certificate",
		    s->tpm.vendor[0] ? s->tpm.vendor : "it");
	else
		say(row, SW_VERDICT_OK, "%s can attest; it stores no certificate of its maker, as "
		    "many do not", s->tpm.vendor[0] ? s->tpm.vendor : "it");
}

bool sw_preflight_seems_dated(const struct sw_preflight_seen *s)
{
	return s->answer.verify == X509_NOT_YET || s->answer.verify == X509_EXPIRED;
}

static const char *span_text(int64_t off_s, char text[static SW_SPAN_TEXT])
{
	return sw_span_text((uint64_t)(off_s < 0 ? -off_s : off_s), text);
}

/* With another clock TLS may still hold, and what is signed with the time in it is not believed. */
static void judge_clock(const struct sw_preflight_seen *s, struct sw_preflight *p)
{
	struct sw_verdict_row *row = &p->row[SW_PREFLIGHT_CLOCK];
	char span[SW_SPAN_TEXT], is[SW_TIME_TEXT], now[SW_TIME_TEXT];

	if (!s->server_now) {
		say(row, SW_VERDICT_NOT_CHECKED, "it stands at %s; no server that can be believed "
		    "said what time it is", sw_time_text(s->now, is));
		if (sw_preflight_seems_dated(s))
			fix(row, "compare it with a watch: a wrong clock makes good certificates "
			    "look bad");
		return;
	}
	p->clock_known = true;
	p->off_s = s->now - s->server_now;
	if (p->off_s <= SW_PREFLIGHT_CLOCK_S && p->off_s >= -SW_PREFLIGHT_CLOCK_S) {
		say(row, SW_VERDICT_OK, "as the server's, give or take %s",
		    span_text(p->off_s, span));
		return;
	}
	say(row, sw_preflight_seems_dated(s) ? SW_VERDICT_FAILED : SW_VERDICT_WARNING,
	    "%s %s the server's: %s here, %s there", span_text(p->off_s, span),
	    p->off_s < 0 ? "behind" : "ahead of", sw_time_text(s->now, is),
	    sw_time_text(s->server_now, now));
	fix(row, "slipway clock --set compares several clocks first; if the server's is right: "
	    "date -u -s @%" PRId64 " && hwclock -uw", s->server_now);
}

/* ---- the way ---- */

static void judge_route(const struct sw_preflight_seen *s, struct sw_verdict_row *row)
{
	const char *to = s->answer.peer[0] ? s->answer.peer : "the outside";

	if (s->source_r < 0) {
		say(row, SW_VERDICT_FAILED, "there is no way to %s", to);
		fix(row, "an address, a router and a cable with link: `slipway facts` shows the "
		    "links, the console's Network screen the routes");
		return;
	}
	say(row, SW_VERDICT_OK, "packets to %s come from %s", to, s->source);
}

static void judge_dns(const struct sw_preflight_seen *s, struct sw_verdict_row *row)
{
	if (s->host_is_address)
		say(row, SW_VERDICT_OK, "the URL has an address: no name has to be looked up");
	else if (s->proxied)
		say(row, SW_VERDICT_NOT_CHECKED, "the proxy looks up %s", s->host);
	else if (s->answer.stuck == SW_STUCK_NAME)
		say_error(row, &s->error);
	else if (s->answer.peer[0])
		say(row, SW_VERDICT_OK, "%s is %s", s->host, s->answer.peer);
	else
		say(row, SW_VERDICT_NOT_CHECKED, "nothing was looked up");
}

static const char *no_proxy(const struct sw_preflight_seen *s)
{
	return strcmp(s->proxy_by, "https_proxy") == 0 ? "no_proxy" : "network.no-proxy";
}

static void judge_proxy(const struct sw_preflight_seen *s, struct sw_verdict_row *row)
{
	const enum sw_http_stuck at = s->answer.stuck;

	if (!s->proxy[0]) {
		say(row, SW_VERDICT_OK, "none is set");
	} else if (!s->proxied) {
		say(row, SW_VERDICT_OK, "%s is set, and not used for this server", s->proxy);
	} else if (at == SW_STUCK_PROXY || (at == SW_STUCK_TLS && !s->answer.proxy_status)) {
		say(row, SW_VERDICT_FAILED, "%s does not pass the connection on: %s", s->proxy,
		    s->error.why);
		fix(row, "let the proxy connect to %s, or have %s asked directly (%s)", s->host,
		    s->host, no_proxy(s));
	} else if (at == SW_STUCK_PROXY_NAME || at == SW_STUCK_CONNECT) {
		say(row, SW_VERDICT_FAILED, "%s cannot be reached: %s", s->proxy, s->error.why);
		fix(row, "check %s, or put %s into %s", s->proxy_by, s->host, no_proxy(s));
	} else {
		say(row, SW_VERDICT_OK, "%s is used: the server sees its address, not this "
		    "machine's", s->proxy);
	}
}

/* ---- the server ---- */

static bool is_secured(const struct sw_preflight_seen *s)
{
	return s->answer.stuck == SW_STUCK_NOT || s->answer.stuck == SW_STUCK_ANSWER;
}

static void judge_tls(const struct sw_preflight_seen *s, const struct sw_preflight *p,
		      struct sw_verdict_row *row)
{
	const enum sw_http_stuck at = s->answer.stuck;
	const bool clock_is_wrong = p->row[SW_PREFLIGHT_CLOCK].verdict == SW_VERDICT_FAILED;

	if (at == SW_STUCK_TRUST ||
	    (at == SW_STUCK_TLS && (!s->proxied || s->answer.proxy_status))) {
		say_error(row, &s->error);
		if (sw_preflight_seems_dated(s) && clock_is_wrong)
			fix(row, "set the clock, as above");
		else if (sw_preflight_seems_dated(s) && p->clock_known)
			fix(row, "the clock is right: the server needs a new certificate");
	} else if (!is_secured(s)) {
		say(row, SW_VERDICT_NOT_CHECKED, "there was no connection to the server");
	} else if (s->anybody) {
		say(row, SW_VERDICT_NOT_CHECKED, "whether it is the right cluster's server the "
		    "admission checks, by the token or the pin, before the token is used");
	} else if (s->pinned_ca || s->pinned_key) {
		say(row, SW_VERDICT_OK, "the server is known by %s",
		    s->pinned_ca && s->pinned_key ? "its CA and its key"
		    : s->pinned_ca		  ? "its CA" : "its key");
	} else {
		say(row, SW_VERDICT_WARNING, "any of the system's CAs can vouch for the server");
		fix(row, "give the server's CA or its key: --ca, --pin, or admission.ca and "
		    "admission.pin in the answers");
	}
}

/* A server's answer to the question for a nonce; true when that settles it. */
static bool judge_exchange(const struct sw_preflight_seen *s, struct sw_verdict_row *row)
{
	const char *name = s->answer.server[0] ? s->answer.server : "it gives no name";
	const bool knows_none = s->answer.status == 404 || s->answer.status == 405;

	if (s->offers && s->protocol != SW_ATTEST_PLAIN) {
		say(row, SW_VERDICT_OK, "it offers the strict exchange (%s)", name);
	} else if (knows_none && s->protocol == SW_ATTEST_STRICT) {
		say(row, SW_VERDICT_FAILED, "it does not offer the strict exchange (HTTP status "
		    "%ld), and no other is allowed", s->answer.status);
		fix(row, "check the path of the URL; if the server has only the exchange of "
		    "safeboot-attest, admission.protocol: auto or plain allows that");
	} else if (s->answer.status == 200 && !s->offers && s->protocol != SW_ATTEST_PLAIN) {
		say(row, SW_VERDICT_FAILED, "what it answers is no offer of an exchange (%s)",
		    name);
		fix(row, "is this the address of the attestation service? --protocol plain, or "
		    "admission.protocol, is for one that has only the exchange of safeboot-attest");
	} else if (s->answer.status == 200 || s->answer.status == 405) {
		say(row, SW_VERDICT_OK, "it answers, as an attestation service does (%s)", name);
	} else {
		return false;
	}
	return true;
}

static void judge_answer(const struct sw_preflight_seen *s, struct sw_verdict_row *row)
{
	const char *name = s->answer.server[0] ? s->answer.server : "it gives no name";
	struct sw_error e = {};

	if (!profile_of(s)->needs_tpm &&
	    (s->answer.status == 200 || (profile_of(s)->once && s->answer.status < 500))) {
		say(row, SW_VERDICT_OK, "it answers (%s)", name);
		return;
	}
	if (profile_of(s)->needs_tpm && judge_exchange(s, row))
		return;
	(void)profile_of(s)->explain(s->answer.status, "", "", &e);
	say_error(row, &e);
	if (e.exit != SW_EXIT_ADMISSION)
		return;
	if (s->answer.status != 404 && s->answer.status != 403 && s->answer.status != 401)
		row->verdict = SW_VERDICT_WARNING;
}

static void judge_server(const struct sw_preflight_seen *s, struct sw_verdict_row *row)
{
	const enum sw_http_stuck at = s->answer.stuck;

	if (at == SW_STUCK_NOT && !s->error.what[0])
		judge_answer(s, row);
	else if (at == SW_STUCK_ANSWER || at == SW_STUCK_NOT ||
		 (at == SW_STUCK_CONNECT && !s->proxied))
		say_error(row, &s->error);
	else
		say(row, SW_VERDICT_NOT_CHECKED, "it was not asked");
}

void sw_preflight_judge(const struct sw_preflight_seen *seen, struct sw_preflight *ret_verdicts)
{
	struct sw_preflight *p = ret_verdicts;

	*p = (struct sw_preflight){};
	judge_tpm(seen, &p->row[SW_PREFLIGHT_TPM]);
	judge_clock(seen, p);
	judge_route(seen, &p->row[SW_PREFLIGHT_ROUTE]);
	judge_dns(seen, &p->row[SW_PREFLIGHT_DNS]);
	judge_proxy(seen, &p->row[SW_PREFLIGHT_PROXY]);
	judge_tls(seen, p, &p->row[SW_PREFLIGHT_TLS]);
	judge_server(seen, &p->row[SW_PREFLIGHT_SERVER]);
}
