/* SPDX-License-Identifier: Apache-2.0 */
/* What the console's tools ask for: run in a job's child, so that the session waits for none. */
#pragma once

#include "base/event.h"
#include "base/secret.h"
#include "machine/machine.h"

/*
 * request: {"tool": NAME ...}. Looks, and writes nothing; adds to out
 *   part, file, tpm, hardware, memory, log   "text"
 *   inside    "text", what sw_inside_text() says of the state; "mirror", "damaged"
 *   part      also "opens": "luks", "md" or "lvm", where something has to be put together first
 *   open      puts that together, for reading only: "opened" as sw_stack_opened(), with "content"
 *   files     "entries": [{"name", "kind": "file" "dir" "link" "other", "size"}], "cut"
 *   logs      "logs" as sw_show_logs()
 *   config    what sw_config_preview_to_json() says, "from", "node", "last"
 *   bundle    what sw_bundle_manifest() says
 *   bundle-report  "report"; "text", the same as a block: bundle/bundle.h
 *   ping      "text", what it printed; "answered"
 *   offers    "text"; what it found as sw_offers_text() says
 * passphrase: of secrets.age, or NULL. sink: told meanwhile what it is doing, or NULL.
 */
int sw_tool_look(struct sw_machine *m, json_object *request, struct sw_secret *passphrase,
		 const struct sw_sink *sink, json_object *out, struct sw_error *err);

/*
 * The same for what writes something, or must not be cut off: close (of what was opened), copy,
 * config-import, config-undo, config-save, bundle-write. Adds "done", what was done in words, and
 * perhaps "text", more of it to be read.
 */
int sw_tool_do(struct sw_machine *m, json_object *request, struct sw_secret *passphrase,
	       const struct sw_sink *sink, json_object *out, struct sw_error *err);
