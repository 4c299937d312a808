/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one definition: what the files with the keys share. Private to backend/layout. */
#pragma once

#include "layout/ini.h"
#include "layout/layout.h"

struct sw_parse_place {
	const char *path;
	unsigned int line;
};

struct sw_parse {
	struct sw_layout_part p;
	const char *path;
	const struct sw_layout_machine *m;
	char *description;
	struct sw_parse_place type_at, label_at, max_at, padding_max_at, content_at, disk_at;
	bool seen, has_type, has_min;
	int no_auto, read_only, grow, factory_reset;	/* -1: not given */
};

struct sw_parse_key {
	const char *name;
	int (*set)(struct sw_parse *s, const struct sw_parse_key *k, const struct sw_ini_item *it,
		   struct sw_error *err);
	size_t offset;		/* of what set() fills, in struct sw_parse */
	unsigned int since;	/* the systemd that brought a key which slipway does not have */
};

/* exit 3 with the place of the value. Returns -EINVAL. */
int sw_parse_bad(struct sw_parse *s, const struct sw_ini_item *it, struct sw_error *err,
		 const char *why, const char *hint);
int sw_parse_replace(char **field, const char *value, struct sw_error *err);
/* The value with its %-specifiers expanded; malloc'd. */
int sw_parse_expand(struct sw_parse *s, const struct sw_ini_item *it, char **ret_text,
		    struct sw_error *err);

/* Format=, CopyBlocks=, CopyFiles=, MakeDirectories=, Encrypt= */
int sw_parse_format(struct sw_parse *s, const struct sw_parse_key *k, const struct sw_ini_item *it,
		    struct sw_error *err);
int sw_parse_copy_blocks(struct sw_parse *s, const struct sw_parse_key *k,
			 const struct sw_ini_item *it, struct sw_error *err);
int sw_parse_copy_files(struct sw_parse *s, const struct sw_parse_key *k,
			const struct sw_ini_item *it, struct sw_error *err);
int sw_parse_make_directories(struct sw_parse *s, const struct sw_parse_key *k,
			      const struct sw_ini_item *it, struct sw_error *err);
int sw_parse_encrypt(struct sw_parse *s, const struct sw_parse_key *k,
		     const struct sw_ini_item *it, struct sw_error *err);
/* X-Slipway-Disk=, X-Slipway-Raid=, X-Slipway-SizePercent= */
int sw_parse_disk(struct sw_parse *s, const struct sw_parse_key *k, const struct sw_ini_item *it,
		  struct sw_error *err);
int sw_parse_raid(struct sw_parse *s, const struct sw_parse_key *k, const struct sw_ini_item *it,
		  struct sw_error *err);
int sw_parse_percent(struct sw_parse *s, const struct sw_parse_key *k,
		     const struct sw_ini_item *it, struct sw_error *err);
/* What these three cannot go together with. */
int sw_parse_check_disks(struct sw_parse *s, struct sw_error *err);
/* Which of these cannot go together; fills in the Format= that CopyFiles= implies. */
int sw_parse_check_content(struct sw_parse *s, struct sw_error *err);
