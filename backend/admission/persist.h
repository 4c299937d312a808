/* SPDX-License-Identifier: Apache-2.0 */
/* Going on trying where another try can mend it. */
#pragma once

#include "base/backoff.h"
#include "base/event.h"
#include "net/post.h"

struct sw_persist {
	const struct sw_sink *sink;	/* told of each try that failed; polled; or NULL */
	unsigned int patience_s;	/* for so long */
	/* One try. ret_answer->retry says whether another may succeed where this one failed. */
	int (*once)(void *arg, struct sw_http_answer *ret_answer, struct sw_error *err);
	void *arg;
};

/* The pauses between tries, from a moment of the caller's clock on; to be seeded. Pure. */
struct sw_backoff sw_persist_backoff(int64_t now_ms, unsigned int patience_s);

/*
 * With pauses of 1, 2, 4 ... 30 s, a little uneven so that a rack that starts at once does not ask
 * at once, or for as long as the server asks for. The error is that of the last try.
 */
int sw_persist(const struct sw_persist *p, struct sw_error *err);
