/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/link.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void sw_link_disconnect(struct sw_link *l)
{
	if (l->sock >= 0)
		close(l->sock);
	if (l->session >= 0)
		close(l->session);
	l->sock = l->session = -EBADF;
	sw_buf_clear(&l->from);
	sw_buf_clear(&l->to);
}

void sw_link_flush(struct sw_link *l)
{
	ssize_t n;

	while (l->sock >= 0 && l->to.len) {
		n = send(l->sock, l->to.data, l->to.len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			sw_link_disconnect(l);
			return;
		}
		sw_wire_consume(&l->to, (size_t)n);
	}
}

bool sw_link_connect(struct sw_link *l, const struct sw_hello *h)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (strlen(l->path) >= sizeof(a.sun_path))
		return false;
	memcpy(a.sun_path, l->path, strlen(l->path) + 1);
	l->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->sock < 0)
		return false;
	if (connect(l->sock, (struct sockaddr *)&a, sizeof(a)) < 0) {
		sw_link_disconnect(l);
		return false;
	}
	(void)fcntl(l->sock, F_SETFL, O_NONBLOCK);
	/*
	 * An install outlives its session and may hold the socket; so the process
	 * is watched too.
	 */
	if (getsockopt(l->sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		l->session = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	sw_buf_clear(&l->to);
	if (sw_wire_hello(&l->to, h) < 0) {
		sw_link_disconnect(l);
		return false;
	}
	sw_link_flush(l);
	return l->sock >= 0;
}

bool sw_link_wait(struct sw_link *l, const struct sw_hello *h, long ms, const sigset_t *unblocked,
		  const volatile sig_atomic_t *stop)
{
	struct timespec t = { .tv_nsec = SW_LINK_RETRY_MS * 1000000L };

	for (; ms > 0 && !*stop; ms -= SW_LINK_RETRY_MS) {
		if (sw_link_connect(l, h))
			return true;
		(void)ppoll(NULL, 0, &t, unblocked);
	}
	return sw_link_connect(l, h);
}

/* The messages that are complete; false: enough. */
static bool take_all(struct sw_link *l, bool (*take)(const struct sw_message *m, void *arg),
		     void *arg)
{
	struct sw_message m;

	while (l->sock >= 0) {
		int r = sw_wire_next(l->from.data, l->from.len, &m);
		size_t total = r > 0 ? m.total : 0;

		if (r < 0)
			sw_link_disconnect(l);
		if (r <= 0)
			break;
		if (!take(&m, arg))
			return false;
		if (l->sock >= 0)
			sw_wire_consume(&l->from, total);
	}
	return true;
}

void sw_link_receive(struct sw_link *l, bool (*take)(const struct sw_message *m, void *arg),
		     void *arg)
{
	char data[16384];
	bool ended;
	ssize_t n;

	while ((n = recv(l->sock, data, sizeof(data), 0)) > 0)
		if (sw_buf_add(&l->from, data, (size_t)n) < 0)
			break;
	/* Asked now: what `take` does leaves its own errno. */
	ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	if (take_all(l, take, arg) && ended)
		sw_link_disconnect(l);
}
