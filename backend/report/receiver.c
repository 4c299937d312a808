/* SPDX-License-Identifier: Apache-2.0 */
#include "report/receiver.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admission/token.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/strv.h"
#include "net/http.h"
#include "net/post.h"
#include "payload/payload.h"

#define TOKEN_MAX 4096
#define ANSWER_MAX (64U << 10)
#define TRY_S 10U		/* one exchange with a webhook */
#define SEND_MS 5000U		/* one message to a syslog server */
#define TRIES 5U		/* pauses before one message is given up, while the install runs */
#define FIRST_MS 1000U
#define PAUSE_MAX_MS 30000U
#define LAST_PAUSE_MS 4000U	/* at most between tries when the install has ended */
#define ASKED_MAX_S 60U

struct result {
	bool again;
	unsigned int asked_ms;
};

static void break_it(struct sw_receiver *r, const struct sw_error *e)
{
	r->broken = true;
	sw_error_line(e, r->why, sizeof(r->why));
}

/* ---- making one ---- */

/* Without the line end that an editor leaves behind it. */
static int read_token(struct sw_receiver *r, struct sw_machine *m, const char *source,
		      struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	int q = sw_source_local_path(m, source, &path, err);

	if (q == 0)
		q = sw_secret_read(path, TOKEN_MAX, &r->token, err);
	if (q < 0)
		return q;
	while (r->token->len && strchr(" \r\n", r->token->data[r->token->len - 1]))
		r->token->data[--r->token->len] = '\0';
	for (size_t i = 0; i < r->token->len; i++)
		if (r->token->data[i] <= ' ' || r->token->data[i] > '~')
			return sw_fail(err, SW_EXIT_INVALID, -EINVAL,
				       "the token is not one word of printable ASCII");
	return r->token->len ? 0 : sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the token is empty");
}

int sw_receiver_webhook(struct sw_receiver *r, struct sw_machine *m, const struct sw_webhook *w)
{
	struct sw_error e = {};
	int q = 0;

	*r = (struct sw_receiver){ .hook = w, .fd = -1, .shown = sw_http_show(w->url) };
	sw_outbox_init(&r->box);
	r->ca = w->ca ? sw_pem_lines(w->ca) : NULL;
	if (!r->shown || (w->ca && !r->ca))
		return -ENOMEM;
	if (w->pin)
		q = sw_ca_pin_parse(w->pin, r->pin, &e);
	if (q == 0 && w->token)
		q = read_token(r, m, w->token, &e);
	if (q < 0)
		break_it(r, &e);
	return 0;
}

int sw_receiver_syslog(struct sw_receiver *r, const char *address, const char *host)
{
	*r = (struct sw_receiver){ .syslog = address, .host = host, .fd = -1 };
	sw_outbox_init(&r->box);
	r->shown = strdup(address);
	r->broken = sw_syslog_parse(address, &r->at) < 0;
	return r->shown ? 0 : -ENOMEM;
}

int sw_receiver_log(struct sw_receiver *r, const char *path)
{
	*r = (struct sw_receiver){ .log = path, .fd = -1, .shown = strdup(path) };
	sw_outbox_init(&r->box);
	return r->shown ? 0 : -ENOMEM;
}

void sw_receiver_clear(struct sw_receiver *r)
{
	free(r->shown);
	free(r->ca);
	r->token = sw_secret_free(r->token);
	if (r->fd >= 0)
		close(r->fd);
	sw_outbox_clear(&r->box);
}

static bool wants(const struct sw_webhook *w, enum sw_message_kind kind)
{
	if (!w->events)
		return true;
	for (char *const *e = w->events; *e; e++)
		if (strcmp(*e, sw_message_name(kind)) == 0)
			return true;
	return false;
}

void sw_receiver_offer(struct sw_receiver *r, const struct sw_message_maker *m,
		       enum sw_message_kind kind, const struct sw_event *ev)
{
	struct sw_parcel p = { .kind = r->hook ? kind : SW_MESSAGE_NONE, .time_ms = ev->time_ms,
			       .bad = ev->result < 0 };

	if (r->hook && (kind == SW_MESSAGE_NONE || !wants(r->hook, kind)))
		return;
	if (!r->hook)
		p.text = sw_message_line(ev);
	else if (r->hook->body)
		p.text = sw_message_fill(m, kind, ev, r->hook->body);
	else
		p.text = sw_message_json(m, kind, ev);
	if (r->hook || p.text)
		sw_outbox_put(&r->box, p);
}

/* ---- one try ---- */

static _Bool too_late(void *userdata)
{
	struct sw_receiver *r = userdata;
	const int64_t end = sw_outbox_end(&r->box);

	return end && sw_now_ms() >= end;
}

