/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A failure that outlives its boot: an EFI variable SlipwayLastFailure of our vendor GUID
 * (sw_guid_slipway), non-volatile, boot and runtime access. JSON in its shortest form, UTF-8,
 * without an end mark, at most SW_LASTFAIL_MAX bytes, since the firmware's store is small and
 * shared. Everybody on the machine can read it, so it holds no secret. The next boot tells of
 * it and takes it away.
 */
#pragma once

#include "base/error.h"
#include "boot/varstore.h"

#define SW_FAILURE_VARIABLE "SlipwayLastFailure"
#define SW_LASTFAIL_MAX 768U	/* bytes */
#define SW_FAILURE_CODE 48	/* room for a code */

/*
 * "SLOT-7-EIO": where it failed, the exit code, and the kind of error. Short enough to be read
 * off a camera, and the same for the same failure in every version. step: a step's kind, or
 * another word ("start", "plan").
 */
void sw_failure_code(const char *step, const struct sw_error *err,
		     char ret_code[static SW_FAILURE_CODE]);

struct sw_lastfail {
	char code[SW_FAILURE_CODE];
	int64_t time;		/* seconds since the epoch, by that boot's clock */
	unsigned int step, steps;
	char host[65];		/* the name that the node was to have */
	char text[400];		/* what and why, perhaps cut */
};

/* Cuts the text until all fits. -ENOSPC and others when the firmware does not take it. */
int sw_lastfail_write(struct sw_varstore *vars, const struct sw_lastfail *f);
/* The bytes of the variable, which anybody may have written; -EBADMSG. */
int sw_lastfail_parse(const void *data, size_t len, struct sw_lastfail *ret_f);
/* -ENOENT: none; -EBADMSG: what is there is none of ours. */
int sw_lastfail_read(struct sw_varstore *vars, struct sw_lastfail *ret_f);
/* One that is not there is fine. */
int sw_lastfail_clear(struct sw_varstore *vars);

/* "SLOT-7-EIO at step 4 of 9, node-07, 2026-11-27 16:00 UTC: ..."; malloc'd. */
char *sw_lastfail_text(const struct sw_lastfail *f);
/* As it is in JSON output; new reference. */
json_object *sw_lastfail_to_json(const struct sw_lastfail *f);
