/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person far away needs to find out why a machine does not start: facts, findings, the
 * status, partition tables, boot variables, the firmware's measurements and logs, as files of a
 * tar, without secrets (bundle/redact.h). Gathering only reads.
 */
#pragma once

#include "base/event.h"
#include "bundle/redact.h"
#include "rescue/visit.h"

struct sw_bundle_item {
	char *name;		/* in the tar: "facts.json" */
	struct sw_buf data;
	struct sw_redacted removed;
};

struct sw_bundle {
	struct sw_bundle_item *v;
	size_t n;
	json_object *absent;	/* [{"name", "why"}]: what could not be had */
	int64_t time;		/* seconds since the epoch */
	bool anonymous;
	char *host;		/* for the name of the file: letters, digits, dashes */
	json_object *report;	/* see sw_bundle_block() */
};

struct sw_bundle_options {
	const char *disk;	/* the node's, when several have one, or NULL */
	bool anonymous;		/* serials, addresses and names of this machine too */
	/* Extra text files to be taken along, as paths; NULL-terminated or NULL. */
	char *const *files;
	/* Told of each part (a step) and each file (a line); polled between them. NULL: nobody. */
	const struct sw_sink *sink;
};

/*
 * Reads all of it. What cannot be had is named in `absent` and is no failure; a file of
 * options->files that cannot be read is (exit 2). Stopped by the sink: -ECANCELED, exit 130.
 */
int sw_bundle_gather(struct sw_machine *m, const struct sw_bundle_options *options,
		     struct sw_bundle *ret_bundle, struct sw_error *err);
void sw_bundle_clear(struct sw_bundle *b);
#define _cleanup_bundle_ _cleanup_(sw_bundle_clear)

/*
 * {"format", "slipway", "time", "anonymous", "files": [{"name", "bytes", "sha256",
 * "removed": {KIND: TIMES}}], "absent"}; new reference. It is manifest.json of the tar.
 */
json_object *sw_bundle_manifest(const struct sw_bundle *b);

/*
 * The tar, gzip'ed; with recipients ("age1…" or "ssh-…", public) encrypted to them by age(1).
 * Exit 2 for a recipient that age refuses, 5 without age.
 */
int sw_bundle_pack(const struct sw_bundle *b, char *const *recipients, struct sw_buf *out,
		   struct sw_error *err);

#define SW_BUNDLE_CODE 8	/* "K7Q-2MF" and a NUL */
/*
 * A name for a packed bundle that two people can compare by voice: the first 30 bits of its
 * SHA-256, in Crockford's base 32.
 */
void sw_bundle_code(const struct sw_buf *packed, char ret_code[static SW_BUNDLE_CODE]);

/* "slipway-HOST-20261127T160102Z-K7Q2MF.tar.gz", with .age when encrypted; malloc'd or NULL. */
char *sw_bundle_name(const struct sw_bundle *b, const char *code, bool encrypted);

/*
 * Packs it and stores it at a path, an http(s) URL or on the "stick" (apply/store.h). ret_done:
 * {"output", "file", "code", "sha256", "bytes", "encrypted"}; new reference. sink: told of its two
 * steps and of the bytes that a server has; stops it before there is a whole file at the place,
 * with -ECANCELED (exit 130). NULL: nobody.
 */
int sw_bundle_write(struct sw_machine *m, const struct sw_bundle *b, char *const *recipients,
		    const char *where, const struct sw_sink *sink, json_object **ret_done,
		    struct sw_error *err);

/*
 * The report, which is what was found in short, for where there is no network and no stick:
 * {"machine", "product", "serial", "node_id", "time", "slipway", "findings": [{"id", "severity",
 * "what", "evidence"}], "node"}, the worst finding first.
 *
 * As a block for a serial console's log: gzip'ed text in base64 between two lines of their own, as
 * uuencode -m writes it, which `uudecode` and `slipway bundle read` turn back.
 */
int sw_bundle_block(json_object *report, struct sw_buf *out, struct sw_error *err);

/*
 * As lines for QR codes, "SLIPWAY CODE I/N DATA": gzip'ed text in base32 (RFC 4648, without the
 * padding), cut into N parts. CODE is that of sw_bundle_code() over the gzip'ed text, without its
 * dash: it says what belongs together, and whether what was put together is what was shown. All
 * characters are of QR's alphanumeric mode.
 */
struct sw_bundle_parts {
	char code[SW_BUNDLE_CODE];	/* as it is spoken, "K7Q-2MF" */
	char **line;		/* NULL-terminated */
	size_t n;
	size_t left_out;	/* findings, so that there are not more parts than wanted */
};

/*
 * Lines of at most `room` characters, 32 or more of them. Of "node" the host's name is kept. When
 * that makes more than `wanted` lines, findings are left out from the end, but never the first;
 * "left_out" of the report says how many. -E2BIG (exit 3) above 99 lines.
 */
int sw_bundle_split(json_object *report, size_t room, size_t wanted,
		    struct sw_bundle_parts *ret_parts, struct sw_error *err);
void sw_bundle_parts_clear(struct sw_bundle_parts *p);
#define _cleanup_parts_ _cleanup_(sw_bundle_parts_clear)

/*
 * Finds a report in a log, the last block or the last lines of QR codes in any order, and adds its
 * text to out. Exit 3: -ENOENT when there is none, -ENODATA when lines are missing, named in err,
 * -EBADMSG when it is damaged.
 */
int sw_bundle_read(const char *log, size_t len, struct sw_buf *out, struct sw_error *err);
