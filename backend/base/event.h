/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What apply reports while it works. One stream, as JSON lines, feeds the
 * console, the plain output, --json and the log; the backend itself prints
 * nothing.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum sw_event_type {
	SW_EVENT_PLAN,		/* the whole plan is about to run: total = number of steps */
	SW_EVENT_START,		/* a step starts */
	SW_EVENT_PROGRESS,	/* done of size, in unit */
	SW_EVENT_LOG,		/* one line for the log */
	SW_EVENT_FINISH,	/* a step ended: result 0 or -errno */
	/* the plan ended: result 0 or -errno, error filled when it failed */
	SW_EVENT_DONE,
	/* an install waits for a person; text: the keys of the answers that are wanted */
	SW_EVENT_WAIT,
	/* it does no more: result 0, they were answered, or -ECANCELED, it was stopped */
	SW_EVENT_ANSWERED,
};

struct sw_event {
	enum sw_event_type type;
	int64_t time_ms;	/* time of day, ms since the epoch; filled by sw_event_emit() */
	/* the same moment by sw_now_ms(), for spans: a run may set the time of day, by years */
	int64_t now_ms;
	unsigned int step;	/* 1-based */
	unsigned int steps;
	unsigned int weight;	/* share of the whole, arbitrary units */
	uint64_t done, size;	/* bytes */
	int result;
	char id[32];		/* step kind, e.g. "slot" */
	char text[256];		/* title or log line */
	char image[65];		/* with SW_EVENT_DONE: SHA-256 of the boot image, or "" */
	char code[48];		/* with SW_EVENT_DONE that failed: sw_failure_code() */
	char node_id[65];	/* with SW_EVENT_DONE: of the TPM's endorsement key, or "" */
	/* with SW_EVENT_DONE: fingerprint of the SSH host key that was made, "SHA256:…", or "" */
	char ssh_host_key[64];
	/* with SW_EVENT_DONE: a recovery key as CMS ciphertext, base64, or "" */
	char escrow[4096];
	struct sw_error error;
};

typedef void (*sw_event_fn)(const struct sw_event *ev, void *userdata);

/* Where events go. A NULL sink or a sink without fn swallows them. */
struct sw_sink {
	sw_event_fn fn;
	void *userdata;
	_Bool (*cancelled)(void *userdata);	/* polled between blocks; NULL: never */
};

/* Both times of an event that is not emitted but made for somebody: now. */
void sw_event_stamp(struct sw_event *ev);
void sw_event_emit(const struct sw_sink *sink, struct sw_event *ev);
void sw_event_log(const struct sw_sink *sink, const char *fmt, ...) SW_PRINTF(2, 3);
/* The sink (or NULL) for what cannot be stopped; and for what nobody wants to be told of. */
struct sw_sink sw_sink_told(const struct sw_sink *sink);
struct sw_sink sw_sink_polled(const struct sw_sink *sink);
/* -ECANCELED when the sink asks to stop, else 0. */
int sw_event_poll(const struct sw_sink *sink);
/* Waits for so long in small pieces, so that a cancellation is not kept waiting. The same. */
int sw_event_pause(const struct sw_sink *sink, unsigned int ms);

json_object *sw_event_to_json(const struct sw_event *ev);
/* -EINVAL when it is not an event; unknown keys are ignored. */
int sw_event_from_json(json_object *o, struct sw_event *ret_ev);
