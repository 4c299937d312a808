/* SPDX-License-Identifier: Apache-2.0 */
#include "net/curl.h"

#include <unistd.h>

#include "net/tls.h"

#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"
#define NODE_CAS "/slipway-node/ca-certificates.crt"	/* an initrd has none (node/build.sh) */
#define CONNECT_TIMEOUT_S 10L

SW_LIBRARY_NOTE(curl, "libcurl.so.4");

struct sw_curl sw_curl;

#define TABLE sw_curl
static const struct sw_library_symbol symbols[] = { SW_CURL_LIST(SW_LIBRARY_SYMBOL) };

static void init_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct sw_library library = {
	.soname = "libcurl.so.4",
	.package = "libcurl4",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.ready = init_curl,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

int sw_curl_open(struct sw_error *err)
{
	return sw_library_open(&library, err);
}

static CURLcode on_tls(CURL *c SW_UNUSED, void *context, void *userdata SW_UNUSED)
{
	return sw_tls_prepare(context, false) < 0 ? CURLE_ABORTED_BY_CALLBACK : CURLE_OK;
}

void sw_curl_prepare(CURL *c)
{
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT, "slipway/" SW_VERSION);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	sw_curl_set_proxy(c);
	if (access(SYSTEM_CAS, R_OK) < 0 && access(NODE_CAS, R_OK) == 0)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, NODE_CAS);
}
