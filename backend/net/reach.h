/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a server answers, as a person asks who looks for what is wrong with a network. */
#pragma once

#include "net/http.h"

struct sw_reach {
	long status;		/* of the answer */
	uint64_t size;		/* of what is there, 0: the server does not say */
	int64_t ms;		/* until the answer came */
};

/*
 * Asks for the URL and ends the transfer as soon as content begins.
 * Errors are those of sw_http_get(): what, why and a next step.
 */
int sw_reach_try(const char *url, struct sw_reach *ret_reach,
		 struct sw_error *err);
