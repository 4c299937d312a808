/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What TPM there is, asked through ESAPI. A TPM that does not answer must not
 * hold up the machine, so the question is put in a thread with a time limit.
 */
#pragma once

#include "base/error.h"

struct sw_tpm_info {
	char *version;		/* "2.0" */
	char *vendor;		/* manufacturer, its four characters without padding: "INTC" */
};

void sw_tpm_info_clear(struct sw_tpm_info *i);
#define _cleanup_tpm_info_ _cleanup_(sw_tpm_info_clear)

/*
 * Asks the TPM behind a TCTI string. -ETIMEDOUT after timeout_s seconds,
 * -ENODEV when there is none, -EIO when it answers with an error.
 */
int sw_tpm_query(const char *tcti, unsigned int timeout_s, struct sw_tpm_info *ret_info,
		 struct sw_error *err);
