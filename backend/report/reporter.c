/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that tells. Events come over a socket that keeps messages whole; what is to be
 * told at the end goes back the same way. When the installing process dies without a word, this
 * one still says that it did.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/strv.h"
#include "report/receiver.h"
#include "report/report.h"

#define SOCKET_ROOM (1 << 20)
#define LAST_WORD_MS 2000	/* the event of the end is worth waiting for */
#define GRACE_MS 5000		/* beyond the drain, for a process that hangs */

struct sw_reporter {
	pid_t pid;
	int fd;
	unsigned int lost;	/* events that did not get into the socket */
};

struct teller {
	struct sw_message_maker maker;
	struct sw_receiver *v;
	size_t n;
	bool done;
};

static size_t count(const struct sw_answers *a)
{
	size_t n = (a->report_log ? 1 : 0) + sw_strv_len(a->report_syslog);

	for (size_t i = 0; i < a->n_webhooks; i++)
		n += a->webhooks[i].url != NULL;
	return n;
}

static void clear(struct teller *t)
{
	for (size_t i = 0; i < t->n; i++)
		sw_receiver_clear(&t->v[i]);
	free(t->v);
	sw_message_maker_clear(&t->maker);
}

static int fill(struct teller *t, const struct sw_report *r)
{
	const struct sw_answers *a = r->answers;
	int q = sw_message_maker_init(&t->maker, r);

	t->v = calloc(count(a) + 1, sizeof(*t->v));
	if (!t->v)
		return -ENOMEM;
	if (q == 0 && a->report_log)
		q = sw_receiver_log(&t->v[t->n++], a->report_log);
	for (char **s = a->report_syslog; q == 0 && s && *s; s++)
		q = sw_receiver_syslog(&t->v[t->n++], *s, a->hostname ? a->hostname : "");
	for (size_t i = 0; q == 0 && i < a->n_webhooks; i++)
		if (a->webhooks[i].url)
			q = sw_receiver_webhook(&t->v[t->n++], r->m, &a->webhooks[i]);
	return q;
}

/* ---- in the process of its own ---- */

/* A token in memory is for the receiver alone: no core file, and locks do not come along. */
static void enter(struct teller *t, int fd)
{
	struct sw_error ignored = {};
	sigset_t none;

	(void)prctl(PR_SET_NAME, "slipway-report");
	sw_secret_guard();
	(void)dup2(fd, 3);
	(void)fcntl(3, F_SETFD, FD_CLOEXEC);
	(void)close_range(4, ~0U, 0);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].token)
			(void)sw_secret_relock(t->v[i].token, &ignored);
}

/* That a person is waited for is told by a report of its own: it may be hours until the install. */
static bool is_last(const struct sw_event *ev)
{
	return ev->type == SW_EVENT_DONE || ev->type == SW_EVENT_WAIT ||
	       ev->type == SW_EVENT_ANSWERED;
}

static void offer(struct teller *t, const struct sw_event *ev)
{
	enum sw_message_kind kind = sw_message_take(&t->maker, ev);

	for (size_t i = 0; i < t->n; i++)
		sw_receiver_offer(&t->v[i], &t->maker, kind, ev);
	t->done = t->done || is_last(ev);
}

static void offer_death(struct teller *t)
{
	struct sw_event ev = { .type = SW_EVENT_DONE, .result = -EPIPE };

	sw_event_stamp(&ev);
	sw_fail(&ev.error, SW_EXIT_DIRTY, -EPIPE, "the installing process ended without a word");
	sw_error_hint(&ev.error, "`slipway status` on the machine says how far it came");
	sw_failure_code("process", &ev.error, ev.code);
	offer(t, &ev);
}

static void listen_for_events(struct teller *t, int fd)
{
	struct sw_event ev;

	while (!t->done) {
		ssize_t n = recv(fd, &ev, sizeof(ev), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == (ssize_t)sizeof(ev))
			offer(t, &ev);
		else if (n <= 0)
			offer_death(t);
	}
}

