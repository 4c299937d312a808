/* SPDX-License-Identifier: Apache-2.0 */
/* What those who write archives with libarchive share: into a buffer, and one plain file. */
#pragma once

#include <archive.h>
#include <stdbool.h>

#include "base/buf.h"

/* Opens a writer, whose format is set, for what it adds to b. ARCHIVE_OK or not. */
int sw_archive_into(struct archive *w, struct sw_buf *b);

struct sw_archive_file {
	const char *path;	/* in the archive */
	const void *data;	/* borrowed; may be NULL when len is 0 */
	size_t len;
	uint32_t mode;		/* permission bits */
	int64_t mtime;		/* seconds since the epoch */
};

/* Writes it as a file of root; nothing tells who packed it where. False: ask sw_archive_why(). */
bool sw_archive_add(struct archive *w, const struct sw_archive_file *f);

/* What went wrong, never NULL. */
const char *sw_archive_why(struct archive *a);
