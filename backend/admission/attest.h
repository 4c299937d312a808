/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admission by remote attestation: one POST of what the TPM says of itself and of what was
 * started, and an overlay back that only this TPM can open, over https only. Plain is the exchange
 * of safeboot-attest, with the certificates of the endorsement key sent along (ek.crt). Strict asks
 * with GET first, for a nonce, and its overlay opens only while the PCRs are as they were quoted.
 * docs/attestation.md has both.
 */
#pragma once

#include "admission/overlay.h"
#include "admission/protocol.h"
#include "admission/strict.h"
#include "base/backoff.h"
#include "base/event.h"
#include "base/secret.h"
#include "net/post.h"
#include "tpm/identity.h"

#define SW_ATTEST_PARTS 9U
#define SW_ATTEST_PCRS 0x1ffffU	/* quoted: 0 to 16 of the sha256 bank, as safeboot does */

struct sw_attest {
	const char *url;
	enum sw_attest_protocol protocol;
	struct sw_http_trust trust;
	const void *log;		/* the measured-boot log, borrowed; NULL: there is none */
	size_t log_len;
	unsigned int timeout_s;		/* for one exchange; 0: 30 */
	unsigned int patience_s;	/* go on trying for so long where that can help */
	/* The exchange that was used last, STRICT or PLAIN; AUTO: it came to none. Or NULL. */
	enum sw_attest_protocol *ret_used;
	const struct sw_sink *sink;	/* told of each try that failed; polled; or NULL */
};

/* The form as it is sent. */
struct sw_attest_request {
	struct sw_http_part part[SW_ATTEST_PARTS];	/* ek.pub, ak.pub, nonce, quote, ... */
	size_t n_parts;
	struct sw_quote quote;
	char nonce[2 * SW_STRICT_NONCE + 1];	/* the server's or, plain, the time; in hex */
	char *certs;			/* PEM, the key's first; NULL: the TPM stores none */
};

/*
 * A fresh quote, and all that goes along. Nothing is sent. Parts borrow from id and a. offer: of
 * the strict exchange; NULL: the plain one.
 */
int sw_attest_prepare(const struct sw_attest *a, struct sw_identity *id,
		      const struct sw_offer *offer, struct sw_attest_request *ret_request,
		      struct sw_error *err);
void sw_attest_request_clear(struct sw_attest_request *r);
#define _cleanup_request_ _cleanup_(sw_attest_request_clear)

/*
 * The whole exchange. Adds the overlay, a tar, to ret_overlay, which has to be wiped. With
 * SW_ATTEST_AUTO a server that knows no GET at its address (404, 405) is taken for one of the
 * plain exchange, and the sink is told; nothing else leads there.
 * Exit 9 when the server refuses or its answer cannot be opened, 10 when it cannot be reached or
 * is not believed, 5 when the TPM cannot; each with a likely cause and the next step. Only what
 * another try can mend is tried again: with pauses of 1, 2, 4 ... 30 s, a little uneven so that
 * a rack that starts at once does not ask at once, or what the server asks for and up to half more.
 */
int sw_attest_run(const struct sw_attest *a, struct sw_identity *id, struct sw_buf *ret_overlay,
		  struct sw_error *err);

/* What a status other than 200 means here; body: the server's own words. Exit 9 or 10. Pure. */
int sw_attest_explain(long status, const char *body, const char *url, struct sw_error *err);
