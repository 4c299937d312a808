/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/told.h"

#include <string.h>

#include "apply/apply.h"
#include "answers/proxy.h"
#include "base/file.h"
#include "base/strv.h"

static struct sw_varstore *store(struct sw_told *t)
{
	struct sw_varstore *vars = NULL;
	struct sw_error ignored = {};

	return sw_machine_vars(t->m, &vars, &ignored) == 0 ? vars : NULL;
}

/* To the receivers and to whoever watches. */
static void say(struct sw_told *t, const char *text)
{
	const struct sw_sink sink = { .fn = sw_told_event, .userdata = t };

	sw_event_log(&sink, "%s", text);
}

/* Which disks, and why these, before anything can go wrong. */
static void say_choice(struct sw_told *t, const struct sw_plan *p)
{
	_cleanup_strv_ char **lines = NULL;

	(void)sw_plan_choice_lines(p, &lines);
	for (char **line = lines; line && *line; line++)
		say(t, *line);
}

void sw_told_begin(struct sw_told *t, const struct sw_plan *p)
{
	struct sw_varstore *vars = store(t);
	struct sw_error e = {};
	_cleanup_free_ char *text = NULL, *line = NULL;
	struct sw_report r = { .m = t->m, .answers = t->answers, .plan = p,
			       .partial = t->partial };

	t->any_before = vars && sw_lastfail_read(vars, &t->before) == 0;
	r.before = t->any_before ? &t->before : NULL;
	if (t->answers && sw_reporter_start(&r, &t->reporter, &e) < 0)
		say(t, "nobody can be told of this install");
	if (p)
		say_choice(t, p);
	if (!t->any_before)
		return;
	text = sw_lastfail_text(&t->before);
	line = text ? sw_fmt("an earlier attempt failed, code %s", text) : NULL;
	if (line)
		say(t, line);
	if (!t->note_stays)
		(void)sw_lastfail_clear(vars);
}

/* Stopping is no failure: whoever asked for it knows. */
static void keep_failure(struct sw_told *t, const struct sw_event *ev)
{
	struct sw_varstore *vars = store(t);
	struct sw_lastfail f = { .time = ev->time_ms / 1000, .step = ev->step, .steps = ev->steps };
	_cleanup_free_ char *line = NULL;
	size_t n = 0;
	int r;

	if (!vars || t->note_stays || ev->error.exit == SW_EXIT_CANCELLED)
		return;
	(void)snprintf(f.code, sizeof(f.code), "%s", ev->code);
	(void)snprintf(f.host, sizeof(f.host), "%s",
		       t->answers && t->answers->hostname ? t->answers->hostname : "");
	if (ev->error.where[0])
		n = (size_t)snprintf(f.text, sizeof(f.text), "%.200s: ", ev->error.where);
	sw_error_line(&ev->error, f.text + n, sizeof(f.text) - n);
	r = sw_lastfail_write(vars, &f);
	if (r == 0)
		return;
	line = sw_fmt("the firmware does not take a note of this failure: %s", strerror(-r));
	if (line)
		say(t, line);
}

static void tell_failure(struct sw_told *t, const char *step, const struct sw_error *err)
{
	const struct sw_sink sink = { .fn = sw_told_event, .userdata = t };
	struct sw_event ev = { .type = SW_EVENT_DONE, .result = err->r ? err->r : -EIO,
			       .error = *err };

	(void)snprintf(ev.text, sizeof(ev.text), "The install failed");
	sw_failure_code(step, err, ev.code);
	sw_event_emit(&sink, &ev);
}

void sw_told_end(struct sw_told *t, const char *step, const struct sw_error *err)
{
	tell_failure(t, step, err);
}

void sw_apply_failed(struct sw_machine *m, const struct sw_answers *a,
		     const struct sw_failed_start *f, const struct sw_sink *sink)
{
	struct sw_told t = { .m = m, .answers = a, .note_stays = !f->keep,
			     .partial = strcmp(f->step, SW_FAILED_ANSWERS) == 0 };

	if (sink)
		t.out = *sink;
	/* A login that cannot be read is no reason to tell nobody. */
	if (a)
		(void)sw_answers_use_proxy(a, m, NULL);
	sw_told_begin(&t, NULL);
	for (char *const *line = f->lines; line && *line; line++)
		say(&t, *line);
	tell_failure(&t, f->step, f->error);
}

void sw_apply_waits(struct sw_machine *m, const struct sw_answers *a, const char *keys, bool over,
		    int result, const struct sw_sink *sink)
{
	const struct sw_report r = { .m = m, .answers = a, .partial = true };
	struct sw_event ev = { .type = over ? SW_EVENT_ANSWERED : SW_EVENT_WAIT, .result = result };
	struct sw_reporter *reporter = NULL;
	struct sw_error e = {};

	if (sw_answers_validate_report(a, &e) < 0)
		return;
	(void)sw_answers_use_proxy(a, m, NULL);
	sw_event_stamp(&ev);
	(void)snprintf(ev.text, sizeof(ev.text), "%s", keys);
	if (sw_reporter_start(&r, &reporter, &e) < 0)
		sw_event_log(sink, "nobody can be told that a person is waited for");
	sw_reporter_tell(reporter, &ev);
	sw_reporter_finish(reporter, sink);
}

void sw_told_event(const struct sw_event *ev, void *told)
{
	struct sw_told *t = told;

	if (ev->type == SW_EVENT_DONE && ev->result < 0)
		keep_failure(t, ev);
	sw_reporter_tell(t->reporter, ev);
	if (ev->type == SW_EVENT_DONE)
		sw_reporter_finish(TAKE_PTR(t->reporter), &t->out);
	if (t->out.fn)
		t->out.fn(ev, t->out.userdata);
}
