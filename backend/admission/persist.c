/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/persist.h"

#include "base/clock.h"

struct sw_backoff sw_persist_backoff(int64_t now_ms, unsigned int patience_s)
{
	return (struct sw_backoff){ .first_ms = 1000, .max_ms = 30000,
				    .end_ms = now_ms + (int64_t)patience_s * 1000 };
}

int sw_persist(const struct sw_persist *p, struct sw_error *err)
{
	struct sw_backoff b = sw_persist_backoff(sw_now_ms(), p->patience_s);

	sw_backoff_seed(&b, 0);
	for (;;) {
		struct sw_http_answer answer = {};
		struct sw_error e = {};
		int r = p->once(p->arg, &answer, &e);
		unsigned int ms;

		if (r == 0)
			return 0;
		if (!answer.retry ||
		    !sw_backoff_next(&b, sw_now_ms(), answer.retry_after_s * 1000, &ms)) {
			if (err)
				*err = e;
			return r;
		}
		sw_event_log(p->sink, "%s (%s); next try in %u s", e.what, e.why,
			     (ms + 999) / 1000);
		if (sw_event_pause(p->sink, ms) < 0)
			return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "cancelled");
	}
}
