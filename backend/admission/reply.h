/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attestation server sends back, as safeboot-attest has it (its server/attest-server and
 * client/safeboot-attest): a credential in the file form of tpm2-tools (BADCC0DE, version 1,
 * TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET, all big-endian), 32 bytes HMAC-SHA256 over the
 * ciphertext, and the overlay in AES-256-CBC with PKCS #7 padding. The credential holds 64 bytes:
 * the key, the initialization vector (16) and the key of the HMAC (16).
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/secret.h"

#define SW_REPLY_KEY_LEN 64U

struct sw_reply {
	const uint8_t *id, *seed, *mac, *cipher;	/* borrowed from the answer */
	size_t id_len, seed_len, cipher_len;		/* the sizes in front included */
};

/* True when a credential's file of tpm2-tools stands at the beginning. */
bool sw_credential_begins(const void *data, size_t len);
/*
 * Takes one from *p, of which *left bytes are there: TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET,
 * borrowed, their sizes included. Returns what is wrong with it, static, or NULL.
 */
const char *sw_credential_take(const uint8_t **p, size_t *left, const uint8_t **ret_id,
			       size_t *ret_id_len, const uint8_t **ret_seed, size_t *ret_seed_len);
/* -EBADMSG, exit 9: the server's answer cannot be used. */
int sw_reply_refuse(struct sw_error *err, const char *why);

/* -EBADMSG, exit 9, with where the answer stops to make sense. */
int sw_reply_parse(const void *data, size_t len, struct sw_reply *ret_reply, struct sw_error *err);

/*
 * key: what the TPM found in the credential. Adds the overlay to ret_plain, which has to be
 * wiped. -EBADMSG, exit 9, when the key is of another length or does not fit the ciphertext;
 * nothing is decrypted before the HMAC holds.
 */
int sw_reply_open(const struct sw_reply *reply, const struct sw_secret *key,
		  struct sw_buf *ret_plain, struct sw_error *err);
