/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"

/* How long a cancellation may have to wait. */
#define POLL_MS 50U

static const char *const names[] = {
	[SW_EVENT_PLAN] = "plan",   [SW_EVENT_START] = "start",	  [SW_EVENT_PROGRESS] = "progress",
	[SW_EVENT_LOG] = "log",	    [SW_EVENT_FINISH] = "finish", [SW_EVENT_DONE] = "done",
	[SW_EVENT_WAIT] = "wait",   [SW_EVENT_ANSWERED] = "answered",
};

void sw_event_stamp(struct sw_event *ev)
{
	ev->time_ms = sw_wall_ms();
	ev->now_ms = sw_now_ms();
}

void sw_event_emit(const struct sw_sink *sink, struct sw_event *ev)
{
	if (!sink || !sink->fn)
		return;
	sw_event_stamp(ev);
	sink->fn(ev, sink->userdata);
}

void sw_event_log(const struct sw_sink *sink, const char *fmt, ...)
{
	struct sw_event ev = { .type = SW_EVENT_LOG };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(ev.text, sizeof(ev.text), fmt, ap);
	va_end(ap);
	sw_event_emit(sink, &ev);
}

struct sw_sink sw_sink_told(const struct sw_sink *sink)
{
	struct sw_sink told = sink ? *sink : (struct sw_sink){};

	told.cancelled = NULL;
	return told;
}

struct sw_sink sw_sink_polled(const struct sw_sink *sink)
{
	struct sw_sink polled = sink ? *sink : (struct sw_sink){};

	polled.fn = NULL;
	return polled;
}

int sw_event_poll(const struct sw_sink *sink)
{
	return sink && sink->cancelled && sink->cancelled(sink->userdata) ? -ECANCELED : 0;
}

int sw_event_pause(const struct sw_sink *sink, unsigned int ms)
{
	while (ms > 0) {
		unsigned int piece = ms < POLL_MS ? ms : POLL_MS;
		struct timespec ts = { .tv_nsec = (long)piece * 1000000 };

		if (sw_event_poll(sink) < 0)
			return -ECANCELED;
		(void)nanosleep(&ts, NULL);
		ms -= piece;
	}
	return 0;
}

json_object *sw_event_to_json(const struct sw_event *ev)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "event", names[ev->type]);
	json_object_object_add(o, "time_ms", json_object_new_int64(ev->time_ms));
	json_object_object_add(o, "monotonic_ms", json_object_new_int64(ev->now_ms));
	if (ev->id[0])
		sw_json_add_str(o, "id", ev->id);
	if (ev->step)
		sw_json_add_u64(o, "step", ev->step);
	if (ev->steps)
		sw_json_add_u64(o, "steps", ev->steps);
	if (ev->weight)
		sw_json_add_u64(o, "weight", ev->weight);
	if (ev->text[0])
		sw_json_add_str(o, "text", ev->text);
	if (ev->type == SW_EVENT_PROGRESS) {
		sw_json_add_u64(o, "done", ev->done);
		sw_json_add_u64(o, "size", ev->size);
	}
	if (ev->type == SW_EVENT_FINISH || ev->type == SW_EVENT_DONE ||
	    ev->type == SW_EVENT_ANSWERED)
		json_object_object_add(o, "result", json_object_new_int(ev->result));
	if (ev->image[0])
		sw_json_add_str(o, "image_sha256", ev->image);
	if (ev->code[0])
		sw_json_add_str(o, "code", ev->code);
	if (ev->node_id[0])
		sw_json_add_str(o, "node_id", ev->node_id);
	if (ev->ssh_host_key[0])
		sw_json_add_str(o, "ssh_host_key", ev->ssh_host_key);
	if (ev->escrow[0])
		sw_json_add_str(o, "recovery_escrow", ev->escrow);
	if (ev->error.r)
		json_object_object_add(o, "error", sw_error_to_json(&ev->error));
	return o;
}

int sw_event_from_json(json_object *o, struct sw_event *ret_ev)
{
	const char *name = sw_json_str(o, "event", "");
	struct sw_event ev = {};
	size_t t;

	for (t = 0; t < ARRAY_SIZE(names); t++)
		if (strcmp(names[t], name) == 0)
			break;
	if (t == ARRAY_SIZE(names))
		return -EINVAL;
	ev.type = (enum sw_event_type)t;
	ev.time_ms = sw_json_int(o, "time_ms", 0);
	ev.now_ms = sw_json_int(o, "monotonic_ms", ev.time_ms);
	ev.step = (unsigned int)sw_json_int(o, "step", 0);
	ev.steps = (unsigned int)sw_json_int(o, "steps", 0);
	ev.weight = (unsigned int)sw_json_int(o, "weight", 0);
	ev.done = sw_json_u64(o, "done", 0);
	ev.size = sw_json_u64(o, "size", 0);
	ev.result = (int)sw_json_int(o, "result", 0);
	(void)snprintf(ev.id, sizeof(ev.id), "%s", sw_json_str(o, "id", ""));
	(void)snprintf(ev.text, sizeof(ev.text), "%s", sw_json_str(o, "text", ""));
	(void)snprintf(ev.image, sizeof(ev.image), "%s", sw_json_str(o, "image_sha256", ""));
	(void)snprintf(ev.code, sizeof(ev.code), "%s", sw_json_str(o, "code", ""));
	(void)snprintf(ev.node_id, sizeof(ev.node_id), "%s", sw_json_str(o, "node_id", ""));
	(void)snprintf(ev.ssh_host_key, sizeof(ev.ssh_host_key), "%s",
		       sw_json_str(o, "ssh_host_key", ""));
	(void)snprintf(ev.escrow, sizeof(ev.escrow), "%s", sw_json_str(o, "recovery_escrow", ""));
	if (sw_json_get(o, "error"))
		sw_error_from_json(sw_json_get(o, "error"), &ev.error);
	*ret_ev = ev;
	return 0;
}
