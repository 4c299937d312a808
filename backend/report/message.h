/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about an install: one JSON object, one line, or a template. Private to report/. */
#pragma once

#include "base/buf.h"
#include "report/report.h"

#define SW_MESSAGE_LOG 200U	/* lines that go along with a failure */

enum sw_message_kind { SW_MESSAGE_NONE, SW_MESSAGE_STARTED, SW_MESSAGE_PROGRESS,
		       SW_MESSAGE_SUCCEEDED, SW_MESSAGE_FAILED, SW_MESSAGE_WAITING };

/* All that messages of one install are made from. */
struct sw_message_maker {
	const struct sw_report *report;
	struct sw_facts *machine;	/* identity; or NULL */
	char answers[65];		/* digest, or "" */
	unsigned int weight, weight_done;
	unsigned int step, steps;
	char title[256];		/* of the step that runs */
	char *log[SW_MESSAGE_LOG];	/* a ring of lines */
	size_t n_log;			/* ever */
};

int sw_message_maker_init(struct sw_message_maker *m, const struct sw_report *r);
void sw_message_maker_clear(struct sw_message_maker *m);
/* Takes the event in; what it is for a webhook, SW_MESSAGE_NONE: nothing. */
enum sw_message_kind sw_message_take(struct sw_message_maker *m, const struct sw_event *ev);
/* "started": as in report.webhooks.events. */
const char *sw_message_name(enum sw_message_kind kind);
/* The whole as JSON text; malloc'd. */
char *sw_message_json(const struct sw_message_maker *m, enum sw_message_kind kind,
		      const struct sw_event *ev);
/* A template of the answers, filled in; malloc'd. */
char *sw_message_fill(const struct sw_message_maker *m, enum sw_message_kind kind,
		      const struct sw_event *ev, const char *body);
/* One line for a log, or NULL when the event is not worth one; malloc'd. */
char *sw_message_line(const struct sw_event *ev);
/* 2026-11-27T16:00:00.123Z */
void sw_message_time(int64_t time_ms, char text[static 32]);
