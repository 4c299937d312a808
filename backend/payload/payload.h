/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching kernel, initrd, UKI or an answer file: http(s) through libcurl, a
 * local path, or the medium. Streams into a file and hashes on the way; retries
 * with back-off and resumes by range; a hash that does not match leaves nothing.
 */
#pragma once

#include "base/event.h"
#include "machine/machine.h"

struct sw_fetch {
	const char *source;	/* http://… https://… /path file:///path medium:/path */
	const char *sha256;	/* expected, or NULL when the source is local */
	bool vouched;		/* the caller checks a signature: no hash is needed */
	const char *out;	/* path of the file to write */
	uint64_t max;		/* ceiling in bytes, 0: 2 GiB */
	unsigned int retries;	/* after the first try; back-off doubles from 1 s */
	unsigned int step;	/* for progress events */
	const char *ca_file;	/* PEM bundle for https, and no other CA; NULL: the system's */
	unsigned int stall_s;	/* a connection this long without data is dropped; 0: 20 */
	/* The longest pause before the first retry (base/backoff.h, up to 30 s); 0: 1000. */
	unsigned int backoff_ms;
};

/* True for http and https: what needs a hash. */
bool sw_source_is_remote(const char *source);
/*
 * The source as it may be shown, logged or kept on the node: of a URL neither user info nor query,
 * where people put tokens; malloc'd.
 */
char *sw_source_show(const char *source);
/* The path of a source that is not remote; malloc'd. -ENOENT for a medium's without one. */
int sw_source_local_path(struct sw_machine *m, const char *source, char **ret_path,
			 struct sw_error *err);
/* Checks the grammar only. err gets what, why and hint; the source itself is not repeated. */
int sw_source_check(const char *source, struct sw_error *err);
/* The same for one that is a file on this machine or the medium: of a key, a token, a hook. */
int sw_source_check_local(const char *source, struct sw_error *err);

/*
 * Writes f->out by a temporary file beside it and a rename; on any failure
 * nothing is left. m is used for medium:/ only and may be NULL otherwise. A
 * remote source without a hash is refused. Errors: exit 3 bad source, 4 no
 * hash, 5 no such local file, 6 local trouble (-ENOSPC names place and need),
 * 8 hash mismatch, 10 network, 130 cancelled.
 */
int sw_fetch_run(struct sw_machine *m, const struct sw_fetch *f, const struct sw_sink *sink,
		 char ret_sha256[static 65], struct sw_error *err);
