/* SPDX-License-Identifier: Apache-2.0 */
/* What a TPM's maker stored in it: NV indexes and certificates in them. Private to tpm/. */
#pragma once

#include "base/buf.h"
#include "tpm/context.h"

/*
 * Reads a whole index. -ENOENT, without an error, when it is not there or was never written;
 * -E2BIG past what a TPM's maker would store. Adds to ret_data.
 */
int sw_tpm_nv_read(struct sw_tpm *t, TPM2_HANDLE index, struct sw_buf *ret_data);

/*
 * The certificate in what an index holds: without the header 10 01 00 and two bytes of length
 * that some makers put before it (TCG PC Client Implementation 1.21, 7.3.2), and without what
 * stands behind its end. Borrowed; NULL when it is no DER. *at is moved behind it.
 */
const uint8_t *sw_der_next(const uint8_t *data, size_t len, size_t *at, size_t *ret_len);
