/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where answers come from when nobody is there to type them. They are never
 * looked for everywhere: the kernel command line names a URL, the medium itself
 * carries a file, or a removable partition labelled SLIPWAY does. The first
 * that exists counts and the others are not read.
 */
#pragma once

#include "answers/answers.h"
#include "base/event.h"
#include "machine/machine.h"

#define SW_ANSWERS_FILE "slipway.yaml"
#define SW_KEYS_FILE "slipway.keys"
#define SW_STICK_LABEL "SLIPWAY"
#define SW_STICK_COUNTDOWN 30	/* seconds in which any key stops it */

/*
 * The value of `key` on a kernel command line, malloc'd: the last one counts,
 * double quotes may stand around the value or the whole word, as the kernel has
 * it. A key without `=` yields "". -ENOENT when it is not there.
 */
int sw_cmdline_get(const char *cmdline, const char *key, char **ret_value);

enum sw_source_kind { SW_SOURCE_NONE, SW_SOURCE_CMDLINE, SW_SOURCE_MEDIUM, SW_SOURCE_STICK };

struct sw_answers_source {
	enum sw_source_kind kind;
	char *location;		/* URL, path of a file, or the device of the stick */
	char *sha256;		/* what the file must hash to, or NULL */
	uint64_t offset;	/* STICK: of its file system on the device, bytes */
	unsigned int countdown;	/* seconds to wait for a key before it is used */
	char **keys;		/* SSH keys of which one must have signed it; NULL: none is known */
	char *text;		/* for people: "http://… (kernel command line)" */
};

/*
 * What the kernel command line says. kind NONE when it says nothing. http
 * without slipway.answers.sha256= is exit 3: anyone on the wire could answer.
 */
int sw_source_from_cmdline(const char *cmdline, struct sw_answers_source *ret_source,
			   struct sw_error *err);

/*
 * The partition labelled SLIPWAY on a removable disk; kind NONE when there is
 * none, exit 4 when there are several.
 */
int sw_source_from_stick(const struct sw_facts *f, struct sw_answers_source *ret_source,
			 struct sw_error *err);

/*
 * All three in order; without facts no stick. Only looks: nothing is fetched. Keys
 * come from slipway.trust="KEY,KEY" on the kernel command line and from
 * slipway.keys on the medium, never from where the answers are; when there are any,
 * sw_source_read() takes only what one of them has signed (FILE.sig beside it).
 */
int sw_source_find(struct sw_machine *m, const struct sw_facts *f,
		   struct sw_answers_source *ret_source, struct sw_error *err);
void sw_answers_source_clear(struct sw_answers_source *s);
#define _cleanup_answers_source_ _cleanup_(sw_answers_source_clear)

/*
 * Fetches and parses. A network that is not up yet is tried again with growing
 * pauses until `wait_s` seconds have passed; a wrong hash or bad answers are
 * final at once. Not validated: the caller does.
 */
int sw_source_read(struct sw_machine *m, const struct sw_answers_source *s, unsigned int wait_s,
		   const struct sw_sink *sink, struct sw_answers **ret_answers,
		   struct sw_error *err);
