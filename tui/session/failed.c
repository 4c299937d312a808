/* SPDX-License-Identifier: Apache-2.0 */
/* An install, or another work, that failed: what is on the screen then, and who is told of it. */
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
