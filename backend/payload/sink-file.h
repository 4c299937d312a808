/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where fetched bytes go: a temporary file beside the final one, hashed on the
 * way, with progress events, and gone again unless it is committed. Private to
 * payload/.
 */
#pragma once

#include "base/hash.h"
#include "payload/payload.h"

struct sw_sink_file {
	const struct sw_fetch *f;
	const struct sw_sink *sink;
	char *shown;		/* the source as it may be shown */
	char *tmp;
	int fd;
	struct sw_hash *hash;
	uint64_t got, size;	/* size 0: unknown */
	int64_t told_ms;	/* when the last progress event was sent */
};

int sw_sink_file_open(struct sw_sink_file *s, const struct sw_fetch *f, const struct sw_sink *sink,
		      struct sw_error *err);
/* Closes, and removes the temporary file when it is still there. */
void sw_sink_file_close(struct sw_sink_file *s);
#define _cleanup_sink_file_ _cleanup_(sw_sink_file_close)

/* Forgets all bytes. */
int sw_sink_file_restart(struct sw_sink_file *s, struct sw_error *err);
/* Says how large the whole will be; refuses early when it cannot fit. */
int sw_sink_file_expect(struct sw_sink_file *s, uint64_t size, struct sw_error *err);
int sw_sink_file_add(struct sw_sink_file *s, const void *data, size_t len, struct sw_error *err);
/* Checks the hash, syncs and renames. */
int sw_sink_file_commit(struct sw_sink_file *s, char ret_sha256[static 65], struct sw_error *err);
