/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, opened at the first transfer (base/library.h). Calls look as they do
 * when it is linked. Private to net/.
 */
#pragma once

/* The checks are macros around the functions' names, which are ours here. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/error.h"
#include "base/library.h"

/* Clang and others without the typecheck have wrappers of the same names, for the same end. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define SW_CURL_LIST(X)                                                                       \
	X(curl_global_init) X(curl_easy_init) X(curl_easy_cleanup) X(curl_easy_setopt)        \
	X(curl_easy_perform) X(curl_easy_getinfo) X(curl_easy_strerror) X(curl_slist_append)  \
	X(curl_slist_free_all) X(curl_mime_init) X(curl_mime_addpart) X(curl_mime_name)       \
	X(curl_mime_data) X(curl_mime_filename) X(curl_mime_type) X(curl_mime_free)           \
	X(curl_getdate) X(curl_url) X(curl_url_set) X(curl_url_get) X(curl_url_cleanup)       \
	X(curl_free)

struct sw_curl {
	SW_CURL_LIST(SW_LIBRARY_POINTER)
};

extern struct sw_curl sw_curl;

/* Before any of the calls below; initializes libcurl the first time. */
int sw_curl_open(struct sw_error *err);

/* Through the proxy of net/proxy.h, where there is one. */
void sw_curl_set_proxy(CURL *c);
/*
 * What every transfer has in common, of a new handle: no signals, no redirects by libcurl, TLS 1.2
 * or newer with a server that the system's CAs vouch for, by the machine's clock, through
 * the proxy that was set.
 */
void sw_curl_prepare(CURL *c);

#define curl_global_init (*sw_curl.curl_global_init_)
#define curl_easy_init (*sw_curl.curl_easy_init_)
#define curl_easy_cleanup (*sw_curl.curl_easy_cleanup_)
#define curl_easy_setopt (*sw_curl.curl_easy_setopt_)
#define curl_easy_perform (*sw_curl.curl_easy_perform_)
#define curl_easy_getinfo (*sw_curl.curl_easy_getinfo_)
#define curl_easy_strerror (*sw_curl.curl_easy_strerror_)
#define curl_slist_append (*sw_curl.curl_slist_append_)
#define curl_slist_free_all (*sw_curl.curl_slist_free_all_)
#define curl_mime_init (*sw_curl.curl_mime_init_)
#define curl_mime_addpart (*sw_curl.curl_mime_addpart_)
#define curl_mime_name (*sw_curl.curl_mime_name_)
#define curl_mime_data (*sw_curl.curl_mime_data_)
#define curl_mime_filename (*sw_curl.curl_mime_filename_)
#define curl_mime_type (*sw_curl.curl_mime_type_)
#define curl_mime_free (*sw_curl.curl_mime_free_)
#define curl_getdate (*sw_curl.curl_getdate_)
#define curl_url (*sw_curl.curl_url_)
#define curl_url_set (*sw_curl.curl_url_set_)
#define curl_url_get (*sw_curl.curl_url_get_)
#define curl_url_cleanup (*sw_curl.curl_url_cleanup_)
#define curl_free (*sw_curl.curl_free_)