static void wait_for_all(struct teller *t)
{
	const int64_t end = sw_now_ms() + SW_REPORT_DRAIN_S * 1000;
	struct timespec until;

	for (size_t i = 0; i < t->n; i++)
		sw_outbox_close(&t->v[i].box, end);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += SW_REPORT_DRAIN_S + 1;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].running &&
		    pthread_clockjoin_np(t->v[i].thread, NULL, CLOCK_MONOTONIC, &until) == 0)
			t->v[i].running = false;
}

static void tell_lost(struct teller *t, int fd)
{
	for (size_t i = 0; i < t->n; i++) {
		struct sw_receiver *r = &t->v[i];
		unsigned int n = r->running ? 1 : sw_receiver_lost(r);
		_cleanup_free_ char *text = NULL;

		if (n == 0)
			continue;
		text = sw_fmt("not told to %.120s: %u message%s; %s", r->shown, n,
			      n == 1 ? "" : "s", r->running ? "it still hangs"
					       : r->why[0] ? r->why : "too many at once");
		if (text)
			(void)send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static void run_teller(struct teller *t, int fd)
{
	enter(t, fd);
	for (size_t i = 0; i < t->n; i++)
		t->v[i].running = pthread_create(&t->v[i].thread, NULL, sw_receiver_run,
						 &t->v[i]) == 0;
	listen_for_events(t, 3);
	wait_for_all(t);
	tell_lost(t, 3);
	_exit(0);
}

/* ---- in the installing process ---- */

static int start(struct teller *t, struct sw_reporter *out, struct sw_error *err)
{
	const int room = SOCKET_ROOM;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, -errno, "no socket could be made");
	(void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	out->pid = fork();
	if (out->pid == 0)
		run_teller(t, fds[1]);
	close(fds[1]);
	if (out->pid < 0) {
		close(fds[0]);
		return sw_fail_errno(err, SW_EXIT_INTERNAL, -errno, "no process could be started");
	}
	out->fd = fds[0];
	return 0;
}

int sw_reporter_start(const struct sw_report *r, struct sw_reporter **ret_reporter,
		      struct sw_error *err)
{
	_cleanup_free_ struct sw_reporter *out = NULL;
	struct teller t = {};
	int q;

	*ret_reporter = NULL;
	if (count(r->answers) == 0)
		return 0;
	out = calloc(1, sizeof(*out));
	q = out ? fill(&t, r) : -ENOMEM;
	q = q < 0 ? sw_fail_oom(err) : start(&t, out, err);
	clear(&t);
	if (q == 0)
		*ret_reporter = TAKE_PTR(out);
	return q;
}

void sw_reporter_tell(struct sw_reporter *r, const struct sw_event *ev)
{
	const bool last = is_last(ev);
	struct pollfd p = { .events = POLLOUT };

	/* How many bytes have been written is for the console alone. */
	if (!r || ev->type == SW_EVENT_PROGRESS)
		return;
	p.fd = r->fd;
	if (last)
		(void)poll(&p, 1, LAST_WORD_MS);
	if (send(r->fd, ev, sizeof(*ev), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		r->lost++;
}

/* One line that was sent back, or the end. */
static bool take_line(struct sw_reporter *r, const struct sw_sink *sink)
{
	char line[512];
	ssize_t n = recv(r->fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	line[n] = '\0';
	sw_event_log(sink, "%s", line);
	return true;
}

void sw_reporter_finish(struct sw_reporter *r, const struct sw_sink *sink)
{
	int64_t end = sw_now_ms() + SW_REPORT_DRAIN_S * 1000 + GRACE_MS;
	struct pollfd p = { .events = POLLIN };
	bool open = true;

	if (!r)
		return;
	p.fd = r->fd;
	(void)shutdown(r->fd, SHUT_WR);
	while (open && sw_now_ms() < end && sw_event_poll(sink) == 0)
		if (poll(&p, 1, 100) > 0)
			open = take_line(r, sink);
	if (open)
		(void)kill(r->pid, SIGKILL);
	if (r->lost)
		sw_event_log(sink, "%u events came too fast to be told", r->lost);
	close(r->fd);
	while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(r);
}
