/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking one https server with a form or without, when what is sent must not reach anybody else:
 * no redirect is followed, and the server is believed only as sw_http_trust says.
 */
#pragma once

#include "base/buf.h"
#include "net/http.h"
#include "net/trust.h"

struct sw_http_part {
	const char *name;	/* of the form's field, and of the file in it */
	const void *data;	/* borrowed */
	size_t len;
};

struct sw_http_post {
	const char *url;		/* https:// */
	const struct sw_http_part *parts;	/* multipart/form-data; NULL: a GET */
	size_t n_parts;
	struct sw_http_trust trust;
	unsigned int timeout_s;		/* for the whole exchange; 0: 30 */
	size_t max;			/* bytes of the answer */
	const struct sw_sink *sink;	/* polled for cancellation; or NULL */
};

struct sw_http_answer {
	long status;			/* 0: none arrived */
	_Bool retry;			/* on failure: another try may succeed */
	unsigned int retry_after_s;	/* what the server asks for, 0: nothing */
	long verify;			/* X509_V_ERR_* of the server's certificate, 0: fine */
	int64_t date;			/* of the Date header, seconds since the epoch; 0: none */
	char address[64];		/* the server's, as a number; "" before a connection */
	char local[64];			/* this machine's own on that connection */
};

/*
 * Any status is an answer: 0 with ret_answer->status, and the body in ret_body, also of an error
 * page. Negative, with exit 10, only when no answer came: -EKEYREJECTED for a server that is not
 * believed, -EREMOTE for a redirect, -EFBIG past max.
 */
int sw_http_post(const struct sw_http_post *post, struct sw_buf *ret_body,
		 struct sw_http_answer *ret_answer, struct sw_error *err);
