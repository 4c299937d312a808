/* SPDX-License-Identifier: Apache-2.0 */
#include "report/message.h"

#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/template.h"

void sw_message_time(int64_t time_ms, char text[static 32])
{
	time_t t = (time_t)(time_ms / 1000);
	struct tm tm = {};

	(void)gmtime_r(&t, &tm);
	if (!strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm))
		text[0] = '\0';
	(void)snprintf(text + strlen(text), 32 - strlen(text), ".%03dZ", (int)(time_ms % 1000));
}

int sw_message_maker_init(struct sw_message_maker *m, const struct sw_report *r)
{
	*m = (struct sw_message_maker){ .report = r };
	if (r->m)
		(void)sw_machine_identity(r->m, &m->machine, NULL);
	for (size_t i = 0; r->plan && i < r->plan->n_steps; i++)
		m->weight += r->plan->steps[i].weight;
	m->steps = r->plan ? (unsigned int)r->plan->n_steps : 0;
	return r->partial ? 0 : sw_answers_digest(r->answers, m->answers);
}

void sw_message_maker_clear(struct sw_message_maker *m)
{
	for (size_t i = 0; i < SW_MESSAGE_LOG; i++)
		free(m->log[i]);
	m->machine = sw_facts_free(m->machine);
}

/* One line, with its place: an error in answers is found by that. */
static char *failed_line(const struct sw_event *ev)
{
	const struct sw_error *e = &ev->error;
	char line[sizeof(e->what) + sizeof(e->why)];

	sw_error_line(e, line, sizeof(line));
	return sw_fmt("failed, code %s: %s%s%s", ev->code, e->where, e->where[0] ? ": " : "", line);
}

char *sw_message_line(const struct sw_event *ev)
{
	switch (ev->type) {
	case SW_EVENT_PLAN:
		return sw_fmt("started: %s, %u steps", ev->text, ev->steps);
	case SW_EVENT_START:
		return sw_fmt("step %u of %u: %s", ev->step, ev->steps, ev->text);
	case SW_EVENT_LOG:
		return strdup(ev->text);
	case SW_EVENT_FINISH:
		return sw_fmt("step %u of %u %s: %s", ev->step, ev->steps,
			      ev->result < 0 ? "failed" : "done", ev->text);
	case SW_EVENT_DONE:
		if (ev->result == 0)
			return sw_fmt("succeeded: %s", ev->text);
		return failed_line(ev);
	case SW_EVENT_WAIT:
		return sw_fmt("waiting: on its console a person is asked for %s", ev->text);
	case SW_EVENT_ANSWERED:
		return sw_fmt("waiting is over, %s: %s",
			      ev->result < 0 ? "the install was stopped" : "it was answered",
			      ev->text);
	case SW_EVENT_PROGRESS:
		break;
	}
	return NULL;
}

static void keep_line(struct sw_message_maker *m, const struct sw_event *ev)
{
	_cleanup_free_ char *line = sw_message_line(ev), *timed = NULL;
	char **slot = &m->log[m->n_log % SW_MESSAGE_LOG];
	char when[32];

	sw_message_time(ev->time_ms, when);
	timed = line ? sw_fmt("%s %s", when, line) : NULL;
	if (!timed)
		return;
	free(*slot);
	*slot = TAKE_PTR(timed);
	m->n_log++;
}

enum sw_message_kind sw_message_take(struct sw_message_maker *m, const struct sw_event *ev)
{
	keep_line(m, ev);
	if (ev->step)
		m->step = ev->step;
	switch (ev->type) {
	case SW_EVENT_PLAN:
		m->steps = ev->steps;
		return SW_MESSAGE_STARTED;
	case SW_EVENT_START:
		(void)snprintf(m->title, sizeof(m->title), "%s", ev->text);
		return SW_MESSAGE_PROGRESS;
	case SW_EVENT_FINISH:
		m->weight_done += ev->result < 0 ? 0 : ev->weight;
		return SW_MESSAGE_PROGRESS;
	case SW_EVENT_DONE:
		return ev->result < 0 ? SW_MESSAGE_FAILED : SW_MESSAGE_SUCCEEDED;
	case SW_EVENT_WAIT:
	case SW_EVENT_ANSWERED:
		return SW_MESSAGE_WAITING;
	case SW_EVENT_PROGRESS:
	case SW_EVENT_LOG:
		break;
	}
	return SW_MESSAGE_NONE;
}

const char *sw_message_name(enum sw_message_kind kind)
{
	static const char *const names[] = {
		[SW_MESSAGE_NONE] = "",			[SW_MESSAGE_STARTED] = "started",
		[SW_MESSAGE_PROGRESS] = "progress",	[SW_MESSAGE_SUCCEEDED] = "succeeded",
		[SW_MESSAGE_FAILED] = "failed",		[SW_MESSAGE_WAITING] = "waiting",
	};

	return names[kind];
}

static unsigned int percent(const struct sw_message_maker *m, enum sw_message_kind kind)
{
	if (kind == SW_MESSAGE_SUCCEEDED)
		return 100;
	return m->weight ? (unsigned int)((uint64_t)m->weight_done * 100 / m->weight) : 0;
}

/* The card that carries traffic, else the first. */
static const char *mac_of(const struct sw_facts *f)
{
	const char *mac = NULL;

	for (size_t i = 0; f && i < f->n_links; i++)
		if (f->links[i].mac && (!mac || f->links[i].carrier)) {
			mac = f->links[i].mac;
			if (f->links[i].carrier)
				break;
		}
	return mac ? mac : "";
}

