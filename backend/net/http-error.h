/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong on the network, in a sentence with a next step. Private to net/. */
#pragma once

#include "net/curl.h"
#include "net/http.h"

/* detail: libcurl's own words, or "". Sets ret_reply->retry. Returns a negative errno. */
int sw_http_explain_curl(CURLcode code, const char *url, const char *detail,
			 const struct sw_http_get *get, struct sw_http_reply *reply,
			 struct sw_error *err);

/* For a status that is neither success nor redirect. */
int sw_http_explain_status(long status, const char *url, struct sw_http_reply *reply,
			   struct sw_error *err);

/* The seconds of a Retry-After header, also of one with a date; 0: none, or a day and more. */
unsigned int sw_http_retry_after(CURL *c);

/* For a proxy's own answer to CONNECT (CURLINFO_HTTP_CONNECTCODE) that is no 2xx. */
int sw_http_explain_proxy(long status, const char *url, struct sw_http_reply *reply,
			  struct sw_error *err);

/* An error of our own about a URL. */
int sw_http_fail(struct sw_error *err, int r, const char *url, const char *what, const char *why,
		 const char *hint);
