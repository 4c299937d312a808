/* SPDX-License-Identifier: Apache-2.0 */
/* What clocks say. Nothing that is sent says who this machine is. */
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/strv.h"
#include "base/text.h"
#include "net/networkd.h"
#include "net/post.h"
#include "net/sntp.h"
#include "net/time.h"

#define NTP_MS 2000U
#define SERVER_S 10U
#define ANSWER_MAX 65536U

static struct sw_time_heard *add(struct sw_time_seen *s, enum sw_time_who who, const char *name)
{
	struct sw_time_heard *h = s->n < SW_TIME_HEARD_MAX ? &s->heard[s->n++] : NULL;

	if (h) {
		*h = (struct sw_time_heard){ .who = who };
		(void)snprintf(h->name, sizeof(h->name), "%s", name);
	}
	return h;
}

/* 123, but where somebody plays a time server for a stand-in. */
static void ntp_port(const struct sw_machine *m, char port[static 8])
{
	_cleanup_free_ char *path = m->kind == SW_MACHINE_STANDIN ? sw_fmt("%s/net/ntp-port",
									   m->dir) : NULL;
	_cleanup_free_ char *line = NULL;

	(void)snprintf(port, 8, "123");
	if (path && sw_file_read_line(path, &line) == 0)
		(void)snprintf(port, 8, "%.7s", line);
}

static int ask_ntp(struct sw_machine *m, const struct sw_time_ask *ask, struct sw_time_seen *s)
{
	_cleanup_strv_ char **lease = NULL;
	char *const *list = ask->ntp;
	char port[8];
	int r = list ? 0 : sw_networkd_ntp(m->networkd, &lease);

	if (r < 0)
		return r;
	list = list ? list : lease;
	ntp_port(m, port);
	for (unsigned int i = 0; list && list[i] && i < SW_TIME_NTP_MAX; i++) {
		struct sw_time_heard *h = add(s, SW_TIME_NTP, list[i]);

		if (h && sw_sntp_ask(list[i], port, NTP_MS, ask->sink, &h->ahead_ms,
				     &h->error) == -ECANCELED)
			return -ECANCELED;
	}
	return 0;
}

/*
 * Any answer has a date, also that it has nothing for us. Dates of certificates do not count: they
 * are what a wrong clock makes look bad.
 */
static int ask_server(const struct sw_time_server *at, const struct sw_sink *sink,
		      struct sw_time_heard *h)
{
	_cleanup_buf_ struct sw_buf body = { .max = ANSWER_MAX + 1 };
	const struct sw_http_post get = { .url = at->url, .trust = at->trust, .max = ANSWER_MAX,
					  .timeout_s = SERVER_S, .any_time = true, .sink = sink };
	struct sw_http_answer answer = {};
	int r = sw_http_post(&get, &body, &answer, &h->error);

	if (r == -ECANCELED || r == -ENOMEM)
		return r;
	/* Somewhere within that second. */
	h->ahead_ms = answer.date * 1000 + 500 - sw_wall_ms();
	if (answer.date > 0)
		h->error = (struct sw_error){};
	else if (r == 0)
		(void)sw_fail(&h->error, SW_EXIT_NETWORK, -ENODATA,
			      "the server does not say what time it is");
	return 0;
}

static int ask_servers(const struct sw_time_ask *ask, struct sw_time_seen *s)
{
	for (size_t i = 0; i < ask->n_servers; i++) {
		_cleanup_free_ char *shown = sw_http_show(ask->servers[i].url);
		struct sw_time_heard *h = shown ? add(s, SW_TIME_SERVER, shown) : NULL;
		int r = !shown ? -ENOMEM : h ? ask_server(&ask->servers[i], ask->sink, h) : 0;

		if (r < 0)
			return r;
		if (!h || !h->error.what[0])
			return 0;
	}
	return 0;
}

static void ask_board(struct sw_machine *m, struct sw_time_seen *s)
{
	const int64_t rtc = sw_machine_rtc(m);
	struct sw_time_heard *h = rtc ? add(s, SW_TIME_BOARD, "") : NULL;

	if (h)
		h->ahead_ms = (rtc - s->now_ms / 1000) * 1000;
}

static bool anybody(const struct sw_time_seen *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->heard[i].who != SW_TIME_BOARD && !s->heard[i].error.what[0])
			return true;
	return false;
}

static int look_once(struct sw_machine *m, const struct sw_time_ask *ask, struct sw_time_seen *s)
{
	int r = 0;

	*s = (struct sw_time_seen){ .now_ms = sw_wall_ms(), .floor_s = sw_build_time(),
				    .from = ask->from ? ask->from : SW_TIME_ANY };
	ask_board(m, s);
	if (s->from != SW_TIME_LEAVE && s->from != SW_TIME_SERVER_ONLY)
		r = ask_ntp(m, ask, s);
	if (r == 0 && s->from != SW_TIME_LEAVE && s->from != SW_TIME_NTP_ONLY)
		r = ask_servers(ask, s);
	return r;
}

int sw_time_look(struct sw_machine *m, const struct sw_time_ask *ask,
		 struct sw_time_seen *ret_seen, struct sw_error *err)
{
	struct sw_backoff b = { .first_ms = 1000, .max_ms = 5000,
				.end_ms = sw_now_ms() + (int64_t)ask->wait_s * 1000 };
	unsigned int pause;
	int r;

	sw_backoff_seed(&b, 0);
	for (;;) {
		r = look_once(m, ask, ret_seen);
		if (r < 0 || anybody(ret_seen) || !ask->wait_s || !sw_time_asked(ret_seen) ||
		    !sw_backoff_next(&b, sw_now_ms(), 0, &pause))
			break;
		r = sw_event_pause(ask->sink, pause);
		if (r < 0)
			break;
	}
	if (r == -ECANCELED)
		return sw_fail(err, SW_EXIT_CANCELLED, r, "cancelled");
	return r < 0 ? sw_fail_oom(err) : 0;
}
