/* SPDX-License-Identifier: Apache-2.0 */
#include "net/source.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/curl.h"

static struct addrinfo *look_up(const char *host, int flags)
{
	const struct addrinfo like = { .ai_flags = flags, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list = NULL;

	return getaddrinfo(host, "9", &like, &list) == 0 ? list : NULL;
}

static int text_of(const struct sockaddr *a, socklen_t len, char text[static SW_ADDRESS_TEXT])
{
	return getnameinfo(a, len, text, SW_ADDRESS_TEXT, NULL, 0, NI_NUMERICHOST) == 0 ? 0
											: -EINVAL;
}

/* connect(2) of a datagram socket only chooses route and source. */
static int source_to(const struct addrinfo *to, char ret_from[static SW_ADDRESS_TEXT])
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	int r, fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, to->ai_addr, to->ai_addrlen) < 0 ||
	    getsockname(fd, (struct sockaddr *)&own, &len) < 0)
		r = -errno;
	else
		r = text_of((struct sockaddr *)&own, len, ret_from);
	close(fd);
	return r;
}

int sw_source_address(const char *to, char ret_from[static SW_ADDRESS_TEXT])
{
	struct addrinfo *a = look_up(to, AI_NUMERICHOST);
	int r = a ? source_to(a, ret_from) : -EINVAL;

	if (a)
		freeaddrinfo(a);
	return r;
}

/* Addresses for documentation (RFC 5737, RFC 3849): no more particular route leads there. */
int sw_source_default(char ret_from[static SW_ADDRESS_TEXT])
{
	int r = sw_source_address("192.0.2.1", ret_from);

	return r == 0 ? 0 : sw_source_address("2001:db8::1", ret_from);
}

_Bool sw_is_address(const char *text)
{
	struct addrinfo *a = look_up(text, AI_NUMERICHOST);

	if (a)
		freeaddrinfo(a);
	return a != NULL;
}

static char *unbracketed(const char *host)
{
	size_t len = strlen(host);

	return host[0] == '[' && len > 2 ? strndup(host + 1, len - 2) : strdup(host);
}

int sw_url_host(const char *url, char **ret_host, unsigned int *ret_port)
{
	char *host = NULL, *port = NULL;
	CURLU *u;
	int r = sw_curl_open(NULL);

	if (r < 0)
		return r;
	u = curl_url();
	r = -EINVAL;
	if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
		*ret_host = unbracketed(host);
		*ret_port = (unsigned int)strtoul(port, NULL, 10);
		r = *ret_host ? 0 : -ENOMEM;
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return r;
}

int sw_host_has(const char *host, const char *address)
{
	struct addrinfo *list = look_up(host, 0);
	char text[SW_ADDRESS_TEXT];
	int r = list ? 0 : -EHOSTUNREACH;

	for (struct addrinfo *a = list; r == 0 && a; a = a->ai_next)
		if (text_of(a->ai_addr, a->ai_addrlen, text) == 0 && strcmp(text, address) == 0)
			r = 1;
	if (list)
		freeaddrinfo(list);
	return r;
}