static void add_machine(json_object *o, const struct sw_message_maker *m)
{
	const struct sw_facts *f = m->machine;

	sw_json_add_str(o, "hostname", m->report->answers->hostname);
	if (!f)
		return;
	sw_json_add_str(o, "serial", f->serial);
	sw_json_add_str(o, "uuid", f->uuid);
	sw_json_add_str(o, "mac", mac_of(f));
}

static void add_disks(json_object *o, const struct sw_plan *p)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->n_disks; i++) {
		json_object *d = json_object_new_object();
		char id[SW_GUID_TEXT];

		sw_json_add_str(d, "name", p->disks[i].name);
		sw_json_add_str(d, "serial", p->disks[i].serial);
		sw_json_add_str(d, "wwn", p->disks[i].wwn);
		sw_guid_format(&p->disks[i].id, id);
		sw_json_add_str(d, "guid", id);
		json_object_array_add(list, d);
	}
	sw_json_add(o, "disks", list);
}

static void add_log(json_object *o, const struct sw_message_maker *m)
{
	json_object *list = json_object_new_array();
	size_t from = m->n_log > SW_MESSAGE_LOG ? m->n_log - SW_MESSAGE_LOG : 0;

	for (size_t i = from; i < m->n_log; i++)
		json_object_array_add(list, json_object_new_string(m->log[i % SW_MESSAGE_LOG]));
	sw_json_add(o, "log", list);
}

/* What tells this node and what is on it from every other. */
static void add_fingerprints(json_object *o, const struct sw_message_maker *m,
			     const struct sw_event *ev)
{
	sw_json_add_str(o, "image_sha256", ev->image);
	if (m->report->plan)
		add_disks(o, m->report->plan);
	if (ev->node_id[0])
		sw_json_add_str(o, "node_id", ev->node_id);
	if (ev->ssh_host_key[0])
		sw_json_add_str(o, "ssh_host_key", ev->ssh_host_key);
	if (ev->escrow[0])
		sw_json_add_str(o, "recovery_escrow", ev->escrow);
}

char *sw_message_json(const struct sw_message_maker *m, enum sw_message_kind kind,
		      const struct sw_event *ev)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	char when[32], event[16];
	size_t i;

	for (i = 0; sw_message_name(kind)[i] && i + 1 < sizeof(event); i++)
		event[i] = (char)(sw_message_name(kind)[i] - 'a' + 'A');
	event[i] = '\0';
	sw_message_time(ev->time_ms, when);
	sw_json_add_str(o, "event", event);
	sw_json_add_str(o, "time", when);
	sw_json_add_str(o, "version", SW_VERSION);
	add_machine(o, m);
	sw_json_add_str(o, "answers_sha256", m->answers);
	sw_json_add_u64(o, "step", m->step);
	sw_json_add_u64(o, "steps", m->steps);
	sw_json_add_u64(o, "percent", percent(m, kind));
	if (kind == SW_MESSAGE_PROGRESS) {
		sw_json_add_str(o, "title", m->title);
		sw_json_add_str(o, "state", ev->type == SW_EVENT_START ? "start" : "finish");
		sw_json_add_str(o, "result", ev->result < 0 ? "failed" : "ok");
	}
	if (kind == SW_MESSAGE_WAITING) {
		sw_json_add_str(o, "asked", ev->text);
		sw_json_add_str(o, "state", ev->type == SW_EVENT_WAIT ? "start" : "finish");
		sw_json_add_str(o, "result", ev->result < 0 ? "stopped" : "ok");
	}
	if (kind == SW_MESSAGE_STARTED && m->report->plan)
		sw_json_add(o, "disks", sw_plan_choice_json(m->report->plan));
	if (kind == SW_MESSAGE_STARTED && m->report->before)
		sw_json_add(o, "previous_failure", sw_lastfail_to_json(m->report->before));
	if (kind == SW_MESSAGE_SUCCEEDED)
		add_fingerprints(o, m, ev);
	if (kind == SW_MESSAGE_FAILED) {
		sw_json_add_str(o, "code", ev->code);
		sw_json_add(o, "error", sw_error_to_json(&ev->error));
		add_log(o, m);
	}
	return strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* In the order of sw_webhook_words. */
char *sw_message_fill(const struct sw_message_maker *m, enum sw_message_kind kind,
		      const struct sw_event *ev, const char *body)
{
	const struct sw_facts *f = m->machine;
	_cleanup_free_ char *text = sw_message_line(ev);
	_cleanup_buf_ struct sw_buf b = {};
	char when[32], step[16], steps[16], share[16];
	const char *const values[] = {
		sw_message_name(kind), m->report->answers->hostname, f ? f->serial : NULL,
		f ? f->uuid : NULL, mac_of(f), m->title, step, steps, share, ev->code, text,
		ev->error.why, ev->error.hint, when, SW_VERSION, m->answers, ev->image,
	};

	sw_message_time(ev->time_ms, when);
	(void)snprintf(step, sizeof(step), "%u", m->step);
	(void)snprintf(steps, sizeof(steps), "%u", m->steps);
	(void)snprintf(share, sizeof(share), "%u", percent(m, kind));
	if (sw_template_expand(&b, body, sw_webhook_words, values) < 0)
		return NULL;
	return sw_buf_steal(&b);
}
