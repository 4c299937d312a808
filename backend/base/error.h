/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One clear error for a person: what failed, where, why, and what to do next,
 * with the exit code of the design's section 10. Functions still return a
 * negative errno for code to act on; this carries the words.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"

enum sw_exit {
	SW_EXIT_OK = 0,
	SW_EXIT_INTERNAL = 1,
	SW_EXIT_USAGE = 2,
	SW_EXIT_INVALID = 3,	/* answers or layout invalid */
	SW_EXIT_REFUSED = 4,	/* refused for safety */
	SW_EXIT_MISSING = 5,	/* something needed is missing on this machine */
	SW_EXIT_FAILED = 6,	/* failed, nothing was changed */
	SW_EXIT_DIRTY = 7,	/* failed after a change: resume or undo named */
	SW_EXIT_VERIFY = 8,	/* hash, signature or read-back did not match */
	SW_EXIT_ADMISSION = 9,
	SW_EXIT_NETWORK = 10,
	SW_EXIT_CANCELLED = 130,
	SW_EXIT_PIPE = 141,	/* whoever read the output went away, as by SIGPIPE in a shell */
};

struct sw_error {
	enum sw_exit exit;
	int r;			/* negative errno, 0 while unset */
	char what[320];
	char where[320];	/* "file:line:column", a device, a URL, or empty */
	char why[512];
	char hint[512];		/* what to do next */
};

/*
 * Fills an unset error and returns r, so that a caller can write
 * `return sw_fail(err, ...)`. The first error wins: a set one is kept, since
 * the place closest to the cause knows best. err may be NULL.
 */
int sw_fail(struct sw_error *err, enum sw_exit exit, int r, const char *what, ...) SW_PRINTF(4, 5);

/* Each adds its part when that part is still empty. err may be NULL. */
void sw_error_where(struct sw_error *err, const char *fmt, ...) SW_PRINTF(2, 3);
void sw_error_why(struct sw_error *err, const char *fmt, ...) SW_PRINTF(2, 3);
void sw_error_hint(struct sw_error *err, const char *fmt, ...) SW_PRINTF(2, 3);

/* sw_fail() with strerror(-r) as the reason. */
int sw_fail_errno(struct sw_error *err, enum sw_exit exit, int r, const char *what, ...)
	SW_PRINTF(4, 5);

/* sw_fail() for lack of memory. Returns -ENOMEM. */
int sw_fail_oom(struct sw_error *err);

/*
 * "where: what: why" on the first line and the hint on the next; malloc'd, NULL
 * when out of memory.
 */
char *sw_error_text(const struct sw_error *err);

/* Why it failed, or what did when nobody said why; as long as err. */
const char *sw_error_reason(const struct sw_error *err);

/* "what: why" on one line, cut at the size of `to`. */
void sw_error_line(const struct sw_error *err, char *to, size_t size);

/* {"exit":…, "what":…, "where":…, "why":…, "hint":…}; new reference. */
json_object *sw_error_to_json(const struct sw_error *err);

/* Reads what sw_error_to_json() wrote; unknown or missing parts stay empty. */
void sw_error_from_json(json_object *o, struct sw_error *ret_err);
