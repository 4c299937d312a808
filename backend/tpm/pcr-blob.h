/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCR values in the form that tpm2_quote writes and tpm2_checkquote reads ("serialized", the
 * default of tpm2-tools 4 and 5): C structures of tss2_tpm2_types.h in little-endian order.
 */
#pragma once

#include "tpm/identity.h"

/* pcrs: bit n: PCR n of the sha256 bank. Returns the length, at most SW_PCR_BLOB_MAX. */
size_t sw_pcr_blob(const uint8_t value[SW_PCRS][32], uint32_t pcrs,
		   uint8_t ret_blob[static SW_PCR_BLOB_MAX]);
