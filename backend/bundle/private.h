/* SPDX-License-Identifier: Apache-2.0 */
/* Private to backend/bundle: how the parts of a bundle are put into it. */
#pragma once

#include "bundle/bundle.h"

struct sw_gathering {
	struct sw_machine *m;
	struct sw_visit visit;
	struct sw_redact redact;
	struct sw_bundle *out;
	const struct sw_sink *sink;
	unsigned int step, steps;
};

/* A part is begun, which its name tells. -ECANCELED when it is not to be. */
int sw_bundle_begin(struct sw_gathering *g, const char *what);

/* What is wrong with a part is noted in the bundle; each returns 0, or -ENOMEM, -ECANCELED. */

/* A file of text, without what must not leave the machine. */
int sw_bundle_add_text(struct sw_gathering *g, const char *name, const char *text);
/* The same of a document; takes o, which may be NULL for lack of memory. */
int sw_bundle_add_json(struct sw_gathering *g, const char *name, json_object *o);
/* Bytes that are of no use when changed: left out when there is a secret in them. */
int sw_bundle_add_bytes(struct sw_gathering *g, const char *name, const void *data, size_t len);
/* This part cannot be had. */
int sw_bundle_add_absent(struct sw_gathering *g, const char *name, const char *why);

/* Tables, variables, measurements (parts.c), and logs (logs.c). */
int sw_bundle_gather_parts(struct sw_gathering *g);
int sw_bundle_gather_logs(struct sw_gathering *g);

/* {"machine", "product", "serial", "node_id", "time", "slipway", "findings": [{"id", "severity",
 * "what", "evidence"}], "node"}, the worst finding first, without what must not leave the machine;
 * new reference, NULL when out of memory. */
json_object *sw_bundle_report(struct sw_gathering *g);

/* gzip, and base64 between the lines of a block when it is to be one; the way back takes both. */
int sw_report_pack(json_object *report, bool block, struct sw_buf *out, struct sw_error *err);
int sw_report_unpack(const struct sw_buf *packed, struct sw_buf *out, struct sw_error *err);

/* The last report in a log, as one of the two forms; -ENOENT when there is none. */
int sw_report_from_block(const char *log, size_t len, struct sw_buf *out, struct sw_error *err);
int sw_report_from_parts(const char *log, size_t len, struct sw_buf *out, struct sw_error *err);
