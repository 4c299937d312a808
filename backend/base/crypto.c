/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"

#include "base/cleanup.h"

SW_LIBRARY_NOTE(crypto, "libcrypto.so.3");

struct sw_crypto sw_crypto;

#define TABLE sw_crypto
static const struct sw_library_symbol symbols[] = { SW_CRYPTO_LIST(SW_LIBRARY_SYMBOL) };

static struct sw_library library = {
	.soname = "libcrypto.so.3",
	.package = "libssl3",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

int sw_crypto_open(struct sw_error *err)
{
	return sw_library_open(&library, err);
}
