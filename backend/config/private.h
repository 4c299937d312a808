/* SPDX-License-Identifier: Apache-2.0 */
/* Private to backend/config: one file of config/ after the other. */
#pragma once

#include "config/config.h"

#define SW_CONFIG_KEYS_OF "config"	/* in the node data: what `slipway node set` made */
#define SW_CONFIG_TOKEN "token-"	/* before a token's kind: its name as a secret */

/* Adds a file; takes data, which may be NULL with a reason. */
int sw_config_add(struct sw_config_source *s, const char *name, struct sw_secret *data,
		  const char *why);
/* The directory below dirfd, and what is one below that. */
int sw_config_read_dir(int dirfd, struct sw_config_source *s, struct sw_error *err);
int sw_config_read_tar(const char *path, struct sw_config_source *s, struct sw_error *err);

struct sw_importing {
	const struct sw_node *n;
	const struct sw_config_keys *keys;
	const struct sw_config_source *source;
	struct sw_config_preview *out;
	struct sw_error *err;
};

/* The verdict of an item; each returns 0, or -ENOMEM. */
int sw_config_refuse(struct sw_config_item *it, const char *fmt, ...) SW_PRINTF(2, 3);
/* Compares what is with what would be, both for people; then NULL: only that it is another. */
void sw_config_decide(struct sw_config_item *it, const char *now, const char *then);
/* Puts a string into the object, with the verdict for it. */
int sw_config_put(struct sw_config_item *it, json_object *o, const char *key, const char *value);
/* The object of this name in the new node data, made when it is missing. */
json_object *sw_config_object(struct sw_importing *im, const char *key);

/* What a kind of file does with one that has data; f->data->data ends in a NUL and is text. */
typedef int (*sw_config_taker)(struct sw_importing *im, const struct sw_config_file *f,
			       struct sw_config_item *it);
int sw_config_take_network(struct sw_importing *im, const struct sw_config_file *f,
			   struct sw_config_item *it);
int sw_config_take_words(struct sw_importing *im, const struct sw_config_file *f,
			 struct sw_config_item *it);	/* ntp, no_proxy */
int sw_config_take_fstab(struct sw_importing *im, const struct sw_config_file *f,
			 struct sw_config_item *it);
int sw_config_take_host_key(struct sw_importing *im, const struct sw_config_file *f,
			    struct sw_config_item *it);
int sw_config_take_host_pub(struct sw_importing *im, const struct sw_config_file *f,
			    struct sw_config_item *it);
int sw_config_take_token(struct sw_importing *im, const struct sw_config_file *f,
			 struct sw_config_item *it);
/* Of secrets.age: an item for each secret, or one that says why not. */
int sw_config_take_secrets(struct sw_importing *im, const struct sw_config_file *f,
			   struct sw_config_item *it);
/* Of files/list: an item for each file that it names; and what it does not name. */
int sw_config_take_files(struct sw_importing *im, const struct sw_config_file *f,
			 struct sw_config_item *it);
int sw_config_take_unlisted(struct sw_importing *im, const struct sw_config_file *f,
			    struct sw_config_item *it);
/* A further item; NULL when out of memory. */
struct sw_config_item *sw_config_item_add(struct sw_importing *im, const char *name,
					  const char *what);

#define SW_CONFIG_FILES "files/list"
#define SW_CONFIG_NO_BYTES "-"	/* in place of a name: the file is empty */

/* A line of files/list: mode, path on the node, and the name below files/ of what is in it. */
struct sw_config_listed {
	char mode[8], path[256], name[256];
};
/* 1; 0 for an empty line or a comment; -EINVAL. The line has no end and need not be text. */
int sw_config_read_listed(const char *line, size_t len, struct sw_config_listed *ret_listed);

/* {"slipway_secrets": 1, "secrets": {NAME: base64}} as text, into a secret. */
int sw_config_secrets_pack(json_object *secrets, struct sw_secret **ret_text,
			   struct sw_error *err);
