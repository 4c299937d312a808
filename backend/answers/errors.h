/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded list of errors, so that one run over a file tells all that is
 * wrong with it. Private to answers/.
 */
#pragma once

#include "base/error.h"

struct sw_errors {
	struct sw_error *v;
	size_t max, n;
	struct sw_error overflow;	/* where errors past max go */
	int r;				/* of the first error, 0 without any */
};

/* An empty error to fill; what is written past max is counted by nobody. */
struct sw_error *sw_errors_next(struct sw_errors *e);
/* Notes that the error from sw_errors_next() was filled. Returns r. */
int sw_errors_keep(struct sw_errors *e, int r);
