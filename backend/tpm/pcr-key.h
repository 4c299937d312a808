/* SPDX-License-Identifier: Apache-2.0 */
/* The public key of whoever signs PCR policies: tpm/signed.h. */
#pragma once

#include "base/error.h"

#define SW_PCR_KEY_MAX 1024U		/* bytes of PEM, with the NUL */
#define SW_PCR_KEY_MODULUS 512U		/* bytes: RSA 4096 */
#define SW_PCRS_SIGNED_DEFAULT (1U << 11)	/* the parts of the image */

struct sw_pcr_key {
	uint32_t pcrs;			/* bit n: PCR n is signed; 0: there is no key */
	char pem[SW_PCR_KEY_MAX];	/* as it was given */
	char fingerprint[65];		/* lower-case hex */
	uint8_t modulus[SW_PCR_KEY_MODULUS];
	size_t modulus_len;
	uint32_t exponent;
};

/* -EINVAL (exit 3) for what is no RSA key of 2048 to 4096 bits in PEM. */
int sw_pcr_key_parse(const void *pem, size_t len, struct sw_pcr_key *ret_key,
		     struct sw_error *err);
/* The same with any white space, or none, in place of its line breaks. */
int sw_pcr_key_from_text(const char *text, struct sw_pcr_key *ret_key, struct sw_error *err);
/* Whether it is one, for a field of the answers: err gets why and hint, and an exit. */
int sw_pcr_key_check(const char *text, struct sw_error *err);
/* The same from a file; exit 5 when it cannot be read. */
int sw_pcr_key_read(const char *path, struct sw_pcr_key *ret_key, struct sw_error *err);
