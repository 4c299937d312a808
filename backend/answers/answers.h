/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator wants, in one typed structure described by one field
 * table. The answer file, the console's forms, `explain` and the man page are
 * all made from that table; a key exists once.
 */
#pragma once

#include "base/error.h"
#include "disk/select.h"

#define SW_ANSWERS_VERSION 1
#define SW_CMDLINE_MAX 2048	/* characters of a kernel command line (COMMAND_LINE_SIZE on x86) */

/* Where a value stands in the answer file; for a missing one, where it would belong. */
struct sw_place {
	unsigned int line, column;	/* 1-based; 0: not from a file */
};

enum sw_boot_mode { SW_MODE_LOCAL, SW_MODE_NETWORK, SW_MODE_HANDS_OFF };
enum sw_finish { SW_FINISH_REBOOT, SW_FINISH_POWEROFF, SW_FINISH_STAY };
enum sw_admission_kind { SW_ADMISSION_NONE, SW_ADMISSION_ATTEST };

struct sw_answers {
	int version;
	char *hostname;
	struct sw_disk_match match;
	char *layout;		/* name or path */
	enum sw_wipe wipe;
	char *kernel, *initrd, *uki;	/* http(s)://…, /path, file:///path, medium:/path */
	char *kernel_sha256, *initrd_sha256, *uki_sha256;
	char *cmdline;
	enum sw_boot_mode boot_mode;
	enum sw_admission_kind admission_kind;
	char *admission_url;
	enum sw_finish finish;
	char *seed;		/* UUID text; empty: from hostname and disk, see plan */
	struct sw_place *places;	/* one per field of the table; NULL when not from a file */
};

struct sw_answers *sw_answers_new(void);	/* with the table's defaults */
struct sw_answers *sw_answers_free(struct sw_answers *a);
SW_DEFINE_CLEANUP(struct sw_answers, sw_answers_free)
#define _cleanup_answers_ _cleanup_(sw_answers_freep)

enum sw_field_type { SW_FIELD_TEXT, SW_FIELD_CHOICE, SW_FIELD_URL, SW_FIELD_SHA256,
		     SW_FIELD_HOSTNAME, SW_FIELD_INT, SW_FIELD_UUID };

struct sw_field {
	const char *key;	/* "disk.match.serial" */
	const char *label;	/* "Disk serial"; at most 20 characters */
	const char *help;	/* one or two sentences */
	const char *example;
	const char *dflt;	/* default as text, or NULL: none */
	enum sw_field_type type;
	const char *const *choices;	/* SW_FIELD_CHOICE: NULL-terminated */
	bool secret;
	size_t offset;		/* into struct sw_answers */
	/* NULL: always. Else whether the field counts, given the others. */
	bool (*applies)(const struct sw_answers *a);
	bool (*required)(const struct sw_answers *a);
	const char *missing;	/* what to do when it is required and absent, or NULL */
	size_t max;		/* longest text; 0: 255 */
	/* A rule of this field alone, after the type's own; says only err->why and the hint. */
	int (*check)(const char *text, struct sw_error *err);
};

extern const struct sw_field sw_fields[];
extern const size_t sw_n_fields;

const struct sw_field *sw_field_find(const char *key);
/* The field's value as text; malloc'd, "" when unset, NULL when out of memory. */
char *sw_field_get(const struct sw_field *f, const struct sw_answers *a);
/*
 * Checks and stores; hex digits and host names are folded to lower case. Empty
 * text takes the value away (a choice or number goes back to its default). On
 * bad input nothing is stored, and err->what/why/hint say what is allowed ("did
 * you mean ..." for choices).
 */
int sw_field_set(const struct sw_field *f, struct sw_answers *a, const char *text,
		 struct sw_error *err);
/* Only the check, for use while typing. Empty text is fine; whether it may stay so: `required`. */
int sw_field_check(const struct sw_field *f, const char *text, struct sw_error *err);

/*
 * Reads a YAML answer file: UTF-8, at most 1 MiB, 10,000 nodes and 16 levels.
 * Errors are -EINVAL with exit 3 and file:line:column. Only what stands in the
 * file is judged; sw_answers_validate() judges the whole.
 */
int sw_answers_read(const char *path, struct sw_answers **ret_answers, struct sw_error *err);
/*
 * The same, with up to max errors (at least 1) in errs, which need no
 * initialising, and their number: also of a file that cannot be read.
 */
int sw_answers_read_all(const char *path, struct sw_error *errs, size_t max, size_t *ret_n,
			struct sw_answers **ret_answers);
/* The same for text in memory; the first error only. file is for messages. */
int sw_answers_parse(const char *text, size_t len, const char *file,
		     struct sw_answers **ret_answers, struct sw_error *err);
/* The same, with up to max errors in errs (which need no initialising) and their number. */
int sw_answers_parse_all(const char *text, size_t len, const char *file, struct sw_error *errs,
			 size_t max, size_t *ret_n, struct sw_answers **ret_answers);

/*
 * Whole-document rules: required fields, hashes for what comes over a network,
 * uki or kernel and initrd, ... -EINVAL (-EOPNOTSUPP for what this version does
 * not do), exit 3. The place is file:line:column when the answers were read
 * from a file, else file (which may be NULL).
 */
int sw_answers_validate(const struct sw_answers *a, const char *file, struct sw_error *err);
int sw_answers_validate_all(const struct sw_answers *a, const char *file, struct sw_error *errs,
			    size_t max, size_t *ret_n);

/* The answer file that reproduces these answers (comments from the table); malloc'd. */
char *sw_answers_to_yaml(const struct sw_answers *a);

/*
 * The node's kernel command line: payload.cmdline, and ember.attest_url= when
 * the node is to be attested. malloc'd, "" when there is nothing.
 */
char *sw_answers_node_cmdline(const struct sw_answers *a);

/*
 * "explain KEY" text; a key that holds others lists them, NULL lists all, one
 * line each. malloc'd; NULL when unknown, see sw_answers_suggest().
 */
char *sw_answers_explain(const char *key);
/* The key (or group of keys) nearest to what was typed, or NULL; malloc'd. */
char *sw_answers_suggest(const char *key);
/* Source of slipway-answers(5) (mdoc) from the table; malloc'd. */
char *sw_answers_manual(void);
/* sha256 over the canonical form, to tell whether a node was installed from these answers. */
int sw_answers_digest(const struct sw_answers *a, char ret_hex[static 65]);
