/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/http-server.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"

#define MAX_ROUTES 32

/* Shared with the parent, so that a test can see what was asked for. */
struct shared {
	unsigned int requests, ranges;
	uint64_t last_range;
	unsigned int hits[MAX_ROUTES];
	char agent[64];
};

struct http_server {
	const struct http_route *routes;
	size_t n;
	unsigned int port;
	pid_t pid;
	struct shared *shared;
};

struct request {
	char path[256];
	bool ranged;
	uint64_t from;
	char if_range[128];
	char agent[64];
};

static void send_text(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static bool send_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Closing with SO_LINGER 0 sends a reset instead of an orderly end. */
static void reset(int fd)
{
	struct linger l = { .l_onoff = 1 };

	int unsent = 0;

	/* What was sent must have arrived first, or the other side may lose it all. */
	while (ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent)
		(void)poll(NULL, 0, 1);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

static void copy_header(const char *head, const char *name, char *value, size_t size)
{
	const char *p = strcasestr(head, name);

	value[0] = '\0';
	if (p)
		(void)snprintf(value, size, "%.*s", (int)strcspn(p + strlen(name), "\r\n"),
			       p + strlen(name));
}

static bool read_request(int fd, struct request *q)
{
	char head[4096], range[64];
	size_t len = 0;

	memset(q, 0, sizeof(*q));
	do {
		ssize_t n = recv(fd, head + len, sizeof(head) - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
		head[len] = '\0';
		/* Not HTTP: a TLS hello would leave both sides waiting. */
		if (head[0] != 'G') {
			send_text(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
			return false;
		}
	} while (!strstr(head, "\r\n\r\n") && len < sizeof(head) - 1);
	if (sscanf(head, "GET %255s ", q->path) != 1)
		return false;
	copy_header(head, "\r\nIf-Range: ", q->if_range, sizeof(q->if_range));
	copy_header(head, "\r\nUser-Agent: ", q->agent, sizeof(q->agent));
	copy_header(head, "\r\nRange: bytes=", range, sizeof(range));
	q->ranged = range[0] != '\0';
	q->from = strtoull(range, NULL, 10);
	return true;
}

static void send_head(int fd, const struct http_route *r, const char *etag, uint64_t start,
		      uint64_t from, uint64_t total)
{
	_cleanup_free_ char *tag = sw_fmt("%s%s%s", etag ? "ETag: " : "", etag ? etag : "",
					  etag ? "\r\n" : "");
	_cleanup_free_ char *range = NULL, *head = NULL;

	if (from > 0)
		range = sw_fmt("Content-Range: bytes %llu-%zu/%zu\r\n", (unsigned long long)start,
			       r->len - 1, r->len);
	head = sw_fmt("HTTP/1.1 %s\r\nContent-Length: %llu\r\nConnection: close\r\n%s%s\r\n",
		      from > 0 ? "206 Partial Content" : "200 OK",
		      (unsigned long long)(total - from), tag ? tag : "", range ? range : "");
	if (head)
		send_text(fd, head);
}

/* The file from where the client may continue, with the fault of this hit. */
static void send_file(int fd, const struct http_route *r, const struct request *q,
		      unsigned int hit)
{
	bool again = hit > 0, other = r->fault == HTTP_CHANGED && again;
	const uint8_t *data = other ? r->other : r->data;
	const char *etag = other ? "\"other\"" : r->etag;
	bool once = r->fault == HTTP_CHANGED || r->fault == HTTP_WRONG_RANGE;
	bool faulty = hit < (once ? 1 : r->times);
	uint64_t from = 0, total = r->len, start;

	if (q->ranged && r->fault != HTTP_NO_RANGE && etag && strcmp(q->if_range, etag) == 0)
		from = q->from;
	if (r->fault == HTTP_SHORT && faulty)
		total += 1000;
	if (r->fault == HTTP_HUGE)
		total = r->announce;
	start = r->fault == HTTP_WRONG_RANGE && again ? from + 7 : from;
	send_head(fd, r, etag, start, from, total);
	if (r->fault == HTTP_STALL && faulty) {
		(void)send_all(fd, data + from, (r->len - from) / 2);
		/* Until the client has had enough. */
		struct pollfd p = { .fd = fd, .events = POLLIN };

		(void)poll(&p, 1, 30000);
		return;
	}
	if ((r->fault == HTTP_RESET || r->fault == HTTP_CHANGED || r->fault == HTTP_NO_RANGE ||
	     r->fault == HTTP_WRONG_RANGE) && faulty) {
		uint64_t stop = r->len * r->percent / 100;

		if (stop > from)
			(void)send_all(fd, data + from, stop - from);
		reset(fd);
		return;
	}
	(void)send_all(fd, data + from, r->len - from);
}

static char *fault_text(const struct http_route *r)
{
	char asked[40] = "";

	if (r->retry_after)
		(void)snprintf(asked, sizeof(asked), "Retry-After: %u\r\n", r->retry_after);
	return sw_fmt("HTTP/1.1 %d Fault\r\n%sContent-Length: 6\r\nConnection: close\r\n\r\n"
		      "fault\n", r->status, asked);
}

static void answer(struct http_server *s, int fd)
{
	struct request q;
	const struct http_route *r = NULL;
	_cleanup_free_ char *text = NULL;
	unsigned int hit;

	if (!read_request(fd, &q))
		return;
	s->shared->requests++;
	s->shared->ranges += q.ranged;
	if (q.ranged)
		s->shared->last_range = q.from;
	memcpy(s->shared->agent, q.agent, sizeof(q.agent));
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->routes[i].path, q.path) == 0)
			r = &s->routes[i];
	if (!r) {
		send_text(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n"
			      "Connection: close\r\n\r\nnope\n");
		return;
	}
	hit = s->shared->hits[r - s->routes]++;
	if (r->fault == HTTP_STATUS && hit < r->times)
		text = fault_text(r);
	else if (r->fault == HTTP_REDIRECT)
		text = sw_fmt("HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 6\r\n"
			      "Connection: close\r\n\r\nmoved\n", r->location);
	else if (r->fault == HTTP_GARBAGE)
		text = strdup("220 mail.example ESMTP\r\n\r\n");
	else if (r->fault == HTTP_SILENT && hit < r->times)
		return;
	if (text)
		send_text(fd, text);
	else
		send_file(fd, r, &q, hit);
}

static void serve(struct http_server *s, int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		answer(s, fd);
		close(fd);
	}
}

static int listen_on_loopback(unsigned int *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return -errno;
	*ret_port = ntohs(a.sin_port);
	return TAKE_FD(fd);
}

struct http_server *http_server_start(const struct http_route *routes, size_t n)
{
	_cleanup_free_ struct http_server *s = calloc(1, sizeof(*s));
	_cleanup_close_ int listener = -EBADF;
	pid_t parent = getpid();

	if (!s || n > MAX_ROUTES)
		return NULL;
	s->routes = routes;
	s->n = n;
	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	listener = listen_on_loopback(&s->port);
	if (s->shared == MAP_FAILED || listener < 0)
		return NULL;
	s->pid = fork();
	if (s->pid < 0)
		return NULL;
	if (s->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		serve(s, listener);
	}
	return TAKE_PTR(s);
}

void http_server_stop(struct http_server *s)
{
	if (!s)
		return;
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)munmap(s->shared, sizeof(*s->shared));
	free(s);
}

unsigned int http_server_port(const struct http_server *s)
{
	return s->port;
}

pid_t http_server_pid(const struct http_server *s)
{
	return s->pid;
}

char *http_server_url(const struct http_server *s, const char *path)
{
	return sw_fmt("http://127.0.0.1:%u%s", s->port, path);
}

unsigned int http_server_requests(const struct http_server *s)
{
	return s->shared->requests;
}

unsigned int http_server_ranges(const struct http_server *s)
{
	return s->shared->ranges;
}

uint64_t http_server_last_range(const struct http_server *s)
{
	return s->shared->last_range;
}

bool http_server_agent_is(const struct http_server *s, const char *agent)
{
	return strcmp(s->shared->agent, agent) == 0;
}