static int explain_status(const struct sw_http_answer *a, struct result *res, struct sw_error *err)
{
	res->again = a->status >= 500 || a->status == 408 || a->status == 429;
	res->asked_ms = (a->retry_after_s < ASKED_MAX_S ? a->retry_after_s : ASKED_MAX_S) * 1000;
	return sw_fail(err, SW_EXIT_NETWORK, -EREMOTEIO, "it answers with status %ld", a->status);
}

static int post(struct sw_receiver *r, const struct sw_parcel *p, struct result *res,
		struct sw_error *err)
{
	const struct sw_sink sink = { .userdata = r, .cancelled = too_late };
	_cleanup_buf_ struct sw_buf body = {};
	struct sw_http_answer answer;
	const struct sw_http_post post = {
		.url = r->hook->url, .json = p->text, .bearer = r->token,
		.trust = { .ca = r->ca, .pin = r->hook->pin ? r->pin : NULL },
		.timeout_s = TRY_S, .max = ANSWER_MAX, .sink = &sink,
	};
	int q = sw_http_post(&post, &body, &answer, err);

	/* A page too long to be taken is a yes all the same. */
	if (answer.status / 100 == 2 && (q == 0 || q == -EFBIG))
		return 0;
	if (q == 0)
		return explain_status(&answer, res, err);
	res->again = answer.retry;
	return q;
}

static int send_syslog(struct sw_receiver *r, const struct sw_parcel *p, struct result *res,
		       struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf message = {};
	int q = sw_syslog_format(&message, p->bad ? SW_SYSLOG_ERROR : SW_SYSLOG_INFO, p->time_ms,
				 r->host, "install", p->text);

	res->again = true;
	return q < 0 ? sw_fail_oom(err) : sw_syslog_send(&r->at, &r->fd, &message, SEND_MS, err);
}

static int write_line(struct sw_receiver *r, const struct sw_parcel *p, struct sw_error *err)
{
	_cleanup_free_ char *line = NULL;
	char when[32];
	struct stat st;
	int q;

	if (r->fd < 0) {
		r->fd = open(r->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK |
				     O_NOCTTY, 0600);
		if (r->fd < 0)
			return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "it cannot be opened");
	}
	if (fstat(r->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return sw_fail(err, SW_EXIT_FAILED, -EINVAL, "it is no regular file");
	sw_message_time(p->time_ms, when);
	line = sw_fmt("%s %s\n", when, p->text);
	q = line ? sw_fd_write_all(r->fd, line, strlen(line)) : -ENOMEM;
	return q < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, q, "it cannot be written") : 0;
}

static int try_once(struct sw_receiver *r, const struct sw_parcel *p, struct result *res,
		    struct sw_error *err)
{
	if (r->hook)
		return post(r, p, res, err);
	return r->syslog ? send_syslog(r, p, res, err) : write_line(r, p, err);
}

/* ---- until it is there ---- */

/* False: it is given up. When the install has ended, time is short and pauses are. */
static bool pause_before_next(struct sw_receiver *r, struct sw_backoff *b, unsigned int asked_ms)
{
	unsigned int ms;

	b->end_ms = sw_outbox_end(&r->box);
	if (b->end_ms) {
		b->max_ms = LAST_PAUSE_MS;
		b->tries = 0;
	}
	if (!sw_backoff_next(b, sw_now_ms(), asked_ms, &ms))
		return false;
	if (!b->end_ms)
		(void)sw_outbox_wait(&r->box, ms);
	else
		(void)sw_event_pause(NULL, ms);
	return true;
}

static void deliver(struct sw_receiver *r, const struct sw_parcel *p, struct sw_backoff *b)
{
	for (;;) {
		struct result res = {};
		struct sw_error e = {};
		int q = try_once(r, p, &res, &e);

		if (q == 0) {
			sw_backoff_reset(b);
			if (!r->lost)
				r->why[0] = '\0';
			return;
		}
		/* That time was up tells nothing where an earlier try said more. */
		if (q != -ECANCELED || !r->why[0])
			sw_error_line(&e, r->why, sizeof(r->why));
		if (res.again && pause_before_next(r, b, res.asked_ms))
			continue;
		r->lost++;
		return;
	}
}

void *sw_receiver_run(void *receiver)
{
	struct sw_receiver *r = receiver;
	struct sw_backoff b = { .first_ms = FIRST_MS, .max_ms = PAUSE_MAX_MS, .tries = TRIES };
	struct sw_parcel p;

	sw_backoff_seed(&b, 0);
	while (!r->broken && sw_outbox_take(&r->box, &p)) {
		/* A receiver that was just given up gets one try for the next message. */
		if (b.done >= TRIES)
			b.done = TRIES - 1;
		deliver(r, &p, &b);
		free(p.text);
	}
	return NULL;
}

unsigned int sw_receiver_lost(struct sw_receiver *r)
{
	unsigned int n;

	(void)pthread_mutex_lock(&r->box.lock);
	n = r->lost + r->box.lost + (unsigned int)r->box.n;
	(void)pthread_mutex_unlock(&r->box.lock);
	return n;
}
