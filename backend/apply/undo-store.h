/* SPDX-License-Identifier: Apache-2.0 */
/* Where undo copies go and come from: a stick, a path, a web server. Private to apply/. */
#pragma once

#include "base/event.h"
#include "machine/machine.h"

/* Stores a file as `name` there (a URL that does not end in a slash is the whole name). */
int sw_undo_store(struct sw_machine *m, const char *where, const char *file, const char *name,
		  const struct sw_sink *sink, struct sw_error *err);

/* Fetches one into the file `out`; ret_name: where it came from, malloc'd, without secrets. */
int sw_undo_fetch(struct sw_machine *m, const char *from, const char *out, char **ret_name,
		  struct sw_error *err);
