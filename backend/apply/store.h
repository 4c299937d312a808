/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that leave the machine: onto the operator's stick (the removable FAT partition labelled
 * SLIPWAY), to a path, or to a web server by PUT.
 */
#pragma once

#include "base/event.h"
#include "machine/machine.h"

#define SW_STORE_STICK "stick"

struct sw_store {
	const char *what;	/* for messages: "undo copy" */
	const char *where;	/* "stick", a path that begins with /, http:// or https:// */
	const char *name;	/* of the file there; a URL without / at its end has its own */
	size_t max;		/* bytes; 0: SW_BUF_MAX */
};

/* Whether `where` is a place: 0 or exit 3. */
int sw_store_check(const struct sw_store *s, struct sw_error *err);
/* Stores a file there (0600 at a path). Exit 3, 5, 6 or 10. */
int sw_store_put(struct sw_machine *m, const struct sw_store *s, const char *file,
		 const struct sw_sink *sink, struct sw_error *err);
/* The same with bytes. */
int sw_store_put_bytes(struct sw_machine *m, const struct sw_store *s, const void *data, size_t len,
		       const struct sw_sink *sink, struct sw_error *err);

/* Runs mcopy with these words, NULL at the end; an error quotes what it said. */
int sw_store_mcopy(const char *const *argv, struct sw_error *err);
/* For mcopy: "DEVICE@@OFFSET" of the stick; malloc'd. Exit 5 when there is none. */
int sw_store_find_stick(struct sw_machine *m, const char *what, char **ret_image,
			struct sw_error *err);
/* Once mcopy has written: until the device has it. image: as from sw_store_find_stick(). */
int sw_store_flush(const char *image, struct sw_error *err);
