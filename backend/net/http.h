/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP(S) download attempt over libcurl. Redirects are followed here and
 * not by libcurl, because only so can a step from https to http be refused at
 * every hop. Retries belong to the caller (payload/fetch.c), which is told
 * whether another try can help.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/event.h"

#define SW_HTTP_REDIRECTS 5
#define SW_HTTP_ETAG 256

struct sw_http_get {
	const char *url;
	const char *ca_file;	/* PEM bundle, and no other CA; NULL: the system's */
	uint64_t from;		/* resume here; only with etag */
	const char *etag;	/* strong validator of what is there already, NULL: none */
	uint64_t max;		/* ceiling for the whole file in bytes */
	unsigned int stall_s;	/* give up after so many seconds below 1 KiB/s; 0: 20 */
	const struct sw_sink *sink;	/* polled for cancellation */
	/*
	 * The content starts at offset: `from`, or 0 when the server sends
	 * everything anew. size: of the whole file, 0 when unknown. Called once
	 * before data(), also for an empty file. Both return 0 or a negative
	 * errno with err filled, which ends the transfer.
	 */
	int (*begin)(void *userdata, uint64_t offset, uint64_t size, struct sw_error *err);
	int (*data)(void *userdata, const void *data, size_t len, struct sw_error *err);
	void *userdata;
};

struct sw_http_reply {
	long status;		/* last HTTP status, 0: none arrived */
	bool retry;		/* on failure: another try may succeed */
	bool restart;		/* on failure: the next try must start at 0 */
	unsigned int retry_after_s;	/* what a busy server asks for; 0: nothing */
	char etag[SW_HTTP_ETAG];	/* strong ETag, or "" */
};

/*
 * ret_reply is filled whatever happens. Errors are exit 10 (network), with the
 * URL (without its query) as place and a next step; -ECANCELED with exit 130.
 */
int sw_http_get(const struct sw_http_get *get, struct sw_http_reply *ret_reply,
		struct sw_error *err);

/*
 * Uploads by PUT; any 2xx is success, a redirect is refused. Errors as above. sink: told of the
 * bytes that have left; polled for cancellation; or NULL.
 */
int sw_http_put(const char *url, const void *data, size_t len, const struct sw_sink *sink,
		struct sw_error *err);

/* The URL without user name, password and query, for messages; malloc'd. */
char *sw_http_show(const char *url);

/* False for a step that would give up TLS, or leave http and https. */
bool sw_http_may_redirect(const char *from, const char *to);
