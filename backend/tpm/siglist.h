/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the firmware trusts, and what an image shows to be trusted: bounded readers of
 * EFI_SIGNATURE_LIST (UEFI 2.10, section 32.4.1) and of a PE's attribute certificate
 * table (WIN_CERTIFICATE; section 32.2.4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SW_SIGNATURE_OWNER 16U	/* bytes of the owner's GUID in front of each entry */

/* EFI_SIGNATURE_DATA: the owner and the entry itself, borrowed. */
struct sw_signature {
	const uint8_t *data;
	size_t len;		/* with the owner; more than SW_SIGNATURE_OWNER */
	bool x509;		/* the entry is a certificate in DER */
};

/*
 * Calls fn for each entry until it returns something else than 0, and returns that.
 * -EBADMSG for a list that does not fit; what came before it was called for.
 */
int sw_siglist_each(const uint8_t *data, size_t len,
		    int (*fn)(const struct sw_signature *s, void *userdata), void *userdata);

struct sw_wincert {
	const uint8_t *data;	/* borrowed */
	size_t len;
	bool pkcs7;		/* an Authenticode signature in DER */
};

/* The certificate at *at, which moves on; false at the end, or at what does not fit. */
bool sw_wincert_next(const uint8_t *table, size_t len, size_t *at, struct sw_wincert *ret_cert);
