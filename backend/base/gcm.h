/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-256-GCM by libcrypto, which must be open (base/crypto.h): a text that is locked together
 * with what stands before it. NIST SP 800-38D.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SW_GCM_KEY 32U
#define SW_GCM_IV 12U
#define SW_GCM_TAG 16U

/* One text: what stands before it and counts as well, and how many bytes it has. */
struct sw_gcm {
	const uint8_t *key, *iv;
	const uint8_t *head;
	size_t head_len;
	size_t len;		/* of the text, at most INT_MAX, as is head_len */
};

/* False when libcrypto cannot. */
bool sw_gcm_close(const struct sw_gcm *g, const uint8_t *plain, uint8_t *ret_cipher,
		  uint8_t ret_tag[static SW_GCM_TAG]);
/* False when the tag does not hold: then nothing is left in ret_plain. */
bool sw_gcm_open(const struct sw_gcm *g, const uint8_t *cipher,
		 const uint8_t tag[static SW_GCM_TAG], uint8_t *ret_plain);
