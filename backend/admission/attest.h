/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admission by remote attestation: one POST of what the TPM says of itself and of what was
 * started, and an overlay back that only this TPM can open. The exchange of safeboot-attest, with
 * the certificates of the endorsement key sent along (ek.crt), over https only.
 */
#pragma once

#include "admission/overlay.h"
#include "base/backoff.h"
#include "base/event.h"
#include "base/secret.h"
#include "net/post.h"
#include "tpm/identity.h"

#define SW_ATTEST_PARTS 8U
#define SW_ATTEST_PCRS 0x1ffffU	/* quoted: 0 to 16 of the sha256 bank, as safeboot does */

struct sw_attest {
	const char *url;
	struct sw_http_trust trust;
	const void *log;		/* the measured-boot log, borrowed; NULL: there is none */
	size_t log_len;
	unsigned int timeout_s;		/* for one exchange; 0: 30 */
	unsigned int patience_s;	/* go on trying for so long where that can help */
	const struct sw_sink *sink;	/* told of each try that failed; polled; or NULL */
};

/* The form as it is sent. */
struct sw_attest_request {
	struct sw_http_part part[SW_ATTEST_PARTS];	/* ek.pub, ak.pub, nonce, quote, ... */
	size_t n_parts;
	struct sw_quote quote;
	char nonce[9];			/* the time in seconds, in hex */
	char *certs;			/* PEM, the key's first; NULL: the TPM stores none */
};

/* A fresh quote, and all that goes along. Nothing is sent. Parts borrow from id and a. */
int sw_attest_prepare(const struct sw_attest *a, struct sw_identity *id, int64_t now,
		      struct sw_attest_request *ret_request, struct sw_error *err);
void sw_attest_request_clear(struct sw_attest_request *r);
#define _cleanup_request_ _cleanup_(sw_attest_request_clear)

/* When it is tried again; still to be seeded. */
struct sw_backoff sw_attest_backoff(int64_t now_ms, unsigned int patience_s);

/*
 * The whole exchange. Adds the overlay, a tar, to ret_overlay, which has to be wiped.
 * Exit 9 when the server refuses or its answer cannot be opened, 10 when it cannot be reached or
 * is not believed, 5 when the TPM cannot; each with a likely cause and the next step. Only what
 * another try can mend is tried again: with pauses of 1, 2, 4 ... 30 s, a little uneven so that
 * a rack that starts at once does not ask at once, or what the server asks for and up to half more.
 */
int sw_attest_run(const struct sw_attest *a, struct sw_identity *id, struct sw_buf *ret_overlay,
		  struct sw_error *err);

/* What a status other than 200 means here; body: the server's own words. Exit 9 or 10. Pure. */
int sw_attest_explain(long status, const char *body, const char *url, struct sw_error *err);
