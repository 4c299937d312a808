/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets of a node, sealed to its TPM and kept in its node data:
 *
 *   "secrets": {"NAME": {"credential": TEXT, "recovery": TEXT, "sealed_to": OBJECT, "time": N}}
 *
 * credential is one of systemd's (tpm/credential.h); recovery, which need not be there, is the copy
 * that a recovery key opens after the TPM no longer does; sealed_to is what the PCRs were
 * (tpm/seal.h), to say later what differs; time when it was sealed, in seconds since the epoch,
 * which those of older versions do not have.
 */
#pragma once

#include "base/json.h"
#include "machine/machine.h"
#include "tpm/credential.h"

#define SW_SECRETS_MAX 32U	/* of one node */
#define SW_SECRET_HOST_KEY "ssh_host_ed25519_key"	/* what an install makes itself */
#define SW_RECOVERY_BYTES_MIN 32U	/* of a key that opens copies */

/* What opens a secret. */
struct sw_secret_keys {
	const char *tcti;
	json_object *signatures;	/* of PCRs (tpm/signed.h), for what has a signer; or NULL */
	const struct sw_secret *recovery;	/* in place of the TPM, when it is given */
	const char *log;	/* sealing: the event log, whose digests are kept; or NULL */
};

struct sw_secret_seal {
	struct sw_secret_keys by;	/* recovery: seal to it as well, reseal by it */
	const char *name;
	uint32_t pcrs;			/* SW_TPM_PCRS_DEFAULT, or on the node itself others */
	const struct sw_pcr7 *pcr7;	/* as the node will have it; NULL: as it is */
	const struct sw_pcr_key *signer;	/* also to PCRs as he signs them; NULL: none */
};

struct sw_secret_sealed {
	bool measured, later;	/* see struct sw_sealed */
	bool replaced;		/* there was one of this name */
	bool recovery;		/* a recovery key opens it, too */
};

/*
 * Seals and, unless only the node can, opens again what it made before it goes into the data, which
 * the caller writes. Exit 2 for a name, 3 for a size, 4 (-ENOSPC) past SW_SECRETS_MAX, 5 for a TPM.
 */
int sw_secrets_seal(json_object *data, const struct sw_secret_seal *s,
		    const struct sw_secret *secret, struct sw_secret_sealed *ret_sealed,
		    struct sw_error *err);

/*
 * By the TPM, or by a recovery key when one is given. -ENOKEY (exit 5): its signer signed nothing
 * about the PCRs as they are. -ENOENT (exit 5): there is none of this name;
 * -EPERM (exit 5): the TPM no longer opens it, with what can be done.
 */
int sw_secrets_open(json_object *data, const struct sw_secret_keys *by, const char *name,
		    struct sw_secret **ret_secret, struct sw_error *err);

/*
 * The signatures of PCRs in this file, or (NULL) those that systemd-stub or systemd left for the
 * running system, NULL when there are none. Exit 5 or 8 for a file that was named.
 */
int sw_secrets_signatures(const struct sw_machine *m, const char *file,
			  json_object **ret_signatures, struct sw_error *err);

/*
 * The passphrase that this machine's TPM gives for the encrypted partition that part is. file: as
 * above; label: of the partition, for messages. Exit 5 when it gives none.
 */
int sw_secrets_part_key(struct sw_machine *m, struct sw_io *part, const char *file,
			const char *label, struct sw_secret **ret_key, struct sw_error *err);

/*
 * Opens one and seals it anew: s names it; recovery opens it when given, and its copy stays as it
 * is. Without a signer in s it keeps the one that it had.
 */
int sw_secrets_reseal(json_object *data, const struct sw_secret_seal *s,
		      struct sw_secret_sealed *ret_sealed, struct sw_error *err);

/* -ENOENT, exit 5. */
int sw_secrets_remove(json_object *data, const char *name, struct sw_error *err);

/* The object of them, or NULL; borrowed. */
json_object *sw_secrets_of(json_object *data);
/*
 * {"name", "pcrs": [7], "signed": [], "recovery": false, "damaged": false} of each, never what is
 * in it. signed: the PCRs of a signer.
 */
json_object *sw_secrets_list(json_object *data);
/* The credential of this name as text, borrowed; NULL. */
const char *sw_secrets_text(json_object *data, const char *name);
