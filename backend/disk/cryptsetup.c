/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/cryptsetup.h"

SW_LIBRARY_NOTE(cryptsetup, "libcryptsetup.so.12");

struct sw_cryptsetup sw_cryptsetup;

#define TABLE sw_cryptsetup
static const struct sw_library_symbol symbols[] = { SW_CRYPTSETUP_LIST(SW_LIBRARY_SYMBOL) };

static struct sw_library library = {
	.soname = "libcryptsetup.so.12",
	.package = "libcryptsetup12",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

int sw_cryptsetup_open(struct sw_error *err)
{
	return sw_library_open(&library, err);
}
