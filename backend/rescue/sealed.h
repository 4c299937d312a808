/* SPDX-License-Identifier: Apache-2.0 */
/* What the node's TPM has to open: private to backend/rescue. */
#pragma once

#include "base/buf.h"
#include "boot/secrets.h"
#include "disk/luks.h"
#include "rescue/private.h"
#include "tpm/pcrs.h"

/* As what the PCRs count: as they are on the node, as its slot will have them, or neither. */
struct sw_seal_aim {
	const char *tcti;	/* NULL: no TPM that answers */
	json_object *signatures;
	struct sw_pcr7 pcr7;
	bool later;		/* pcr7 counts: this is not the node's own system */
	bool known;		/* what the node's PCRs are is known */
	char *log;		/* the event log's path, NULL: out of memory */
};

/*
 * On the node itself the PCRs as they are; on a real machine that was started from elsewhere, PCR
 * 7 as the firmware will give it to the slot that starts first. Fails only for memory.
 */
int sw_seal_aim_find(const struct sw_switch *s, struct sw_seal_aim *ret_aim, struct sw_error *err);
void sw_seal_aim_clear(struct sw_seal_aim *a);

/* How it stands with one seal. */
enum sw_seal_state {
	SW_SEAL_OPENS,		/* or nobody can tell from here */
	SW_SEAL_UNSIGNED,	/* its signer signed nothing about the PCRs as they are */
	SW_SEAL_CHANGED,	/* this TPM, other PCRs */
	SW_SEAL_FOREIGN,	/* another TPM, or one that was cleared */
};
enum sw_seal_state sw_seal_state_of(const struct sw_seal_aim *a, const struct sw_sealed *s);

/*
 * In words which PCR is not as it was sealed to (sw_sealed_to_json(), or NULL), and which event
 * makes the difference as far as that was kept.
 */
int sw_seal_differs(const struct sw_seal_aim *a, const struct sw_sealed *s, json_object *sealed_to,
		    struct sw_buf *ret_words);
/* The same of values and a log (NULL: none) that are given. Pure. */
int sw_seal_compare(uint32_t pcrs, json_object *sealed_to, const struct sw_tpm_bank *now,
		    const struct sw_eventlog *l, struct sw_buf *ret_words);

/* Repairs: their writes come out of a key, or of the secret itself. See sealed-repair.c. */
int sw_seal_repair_secret(struct sw_finding *fi, const struct sw_node *n,
			  const struct sw_seal_aim *a, const char *name, bool recovery);
int sw_seal_repair_part(struct sw_finding *fi, const struct sw_disk *d, const struct sw_part *p,
			const struct sw_seal_aim *a);
