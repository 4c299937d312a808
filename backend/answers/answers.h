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
};

struct sw_answers *sw_answers_new(void);	/* with the table's defaults */
struct sw_answers *sw_answers_free(struct sw_answers *a);
SW_DEFINE_CLEANUP(struct sw_answers, sw_answers_free)
#define _cleanup_answers_ _cleanup_(sw_answers_freep)

enum sw_field_type { SW_FIELD_TEXT, SW_FIELD_CHOICE, SW_FIELD_URL, SW_FIELD_SHA256,
		     SW_FIELD_HOSTNAME, SW_FIELD_INT, SW_FIELD_UUID };

struct sw_field {
	const char *key;	/* "disk.match.serial" */
	const char *label;	/* "Disk serial" */
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
};

extern const struct sw_field sw_fields[];
extern const size_t sw_n_fields;

const struct sw_field *sw_field_find(const char *key);
/* The field's value as text; malloc'd, "" when unset. */
char *sw_field_get(const struct sw_field *f, const struct sw_answers *a);
/*
 * Checks and stores. On bad input nothing is stored, and err->what/why/hint say
 * what is allowed ("did you mean …" for choices).
 */
int sw_field_set(const struct sw_field *f, struct sw_answers *a, const char *text,
		 struct sw_error *err);
/* Only the check, for use while typing. */
int sw_field_check(const struct sw_field *f, const char *text, struct sw_error *err);

/* Reads a YAML answer file (bounded; every error has file:line:column, the first one wins, did-you-mean for keys). */
int sw_answers_read(const char *path, struct sw_answers **ret_answers, struct sw_error *err);
int sw_answers_parse(const char *text, size_t len, const char *file,
		     struct sw_answers **ret_answers, struct sw_error *err);

/* The kernel command line of the node: payload.cmdline and what admission adds; malloc'd. */
char *sw_answers_node_cmdline(const struct sw_answers *a);

/* Whole-document rules: required fields, hashes for what comes over a network, uki or kernel+initrd, … */
int sw_answers_validate(const struct sw_answers *a, const char *file, struct sw_error *err);

/* The answer file that reproduces these answers (comments from the table); malloc'd. */
char *sw_answers_to_yaml(const struct sw_answers *a);

/* "explain KEY" text; key NULL: all keys, one line each. malloc'd; NULL when unknown. */
char *sw_answers_explain(const char *key);
/* Body of slipway-answers(5) (mdoc) from the table; malloc'd. */
char *sw_answers_manual(void);
/* sha256 over the canonical form, to tell whether a node was installed from these answers. */
int sw_answers_digest(const struct sw_answers *a, char ret_hex[static 65]);
