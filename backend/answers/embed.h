/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers in an image of the medium, put there without building it anew: xorriso writes the
 * image once more with the files at its root. Boot images, partition table and the volume
 * UUID that slipway.medium= names stay, so it starts as before, with Secure Boot too. The
 * image is replaced whole by a rename, or stays as it was.
 */
#pragma once

#include "base/error.h"

#define SW_EMBED_LIST "slipway.embedded"	/* at the image's root: what was put there */

struct sw_embedded {
	char *answers;		/* text of slipway.yaml, or NULL */
	char **files;		/* names of all that was put there; NULL-terminated or NULL */
};

void sw_embedded_clear(struct sw_embedded *e);
#define _cleanup_embedded_ _cleanup_(sw_embedded_clear)

/*
 * files: NULL-terminated; the first becomes slipway.yaml, the others keep their names. What
 * was embedded before goes. out: the image to write, or NULL: iso itself. The answers must be
 * readable (exit 3); whether they are complete is not asked, other sources may add to them.
 * Exit 2 for names that cannot stand there, 3 for what is no image of slipway, 5 without xorriso.
 */
int sw_embed(const char *iso, char *const *files, const char *out, struct sw_error *err);
/* -ENOENT with exit 5 when nothing is embedded. */
int sw_embed_clear(const char *iso, const char *out, struct sw_error *err);
/* Empty when nothing is embedded. */
int sw_embed_read(const char *iso, struct sw_embedded *ret_embedded, struct sw_error *err);
