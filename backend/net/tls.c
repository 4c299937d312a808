/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <openssl/ssl.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/crypto.h"

SW_LIBRARY_NOTE(ssl, "libssl.so.3");

#define SW_SSL_LIST(X) X(SSL_CTX_get_cert_store)

static struct {
	SW_SSL_LIST(SW_LIBRARY_POINTER)
} ssl;

#define TABLE ssl
static const struct sw_library_symbol symbols[] = { SW_SSL_LIST(SW_LIBRARY_SYMBOL) };

/* libcurl has it open already. */
static struct sw_library library = {
	.soname = "libssl.so.3",
	.package = "libssl3",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

int sw_tls_prepare(void *ssl_ctx, _Bool any_time)
{
	X509_STORE *store;
	int r;

	if (!any_time && sw_wall_shifted() == 0)
		return 0;
	r = sw_crypto_open(NULL);
	if (r == 0)
		r = sw_library_open(&library, NULL);
	if (r < 0)
		return r;
	store = ssl.SSL_CTX_get_cert_store_(ssl_ctx);
	if (any_time)
		(void)X509_STORE_set_flags(store, X509_V_FLAG_NO_CHECK_TIME);
	else
		X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)sw_wall_s());
	return 0;
}
