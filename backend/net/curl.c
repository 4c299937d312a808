/* SPDX-License-Identifier: Apache-2.0 */
#include "net/curl.h"

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
