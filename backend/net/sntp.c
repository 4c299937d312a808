/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sntp.h"

#include <endian.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define EPOCH_1970 2208988800LL		/* seconds from 1900, where NTP begins */
#define ERA (1LL << 32)
#define VERSION_4_CLIENT 0x23
#define MODE_SERVER 4
#define LEAP_UNKNOWN 3
#define STRATUM_MAX 15
#define ADDRESSES_MAX 4U
#define TRIES 2U
#define SLICE_MS 100			/* between looks at whether to go on */

/* Offsets in the packet (RFC 5905, figure 8). */
enum { AT_STRATUM = 1, AT_ORIGIN = 24, AT_TRANSMIT = 40 };

void sw_sntp_question(uint8_t packet[static SW_SNTP_LEN], const uint8_t nonce[static 8])
{
	memset(packet, 0, SW_SNTP_LEN);
	packet[0] = VERSION_4_CLIENT;
	memcpy(packet + AT_TRANSMIT, nonce, 8);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static int bad(const char *why, int r, const char **ret_why)
{
	*ret_why = why;
	return r;
}

int sw_sntp_parse(const uint8_t *packet, size_t len, const uint8_t nonce[static 8],
		  int64_t pivot_s, int64_t *ret_ms, const char **ret_why)
{
	int64_t s;

	if (len < SW_SNTP_LEN || (packet[0] & 7) != MODE_SERVER)
		return bad("what came is no answer of an NTP server", -EPROTO, ret_why);
	if (memcmp(packet + AT_ORIGIN, nonce, 8) != 0)
		return bad("what came is no answer to what was asked", -EPROTO, ret_why);
	if (packet[AT_STRATUM] == 0)
		return bad("it asks not to be asked (a kiss-o'-death)", -EAGAIN, ret_why);
	if (packet[AT_STRATUM] > STRATUM_MAX || packet[0] >> 6 == LEAP_UNKNOWN ||
	    get32(packet + AT_TRANSMIT) == 0)
		return bad("it does not know the time itself", -EAGAIN, ret_why);
	s = (int64_t)get32(packet + AT_TRANSMIT) - EPOCH_1970;
	while (s < pivot_s - ERA / 2)
		s += ERA;
	*ret_ms = s * 1000 + ((int64_t)get32(packet + AT_TRANSMIT + 4) * 1000 >> 32);
	return 0;
}

/* 0 when something is there to be read. */
static int wait_for_answer(int fd, int64_t end_ms, const struct sw_sink *sink)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		const int64_t left = end_ms - sw_now_ms();
		int n;

		if (sw_event_poll(sink) < 0)
			return -ECANCELED;
		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)(left < SLICE_MS ? left : SLICE_MS));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			return 0;
	}
}

/* The way there and back counts half; what the server takes in between is much less. */
static int read_answer(int fd, const uint8_t nonce[static 8], int64_t end_ms, int64_t sent_ms,
		       const struct sw_sink *sink, int64_t *ret_ahead_ms, const char **ret_why)
{
	for (;;) {
		uint8_t packet[SW_SNTP_LEN + 464];
		int64_t ms;
		ssize_t n;
		int r = wait_for_answer(fd, end_ms, sink);

		if (r < 0)
			return r;
		n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n < 0)
			return -errno;
		r = sw_sntp_parse(packet, (size_t)n, nonce, sw_build_time(), &ms, ret_why);
		/* Somebody else's word: the server's may still come. */
		if (r == -EPROTO)
			continue;
		if (r == 0)
			*ret_ahead_ms = ms + (sw_now_ms() - sent_ms) / 2 - sw_wall_ms();
		return r;
	}
}

static int ask_once(int fd, unsigned int timeout_ms, const struct sw_sink *sink,
		    int64_t *ret_ahead_ms, const char **ret_why)
{
	uint8_t packet[SW_SNTP_LEN], nonce[8];
	const int64_t sent = sw_now_ms();

	/* Early in a boot there may be no random numbers: then what a backoff makes do with. */
	if (getrandom(nonce, sizeof(nonce), GRND_NONBLOCK) != (ssize_t)sizeof(nonce)) {
		struct sw_backoff b = {};

		sw_backoff_seed(&b, 0);
		memcpy(nonce, &b.random, sizeof(nonce));
	}
	sw_sntp_question(packet, nonce);
	if (send(fd, packet, sizeof(packet), MSG_NOSIGNAL) < 0)
		return -errno;
	return read_answer(fd, nonce, sent + timeout_ms, sent, sink, ret_ahead_ms, ret_why);
}

static int ask_address(const struct addrinfo *ai, unsigned int timeout_ms,
		       const struct sw_sink *sink, int64_t *ret_ahead_ms, const char **ret_why)
{
	_cleanup_close_ int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC,
					ai->ai_protocol);
	int r = 0;

	/* Connected: the kernel takes nothing from anybody else, and says when nobody is there. */
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		return -errno;
	for (unsigned int i = 0; i < TRIES; i++) {
		r = ask_once(fd, timeout_ms, sink, ret_ahead_ms, ret_why);
		if (r != -ETIMEDOUT)
			break;
	}
	return r;
}

static int fail(const char *server, int r, const char *why, struct sw_error *err)
{
	if (r == -ECANCELED)
		return sw_fail(err, SW_EXIT_CANCELLED, r, "cancelled");
	(void)sw_fail(err, SW_EXIT_NETWORK, r, "the time server does not say what time it is");
	sw_error_where(err, "%s", server);
	sw_error_why(err, "%s", why ? why : r == -ETIMEDOUT ? "it does not answer" : strerror(-r));
	sw_error_hint(err, "NTP is UDP port 123: is a firewall between, and is this a time "
			   "server?");
	return r;
}

int sw_sntp_ask(const char *server, const char *port, unsigned int timeout_ms,
		const struct sw_sink *sink, int64_t *ret_ahead_ms, struct sw_error *err)
{
	struct addrinfo like = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list = NULL;
	const char *why = NULL;
	unsigned int n = 0, k = 0;
	int r = getaddrinfo(server, port, &like, &list);

	if (r != 0)
		return fail(server, -EHOSTUNREACH, gai_strerror(r), err);
	for (const struct addrinfo *ai = list; ai && n < ADDRESSES_MAX; ai = ai->ai_next)
		n++;
	r = -EHOSTUNREACH;
	for (const struct addrinfo *ai = list; ai && k < n && r < 0 && r != -ECANCELED;
	     ai = ai->ai_next, k++)
		r = ask_address(ai, timeout_ms / (n * TRIES), sink, ret_ahead_ms, &why);
	freeaddrinfo(list);
	return r < 0 ? fail(server, r, why, err) : 0;
}
