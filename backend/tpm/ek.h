/* SPDX-License-Identifier: Apache-2.0 */
/* The endorsement key in an open TPM. Private to tpm/. */
#pragma once

#include "tpm/context.h"
#include "tpm/identity.h"

/* Loads it as t->primary and reads what is known of it. */
int sw_tpm_load_ek(struct sw_tpm *t, bool ecc, struct sw_ek *ret_ek);
