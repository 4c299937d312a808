/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/tss2.h"

#include <stdlib.h>

SW_LIBRARY_NOTE(esys, "libtss2-esys.so.0");
SW_LIBRARY_NOTE(tctildr, "libtss2-tctildr.so.0");
SW_LIBRARY_NOTE(rc, "libtss2-rc.so.0");
/* What libtss2-tctildr opens for "device:/dev/tpmrm0". */
SW_LIBRARY_NOTE(tcti_device, "libtss2-tcti-device.so.0");

struct sw_tss2 sw_tss2;

#define TABLE sw_tss2
static const struct sw_library_symbol esys_symbols[] = { SW_ESYS_LIST(SW_LIBRARY_SYMBOL) };
static struct sw_library esys = {
	.soname = "libtss2-esys.so.0",
	.package = "libtss2-esys-3.0.2-0",
	.symbols = esys_symbols,
	.n_symbols = ARRAY_SIZE(esys_symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static const struct sw_library_symbol tctildr_symbols[] = { SW_TCTILDR_LIST(SW_LIBRARY_SYMBOL) };
static struct sw_library tctildr = {
	.soname = "libtss2-tctildr.so.0",
	.package = "libtss2-tctildr0",
	.symbols = tctildr_symbols,
	.n_symbols = ARRAY_SIZE(tctildr_symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static const struct sw_library_symbol rc_symbols[] = { SW_TSS2_RC_LIST(SW_LIBRARY_SYMBOL) };
static struct sw_library rc = {
	.soname = "libtss2-rc.so.0",
	.package = "libtss2-rc0",
	.symbols = rc_symbols,
	.n_symbols = ARRAY_SIZE(rc_symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

/* The libraries would otherwise write their own complaints over the console. */
static void quiet(void)
{
	(void)setenv("TSS2_LOG", "all+none", 0);
}

int sw_tss2_open(struct sw_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int r;

	pthread_once(&once, quiet);
	r = sw_library_open(&esys, err);
	if (r == 0)
		r = sw_library_open(&tctildr, err);
	return r == 0 ? sw_library_open(&rc, err) : r;
}
