/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several sets of answers as one, key by key: what a later one says counts, and what an
 * earlier one said about other keys stays. A list is one value, and so are the rules of
 * disk.match and the disks of disk.more: half of one rule beside half of another would be
 * a disk that nobody named. Where each value came from is kept.
 */
#pragma once

#include "answers/answers.h"

struct sw_merge_value {
	char *key;		/* "disk.match.serial" */
	char *value;		/* as text; "" when the source takes the value away */
	char *source;		/* for people: "http://… (kernel command line)" */
	char *where;		/* "file:line:column", or what stands for it */
	bool won;		/* it is what counts; else a stronger source said something else */
};

struct sw_merge {
	struct sw_answers *answers;
	struct sw_merge_value *values;	/* in the order in which they were added */
	size_t n_values, room;
};

struct sw_merge *sw_merge_new(void);
struct sw_merge *sw_merge_free(struct sw_merge *m);
SW_DEFINE_CLEANUP(struct sw_merge, sw_merge_free)
#define _cleanup_merge_ _cleanup_(sw_merge_freep)

/*
 * Puts answers that were read from a file (or from KEY=VALUE) over what is there. `sources`
 * is not taken: it was about where to look. On failure m is only good to be freed.
 */
int sw_merge_add(struct sw_merge *m, const struct sw_answers *layer, const char *source,
		 struct sw_error *err);

/*
 * {"values": [{"key", "value", "source", "where", "over": [{"value", "source", "where"}]}]},
 * in the order of the field table; new reference. Secrets are "(hidden)".
 */
json_object *sw_merge_to_json(const struct sw_merge *m);
/* The same for people; malloc'd. */
char *sw_merge_text(const struct sw_merge *m);
