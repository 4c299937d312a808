/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which servers admit this node, in order, and by what each is known: from the answers, the node
 * data or the kernel's command line.
 */
#pragma once

#include "admission/profile.h"
#include "admission/protocol.h"
#include "answers/answers.h"
#include "base/secret.h"
#include "machine/machine.h"

struct sw_admit_config {
	const struct sw_profile *profile;
	char *url;
	char *token_file;	/* as answers have it, or NULL */
	bool hashed;		/* the token names the server's CA */
	char *ca;		/* PEM with its lines, or NULL */
	char pin[65];		/* or "" */
	enum sw_attest_protocol protocol;
	const char *from;	/* "the node data"; static */
};

struct sw_admit_list {
	struct sw_admit_config v[SW_ADMISSIONS_MAX];
	size_t n;
};

void sw_admit_config_clear(struct sw_admit_config *c);
void sw_admit_list_clear(struct sw_admit_list *l);

/* Adds those of the answers; file: for messages. only: of this kind alone, NULL: all. */
int sw_admit_from_answers(const struct sw_answers *a, const char *file, const char *only,
			  struct sw_admit_list *l, struct sw_error *err);
/*
 * Adds those of the node data; disk: the node's, NULL: the only one. A machine without node data
 * is none that was installed yet, and adds none.
 */
int sw_admit_from_node(struct sw_machine *m, const char *disk, const char *only,
		       struct sw_admit_list *l, struct sw_error *err);
/* The same of node data that were read already. */
int sw_admit_from_data(json_object *data, struct sw_admit_list *l, struct sw_error *err);
/* The URL of ember.attest_url=, for an attestation that has none, or as one more. */
int sw_admit_from_command_line(struct sw_machine *m, const char *only, struct sw_admit_list *l,
			       struct sw_error *err);
/* All that this system knows: the answers' when they name any, else those of the node. */
int sw_admit_find(struct sw_machine *m, const struct sw_answers *a, struct sw_admit_list *l,
		  struct sw_error *err);

/* The next of the list; NULL for a kind without a profile, one not wanted, and a full list. */
struct sw_admit_config *sw_admit_next(struct sw_admit_list *l, const char *kind,
				      const char *only);
/* The first URL counts. */
int sw_admit_set_url(struct sw_admit_config *c, const char *url, const char *from,
		     struct sw_error *err);
/* where: for messages. NULL and "" change nothing. */
int sw_admit_set_pin(struct sw_admit_config *c, const char *pin, const char *where,
		     struct sw_error *err);
int sw_admit_set_protocol(struct sw_admit_config *c, const char *name, const char *where,
			  struct sw_error *err);
/* pem: with or without its line ends. */
int sw_admit_set_ca(struct sw_admit_config *c, const char *pem, struct sw_error *err);
/* Exit 5 without a URL, 2 for one that nothing may be sent to. */
int sw_admit_check_url(const struct sw_admit_config *c, struct sw_error *err);

/* The token of the answers' admission.tokenfile, ready to be used. */
int sw_admit_read_token(struct sw_machine *m, struct sw_admit_config *c,
			struct sw_secret **ret_token, struct sw_error *err);
/* Takes blanks and line ends around it away, and notes what it names; false: nothing is left. */
bool sw_admit_trim_token(struct sw_admit_config *c, struct sw_secret *token);

struct sw_http_trust sw_admit_trust(const struct sw_admit_config *c);
/* "its CA and its key"; static. */
const char *sw_admit_trust_text(const struct sw_admit_config *c);
/* Whether it is believed by more than the system's CAs. */
bool sw_admit_is_pinned(const struct sw_admit_config *c);
