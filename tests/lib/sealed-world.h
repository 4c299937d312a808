/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a world whose state is encrypted, as an outsider gets at them. */
#pragma once

#include "tests/lib/install-world.h"

#define SEALED_SECRETS 5

struct sealed_secret {
	const char *what;
	uint8_t data[128];
	size_t len;
};

/*
 * Opens state as the holder of the escrow would, with openssl and cryptsetup, and fails
 * the test if that does not work. With secrets: all that must never be found in clear.
 */
void sealed_open(const struct world *w, struct sealed_secret secrets[static SEALED_SECRETS]);
