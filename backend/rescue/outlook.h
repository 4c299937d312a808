/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is most likely to stop a node next: first what the doctor finds wrong already, then what is
 * still right and will not stay so. Pure: from what was read before.
 */
#pragma once

#include "rescue/rescue.h"

#define SW_OUTLOOK_MAX 3U	/* more would hide the first ones */

struct sw_outlook {
	const struct sw_findings *found;	/* borrowed; NULL: nobody could look */
	json_object *status;	/* borrowed: "installed", "admissions" of sw_status_look() */
	int64_t now;		/* seconds since the epoch */
	uint64_t store_total, store_free;	/* the firmware's, bytes; total 0: unknown */
	uint32_t failures, failures_max;	/* the TPM's wrong attempts; max 0: unknown */
};

/*
 * [{"id", "severity", "what", "evidence", "advice"}], the most likely first, SW_OUTLOOK_MAX at
 * most. severity is that of a finding, or "ahead" for what is not wrong yet; id is the finding's,
 * or "clock-back", "admission", "token-burnt", "token-expires", "tpm-guesses", "one-image",
 * "store-filling", "image-old". New reference, NULL when out of memory.
 */
json_object *sw_outlook_make(const struct sw_outlook *in);
