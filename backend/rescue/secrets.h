/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets of a node, sealed to its TPM and kept in its node data:
 *
 *   "secrets": {"NAME": {"credential": TEXT, "recovery": TEXT}}
 *
 * credential is one of systemd's (tpm/credential.h); recovery, which need not be there, is the copy
 * that a recovery key opens after the TPM no longer does.
 */
#pragma once

#include "base/json.h"
#include "tpm/credential.h"

#define SW_SECRETS_MAX 32U	/* of one node */
#define SW_RECOVERY_BYTES_MIN 32U	/* of a key that opens copies */

struct sw_secret_seal {
	const char *tcti;
	const char *name;
	uint32_t pcrs;			/* SW_TPM_PCRS_DEFAULT, or on the node itself others */
	const struct sw_pcr7 *pcr7;	/* as the node will have it; NULL: as it is */
	const struct sw_secret *recovery;	/* NULL: no copy */
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
 * By the TPM, or by a recovery key when one is given. -ENOENT (exit 5): there is none of this name;
 * -EPERM (exit 5): the TPM no longer opens it, with what can be done.
 */
int sw_secrets_open(json_object *data, const char *tcti, const char *name,
		    const struct sw_secret *recovery, struct sw_secret **ret_secret,
		    struct sw_error *err);

/*
 * Opens one and seals it anew: s names it; recovery opens it when given, and its copy stays as it
 * is.
 */
int sw_secrets_reseal(json_object *data, const struct sw_secret_seal *s,
		      struct sw_secret_sealed *ret_sealed, struct sw_error *err);

/* -ENOENT, exit 5. */
int sw_secrets_remove(json_object *data, const char *name, struct sw_error *err);

/* The object of them, or NULL; borrowed. */
json_object *sw_secrets_of(json_object *data);
/* {"name", "pcrs": [7], "recovery": false, "damaged": false} of each, never what is in it. */
json_object *sw_secrets_list(json_object *data);
/* The credential of this name as text, borrowed; NULL. */
const char *sw_secrets_text(json_object *data, const char *name);
