/* SPDX-License-Identifier: Apache-2.0 */
#include "net/syslog.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define FACILITY_DAEMON 3
#define PORT_UDP "514"	/* RFC 5426 */
#define PORT_TCP "601"	/* RFC 3195's, which is what syslog over TCP has of its own */

static bool take_port(const char *p, struct sw_syslog_at *at)
{
	unsigned long n;

	if (*p == '\0')
		return true;
	if (*p++ != ':' || !*p || strlen(p) > 5 || strspn(p, "0123456789") != strlen(p))
		return false;
	n = strtoul(p, NULL, 10);
	(void)snprintf(at->port, sizeof(at->port), "%lu", n);
	return n > 0 && n < 65536;
}

int sw_syslog_parse(const char *text, struct sw_syslog_at *ret_at)
{
	struct sw_syslog_at at = { .tcp = strncmp(text, "tcp://", 6) == 0 };
	const char *host = text + 6, *end;
	size_t n;

	if (!at.tcp && strncmp(text, "udp://", 6) != 0)
		return -EINVAL;
	(void)snprintf(at.port, sizeof(at.port), "%s", at.tcp ? PORT_TCP : PORT_UDP);
	if (*host == '[') {
		end = strchr(++host, ']');
		n = end ? strspn(host, "0123456789abcdefABCDEF:.") : 0;
		if (n == 0 || host + n != end++)
			return -EINVAL;
	} else {
		end = host + strspn(host, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRS"
					  "TUVWXYZ.-");
		n = (size_t)(end - host);
	}
	if (n == 0 || n >= sizeof(at.host) || !take_port(end, &at))
		return -EINVAL;
	memcpy(at.host, host, n);
	*ret_at = at;
	return 0;
}

/* A field of the header: printable ASCII without blanks, "-" when there is none. */
static int add_word(struct sw_buf *b, const char *word, size_t most)
{
	char copy[64];
	size_t n = 0;

	for (; word[n] && n < most && n + 1 < sizeof(copy); n++)
		copy[n] = word[n] > 0x20 && word[n] < 0x7f ? word[n] : '_';
	copy[n] = '\0';
	return sw_buf_addf(b, "%s ", n ? copy : "-");
}

static int add_time(struct sw_buf *b, int64_t time_ms)
{
	time_t t = (time_t)(time_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return sw_buf_adds(b, "- ");
	return sw_buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ ", tm.tm_year + 1900,
			   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			   (int)(time_ms % 1000));
}

int sw_syslog_format(struct sw_buf *b, enum sw_severity_level level, int64_t time_ms,
		     const char *host, const char *id, const char *text)
{
	size_t start = b->len, n = strlen(text);
	int r = sw_buf_addf(b, "<%d>1 ", FACILITY_DAEMON * 8 + (int)level);

	if (r == 0)
		r = add_time(b, time_ms);
	if (r == 0)
		r = add_word(b, host, 63);
	if (r == 0)
		r = sw_buf_adds(b, "slipway - ");
	if (r == 0)
		r = add_word(b, id, 32);
	if (r == 0)
		r = sw_buf_adds(b, "- ");
	if (r < 0)
		return r;
	if (n > SW_SYSLOG_MAX - (b->len - start)) {
		n = SW_SYSLOG_MAX - (b->len - start);
		/* Not in the middle of a character. */
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	start = b->len;
	r = sw_buf_add(b, text, n);
	for (size_t i = start; r == 0 && i < b->len; i++)
		if (b->data[i] < 0x20 || b->data[i] == 0x7f)
			b->data[i] = ' ';
	return r;
}

static int wait_for(int fd, short what, int64_t end_ms)
{
	struct pollfd p = { .fd = fd, .events = what };
	int64_t left = end_ms - sw_now_ms();
	int n = poll(&p, 1, left > 0 ? (int)left : 0);

	if (n < 0 && errno != EINTR)
		return -errno;
	return n > 0 ? 0 : -ETIMEDOUT;
}

static int connect_to(const struct addrinfo *ai, int64_t end_ms)
{
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			ai->ai_protocol);
	socklen_t len = sizeof(int);
	int r = 0, bad = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		r = errno == EINPROGRESS ? wait_for(fd, POLLOUT, end_ms) : -errno;
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &len) == 0)
		r = -bad;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int open_socket(const struct sw_syslog_at *at, unsigned int timeout_ms,
		       struct sw_error *err)
{
	struct addrinfo like = { .ai_socktype = at->tcp ? SOCK_STREAM : SOCK_DGRAM }, *list = NULL;
	int64_t end = sw_now_ms() + timeout_ms;
	int r = getaddrinfo(at->host, at->port, &like, &list), fd = -EHOSTUNREACH;

	if (r != 0) {
		sw_fail(err, SW_EXIT_NETWORK, -EHOSTUNREACH, "the syslog server is not found");
		sw_error_why(err, "%s", gai_strerror(r));
		return -EHOSTUNREACH;
	}
	for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
		fd = connect_to(ai, end);
	freeaddrinfo(list);
	if (fd < 0)
		return sw_fail_errno(err, SW_EXIT_NETWORK, fd, "the syslog server does not answer");
	return fd;
}

static int send_all(int fd, const void *data, size_t len, unsigned int timeout_ms)
{
	const int64_t end = sw_now_ms() + timeout_ms;
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		int r = n < 0 ? -errno : 0;

		if (n >= 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (r == -EAGAIN)
			r = wait_for(fd, POLLOUT, end);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

/* A server that has gone says so only in what comes back. */
static bool hung_up(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

int sw_syslog_send(const struct sw_syslog_at *at, int *fd, const struct sw_buf *message,
		   unsigned int timeout_ms, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf framed = {};
	int r = at->tcp ? sw_buf_addf(&framed, "%zu ", message->len) : 0;

	if (r == 0)
		r = sw_buf_add(&framed, message->data, message->len);
	if (r < 0)
		return sw_fail_oom(err);
	if (*fd >= 0 && at->tcp && hung_up(*fd)) {
		close(*fd);
		*fd = -1;
	}
	if (*fd < 0)
		*fd = open_socket(at, timeout_ms, err);
	if (*fd < 0)
		return TAKE_FD(*fd);
	r = send_all(*fd, framed.data, framed.len, timeout_ms);
	if (r < 0) {
		close(*fd);
		*fd = -1;
		sw_fail_errno(err, SW_EXIT_NETWORK, r, "the syslog server takes nothing");
	}
	return r;
}
