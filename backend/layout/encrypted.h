/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypt= of a definition carried out: the keys that it asks for, and its content under them. */
#pragma once

#include "base/event.h"
#include "disk/luks.h"
#include "layout/layout.h"

/* What opens the partitions; each may be NULL when no definition wants it. */
struct sw_layout_keys {
	const struct sw_secret *key_file;
	const char *tcti;
	uint32_t pcrs;		/* of the seal */
	const struct sw_pcr7 *pcr7;	/* as the node will have it; NULL: not known */
	const char *log;	/* the event log, or NULL: see struct sw_seal_signer */
	const struct sw_pcr_key *signer;	/* of PCRs that the seal is to as well; NULL */
	struct sw_luks_cost cost;
};

/* Exit 2 or 5 when the definition encrypts with what is not there; keys may be NULL. */
int sw_layout_check_keys(const struct sw_layout_part *p, const struct sw_layout_keys *keys,
			 struct sw_error *err);

/* What is to be said of a seal: see struct sw_sealed. */
struct sw_encrypt_note {
	bool measured, later;
};

/*
 * A key and a LUKS2 header for a partition: seals a new secret to the TPM and tries it
 * (unless only the node can open it), as `encrypt` (SW_ENCRYPT_*) asks. recovery
 * may be NULL. Writes the header to `file`.
 */
int sw_encrypt_make(unsigned int encrypt, const struct sw_guid *part_uuid,
		    const struct sw_layout_keys *keys, const struct sw_secret *recovery,
		    const char *file, struct sw_encrypt_note *ret_note, struct sw_secret **ret_key,
		    struct sw_error *err);

/*
 * Makes the content of a partition and writes it encrypted: its blocks first, the header
 * last. io is the partition, whose old content is already gone; inner: the content's
 * placement within the decrypted data.
 */
int sw_encrypt_fill(struct sw_io *io, const struct sw_secret *key, const char *header,
		    const struct sw_placement *inner, int64_t when, const char *work,
		    unsigned int step, const struct sw_sink *sink, struct sw_error *err);
