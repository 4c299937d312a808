/* SPDX-License-Identifier: Apache-2.0 */
/* A TPM's public areas as the rest of the world writes keys. Private to tpm/. */
#pragma once

#include "base/crypto.h"
#include "tpm/tss2.h"

/* An RSA or NIST P-256 or P-384 key; NULL for anything else, or when out of memory. To be freed. */
EVP_PKEY *sw_tpm_public_key(const TPMT_PUBLIC *p);
/* SubjectPublicKeyInfo as PEM, byte for byte as openssl(1) writes it; malloc'd or NULL. */
char *sw_tpm_key_pem(EVP_PKEY *key);
/* SHA-256 of its DER form in hex; false when out of memory. */
bool sw_tpm_key_spki(EVP_PKEY *key, char ret_hex[static 65]);
/* A certificate in DER as PEM; malloc'd, or NULL when it is none. */
char *sw_tpm_cert_pem(const uint8_t *der, size_t len);
/* True when the certificate in DER is about this key. */
bool sw_tpm_cert_is_of(const uint8_t *der, size_t len, EVP_PKEY *key);
