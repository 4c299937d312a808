/* SPDX-License-Identifier: Apache-2.0 */
/* What a job says while it works, and how it is ended before it has an answer. */
#include "tui/session/state.h"

#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"

#define TOLD_MAX ((size_t)32 << 10)	/* bytes that a screen shows of a look that goes on */

/* ---- the doctor ---- */

void sw_state_want_doctor(struct sw_state *s, bool servers)
{
	s->doctor_pending = true;
	s->doctor_servers = servers;
	s->doctor_told[0] = '\0';
	s->doctor_size = 0;
	s->doctor_error = (struct sw_error){ 0 };
	s->want |= SW_WANT_DOCTOR;
}

void sw_state_want_image(struct sw_state *s, json_object *image)
{
	json_object_put(s->doctor_image);
	s->doctor_image = image;
	s->doctor_opens = image != NULL;
	sw_state_want_doctor(s, false);
}

void sw_state_look_inside(struct sw_state *s, struct sw_secret *key)
{
	sw_secret_free(s->doctor_key);
	s->doctor_key = key;
	s->doctor_open = true;
	sw_state_want_doctor(s, false);
}

void sw_state_close_inside(struct sw_state *s)
{
	bool looks = s->doctor_open && s->doctor_pending && !s->doctor_writing;

	s->doctor_key = sw_secret_free(s->doctor_key);
	s->doctor_open = false;
	if (looks)
		sw_state_want_doctor(s, s->doctor_servers);
}

bool sw_state_node_is_closed(const struct sw_state *s)
{
	json_object *list = s->doctor ? sw_json_array(s->doctor, "findings") : NULL;

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (sw_json_bool(json_object_array_get_idx(list, i), "takes_key", false))
			return true;
	return false;
}

void sw_state_doctor_writes(struct sw_state *s, bool repair)
{
	s->doctor_pending = s->doctor_writing = true;
	s->doctor_may_stop = repair;
	s->doctor_told[0] = '\0';
	s->doctor_size = 0;
}

void sw_state_doctor_told(struct sw_state *s, const struct sw_event *ev)
{
	if (ev->type == SW_EVENT_START)	/* it writes from here on */
		s->doctor_may_stop = false;
	if (ev->type == SW_EVENT_LOG || ev->type == SW_EVENT_START) {
		(void)snprintf(s->doctor_told, sizeof(s->doctor_told), "%s", ev->text);
		s->doctor_size = 0;
	} else if (ev->type == SW_EVENT_PROGRESS) {
		s->doctor_done = ev->done;
		s->doctor_size = ev->size;
	}
}

/* What a repair has begun to write must not stay half written: that goes on to its end. */
static void stop_repair(struct sw_state *s)
{
	if (!s->doctor_may_stop) {
		sw_state_refuse(s, "It is being written, and goes on to its end.");
		return;
	}
	s->want |= SW_WANT_DOCTOR_REPAIR_STOP;
	sw_state_notice(s, "Stopping ...");
}

void sw_state_stop_doctor(struct sw_state *s)
{
	if (s->doctor_pending && s->doctor_writing)
		stop_repair(s);
	if (!s->doctor_pending || s->doctor_writing)
		return;
	s->doctor_pending = s->doctor_servers = false;
	s->want |= SW_WANT_DOCTOR_STOP;
	sw_state_notice(s, s->doctor ? "Stopped. What is shown was found before."
				     : "Stopped. Nothing was found out.");
	sw_view_refresh(s);
}

/* ---- a look ---- */

void sw_state_look_clear(struct sw_look *l)
{
	json_object_put(l->found);
	sw_buf_clear(&l->told);
	*l = (struct sw_look){ 0 };
}

static void add_told(struct sw_buf *told, const struct sw_event *ev)
{
	if (ev->type == SW_EVENT_START)
		(void)sw_buf_addf(told, "%u/%u %s\n", ev->step, ev->steps, ev->text);
	else if (ev->type == SW_EVENT_LOG)
		(void)sw_buf_addf(told, "%s\n", ev->text);
}

void sw_state_look_told(struct sw_state *s, enum sw_look_kind kind, const struct sw_event *ev)
{
	struct sw_look *l = &s->looks[kind];

	if (!l->pending)
		return;
	if (ev->type == SW_EVENT_PROGRESS) {
		l->done = ev->done;
		l->size = ev->size;
	} else if (ev->type == SW_EVENT_START) {
		l->done = l->size = 0;
	}
	if (l->told.len < TOLD_MAX)
		add_told(&l->told, ev);
	sw_view_refresh(s);
}

void sw_state_stop_tool(struct sw_state *s)
{
	struct sw_look *l = &s->looks[SW_LOOK_TOOL];

	if (!l->pending)
		return;
	l->pending = false;
	(void)sw_fail(&l->error, SW_EXIT_CANCELLED, -ECANCELED, "stopped");
	s->want |= SW_WANT_TOOL_STOP;
	sw_state_notice(s, "Stopped.");
	sw_view_refresh(s);
}

void sw_state_stop_writing(struct sw_state *s)
{
	if (!s->looks[SW_LOOK_TOOL_DO].pending)
		return;
	s->want |= SW_WANT_TOOL_DO_STOP;
	sw_state_notice(s, "Stopping ...");
}
