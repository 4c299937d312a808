/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TPM knows of a node's images: a counter behind the sequence of promotes. A disk that was
 * put back to an older state has a lower one. Node data remember that it counts, whose TPM it is,
 * and by which firmware the machine ran at the last promote: "tpm_count": {"ek": "hex", "pcr0":
 * "hex"}. PCR 0 is the firmware's code; it is the same by every road on which a node starts.
 */
#pragma once

#include "boot/switch.h"
#include "tpm/counter.h"

enum sw_count_state {
	SW_COUNT_NONE,		/* no TPM that can be used, and none ever counted */
	SW_COUNT_NEW,		/* it will count from the next promote on */
	SW_COUNT_GOOD,
	SW_COUNT_UNSURE,	/* older, but a slot is or was damaged that may have been newer */
	/* From here on a promote is refused unless it is told to count anew. */
	SW_COUNT_OLDER,		/* this disk's images are older than what the TPM saw */
	SW_COUNT_CLEARED,	/* the same TPM, and it knows nothing */
	SW_COUNT_REPLACED,	/* another TPM, so another board */
	SW_COUNT_GONE,		/* no TPM any more, or it cannot be used */
};

struct sw_count {
	enum sw_count_state state;
	uint64_t highest;	/* on the disks */
	uint64_t count;		/* of the TPM: GOOD, UNSURE, OLDER */
	char why[512];		/* NONE, GONE: what is with the TPM */
	uint8_t owner[SW_SHA256_LEN];
	const char *tcti;	/* NULL: none */
	/* PCR 0 of the sha256 bank as hex: now, and at the last promote; "": not known. */
	char firmware[SW_SHA256_TEXT], known_firmware[SW_SHA256_TEXT];
};

/* Whether a TPM counts, or counted, by what the node data say. data: may be NULL. */
bool sw_count_is_kept(json_object *data);

/* Asks the TPM; that it does not answer is a state, not an error. -ENOMEM. */
int sw_count_look(const struct sw_switch *s, struct sw_count *ret_count);

/* The TPM is the one that counted, and the firmware that it measured another one. */
bool sw_count_other_firmware(const struct sw_count *c);

/* "NONE" to "GONE" in words for JSON: "none", "new", "good", "older", "cleared" … */
const char *sw_count_name(enum sw_count_state state);
/* One sentence for a person. */
void sw_count_text(const struct sw_count *c, char text[static 300]);
/* {"state", "other_firmware", "text"}: whether it is the machine that it was; new reference. */
json_object *sw_count_to_json(const struct sw_count *c);

/* 0, or exit 4 with the way back. */
int sw_count_check(const struct sw_count *c, struct sw_error *err);

/*
 * After a promote: the TPM counts to this sequence, from here on when it did not, or when anew.
 * Changes s->node.data when it has to remember something; *ret_changed: the caller writes it.
 * Without a TPM it forgets. A failure is of the TPM; what was promoted stays.
 */
int sw_count_keep(struct sw_switch *s, const struct sw_count *c, uint64_t sequence, bool anew,
		  bool *ret_changed, struct sw_error *err);
