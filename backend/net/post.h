/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking one https server with a form or without, when what is sent must not reach anybody else:
 * no redirect is followed, and the server is believed only as sw_http_trust says.
 */
#pragma once

#include "base/buf.h"
#include "base/secret.h"
#include "net/http.h"
#include "net/trust.h"

struct sw_http_part {
	const char *name;	/* of the form's field, and of the file in it */
	const void *data;	/* borrowed */
	size_t len;
};

struct sw_http_post {
	const char *url;		/* https:// */
	const struct sw_http_part *parts;	/* multipart/form-data; NULL: a GET, or json */
	size_t n_parts;
	/* or application/json in place of a form; NULL: none */
	const char *json;
	/* Sent as Authorization: Bearer, or behind what bearer_as says; NULL: none. */
	const struct sw_secret *bearer;
	const char *bearer_as;
	struct sw_http_trust trust;
	unsigned int timeout_s;		/* for the whole exchange; 0: 30 */
	size_t max;			/* bytes of the answer */
	/* Dates of certificates do not count. Only to see what time it is for a server. */
	_Bool any_time;
	/*
	 * No certificate counts: what comes is checked by other means, such as a hash. Only for a
	 * GET without a token, so that nothing can be given away.
	 */
	_Bool anybody;
	const struct sw_sink *sink;	/* polled for cancellation; or NULL */
};

/* What an exchange did not get past. */
enum sw_http_stuck {
	SW_STUCK_NOT,		/* an answer came */
	SW_STUCK_PROXY_NAME,	/* the proxy's name is not known */
	SW_STUCK_NAME,		/* nor the server's */
	SW_STUCK_CONNECT,	/* nobody accepts the connection */
	SW_STUCK_PROXY,		/* the proxy refuses to pass it on */
	SW_STUCK_TLS,		/* no TLS */
	SW_STUCK_TRUST,		/* the server is not believed */
	SW_STUCK_ANSWER,	/* it says nothing, or nothing that can be understood */
};

struct sw_http_answer {
	long status;			/* 0: none arrived */
	_Bool sent;			/* the request may have reached the server */
	_Bool retry;			/* on failure: another try may succeed */
	unsigned int retry_after_s;	/* what the server asks for, 0: nothing */
	long verify;			/* X509_V_ERR_* of the server's certificate, 0: fine */
	int64_t date;			/* of the Date header, seconds since the epoch; 0: none */
	enum sw_http_stuck stuck;	/* on failure */
	char peer[64];			/* who was connected to, or was tried to: perhaps a proxy */
	unsigned int peer_port;
	long proxy_status;		/* of a proxy's own answer, 0: there was none */
	char server[64];		/* what it calls itself (Server header), or "" */
};

/*
 * Any status is an answer: 0 with ret_answer->status, and the body in ret_body, also of an error
 * page. Negative, with exit 10, only when no answer came: -EKEYREJECTED for a server that is not
 * believed, -EREMOTE for a redirect, -EFBIG past max.
 */
int sw_http_post(const struct sw_http_post *post, struct sw_buf *ret_body,
		 struct sw_http_answer *ret_answer, struct sw_error *err);
