/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret of any size that only this TPM opens, in the form of systemd's credentials
 * (src/shared/creds-util.c of systemd 252): a header, what the TPM sealed (tpm/seal.h, 32 random
 * bytes), and AES-256-GCM of the name, two dates and the secret under SHA-256 of those bytes, with
 * all that stands before as additional data. `systemd-creds decrypt` opens it, and what
 * `systemd-creds encrypt --with-key=tpm2` or `tpm2-with-public-key` made is opened here. As text it
 * is base64.
 *
 * The same form without a TPM's part, under an id of slipway's own, holds the copy that a recovery
 * key opens.
 */
#pragma once

#include "base/buf.h"
#include "tpm/seal.h"

#define SW_CREDENTIAL_SECRET_MAX 16384U	/* bytes of a secret */
#define SW_CREDENTIAL_MAX 24576U	/* bytes of a credential, not as text */
#define SW_CREDENTIAL_NAME_MAX 64U

/* A credential taken apart; pointers are into what it was read from. */
struct sw_credential {
	bool recovery;			/* opened by a recovery key, not by a TPM */
	struct sw_sealed sealed;	/* unless recovery: blob, policy, pcrs, rsa */
	const uint8_t *start;		/* what the tag also covers */
	size_t start_len;
	const uint8_t *iv, *cipher, *tag;
	size_t cipher_len;
};

/* a-z, A-Z, 0-9, '_', '-' and '.', not first; at most SW_CREDENTIAL_NAME_MAX. */
bool sw_credential_is_name(const char *name);

/*
 * Takes it apart; of what is in the secret part nothing is known yet. -EBADMSG (exit 8) when it is
 * none or damaged, -EOPNOTSUPP (exit 5) for a key or PCR bank that slipway does not use.
 */
int sw_credential_parse(const void *data, size_t len, struct sw_credential *ret_credential,
			struct sw_error *err);
/* Text to bytes: white space does not count. -EBADMSG, exit 8. */
int sw_credential_from_text(const char *text, struct sw_buf *ret_data, struct sw_error *err);
/* malloc'd, one line without its end; NULL when out of memory. */
char *sw_credential_to_text(const struct sw_buf *data);

/*
 * key: what the TPM gave, or the recovery key. sealed: NULL for the copy of a recovery key.
 * now_us: since 1970, put in as the time of making. Adds to ret_data.
 */
int sw_credential_close(const struct sw_sealed *sealed, const struct sw_secret *key,
			const char *name, uint64_t now_us, const struct sw_secret *secret,
			struct sw_buf *ret_data, struct sw_error *err);
/*
 * The other way. now_us: 0 does not look at the date until which it is good. Exit 8: -EBADMSG
 * (not this key, or changed), -EKEYREJECTED (it bears another name), -ESTALE (no longer good).
 */
int sw_credential_open(const struct sw_credential *c, const struct sw_secret *key,
		       const char *name, uint64_t now_us, struct sw_secret **ret_secret,
		       struct sw_error *err);

/*
 * What was encrypted: where in it the secret stands. Errors as above, and -EBADMSG for what is
 * too short. Pure.
 */
int sw_credential_content(const uint8_t *plain, size_t len, const char *name, uint64_t now_us,
			  size_t *ret_at, struct sw_error *err);
