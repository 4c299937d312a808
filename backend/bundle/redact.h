/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not leave a machine in a diagnostics bundle, taken out of text and JSON: passwords,
 * tokens and keys by their shape always; on request also what tells this machine from another
 * (serials, addresses, names), each put by one stand-in word so that they can still be told apart.
 * It goes by shape and by what the facts know, so it may take out too much, and a secret that looks
 * like any word it cannot see.
 */
#pragma once

#include "base/buf.h"
#include "machine/facts.h"

#define SW_REDACT_KINDS 16	/* more than there are */

/* How often each kind was taken out, in the order of sw_redact_kind(). */
struct sw_redacted {
	unsigned int times[SW_REDACT_KINDS];
};

struct sw_redact {
	struct sw_redact_name {
		char *text;		/* as it stands on the machine */
		char instead[24];	/* "serial-1" */
	} *names;		/* the longest first */
	size_t n_names;
};

/* f: whose names are to be taken out, or NULL: secrets only. */
int sw_redact_new(const struct sw_facts *f, struct sw_redact *ret_redact);
void sw_redact_clear(struct sw_redact *r);
#define _cleanup_redact_ _cleanup_(sw_redact_clear)

/* Adds text, cleaned, to out. Line by line; a private key in PEM goes with all its lines. */
int sw_redact_text(const struct sw_redact *r, const char *text, struct sw_buf *out,
		   struct sw_redacted *count);
/* Every string in the document, in place, and whatever a key such as "password" holds. */
int sw_redact_json(const struct sw_redact *r, json_object *o, struct sw_redacted *count);
/*
 * True when there is something to take out of these bytes, read as ASCII and as UTF-16: for what
 * cannot be changed without making it worthless.
 */
bool sw_redact_finds(const struct sw_redact *r, const void *data, size_t len);

/* "password in a URL"; NULL behind the last. */
const char *sw_redact_kind(unsigned int i);
/* {KIND: TIMES}, only those that occurred; new reference. */
json_object *sw_redacted_to_json(const struct sw_redacted *count);
