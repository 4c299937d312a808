/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's own configuration as files, so that a stick carries it from one node to its next
 * install: `config/` with hostname, machine-id, ssh/, network/, fstab, tls/, tokens/, files/ and
 * secrets.age. Imported into the node data after a preview that has a verdict for each file, and
 * saved from there. Nothing is left out in silence: what a node cannot take says why.
 */
#pragma once

#include "base/json.h"
#include "base/secret.h"
#include "boot/node.h"
#include "tpm/eventlog.h"

#define SW_CONFIG_FILE_MAX 65536U	/* bytes of one file */
#define SW_CONFIG_FILES_MAX 128U
#define SW_CONFIG_DIR "config"		/* on a medium or stick */
#define SW_CONFIG_SECRETS "secrets.age"
#define SW_CONFIG_MEDIUM "medium"	/* places, beside paths */
#define SW_CONFIG_STICK "stick"

/* ---- what is offered ---- */

struct sw_config_file {
	char *name;		/* "ssh/authorized_keys"; shown as it is, so it is clean */
	struct sw_secret *data;	/* NULL: it was not taken */
	char why[160];		/* then the reason */
};

struct sw_config_source {
	struct sw_config_file *v;
	size_t n;
	char *from;		/* for people: "/mnt/config", "the stick" */
};

/*
 * Reads a directory, a tar, or config/ of "medium" or "stick"; NULL: of the medium, else of the
 * stick. A link, device, huge or unreadable file is an entry without data. Exit 5 when there is
 * none, 3 for what is no directory and no tar.
 */
int sw_config_read(struct sw_machine *m, const char *where, struct sw_config_source *ret_source,
		   struct sw_error *err);
void sw_config_source_clear(struct sw_config_source *s);
#define _cleanup_config_source_ _cleanup_(sw_config_source_clear)

/* ---- what it would do ---- */

enum sw_config_verdict { SW_CONFIG_NEW, SW_CONFIG_SAME, SW_CONFIG_DIFFERS, SW_CONFIG_REFUSED };

struct sw_config_item {
	char *name;		/* of the file, or "secrets.age: NAME" */
	const char *what;	/* static: "host name" */
	enum sw_config_verdict verdict;
	char why[200];		/* of a refusal; else what it means, or "" */
	char now[100], then[100];	/* never of a secret; "" when there is nothing to show */
};

/* What opens and seals secrets. */
struct sw_config_keys {
	const char *tcti;	/* NULL: no TPM */
	const struct sw_pcr7 *pcr7;	/* as the node will have it; NULL: as it is */
	const char *identity;	/* age's, a file; or NULL */
	const struct sw_secret *passphrase;	/* of secrets.age, or NULL */
};

struct sw_config_preview {
	struct sw_config_item *v;	/* in the order of the files */
	size_t n, changes;	/* items that are new or differ */
	json_object *data;	/* the node data as it will be, but for secrets */
	struct sw_config_sealing {	/* to be sealed by the import */
		char name[64];
		struct sw_secret *data;
	} *secrets;
	size_t n_secrets;
};

/* Pure but for the TPM, which is asked what the node's secrets are now. -ENOMEM. */
int sw_config_preview(const struct sw_node *n, const struct sw_config_keys *keys,
		      const struct sw_config_source *source, struct sw_config_preview *ret_preview,
		      struct sw_error *err);
void sw_config_preview_clear(struct sw_config_preview *p);
#define _cleanup_config_preview_ _cleanup_(sw_config_preview_clear)
const char *sw_config_verdict_name(enum sw_config_verdict v);	/* "new" "same" ... */
/* {"changes", "items": [{"name", "what", "verdict", "why", "now", "then"}]}; new reference. */
json_object *sw_config_preview_to_json(const struct sw_config_preview *p);

/* ---- doing it, and taking it back ---- */

/*
 * The node whose data an import changes: on the disk of this name (NULL: there is one), else in the
 * firmware. Exit 5 without node data.
 */
int sw_config_find_node(struct sw_machine *m, const struct sw_facts *f, const char *disk,
			struct sw_node *ret_node, struct sw_error *err);

/*
 * Seals, saves what the node data were into RUN_DIR/config-undo-N.json (0600), then writes and
 * reads back. Nothing is written when sealing fails. n->data is as it was left on disk.
 */
int sw_config_import(struct sw_machine *m, struct sw_node *n, const struct sw_config_keys *keys,
		     struct sw_config_preview *p, char **ret_undo, struct sw_error *err);
/* The file of the last import that is still in run_dir, malloc'd; NULL: none. */
char *sw_config_last(const struct sw_machine *m);
/* Exit 4 (-ESTALE) when the node data are not as the import left them. The file goes. */
int sw_config_undo(struct sw_machine *m, struct sw_node *n, const char *file,
		   struct sw_error *err);

/* ---- saving ---- */

struct sw_config_save {
	const char *where;	/* a directory, a path that ends in .tar, or "stick" */
	bool secrets;		/* those that the TPM opens, into secrets.age */
	char *const *recipients;	/* of age; NULL or empty: the passphrase */
	const struct sw_secret *passphrase;
};

/*
 * Writes what the node data hold. ret_done: {"where", "files": [NAME], "secrets": [NAME],
 * "closed": [{"name", "why"}]}; closed: secrets that the TPM does not open here. Files of the same
 * names are replaced, others stay. Exit 3 for a place, 5 without what encrypts.
 */
int sw_config_store(struct sw_machine *m, const struct sw_node *n,
		    const struct sw_config_keys *keys, const struct sw_config_save *o,
		    json_object **ret_done, struct sw_error *err);
