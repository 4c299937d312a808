/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node data of a node without a disk: an EFI variable SlipwayNode of our
 * vendor GUID (sw_guid_slipway), non-volatile, boot and runtime access. Its
 * content is the JSON of boot/nodedata.h in its shortest form, UTF-8, without an
 * end mark, at most SW_NODEVAR_MAX bytes: the firmware's store is small and
 * shared. Everybody on the node can read it, so it never holds a secret. The
 * firmware replaces a variable as a whole, so there is one copy.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "boot/varstore.h"

#define SW_NODE_VARIABLE "SlipwayNode"
#define SW_NODEVAR_MAX 2048U	/* bytes */

/* What would be written; malloc'd. -E2BIG, exit 3, when it is longer than may be. */
int sw_nodevar_text(json_object *data, char **ret_text, struct sw_error *err);
/* -ENOENT: there is none; -EBADMSG: what is there is no node data. */
int sw_nodevar_read(struct sw_varstore *vars, json_object **ret_data);
/* Writes (nothing when it says this already) and reads back. */
int sw_nodevar_write(struct sw_varstore *vars, json_object *data, struct sw_error *err);
