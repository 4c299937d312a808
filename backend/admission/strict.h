/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict exchange's two answers, as docs/attestation.md has them: what the server offers when
 * it is asked with GET, and the overlay that it sends back, locked for one TPM, one state of its
 * PCRs and one nonce.
 */
#pragma once

#include "admission/reply.h"

#define SW_OFFER_MAX 4096U	/* bytes of an offer */
#define SW_STRICT_NONCE 32U
#define SW_STRICT_SECRET 32U	/* in the credential */
#define SW_STRICT_VERSION 1

struct sw_offer {
	uint8_t nonce[SW_STRICT_NONCE];
};

/* A JSON object. -EBADMSG, exit 9, for anything else than an offer of the strict exchange. */
int sw_offer_parse(const char *text, size_t len, struct sw_offer *ret_offer, struct sw_error *err);

struct sw_strict_reply {
	const uint8_t *head;	/* all before the ciphertext; borrowed, as is the rest */
	const uint8_t *id, *seed, *iv, *cipher, *tag;
	size_t head_len, id_len, seed_len, cipher_len;	/* the sizes in front of id and seed too */
};

/* -EBADMSG, exit 9, with where the answer stops to make sense; also for a plain answer. */
int sw_strict_parse(const void *data, size_t len, struct sw_strict_reply *ret_reply,
		    struct sw_error *err);

/*
 * secret: what the TPM found in the credential; ak: the public area (TPMT_PUBLIC) of the key that
 * it was made for. Adds the overlay to ret_plain, which has to be wiped. -EBADMSG, exit 9, when
 * the answer was changed, or is one to another question; then nothing is added.
 */
int sw_strict_open(const struct sw_strict_reply *reply, const struct sw_secret *secret,
		   const struct sw_offer *offer, const void *ak, size_t ak_len,
		   struct sw_buf *ret_plain, struct sw_error *err);
