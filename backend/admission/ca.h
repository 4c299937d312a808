/* SPDX-License-Identifier: Apache-2.0 */
/* Whether certificates that a server hands out are those that a token or a pin names. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/*
 * The hash in K10 tokens of k3s and rke2 (k3s, pkg/clientaccess): SHA-256 of the text when it
 * holds one certificate; of several, that of the root (DER) that the first one leads to, and of
 * the text where it leads to none. 64 hex digits. -EBADMSG without a certificate; -ENOMEM.
 */
int sw_ca_hash(const char *pem, size_t len, char ret_hex[static 65]);

/*
 * 1 when a certificate has the key with this pin (kubeadm's: SHA-256 of the SPKI, in hex; NULL:
 * any), 0 when none has; ret_first: the pin of the first. Errors as above.
 */
int sw_ca_has_key(const char *pem, size_t len, const char *pin, char ret_first[static 65]);
