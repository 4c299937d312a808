/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who vouches for what a node runs: SSH public keys, hardware-backed ones
 * included, and how many of them must have signed. Signatures are OpenSSH's
 * (PROTOCOL.sshsig), made with `ssh-keygen -Y sign` and verified by
 * `ssh-keygen -Y verify`; no cryptography of our own.
 */
#pragma once

#include <stddef.h>

#include "base/event.h"
#include "machine/machine.h"

#define SW_TRUST_IMAGES "slipway-image"		/* namespace of kernels, initrds and UKIs */
#define SW_TRUST_ANSWERS "slipway-answers"	/* and of answer files */
#define SW_TRUST_KEYS_MAX 16
#define SW_TRUST_SIGNATURES_MAX 32
#define SW_TRUST_SIGNATURE_MAX 65536	/* bytes of a file of signatures */

struct sw_trust {
	char **keys;		/* "ssh-ed25519 AAAA… comment"; NULL or empty: none */
	unsigned int threshold;	/* that many different keys must have signed; 0 counts as 1 */
	bool none;		/* said in so many words: nobody needs to have signed */
	const char *ca_file;	/* of https servers with signatures, as for sw_fetch; borrowed */
	const struct sw_sink *sink;	/* polled while signatures are fetched; borrowed; or NULL */
};

void sw_trust_clear(struct sw_trust *t);
#define _cleanup_trust_ _cleanup_(sw_trust_clear)

/* True when signatures are asked for. */
bool sw_trust_asks(const struct sw_trust *t);

/* One public key as in ~/.ssh/id_ed25519.pub. -EINVAL; err gets only why and hint. */
int sw_trust_check_key(const char *key, struct sw_error *err);
#define SW_SSH_FINGERPRINT 64
/* As `ssh-keygen -l` has it: "SHA256:" and base64 without padding. -EINVAL: it is no key. */
int sw_trust_fingerprint(const char *key, char ret[static SW_SSH_FINGERPRINT]);
/* Keys one by one, none twice, the threshold within reach. -EINVAL, exit 3. */
int sw_trust_check(const struct sw_trust *t, struct sw_error *err);

/* One key a line; empty lines and those that begin with # are passed over. file is for errors. */
int sw_trust_parse_keys(const char *text, size_t len, const char *file, char ***ret_keys,
			struct sw_error *err);

/*
 * The signatures in a text (several may follow each other), each from its BEGIN
 * to its END line. What stands around them is passed over. -ENOENT: none; -E2BIG.
 */
int sw_trust_split(const char *text, size_t len, char ***ret_signatures);

/*
 * Checks `file` against the signatures in the files `signatures` (a NULL-terminated
 * list). Success when at least `threshold` different keys made a good one;
 * ret_who (may be NULL) then names them. Exit 8 when not, with what each signature
 * was found to be; 5 without ssh-keygen.
 */
int sw_trust_verify(const struct sw_trust *t, const char *name_space, const char *file,
		    char *const *signatures, char **ret_who, struct sw_error *err);

/*
 * The same, with the signatures fetched first: `sources` is a NULL-terminated list
 * of URLs and paths, by default (NULL or empty) one beside what was fetched, with
 * .sig after its name. Scratch files go to dir. m as for sw_fetch_run().
 */
int sw_trust_vouch(struct sw_machine *m, const struct sw_trust *t, const char *name_space,
		   const char *source, const char *file, char *const *sources, const char *dir,
		   char **ret_who, struct sw_error *err);

/* {"keys": […], "threshold": n} or {"none": true}; NULL when nothing was said. */
json_object *sw_trust_to_json(const struct sw_trust *t);
/* Nothing said and what cannot be read alike: a trust that trusts nobody. */
int sw_trust_from_json(json_object *o, struct sw_trust *ret_trust);
