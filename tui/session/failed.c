/* SPDX-License-Identifier: Apache-2.0 */
/* An install that failed, or waits for a person: what is on the screen, and who is told of it. */
#include "apply/apply.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

void sw_state_show_failure(struct sw_state *s)
{
	s->phase = SW_PHASE_FAILED;
	s->waiting = false;
	s->bell = true;
	sw_view_only(s, &sw_screen_result);
}

static void want_tell(struct sw_state *s, const struct sw_rest *rest)
{
	s->rest = rest;
	s->telling = true;
	s->want |= SW_WANT_TELL;
}

void sw_state_work_failed(struct sw_state *s, const struct sw_error *err)
{
	s->failure = *err;
	sw_failure_code(SW_FAILED_PLAN, err, s->failure_code);
	if (s->unattended && s->work == SW_WORK_INSTALL)
		want_tell(s, NULL);
	sw_state_show_failure(s);
}

void sw_state_answers_failed(struct sw_state *s, const struct sw_error *err,
			     const struct sw_rest *rest)
{
	s->failure = *err;
	sw_failure_code(SW_FAILED_ANSWERS, err, s->failure_code);
	if (rest)
		want_tell(s, rest);
	if (s->answers->on_error == SW_ON_ERROR_STAY)
		return;
	s->unattended = true;
	sw_state_show_failure(s);
}

void sw_state_told(struct sw_state *s)
{
	s->rest = NULL;
	s->telling = false;
}

/* ---- what is left to be answered ---- */

/* One after the other: who answers at once would end what is still to be told. */
static void tell_wait(struct sw_state *s)
{
	if (s->asked.telling || s->asked.told > s->asked.over || !sw_answers_reports(s->answers))
		return;
	s->asked.told++;
	s->asked.telling = true;
	s->want |= SW_WANT_WAITS;
}

void sw_state_waits(struct sw_state *s)
{
	if (s->asked.keys)
		return;
	s->asked.keys = sw_answers_open_text(s->answers);
	if (s->asked.keys)
		tell_wait(s);
}

void sw_state_waits_no_more(struct sw_state *s, int result)
{
	if (!s->asked.keys || s->asked.over)
		return;
	s->asked.over = true;
	s->asked.result = result;
	tell_wait(s);
}

void sw_state_wait_told(struct sw_state *s)
{
	s->asked.telling = false;
	if (s->asked.over)
		tell_wait(s);
}
