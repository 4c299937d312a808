/* SPDX-License-Identifier: Apache-2.0 */
/* A key of this node's own, a request for a certificate of it, and whether one is of it. */
#pragma once

#include "base/secret.h"

struct sw_keypair;

/* RSA of so many bits. Takes seconds for 4096. */
int sw_keypair_new(unsigned int bits, struct sw_keypair **ret_pair, struct sw_error *err);
struct sw_keypair *sw_keypair_free(struct sw_keypair *k);
SW_DEFINE_CLEANUP(struct sw_keypair, sw_keypair_free)
#define _cleanup_keypair_ _cleanup_(sw_keypair_freep)

/* The private key in PEM as PKCS #1 ("RSA PRIVATE KEY"). */
int sw_keypair_pem(const struct sw_keypair *k, struct sw_secret **ret_pem, struct sw_error *err);
/* A certificate request (PKCS #10, SHA-256) without a name, in PEM; malloc'd. */
int sw_keypair_request(const struct sw_keypair *k, char **ret_pem, struct sw_error *err);
/* Whether the first certificate of this PEM is of this key. -EBADMSG: there is none in it. */
int sw_keypair_fits(const struct sw_keypair *k, const char *cert_pem);
