/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* What udevd sends on when it is done with a device: by then serials and links are there. */
#define UDEV_GROUP 2U

static int open_netlink(int protocol, unsigned int groups)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK, .nl_groups = groups };
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
					protocol);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -EBADF;
	return TAKE_FD(fd);
}

void sw_watch_open(const struct sw_machine *m, struct sw_watch *ret_watch)
{
	*ret_watch = (struct sw_watch){ .fd = { -EBADF, -EBADF } };
	if (m->kind != SW_MACHINE_REAL)
		return;
	ret_watch->fd[0] = open_netlink(NETLINK_KOBJECT_UEVENT, UDEV_GROUP);
	ret_watch->fd[1] = open_netlink(NETLINK_ROUTE,
					RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
}

void sw_watch_close(struct sw_watch *w)
{
	for (size_t i = 0; i < SW_WATCH_FDS; i++) {
		sw_cleanup_closep(&w->fd[i]);
		w->fd[i] = -EBADF;
	}
}

bool sw_watch_is_block(const void *message, size_t len)
{
	static const char mark[] = "SUBSYSTEM=block";

	return memmem(message, len, mark, sizeof(mark)) != NULL;
}

bool sw_watch_read(struct sw_watch *w)
{
	bool changed = false;

	for (size_t i = 0; i < SW_WATCH_FDS; i++) {
		char message[8192];
		ssize_t n;

		while (w->fd[i] >= 0 && (n = recv(w->fd[i], message, sizeof(message), 0)) != 0) {
			/* Lost messages are a change too: only which one is not known. */
			if (n < 0 && errno == ENOBUFS)
				changed = true;
			else if (n < 0)
				break;
			else if (i == 1 || sw_watch_is_block(message, (size_t)n))
				changed = true;
		}
	}
	return changed;
}
