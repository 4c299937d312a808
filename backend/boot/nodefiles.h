/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that an install gives to the node, in its node data:
 *
 *   "files": [{"path": "/etc/motd", "mode": "0644", "data": BASE64}]
 *
 * Anybody who can write to the disk may have written them, so that both sides judge a path.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"

#define SW_NODE_FILE_PATH_MAX 200U
#define SW_NODE_FILE_MAX 65536U		/* bytes of one */
#define SW_NODE_FILES_ALL 131072U	/* bytes of all */

/* Why a node is given no file of this path, static; NULL: it may be. */
const char *sw_node_file_why_not(const char *path);
/* Octal without setuid, setgid and sticky bits, readable by its owner. -EINVAL. */
int sw_node_file_mode(const char *text, unsigned int *ret_mode);

/* True when both cannot be on one node: they are the same, or one would be a directory. */
bool sw_node_files_clash(const char *a, const char *b);

/* Of "files", what its path, mode and data say, when all of it is sound. */
struct sw_node_file_read {
	const char *path;	/* borrowed */
	char mode[5];		/* octal, four digits */
	struct sw_buf bytes;	/* to be cleared */
};
/* -EINVAL for one that is not sound; -ENOMEM. */
int sw_node_file_read(json_object *o, struct sw_node_file_read *ret_file);

/* The one of the node data that has this path, borrowed, or NULL; ret_at (or NULL): which. */
json_object *sw_node_file_find(json_object *data, const char *path, size_t *ret_at);

/* Puts one into node data; mode is text, NULL: 0644. -ENOMEM. */
int sw_node_file_add(json_object *data, const char *path, const char *mode, const void *bytes,
		     size_t len);
/* The same in place of the one that has the path; without one it is added. */
int sw_node_file_put(json_object *data, const char *path, const char *mode, const void *bytes,
		     size_t len);
/*
 * Writes all of the node data below DIR/files, each with its mode, and takes away what an earlier
 * call put there; "files/etc/motd" goes into list. One that is not sound is left out.
 */
int sw_node_files_write(json_object *data, const char *dir, json_object *list,
			struct sw_error *err);
