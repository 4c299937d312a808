/* SPDX-License-Identifier: Apache-2.0 */
#include "net/trust.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/hash.h"

#define PEM_COLUMNS 64

/* A line of dashes at p, "-----BEGIN CERTIFICATE-----", to be taken as it stands; 0: none. */
static size_t boundary(const char *p)
{
	const char *end = strncmp(p, "-----", 5) == 0 ? strstr(p + 5, "-----") : NULL;

	return end ? (size_t)(end + 5 - p) : 0;
}

char *sw_pem_lines(const char *text)
{
	/* At most a line end for each character, where boundaries follow each other. */
	char *out = malloc(2 * strlen(text) + 2), *to = out;
	unsigned int column = 0;

	for (const char *p = text; out && *p;) {
		size_t n = boundary(p);

		if (n) {
			if (column)
				*to++ = '\n';
			memcpy(to, p, n);
			to += n;
			*to++ = '\n';
			p += n;
			column = 0;
			continue;
		}
		if (!isspace((unsigned char)*p)) {
			*to++ = *p;
			if (++column == PEM_COLUMNS) {
				*to++ = '\n';
				column = 0;
			}
		}
		p++;
	}
	if (out)
		*to = '\0';
	return out;
}

_Bool sw_http_pin_option(const char *pin, char option[static SW_PIN_OPTION])
{
	unsigned char hash[SW_SHA256_LEN], text[48];

	if (!sw_sha256_from_hex(pin, hash) || sw_crypto_open(NULL) < 0)
		return 0;
	(void)EVP_EncodeBlock(text, hash, sizeof(hash));
	(void)snprintf(option, SW_PIN_OPTION, "sha256//%s", (const char *)text);
	return 1;
}
