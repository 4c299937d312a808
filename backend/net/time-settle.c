/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "net/time.h"

static int tell(const struct sw_time_seen *s, const struct sw_time_verdict *v,
		const struct sw_sink *sink)
{
	_cleanup_buf_ struct sw_buf words = {}, all = {};
	char *line, *save = NULL;

	if (sw_time_words(s, v, &words) < 0 || sw_time_text_all(s, &all) < 0)
		return -ENOMEM;
	sw_event_log(sink, "The clock is %s%s", v->by == -1 ? "not compared: " : "",
		     sw_buf_text(&words));
	for (line = v->disputed && all.data ? strtok_r((char *)all.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		sw_event_log(sink, "  %s", line);
	return 0;
}

int sw_time_set(struct sw_machine *m, const struct sw_time_seen *seen,
		const struct sw_time_verdict *v, const struct sw_sink *sink, struct sw_error *err)
{
	char now[SW_TIME_TEXT];
	int rtc = 0, r;

	if (!v->wrong)
		return 0;
	r = sw_machine_clock_turn(m, v->ahead_ms, &rtc, err);
	if (r < 0)
		return r;
	sw_event_log(sink, "The clock is set to %s",
		     sw_time_text((seen->now_ms + v->ahead_ms) / 1000, now));
	if (rtc < 0)
		sw_event_log(sink, "The clock on the board cannot be set (%s): it is wrong again "
				   "at the next start", strerror(-rtc));
	return 0;
}

int sw_time_settle(struct sw_machine *m, const struct sw_time_ask *ask, bool force, bool *ret_set,
		   struct sw_error *err)
{
	_cleanup_free_ struct sw_time_seen *seen = calloc(1, sizeof(*seen));
	struct sw_time_verdict v;
	struct sw_error e = {};
	char line[200];
	int r = seen ? sw_time_look(m, ask, seen, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	sw_time_judge(seen, &v);
	if (ret_set)
		*ret_set = false;
	/* Nobody was asked, and it may be right: there is nothing to tell. */
	if (v.by == -1 && !sw_time_asked(seen))
		return 0;
	if (tell(seen, &v, ask->sink) < 0)
		return sw_fail_oom(err);
	if (!v.wrong)
		return 0;
	if (!force && !sw_machine_sets_clock(m)) {
		sw_event_log(ask->sink, "The clock of this system stays as it is: it is not "
					"slipway's to set");
		return 0;
	}
	if (sw_time_set(m, seen, &v, ask->sink, &e) == 0) {
		if (ret_set)
			*ret_set = true;
		return 0;
	}
	sw_error_line(&e, line, sizeof(line));
	sw_event_log(ask->sink, "%s", line);
	return 0;
}
