/* SPDX-License-Identifier: Apache-2.0 */
/* What a preflight looks at. Nothing that is sent says who this machine is. */
#include <string.h>

#include "admission/preflight.h"
#include "admission/strict.h"
#include "base/clock.h"
#include "net/proxy.h"

#define ANSWER_MAX 65536U

static void look_at_tpm(struct sw_machine *m, struct sw_preflight_seen *s)
{
	const char *tcti;
	int r = sw_machine_tcti(m, &tcti, &s->tpm_error);

	if (r == 0)
		(void)sw_tpm_read_facts(tcti, &s->tpm, &s->tpm_error);
}

static void look_at_proxy(const struct sw_preflight_ask *ask, struct sw_preflight_seen *s)
{
	_cleanup_free_ char *shown = sw_proxy_shown(ask->url);

	(void)snprintf(s->proxy, sizeof(s->proxy), "%s", shown ? shown : "");
	s->proxy_by = sw_proxy_set_by();
}

static int ask_server(const struct sw_preflight_ask *ask, bool any_time, struct sw_buf *body,
		      struct sw_http_answer *answer, struct sw_error *err)
{
	const struct sw_http_post get = { .url = ask->url, .trust = ask->trust, .max = ANSWER_MAX,
					  .timeout_s = ask->timeout_s, .any_time = any_time,
					  .anybody = ask->anybody, .sink = ask->sink };

	return sw_http_post(&get, body, answer, err);
}

/*
 * A certificate that seems to be too old or too new may only mean that this clock is wrong. Then a
 * server that all else speaks for is asked for its time, and for nothing else.
 */
static void look_at_clock(const struct sw_preflight_ask *ask, struct sw_preflight_seen *s)
{
	_cleanup_buf_ struct sw_buf body = { .max = ANSWER_MAX + 1 };
	struct sw_http_answer answer = {};

	s->now = sw_wall_s();
	s->server_now = s->answer.date;
	if (!sw_preflight_seems_dated(s))
		return;
	(void)ask_server(ask, true, &body, &answer, NULL);
	s->now = sw_wall_s();
	s->server_now = answer.date;
}

/* Whether what was connected to is a proxy, and not the server by itself. */
static bool was_proxied(const struct sw_preflight_seen *s, unsigned int port)
{
	const struct sw_http_answer *a = &s->answer;

	if (!s->proxy[0] || a->stuck == SW_STUCK_NAME)
		return false;
	if (a->stuck == SW_STUCK_PROXY_NAME || a->proxy_status)
		return true;
	return a->peer[0] && (a->peer_port != port || sw_host_has(s->host, a->peer) != 1);
}

static void look_at_route(struct sw_preflight_seen *s)
{
	s->source_r = s->answer.peer[0] ? sw_source_address(s->answer.peer, s->source)
					: sw_source_default(s->source);
}

int sw_preflight_look(struct sw_machine *m, const struct sw_preflight_ask *ask,
		      struct sw_preflight_seen *ret_seen, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf body = { .max = ANSWER_MAX + 1 };
	_cleanup_free_ char *host = NULL;
	struct sw_preflight_seen *s = ret_seen;
	struct sw_error failed = {};
	struct sw_offer offer;
	unsigned int port = 0;
	int r;

	*s = (struct sw_preflight_seen){ .profile = ask->profile, .anybody = ask->anybody,
					 .protocol = ask->protocol,
					 .pinned_ca = ask->trust.ca,
					 .pinned_key = ask->trust.pin };
	if (!ask->profile || ask->profile->needs_tpm)
		look_at_tpm(m, s);
	look_at_proxy(ask, s);
	if (sw_url_host(ask->url, &host, &port) == 0)
		(void)snprintf(s->host, sizeof(s->host), "%s", host);
	s->host_is_address = sw_is_address(s->host);
	r = ask_server(ask, false, &body, &s->answer, &failed);
	if (failed.exit == SW_EXIT_CANCELLED || r == -ENOMEM) {
		if (err)
			*err = failed;
		return r;
	}
	s->error = failed;
	s->offers = r == 0 && s->answer.status == 200 &&
		    sw_offer_parse(sw_buf_text(&body), body.len, &offer, NULL) == 0;
	s->proxied = was_proxied(s, port);
	look_at_route(s);
	look_at_clock(ask, s);
	return sw_event_poll(ask->sink) < 0
		       ? sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "cancelled") : 0;
}
