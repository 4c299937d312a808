/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways in which a node is admitted to a cluster, behind one interface: each looks at what it was
 * given before anything is sent, talks to its server, and ends with an overlay: a tar of the files
 * that the node needs to be a member.
 */
#pragma once

#include "base/buf.h"
#include "base/event.h"
#include "base/secret.h"
#include "net/trust.h"
#include "tpm/identity.h"

struct sw_attest;

struct sw_admit_ask {
	const char *url;		/* https:// */
	struct sw_http_trust trust;	/* pin: of the server's key; kubeadm: of its CA's */
	const struct sw_secret *token;	/* one word and nothing around it; NULL: none */
	const struct sw_attest *attest;	/* for attest: all that it needs besides */
	struct sw_identity *id;		/* for a profile that needs a TPM */
	unsigned int timeout_s;		/* for one exchange; 0: 30 */
	unsigned int patience_s;	/* go on trying for so long where that can help */
	const struct sw_sink *sink;	/* told of tries and of risks; polled; or NULL */
};

struct sw_profile {
	const char *kind;		/* as in answers and node data */
	unsigned int port;		/* of a URL that names none; 0: that of https */
	const char *probe;		/* a path that everybody may GET; NULL: the URL itself */
	bool needs_token, needs_tpm;
	bool once;			/* the server takes a token once: never lose what it gave */
	unsigned int token_life_s;	/* of a token that was made as usual; 0: unknown */
	/* Whether what was given can do. Asks nobody. Exit 3, 5. */
	int (*check)(const struct sw_profile *p, const struct sw_admit_ask *ask,
		     struct sw_error *err);
	/*
	 * Adds the overlay to ret_tar, which has to be wiped. Exit 9 when the server refuses, 10
	 * when it cannot be reached or is not believed.
	 */
	int (*run)(const struct sw_profile *p, const struct sw_admit_ask *ask,
		   struct sw_buf *ret_tar, struct sw_error *err);
	/* What a status other than 200 means here. Exit 9 or 10; -EAGAIN: try again. Pure. */
	int (*explain)(long status, const char *body, const char *url, struct sw_error *err);
};

extern const struct sw_profile sw_profile_attest, sw_profile_homeworld, sw_profile_rke2,
	sw_profile_k3s, sw_profile_kubeadm;

/* NULL for a kind that there is no profile of. */
const struct sw_profile *sw_profile_find(const char *kind);

/*
 * The server's address without what ends it, and with the profile's port when it names none;
 * malloc'd. -EINVAL (exit 3) for one with a path, where the profile's own would follow.
 */
int sw_profile_base(const struct sw_profile *p, const char *url, char **ret_base,
		    struct sw_error *err);

/* That the token is none for this profile, in words; -EINVAL, exit 3. */
int sw_profile_bad_token(const char *why, const char *hint, struct sw_error *err);

/*
 * What a status other than 200 means: -EAGAIN (exit 10) for 408, 429 and 500 and above, -EACCES
 * (exit 9) for others. what, hint: NULL for words that are true of any server.
 */
int sw_profile_status(long status, const char *what, const char *hint, const char *url,
		      struct sw_error *err);

struct sw_status_saying {
	long status;
	const char *what, *hint;
};

/* The same with the words of a table that ends with {}. */
int sw_profile_refused(const struct sw_status_saying *sayings, long status, const char *url,
		       struct sw_error *err);
