/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for a syslog server: RFC 5424 over UDP (RFC 5426) or TCP (RFC 6587, counted). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct sw_syslog_at {
	bool tcp;
	char host[256];
	char port[6];
};

/* RFC 5424, table 2. */
enum sw_severity_level { SW_SYSLOG_ERROR = 3, SW_SYSLOG_WARNING = 4, SW_SYSLOG_INFO = 6 };

/* udp://HOST[:PORT], tcp://HOST[:PORT], an IPv6 address in brackets. -EINVAL. */
int sw_syslog_parse(const char *text, struct sw_syslog_at *ret_at);
/*
 * One message, facility daemon, without its frame; text is cut at SW_SYSLOG_MAX. What is not
 * printable ASCII in host and id becomes '_', control characters in text a blank.
 */
#define SW_SYSLOG_MAX 1200U	/* bytes: what every path carries in one datagram */
int sw_syslog_format(struct sw_buf *b, enum sw_severity_level level, int64_t time_ms,
		     const char *host, const char *id, const char *text);
/*
 * Sends it. *fd: the socket from one call to the next, -1 at first, -1 again after an error;
 * the caller closes it. Waits at most timeout_ms each to connect and to send (a name server
 * may take longer). exit 10.
 */
int sw_syslog_send(const struct sw_syslog_at *at, int *fd, const struct sw_buf *message,
		   unsigned int timeout_ms, struct sw_error *err);
