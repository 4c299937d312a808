/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine being admitted: by each server of a list in order, whose overlays become one. The same
 * for `slipway admit` and for the console.
 */
#pragma once

#include "admission/admitted.h"
#include "admission/overlay.h"
#include "admission/preflight.h"
#include "base/event.h"
#include "base/hash.h"
#include "rescue/servers.h"

struct sw_admitting {
	struct sw_machine *m;
	struct sw_admit_list *list;
	const void *log;		/* the firmware's event log; NULL: none is sent */
	size_t log_len;
	unsigned int wait_s;		/* go on trying for so long */
	bool sets_clock;		/* also of a system whose clock is not slipway's to set */
	const struct sw_sink *sink;	/* told of tries and of risks; polled; or NULL */
	/* The token for this one, of a kind that needs one; sw_admit_trim_token() has seen it. */
	int (*token)(struct sw_admit_config *c, struct sw_secret **ret_token, void *userdata,
		     struct sw_error *err);
	/* Told of each that is done; NULL: nobody is. */
	void (*done)(const struct sw_admit_config *c, const struct sw_admitted_by *by,
		     void *userdata);
	/* In place of every exchange, when all is ready for it; NULL: it takes place. */
	int (*dry)(const struct sw_admit_config *c, const struct sw_admit_ask *ask,
		   void *userdata, struct sw_error *err);
	void *userdata;

	/* What came of it, also when a later one failed. */
	struct sw_identity *id;		/* where a TPM was needed */
	struct sw_buf tar;		/* of all that are done */
	char sha256[SW_SHA256_TEXT];	/* of tar; "": there is none */
	size_t tried;			/* so many of the list */
	struct sw_admitted_by by[SW_ADMISSIONS_MAX];
};

/*
 * The first that fails ends it. Exit 3 and 5 for what was given, 9 when a server refuses, 10 when
 * one cannot be reached or is not believed.
 */
int sw_admit_all(struct sw_admitting *a, struct sw_error *err);
/*
 * Keeps the overlay in RUN_DIR/overlay.tar (0600), which goes with this start, when it is one that
 * may be unpacked. ret_path: malloc'd;
 * ret_overlay: what is in it; both can be NULL.
 */
int sw_admit_keep(const struct sw_admitting *a, char **ret_path, struct sw_overlay **ret_overlay,
		  struct sw_error *err);
/* For the status: how those that were tried went; failed: why the last one did not, or NULL. */
void sw_admit_note(const struct sw_admitting *a, const struct sw_error *failed);
/* Wipes what came of it. */
void sw_admitting_clear(struct sw_admitting *a);

/* This machine's own event log, up to its end or to what fits; empty when there is none. */
void sw_admit_own_log(struct sw_machine *m, struct sw_buf *log);

/* What somebody should know who believes that this is safe: an array of sentences. */
json_object *sw_admit_warnings(const struct sw_admit_config *c, const struct sw_admitted_by *by);

/* Whether this one would work, as far as that is known before a secret or a proof is sent. */
int sw_admit_preflight(struct sw_machine *m, const struct sw_admit_config *c,
		       unsigned int timeout_s, struct sw_preflight_seen *ret_seen,
		       struct sw_preflight *ret_verdicts, struct sw_error *err);
