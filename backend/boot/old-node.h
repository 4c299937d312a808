/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nodes that are on this machine's disks would lose by another install: their secrets, and
 * whether the TPM would still open each. A part of what a plan is made from, as the boot variables
 * are; captured facts carry it along.
 */
#pragma once

#include "base/json.h"
#include "machine/machine.h"
#include "tpm/credential.h"

/*
 * What is known of a secret before the new image is: the TPM would open it on the node; it would
 * not; that depends on PCRs that only the new image gives; it was sealed by another TPM, or this
 * one was cleared; there is no TPM that answers; what is kept of it is damaged.
 */
enum sw_old_secret {
	SW_OLD_OPENS, SW_OLD_CLOSED, SW_OLD_UNSURE, SW_OLD_OTHER_TPM, SW_OLD_NO_TPM, SW_OLD_DAMAGED,
};
const char *sw_old_secret_name(enum sw_old_secret s);	/* "opens" */
/* -EINVAL */
int sw_old_secret_parse(const char *name, enum sw_old_secret *ret_state);

/*
 * [{"disk": the path that opens it, "sequence", "machine_id", "ssh_host_key", "admission": [KIND],
 * "secrets": [{"name", "state", "signed": B, "recovery": B}]}], one for each disk with node data;
 * NULL when there is none, and for captured facts. Reads only, and what cannot be read is passed
 * over.
 */
int sw_old_nodes(struct sw_machine *m, const struct sw_facts *f, json_object **ret_nodes,
		 struct sw_error *err);

/* The same of one credential: pcr7 as the node will have it, NULL: as it is. */
enum sw_old_secret sw_old_secret_judge(const char *tcti, const struct sw_credential *c,
				       const struct sw_pcr7 *pcr7);
