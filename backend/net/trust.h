/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which server is believed: one whose chain ends at a CA that was given, or whose key is the one
 * that was given, or, with neither, one that the system's CAs vouch for.
 */
#pragma once

#include "base/error.h"

struct sw_http_trust {
	const char *ca;		/* PEM, NULL: none given */
	const char *pin;	/* SHA-256 of the key (its SPKI) in 64 hex digits, or NULL */
};

#define SW_PIN_OPTION 64	/* "sha256//" and base64 */

/*
 * Certificates in PEM whose line ends may have become blanks, as answer files keep them, with
 * lines again; malloc'd, NULL when out of memory.
 */
char *sw_pem_lines(const char *text);

/* The pin as libcurl wants it. False when it is not 64 hex digits. */
_Bool sw_http_pin_option(const char *pin, char option[static SW_PIN_OPTION]);
